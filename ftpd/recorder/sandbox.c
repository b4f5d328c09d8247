/*
 * sandbox: what the recorder may still do once it is confined.
 * Runs in: recorder.
 */
#include "ftpd/recorder/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/resource.h>

#include "common/forkserver.h"
#include "common/sandbox.h"
#include "common/base.h"

enum {
	/* Beside the workers' channels. */
	OWN_FDS = 256,
	MAX_DATA_BYTES = 256 * 1024 * 1024,
};

static const struct sandbox_rule rules[] = {
    /* Records come in, answers and lines go out. */
    {SCMP_SYS(recvmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(recvmmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendto), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(write), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(read), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(epoll_wait), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(epoll_pwait), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(epoll_ctl), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(poll), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ppoll), SANDBOX_ALLOW, {{0}}},
    /* Whether a log is a file or a pipe: of an open descriptor only. */
    {SCMP_SYS(fstat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(newfstatat), SANDBOX_ALLOW, {{3, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
    /* What wakes the two writing threads. */
    {SCMP_SYS(eventfd2), SANDBOX_ALLOW, {{0}}},
};

/*
 * A private worker serves one session; while the configuration is renewed, old ones and
 * spare ones come on top.
 */
static unsigned long
needed_fds(const struct options *options)
{
	unsigned long needed =
	    OWN_FDS +
	    2UL * (options->max_sessions + options->spare_max + options->shared_workers);
	struct rlimit now;

	/*
	 * Without root the limit cannot be raised; a worker that finds no room there is
	 * not recorded, and the log says so.
	 */
	if (!privilege_is_root() && getrlimit(RLIMIT_NOFILE, &now) == 0 &&
	    now.rlim_max < needed) {
		needed = now.rlim_max;
	}
	return needed;
}

int
sandbox_confine_recorder(const struct identity *identity, const struct options *options,
                         unsigned *ret_layers, const char **ret_failed)
{
	bool has_sandbox = options->sandbox != OPTIONS_SANDBOX_OFF && sandbox_is_built();
	struct sandbox_filter filter = {0};
	unsigned layers = 0;
	int landlock = 0;
	int result;

	*ret_failed = "setting resource limits";
	result = sandbox_limits(needed_fds(options), MAX_DATA_BYTES, true);
	if (result == 0 && privilege_is_root()) {
		*ret_failed = "entering an empty root directory";
		result = privilege_enter_empty_root();
		layers = SPAWN_LAYER_UID | SPAWN_LAYER_ROOT;
	}
	if (result == 0) {
		*ret_failed = "changing to the recorder's user";
		result = privilege_become(identity);
	}
	if (result == 0 && has_sandbox) {
		*ret_failed = "Landlock";
		result = sandbox_landlock(-1, SANDBOX_FILES_NONE, &landlock);
		layers |= landlock > 0 ? SPAWN_LAYER_LANDLOCK : 0;
	}
	if (result == 0 && has_sandbox) {
		*ret_failed = "the system call filter";
		result = sandbox_filter_build(rules, ARRAY_COUNT(rules), true, &filter);
		if (result == 0) {
			result = sandbox_filter_load(&filter);
			sandbox_filter_free(&filter);
		}
		layers |= SPAWN_LAYER_FILTER;
	}
	if (result == 0) {
		*ret_layers = layers;
	}
	return result;
}
