/*
 * pool: keeps as many shared workers and spare private ones as the options say.
 * Runs in: master.
 * Source: DESIGN.md section 2; spare_min, spare_max, shared_workers, renew_after in
 * section 6.
 * Not here: which client gets which worker; see assign.h.
 */
#ifndef FTPD_MASTER_POOL_H
#define FTPD_MASTER_POOL_H

#include "ftpd/master/worker_link.h"
#include "common/base.h"

/* The generation has become able to take orders. */
void pool_begin(struct generation *generation);

/* Order what is missing. Harmless when nothing is, or the generation takes no orders. */
void pool_top_up(struct generation *generation);

/* A worker has been ordered. */
void pool_worker_comes(struct worker *worker);

/* It has said READY. */
void pool_worker_ready(struct worker *worker);

/* It will get no client any more: it is gone or retires. */
void pool_worker_leaves(struct worker *worker);

/*
 * Find the shared worker for the next client: the one with the fewest sessions.
 * Returns: it; NULL when there is none, and *ret_is_crowded then says that all are too
 *          busy to be given one now.
 */
struct worker *pool_pick_shared(struct generation *generation, bool *ret_is_crowded);

/*
 * Take a private worker out of the pool; another is ordered.
 * Returns: it; NULL when none is ready, and the pool grows then.
 */
struct worker *pool_take_private(struct generation *generation);

#endif
