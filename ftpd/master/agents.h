/*
 * agents: starts the processes that open files for anonymous clients, a few for each
 * worker that asks.
 * Runs in: master.
 * Source: DESIGN.md section 2, "Login of an anonymous client".
 * Not here: what an agent does.
 */
#ifndef FTPD_MASTER_AGENTS_H
#define FTPD_MASTER_AGENTS_H

#include "ftpd/master/worker_link.h"
#include "common/base.h"

enum {
	AGENTS_AT_FIRST = 2, /* a shared worker has so many before its first client */
	AGENTS_MAX = 8,      /* for a shared worker */
	/* One client may log in as anonymous more than once, after HOST and REIN. */
	AGENTS_MAX_PRIVATE = 3,
};

/* Give the worker what it has when it becomes ready. */
void agents_give_first(struct worker *worker);

/*
 * Start one more agent for the worker, unless it has as many as it may or the last ones
 * failed a moment ago.
 * In:      host: number of the virtual host whose anonymous_root it opens; 0: of none.
 */
void agents_give_one(struct worker *worker, uint16_t host);

/*
 * Ask whether a worker may have agents for this virtual host.
 * Returns: true if so; false if anonymous is not enabled, there is no such host, or the
 *          worker is shared and the host not 0: whoever names a host has a private one.
 */
bool agents_may_have(const struct worker *worker, uint16_t host);

#endif
