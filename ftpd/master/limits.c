/*
 * limits: resource limits and capabilities of the master itself.
 * Runs in: master.
 */
#include "ftpd/master/limits.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/privilege.h"
#include "common/base.h"

enum {
	FDS_MIN = 65536,
	/* Channels and sockets of sessions, and what the master needs by itself. */
	FDS_PER_SESSION = 2,
	FDS_BESIDE = 1024,
};

/*
 * What is kept, and why. Not among them: SYS_ADMIN, SYS_PTRACE, NET_RAW, NET_ADMIN, MKNOD
 * and all others.
 */
static const cap_value_t kept[] = {
    CAP_SETUID,     /* programs become their users */
    CAP_SETGID,     /* and their groups */
    CAP_SETPCAP,    /* and empty their bounding sets */
    CAP_SYS_CHROOT, /* agents enter their root, workers an empty one */
    CAP_KILL,       /* programs of other users are ended by force when they do not end */
    CAP_NET_BIND_SERVICE, /* ports 21 and 20 */
    CAP_DAC_READ_SEARCH,  /* an anonymous root below a private directory */
    CAP_DAC_OVERRIDE,     /* logs may belong to the recorder's user */
};

/*
 * What the master has no use for, but PAM in deftpd-auth may: it comes back there by
 * exec, as these stay in the bounding set. All other programs give up everything.
 */
static const cap_value_t left_to_pam[] = {
    CAP_AUDIT_WRITE,   /* Linux-PAM refuses root who may not write to the audit log */
    CAP_AUDIT_CONTROL, /* pam_loginuid */
    CAP_SYS_RESOURCE,  /* pam_limits */
    CAP_CHOWN,         /* pam_mkhomedir */
    CAP_FOWNER,
};

void
limits_raise(uint32_t max_sessions)
{
	rlim_t wanted = (rlim_t)max_sessions * FDS_PER_SESSION + FDS_BESIDE;
	struct rlimit limit;
	struct rlimit higher;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return;
	}
	if (wanted < FDS_MIN) {
		wanted = FDS_MIN;
	}
	higher.rlim_max = wanted > limit.rlim_max ? wanted : limit.rlim_max;
	higher.rlim_cur = higher.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &higher) != 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE,
		                &limit); /* then the limit of before has to do */
	}
}

static bool
is_kept(cap_value_t value)
{
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
		if (kept[i] == value) {
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(left_to_pam); i++) {
		if (left_to_pam[i] == value) {
			return true;
		}
	}
	return false;
}

/* A container may have fewer capabilities than we would keep. */
static int
keep_only_needed(cap_t set)
{
	cap_t before = cap_get_proc();
	int result = before != NULL ? 0 : -errno;

	for (size_t i = 0; i < ARRAY_COUNT(kept) && result == 0; i++) {
		cap_flag_value_t state = CAP_CLEAR;

		if (cap_get_flag(before, kept[i], CAP_PERMITTED, &state) != 0 ||
		    (state == CAP_SET &&
		     (cap_set_flag(set, CAP_PERMITTED, 1, &kept[i], CAP_SET) != 0 ||
		      cap_set_flag(set, CAP_EFFECTIVE, 1, &kept[i], CAP_SET) != 0))) {
			result = -errno;
		}
	}
	if (before != NULL) {
		(void)cap_free(before); /* only frees memory */
	}
	return result;
}

static int
drop_from_bounding_set(void)
{
	for (cap_value_t value = 0; value < cap_max_bits(); value++) {
		if (!is_kept(value) && cap_get_bound(value) > 0 &&
		    cap_drop_bound(value) != 0) {
			return -errno;
		}
	}
	return 0;
}

static int
drop_capabilities(void)
{
	cap_t set = cap_init();
	int result;

	if (set == NULL) {
		return -errno;
	}
	result = keep_only_needed(set);
	if (result == 0) {
		result = drop_from_bounding_set();
	}
	if (result == 0 && cap_set_proc(set) != 0) {
		result = -errno;
	}
	(void)cap_free(set); /* only frees memory */
	return result;
}

int
limits_drop_capabilities(void)
{
	int result = privilege_is_root() ? drop_capabilities() : 0;

	if (result == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		result = -errno;
	}
	return result;
}
