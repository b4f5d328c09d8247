/*
 * deadline: a timer that knows what to do when it fires.
 * Runs in: master.
 * Not here: the wheel; see common/timer.h.
 */
#ifndef FTPD_MASTER_DEADLINE_H
#define FTPD_MASTER_DEADLINE_H

#include "common/timer.h"
#include "common/base.h"

struct master;

/*
 * Called when the time has come; the deadline is no longer set. owner: the object that
 * the deadline lies in.
 */
typedef void deadline_fire(struct master *master, void *owner);

/* Zeroed memory is a deadline that is not set. */
struct deadline {
	struct timer timer; /* first */
	deadline_fire *fire;
	void *owner;
};

#endif
