/*
 * layers: which layers of confinement this machine offers, which are active, and why one
 * is not.
 * Runs in: master.
 */
#include "ftpd/master/layers.h"

#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/privilege.h"
#include "common/sandbox.h"
#include "common/base.h"

enum {
	NAME_MAX_LEN = 64,
};

/* Returns: the Landlock version, 0 or negative errno. */
static long
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	                       LANDLOCK_CREATE_RULESET_VERSION);

	return version >= 0 ? version : -errno;
}

static bool
has_filter(void)
{
	static const uint32_t action = SECCOMP_RET_TRAP;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool
has_openat2(void)
{
	return syscall(SYS_openat2, -1, NULL, NULL, (size_t)0) != 0 && errno != ENOSYS &&
	       errno != EPERM;
}

static bool
has_capability(cap_value_t value)
{
	cap_t set = cap_get_proc();
	cap_flag_value_t state = CAP_CLEAR;

	if (set != NULL) {
		(void)cap_get_flag(set, value, CAP_EFFECTIVE,
		                   &state); /* state stays clear then */
		(void)cap_free(set);
	}
	return state == CAP_SET;
}

uint8_t
layers_probe(void)
{
	unsigned layers = 0;

	if (privilege_is_root() && has_capability(CAP_SETUID)) {
		layers |= SPAWN_LAYER_UID;
	}
	if (privilege_is_root() && has_capability(CAP_SYS_CHROOT)) {
		layers |= SPAWN_LAYER_ROOT;
	}
	if (landlock_version() > 0) {
		layers |= SPAWN_LAYER_LANDLOCK;
	}
	if (has_filter() && sandbox_is_built()) {
		layers |= SPAWN_LAYER_FILTER;
	}
	return (uint8_t)layers;
}

static const char *
name_of(enum spawn_layer layer, char text[NAME_MAX_LEN])
{
	switch (layer) {
	case SPAWN_LAYER_UID: return "a user of its own";
	case SPAWN_LAYER_ROOT: return "an empty root directory";
	case SPAWN_LAYER_LANDLOCK:
		if (landlock_version() <= 0) {
			return "Landlock";
		}
		(void)snprintf(text, NAME_MAX_LEN, "Landlock version %ld",
		               landlock_version());
		return text;
	case SPAWN_LAYER_FILTER: return "a system call filter";
	case SPAWN_LAYER_ALL: break;
	}
	return "";
}

static const char *
landlock_reason(void)
{
	long version = landlock_version();

	if (version == -EOPNOTSUPP) {
		return "switched off at boot: put landlock into lsm= of the kernel's command line";
	}
	if (version == -ENOSYS) {
		return "not in this kernel (Linux 5.13 and later), or hidden by the container";
	}
	return version > 0 ? "sandbox is off" : "refused, perhaps by the container";
}

static const char *
reason_of(enum spawn_layer layer)
{
	switch (layer) {
	case SPAWN_LAYER_UID:
		return privilege_is_root() ? "the capability SETUID is missing"
		                           : "not started by root";
	case SPAWN_LAYER_ROOT:
		return privilege_is_root() ? "the capability SYS_CHROOT is missing"
		                           : "not started by root";
	case SPAWN_LAYER_LANDLOCK: return landlock_reason();
	case SPAWN_LAYER_FILTER:
		if (!sandbox_is_built()) {
			return "this is a sanitizer build";
		}
		return has_filter() ? "sandbox is off"
		                    : "not in this kernel, or hidden by the container";
	case SPAWN_LAYER_ALL: break;
	}
	return "";
}

static const enum spawn_layer all_layers[] = {
    SPAWN_LAYER_UID,
    SPAWN_LAYER_ROOT,
    SPAWN_LAYER_LANDLOCK,
    SPAWN_LAYER_FILTER,
};

static size_t
append(char text[LAYERS_TEXT_MAX], size_t at, const char *before, const char *what)
{
	int len = snprintf(text + at, LAYERS_TEXT_MAX - at, "%s%s", before, what);

	if (len < 0 || (size_t)len >= LAYERS_TEXT_MAX - at) {
		return LAYERS_TEXT_MAX - 1;
	}
	return at + (size_t)len;
}

const char *
layers_describe(uint8_t layers, char text[LAYERS_TEXT_MAX])
{
	char name[NAME_MAX_LEN];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(all_layers); i++) {
		if ((layers & all_layers[i]) != 0) {
			at = append(text, at, at > 0 ? ", " : "",
			            name_of(all_layers[i], name));
		}
	}
	if (at == 0) {
		at = append(text, at, "", "nothing");
	}
	for (size_t i = 0; i < ARRAY_COUNT(all_layers); i++) {
		if ((layers & all_layers[i]) == 0) {
			at = append(text, at, "; without ", name_of(all_layers[i], name));
			at = append(text, at, ": ", reason_of(all_layers[i]));
		}
	}
	return text;
}

void
layers_print(void)
{
	uint8_t layers = layers_probe();
	char name[NAME_MAX_LEN];

	for (size_t i = 0; i < ARRAY_COUNT(all_layers); i++) {
		bool is_there = (layers & all_layers[i]) != 0;

		(void)printf("sandbox: %s: %s%s\n", name_of(all_layers[i], name),
		             is_there ? "yes" : "no, ",
		             is_there ? "" : reason_of(all_layers[i]));
	}
	(void)printf("sandbox: paths resolved by the kernel (openat2): %s\n",
	             has_openat2()
	                 ? "yes"
	                 : "no, before Linux 5.6 or hidden by the container; a walk "
	                   "component by component takes its place");
}
