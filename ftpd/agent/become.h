/*
 * become: from the process that the master started to one that is the user, confined to
 * the root directory.
 * Runs in: deftpd-agent, once, before the first question. The order of the steps is the
 * security.
 * Source: SECURITY.md 3.3 and F2; DESIGN.md section 3, rule 6.
 * Not here: which system calls remain; see sandbox.h of this folder.
 */
#ifndef FTPD_AGENT_BECOME_H
#define FTPD_AGENT_BECOME_H

#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

enum {
	BECOME_MAX_LINKS = 16, /* links on the way to the root directory; then -ELOOP */
	/*
	 * Listings hold three descriptors each. The limit is generous because the kernel
	 * compares it with all that
	 * the whole user has in flight (SECURITY.md, finding 4). */
	BECOME_MAX_FDS = 1024,
	/* 16 listings at their caps; most of that is never touched */
	BECOME_MAX_DATA = 160 * 1024 * 1024,
};

/*
 * Open the configured root directory by walking from "/" component by component. A link
 * is followed only if root or this process's own user made it; as root, a parent
 * directory that everybody may write to (without the sticky bit) is refused, because
 * anybody could put another directory in the place.
 * In:      path: absolute, NUL-terminated.
 * Returns: an O_PATH descriptor, the caller's to close, or negative errno; -EPERM for a
 *          refused link or parent.
 */
int become_open_root(const char *path);

/*
 * Enter the root (as root) and become the user for good.
 * Returns: AGENT_EXIT_DONE, or what failed as the exit status.
 */
enum agent_exit become_user(const struct agent_start *start, int root_fd);

/*
 * Set limits, and confine this process to what it may do below the root by Landlock
 * and the filter.
 * Returns: AGENT_EXIT_DONE or AGENT_EXIT_SANDBOX.
 */
enum agent_exit become_confined(const struct agent_start *start, int root_fd);

#endif
