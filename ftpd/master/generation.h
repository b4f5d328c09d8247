/*
 * generation: one set of options and the forkserver that makes workers under them. A
 * reload, an abnormally ended worker and every renew_after children bring a new one; the
 * old one's sessions finish.
 * Runs in: master. Input: the forkserver's messages; it is as unprivileged as its
 * children.
 * Source: DESIGN.md section 2, "forkserver".
 * Not here: how many workers there should be; see pool.h. When a new generation takes
 * over; see renew.h.
 */
#ifndef FTPD_MASTER_GENERATION_H
#define FTPD_MASTER_GENERATION_H

#include <sys/queue.h>

#include "common/forkserver.h"
#include "common/loop.h"
#include "ftpd/conf/options.h"
#include "ftpd/ipc/worker_kind.h"
#include "ftpd/master/master.h"
#include "ftpd/master/users.h"
#include "common/base.h"

enum generation_state {
	GENERATION_STARTING, /* the forkserver has not said READY */
	GENERATION_RUNNING,  /* it takes orders */
	/* its forkserver is gone: its workers serve until there is another */
	GENERATION_LOST,
	GENERATION_RETIRED, /* no new worker, no new session; its sessions go on */
};

TAILQ_HEAD(worker_queue, worker);

struct generation {
	/* first: the channel to the forkserver; fd -1: it is gone */
	struct loop_source source;
	struct master *master;
	LIST_ENTRY(generation) entry;
	enum generation_state state;
	struct options options;
	struct users users;
	int options_fd;
	pid_t forkserver_pid; /* 0: it has ended */
	uint8_t layers;
	bool is_test;    /* the self-test's; it never gets a client */
	bool is_reload;  /* it comes with new options and perhaps new listeners */
	bool has_usable; /* a worker is or was ready for clients */

	/* workers that the forkserver has not been asked for */
	struct worker_queue orders;
	struct worker *ordered; /* it has been asked for this one and has not said DONE */
	uint32_t used;          /* private workers that got a client, for renew_after */
	uint32_t workers;       /* that still exist, in whatever state */

	/* pool.c */
	struct worker_queue idle; /* private workers that are ready */
	struct worker_list shared;
	uint32_t idle_count;
	uint32_t coming_count; /* private workers that are ordered and not ready */
	uint32_t shared_count; /* those that are coming included */
	uint32_t spare_target;
	uint32_t taken; /* private workers that got a client since the pool last looked */
	struct deadline pool_tick;
	struct deadline order_pause;
	uint32_t order_pause_ms;
	uint64_t order_failed_ms;

	/* resolve.c */
	/* what passive_address means; ADDR_NONE: nothing or not known yet */
	struct addr passive_address;
	bool is_resolving; /* it does not take over before this ends */
	pid_t resolver_pid;
	/* its owner is found through resolver_of, see resolve.c */
	struct loop_source resolver;
	struct deadline resolve_deadline;
};

/*
 * Start a forkserver under these options. pool.c orders workers when it is ready.
 * In:      resolved: passive_address if it is known already; NULL: it is looked up.
 * Returns: 0 and *ret_generation; negative errno.
 * Owner:   the master; generation_sweep() frees it when nothing of it is left.
 */
int generation_start(struct master *master, const struct options *options,
                     const struct users *users, const struct addr *resolved,
                     struct generation **ret_generation);

/*
 * Order a worker. It is created now and is asked for when the forkserver has obeyed the
 * orders before.
 * Returns: the worker; NULL when that failed or the generation takes no orders.
 */
struct worker *generation_order(struct generation *generation, enum worker_kind kind);

/*
 * Let it end: no more orders, the forkserver ends, every worker finishes its sessions and
 * ends.
 */
void generation_retire(struct generation *generation);

/* Read what all forkservers have said. */
void generation_read_all(struct master *master);

/* Free the generations of which nothing is left. */
void generation_sweep(struct master *master);

/* Write the layers that confine its workers, and why others do not, to the log. */
void generation_log_layers(const struct generation *generation);

#endif
