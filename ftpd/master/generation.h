/*
 * generation: one set of options and the forkservers that make workers and authenticators
 * under them. A reload, an abnormally ended child and every renew_after workers bring a
 * new one; the old one's sessions finish.
 * Runs in: master.
 * Source: DESIGN.md section 2, "forkserver".
 * Not here: what the forkservers say; see forkserver_link.h. How many workers and
 * authenticators there should be; see pool.h and auth_pool.h. When a new generation takes
 * over; see renew.h.
 */
#ifndef FTPD_MASTER_GENERATION_H
#define FTPD_MASTER_GENERATION_H

#include <sys/queue.h>

#include "common/loop.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/worker_kind.h"
#include "ftpd/master/auth_pool.h"
#include "ftpd/master/forkserver_link.h"
#include "ftpd/master/master.h"
#include "ftpd/master/users.h"
#include "common/base.h"

TAILQ_HEAD(worker_queue, worker);

/* What a generation is made by. */
struct generation_setup {
	const struct options *options;
	const struct overrides *overrides; /* NULL: none */
	const struct users *users;
	int tls_fd; /* sealed certificates and keys; -1: none. Stays the caller's */
};

struct generation {
	/*
	 * of the workers. LOST: they serve until there is another generation; RETIRED: no
	 * new worker, no new session; its sessions go on
	 */
	struct forkserver_link server;
	struct auth_pool auth;
	struct master *master;
	LIST_ENTRY(generation) entry;
	struct options options;
	struct overrides overrides; /* owned */
	struct users users;
	int options_fd;
	int tls_fd;      /* sealed certificates and keys; -1: none */
	bool is_test;    /* the self-test's; it never gets a client */
	bool is_reload;  /* it comes with new options and perhaps new listeners */
	bool has_usable; /* a worker is or was ready for clients */

	uint32_t used;    /* private workers that got a client, for renew_after */
	uint32_t workers; /* that still exist, in whatever state */

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
 * Start forkservers under these options. The pools order children when they are ready.
 * In:      setup: copied. resolved: passive_address if it is known already; NULL: it is
 *          looked up.
 * Returns: 0 and *ret_generation; negative errno.
 * Owner:   the master; generation_sweep() frees it when nothing of it is left.
 */
int generation_start(struct master *master, const struct generation_setup *setup,
                     const struct addr *resolved, struct generation **ret_generation);

/*
 * Order a worker. It is created now and is asked for when the forkserver has obeyed the
 * orders before.
 * Returns: the worker; NULL when that failed or the generation takes no orders.
 */
struct worker *generation_order(struct generation *generation, enum worker_kind kind);

/*
 * Let it end: no more orders, the forkservers end, every worker finishes its sessions and
 * ends.
 */
void generation_retire(struct generation *generation);

/* Read what all forkservers have said. */
void generation_read_all(struct master *master);

/* Free the generations of which nothing is left. */
void generation_sweep(struct master *master);

#endif
