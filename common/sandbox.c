/*
 * sandbox: system call filter and resource limits; see landlock.c for Landlock and
 * sandbox_build.c for how a filter is made, apart from here because who loads a finished
 * one needs no libseccomp.
 * Runs in: worker, agent, recorder, at the end of their start-up.
 */
#include "common/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "common/base.h"

enum {
	/* Further different numbers are not told: the first ones show the fault. */
	DENIED_MAX = 16,
};

/*
 * Numbers that the SIGSYS handler saw; 0 is free, a number is stored plus one. Signal
 * flags in the sense of STYLE.md: a handler has no other place.
 */
/* NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables) */
static volatile sig_atomic_t denied_calls[DENIED_MAX];
static volatile sig_atomic_t denied_told[DENIED_MAX];
/* NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables) */

void
sandbox_filter_free(struct sandbox_filter *filter)
{
	free(filter->program);
	*filter = (struct sandbox_filter){0};
}

#if defined(__x86_64__)
static void
set_return_value(ucontext_t *interrupted, int value)
{
	interrupted->uc_mcontext.gregs[REG_RAX] = value;
}
#elif defined(__aarch64__)
static void
set_return_value(ucontext_t *interrupted, int value)
{
	interrupted->uc_mcontext.regs[0] = (unsigned long long)value;
}
#else
#error "state here how a system call returns a value on this machine"
#endif

/* Runs at any moment: touches only the two arrays and the interrupted context. */
static void
handle_sigsys(int number, siginfo_t *info, void *context)
{
	sig_atomic_t call = info->si_syscall + 1;

	(void)number; /* only SIGSYS is installed */
	set_return_value(context, -ENOSYS);
	for (size_t i = 0; i < DENIED_MAX; i++) {
		if (denied_calls[i] == call) {
			return;
		}
		if (denied_calls[i] == 0) {
			denied_calls[i] = call;
			return;
		}
	}
}

int
sandbox_filter_load(const struct sandbox_filter *filter)
{
	struct sock_fprog program = {.len = filter->count, .filter = filter->program};
	struct sigaction action = {.sa_sigaction = handle_sigsys, .sa_flags = SA_SIGINFO};

	(void)sigemptyset(&action.sa_mask); /* cannot fail */
	if (sigaction(SIGSYS, &action, NULL) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
		return -errno;
	}
	return 0;
}

int
sandbox_take_denied(void)
{
	for (size_t i = 0; i < DENIED_MAX; i++) {
		if (denied_calls[i] == 0) {
			return -1;
		}
		if (denied_told[i] == 0) {
			denied_told[i] = 1;
			return (int)denied_calls[i] - 1;
		}
	}
	return -1;
}

/* A hard limit that is lower already stays: raising it would need a capability. */
static int
set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
		return -errno;
	}
	if (value < limit.rlim_max) {
		limit.rlim_max = value;
	}
	limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ? 0 : -errno;
}

int
sandbox_limits(unsigned long max_fds, unsigned long max_data_bytes,
               bool may_start_threads)
{
	int result = set_limit(RLIMIT_CORE, 0);

	if (result == 0) {
		result = set_limit(RLIMIT_NOFILE, max_fds);
	}
	if (result == 0 && max_data_bytes != 0 && sandbox_is_built()) {
		result = set_limit(RLIMIT_DATA, max_data_bytes);
	}
	if (result == 0 && !may_start_threads) {
		result = set_limit(RLIMIT_NPROC, 0);
	}
	return result;
}

int
sandbox_limit_file_size(uint64_t max_bytes)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGXFSZ, &ignore, NULL) != 0) {
		return -errno;
	}
	return set_limit(RLIMIT_FSIZE, max_bytes);
}

#ifdef DEFTPD_SANITIZED
bool
sandbox_is_built(void)
{
	return false;
}
#else
bool
sandbox_is_built(void)
{
	return true;
}
#endif
