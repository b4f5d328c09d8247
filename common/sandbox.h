/*
 * sandbox: system call filter, Landlock and resource limits. Each role has one table that
 * names the calls it may make.
 * Runs in: worker, agent, recorder, at the end of their start-up.
 * Source: seccomp(2), landlock(7), SECURITY.md 3.4 to 3.6; DESIGN.md section 3, rules 2,
 * 4, 6 and 11.
 * Not here: which calls a role needs; see its sandbox.c. Users and capabilities; see
 * privilege.h.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include "common/base.h"

enum sandbox_action {
	SANDBOX_ALLOW,
	SANDBOX_REFUSE, /* EPERM: a call that libraries try and can live without */
	/*
	 * ENOSYS, silently: the C library then uses an older call that the filter can
	 * judge.
	 */
	SANDBOX_ABSENT,
	SANDBOX_KILL, /* no innocent reason exists */
};

/*
 * A condition on one argument: (argument & mask) == value. A mask of 0 is no condition.
 */
struct sandbox_check {
	unsigned argument;
	uint64_t mask;
	uint64_t value;
};

struct sandbox_rule {
	int call; /* SCMP_SYS(name) */
	enum sandbox_action action;
	struct sandbox_check checks[2];
};

/* A compiled filter. Build it once, load it in each child. */
struct sandbox_filter {
	/* struct sock_filter[count]; the owner frees it by sandbox_filter_free */
	void *program;
	unsigned short count;
};

/*
 * Compile the filter from the role's rules and those that every process needs (memory
 * without PROT_EXEC, time, exit, signals). A call that no rule names gets ENOSYS and is
 * noted for sandbox_take_denied.
 * Returns: 0 or negative errno.
 */
int sandbox_filter_build(const struct sandbox_rule *rules, size_t count,
                         bool may_start_threads, struct sandbox_filter *ret_filter);

void sandbox_filter_free(struct sandbox_filter *filter);

/*
 * Set no-new-privileges, install the SIGSYS handler and the filter for the calling
 * thread. It cannot be taken back.
 * Returns: 0 or negative errno.
 */
int sandbox_filter_load(const struct sandbox_filter *filter);

/*
 * Take the number of a system call that the filter denied since the last time it was
 * asked for; each number is told once.
 * Returns: the number, or -1.
 */
int sandbox_take_denied(void);

/* What a process may do with files below one directory; see sandbox_landlock. */
enum sandbox_files {
	SANDBOX_FILES_NONE,
	SANDBOX_FILES_READ,
	/*
	 * also make, change, rename and remove plain files, directories and links. The
	 * first version of Landlock forbids every rename to another directory: there,
	 * nothing is done.
	 */
	SANDBOX_FILES_WRITE,
};

/*
 * Confine the process by Landlock: no files, or those below root_fd; no TCP bind or
 * connect; signals and abstract sockets stay inside the domain where the kernel knows
 * these scopes.
 * In:      root_fd: a directory, or -1 with SANDBOX_FILES_NONE.
 * Out:     ret_abi: the kernel's Landlock version, 0 where there is none and nothing was
 *          done.
 * Returns: 0 or negative errno.
 */
int sandbox_landlock(int root_fd, enum sandbox_files files, int *ret_abi);

/*
 * Set soft and hard limits: descriptors, address space for data, processes (0 forbids
 * fork; pass false to leave it), no core.
 * Returns: 0 or negative errno.
 */
int sandbox_limits(unsigned long max_fds, unsigned long max_data_bytes,
                   bool may_start_threads);

/*
 * Set the soft and hard limit of the size of files that are written; what would pass it
 * fails with -EFBIG.
 * Returns: 0 or negative errno.
 */
int sandbox_limit_file_size(uint64_t max_bytes);

/*
 * Ask whether this build can be confined: sanitizer builds cannot.
 * Returns: true except in a sanitizer build.
 */
bool sandbox_is_built(void);

#endif
