/*
 * auth_pool: keeps a few authenticators waiting, forked ahead by deftpd-auth.
 * Runs in: master.
 */
#include "ftpd/master/auth_pool.h"

#include <unistd.h>

#include "common/clock.h"
#include "ftpd/master/authenticator.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/login_desk.h"
#include "ftpd/master/renew.h"
#include "common/base.h"

enum {
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 8000,
	/* After so long without a failure the next one is treated as the first. */
	PAUSE_FORGET_MS = 30000,
};

static void
server_ready(struct forkserver_link *link)
{
	struct generation *generation = link->owner;

	auth_pool_top_up(generation);
	renew_usable(generation);
}

static void
ignore_asked(struct fork_order *order)
{
	(void)order;
}

static void
forked(struct fork_order *order, pid_t pid)
{
	authenticator_forked(order->owner, pid);
}

static void
lost(struct forkserver_link *link)
{
	renew_forkserver_lost(link->owner);
}

static const struct forkserver_use auth_use = {
    .program = PROGRAM_AUTH,
    .name = "authenticators' forkserver",
    .ready = server_ready,
    .asked = ignore_asked,
    .forked = forked,
    .lost = lost,
};

void
auth_pool_init(struct generation *generation)
{
	TAILQ_INIT(&generation->auth.idle);
	generation->auth.limit = auth_pool_limit(&generation->options);
	forkserver_init(&generation->auth.server, generation->master, &auth_use,
	                generation);
}

/* Returns: true if anybody can log in by a password or certificate. */
static bool
knows_users(const struct generation *generation)
{
	const struct options *options = &generation->options;
	const struct policy_override *override;
	bool knows =
	    options->local_users.enabled || options->virtual_users.file[0] != '\0';

	for (uint16_t host = 1;
	     !knows && (override = policy_host_get(&generation->overrides, host)) != NULL;
	     host++) {
		knows = policy_sets(override, POLICY_USERS_FILE) &&
		        override->host->users_file[0] != '\0';
	}
	return knows;
}

int
auth_pool_start(struct generation *generation)
{
	/* Its children are root until they have become somebody. */
	static const struct identity root = {0};

	if (!knows_users(generation)) {
		return 0;
	}
	return forkserver_start(&generation->auth.server, generation->options_fd, -1,
	                        &root);
}

void
auth_pool_retire(struct generation *generation)
{
	struct auth_pool *pool = &generation->auth;

	forkserver_retire(&pool->server);
	timer_clear(&generation->master->wheel, &pool->pause.timer);
	authenticator_close_unused(generation);
}

bool
auth_pool_is_usable(const struct generation *generation)
{
	return generation->auth.server.state != FORKSERVER_STARTING;
}

bool
auth_pool_is_over(const struct generation *generation)
{
	return forkserver_is_over(&generation->auth.server) &&
	       generation->auth.count == 0;
}

uint32_t
auth_pool_limit(const struct options *options)
{
	long cores;

	if (options->auth_workers > 0) {
		return options->auth_workers;
	}
	cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? 2 * (uint32_t)cores : 2;
}

static void
pause_is_over(struct master *master, void *owner)
{
	(void)master;
	auth_pool_top_up(owner);
}

/* The next one may fare no better: wait longer each time. */
static void
hold_orders(struct generation *generation)
{
	struct auth_pool *pool = &generation->auth;
	uint64_t now_ms = clock_monotonic_ms();

	if (pool->server.state != FORKSERVER_RUNNING || generation->master->is_stopping ||
	    timer_is_set(&pool->pause.timer)) {
		return;
	}
	if (pool->pause_ms == 0 || now_ms > pool->failed_ms + PAUSE_FORGET_MS) {
		pool->pause_ms = PAUSE_FIRST_MS;
	} else if (pool->pause_ms < PAUSE_MAX_MS) {
		pool->pause_ms *= 2;
	}
	pool->failed_ms = now_ms;
	master_set_deadline(generation->master, &pool->pause, pool->pause_ms,
	                    pause_is_over, generation);
}

void
auth_pool_top_up(struct generation *generation)
{
	struct auth_pool *pool = &generation->auth;
	uint32_t wanted = pool->limit < AUTH_POOL_SPARE ? pool->limit : AUTH_POOL_SPARE;

	while (pool->server.state == FORKSERVER_RUNNING &&
	       !generation->master->is_stopping && !timer_is_set(&pool->pause.timer) &&
	       pool->idle_count + pool->coming_count < wanted) {
		if (!authenticator_order(generation)) {
			hold_orders(generation);
			return;
		}
	}
}

struct authenticator *
auth_pool_first(struct generation *generation)
{
	return TAILQ_FIRST(&generation->auth.idle);
}

static void
leave_idle(struct authenticator *authenticator)
{
	struct auth_pool *pool = &authenticator->generation->auth;

	TAILQ_REMOVE(&pool->idle, authenticator, in_idle);
	pool->idle_count--;
}

void
auth_pool_taken(struct authenticator *authenticator)
{
	leave_idle(authenticator);
	auth_pool_top_up(authenticator->generation);
}

void
auth_pool_ready(struct authenticator *authenticator)
{
	struct auth_pool *pool = &authenticator->generation->auth;

	pool->coming_count--;
	pool->idle_count++;
	TAILQ_INSERT_TAIL(&pool->idle, authenticator, in_idle);
	login_desk_pump(authenticator->master);
}

void
auth_pool_failed(struct authenticator *authenticator)
{
	struct generation *generation = authenticator->generation;
	struct auth_pool *pool = &generation->auth;

	if (authenticator->state == AUTHENTICATOR_IDLE) {
		leave_idle(authenticator);
	} else {
		pool->coming_count--;
	}
	hold_orders(generation);
}
