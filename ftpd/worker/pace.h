/*
 * pace: transfers that wait for their rate's sake, without a timer of their own.
 * Runs in: deftpd-worker.
 * Not here: how long they wait; see rate.h.
 */
#ifndef FTPD_WORKER_PACE_H
#define FTPD_WORKER_PACE_H

#include "common/base.h"

struct transfer;
struct worker;

enum {
	/* Waiting transfers go on at multiples of this: many of them in one turn. */
	PACE_MS = 20,
};

/* Wait so long; transfer_continue() is called then. */
void pace_wait(struct transfer *transfer, uint64_t wait_ms);

/* Have its wait end in this turn of the loop; harmless when it does not wait. */
void pace_wake(struct transfer *transfer);

/* Leave without going on; harmless when it does not. */
void pace_leave(struct transfer *transfer);

/* Go on with those whose wait is over. Called in each turn of the loop. */
void pace_run(struct worker *worker);

/*
 * Returns: how long the loop may sleep for their sake, at most max_ms; -1 stands for no
 *          limit, and is returned when nobody waits.
 */
int pace_sleep_ms(const struct worker *worker, int max_ms);

#endif
