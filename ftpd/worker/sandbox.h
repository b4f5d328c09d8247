/*
 * sandbox: what a worker may still do once it is confined.
 * Runs in: deftpd-worker.
 * Source: SECURITY.md 3.3 and 3.4, column session; DESIGN.md section 3, rules 2 and 4.
 */
#ifndef FTPD_WORKER_SANDBOX_H
#define FTPD_WORKER_SANDBOX_H

#include "common/privilege.h"
#include "common/sandbox.h"
#include "ftpd/conf/options.h"
#include "common/base.h"

/* How the forkserver is confined, and what its children load. */
struct confinement {
	uint8_t layers; /* enum spawn_layer */
	bool has_filter;
	struct sandbox_filter filter;
};

/*
 * Confine the forkserver for good: empty root, user, Landlock; and compile the children's
 * filter.
 * In:      identity: ignored without root.
 * Out:     ret_failed: the name of the step that failed, for a log line.
 * Returns: 0 or negative errno.
 */
int sandbox_confine_forkserver(const struct identity *identity,
                               const struct options *options,
                               struct confinement *ret_confinement,
                               const char **ret_failed);

/*
 * Confine a child: limits and the filter. Nothing makes a descriptor from then on.
 * Returns: 0 or negative errno.
 */
int sandbox_confine_worker(const struct confinement *confinement);

#endif
