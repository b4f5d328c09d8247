/*
 * auth_pool: keeps a few authenticators waiting, forked ahead by deftpd-auth.
 * Runs in: master.
 * Source: DESIGN.md section 2; auth_workers in section 6.
 * Not here: what an authenticator is given to do; see login_desk.h and authenticator.h.
 */
#ifndef FTPD_MASTER_AUTH_POOL_H
#define FTPD_MASTER_AUTH_POOL_H

#include <sys/queue.h>

#include "ftpd/conf/options.h"
#include "ftpd/master/deadline.h"
#include "ftpd/master/forkserver_link.h"
#include "common/base.h"

struct authenticator;
struct generation;

enum {
	AUTH_POOL_SPARE = 2, /* wait; fewer if auth_workers is smaller */
};

/* Part of a generation. */
struct auth_pool {
	struct forkserver_link server; /* NONE: nobody can log in but anonymous */
	/* auth_pool_limit(), which reads a file for each answer */
	uint32_t limit;
	struct authenticator_queue idle;
	uint32_t idle_count;
	uint32_t coming_count; /* ordered and not ready */
	/* that still exist, those that have become agents included */
	uint32_t count;
	struct deadline pause; /* the last one could not be made, or was of no use */
	uint32_t pause_ms;
	uint64_t failed_ms;
};

/* Prepare the pool of a new generation. */
void auth_pool_init(struct generation *generation);

/*
 * Start deftpd-auth if the options know users with passwords.
 * Returns: 0 or negative errno.
 */
int auth_pool_start(struct generation *generation);

/* No more orders: the forkserver and those who wait end; tries go on. */
void auth_pool_retire(struct generation *generation);

/*
 * Ask whether logins are possible as soon as they may be.
 * Returns: true if deftpd-auth is not needed or has become ready.
 */
bool auth_pool_is_usable(const struct generation *generation);

/*
 * Returns: true if neither the forkserver nor an authenticator is left.
 */
bool auth_pool_is_over(const struct generation *generation);

/*
 * Returns: how many may compute at the same time.
 */
uint32_t auth_pool_limit(const struct options *options);

/* Order what is missing. Harmless when nothing is. */
void auth_pool_top_up(struct generation *generation);

/*
 * Returns: one that waits, or NULL.
 */
struct authenticator *auth_pool_first(struct generation *generation);

/* One that waited is given a try; another is ordered. */
void auth_pool_taken(struct authenticator *authenticator);

/* One has said READY. */
void auth_pool_ready(struct authenticator *authenticator);

/* One will not be of use: it has ended before it was given a try. */
void auth_pool_failed(struct authenticator *authenticator);

#endif
