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
	AGENTS_MAX = 8,      /* for one worker */
};

/* Give the worker what it has when it becomes ready. */
void agents_give_first(struct worker *worker);

/*
 * Start one more agent for the worker, unless it has AGENTS_MAX or the last ones failed a
 * moment ago.
 */
void agents_give_one(struct worker *worker);

#endif
