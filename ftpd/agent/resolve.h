/*
 * resolve: from a client-visible path to a descriptor, beneath the root and nowhere else.
 * Runs in: deftpd-agent, as the user. Distrusts: the worker (paths), and everybody who
 * can rename or link below the root.
 * Source: openat2(2); DESIGN.md section 3, rule 10; SECURITY.md 3.5 and F24.
 * Not here: what is done with the descriptor; see fsops.h and listing.h.
 */
#ifndef FTPD_AGENT_RESOLVE_H
#define FTPD_AGENT_RESOLVE_H

#include <sys/types.h>

#include "common/base.h"

enum {
	/* a rename elsewhere may disturb the kernel's walk that often; then -EAGAIN */
	RESOLVE_TRIES = 32,
};

/*
 * The root and the means. Where openat2 is missing, paths are walked without following
 * any link.
 */
struct resolver {
	int root_fd; /* O_PATH; never leaves this process */
	bool has_openat2;
	/*
	 * of /proc, if the root has one; 0: none. What looks like a plain file there
	 * is another process, and is not for writing.
	 */
	dev_t proc_device;
};

/*
 * Find out whether openat2 works here. Some kernels, containers and unit settings
 * (RestrictSUIDSGID) take it away.
 * Owner:   root_fd stays the caller's.
 */
void resolver_init(struct resolver *resolver, int root_fd);

/*
 * Open what is at an absolute client path; links are followed inside the root (not by the
 * fallback).
 * In:      path: NUL-terminated; flags: for open(2), O_CLOEXEC is added.
 * Returns: the descriptor, the caller's to close, or negative errno; -EAGAIN when renames
 *          got in the way too often.
 */
int resolve_open(const struct resolver *resolver, const char *path, int flags);

/*
 * As resolve_open, with O_CREAT in flags.
 * In:      mode: permission bits of a new file, which the umask lessens; 0 without
 *          O_CREAT.
 * Returns: as resolve_open.
 */
int resolve_create(const struct resolver *resolver, const char *path, int flags,
                   mode_t mode);

/*
 * Open what is at a relative path below a directory, following no link at all.
 * Returns: as resolve_open.
 */
int resolve_below(const struct resolver *resolver, int dir_fd, const char *path,
                  int flags);

#endif
