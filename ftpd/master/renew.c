/*
 * renew: when a new generation is started, and when it takes over from the one before.
 * Runs in: master.
 */
#include "ftpd/master/renew.h"

#include <string.h>

#include "common/clock.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/listen.h"
#include "ftpd/master/master.h"
#include "ftpd/master/reload.h"
#include "ftpd/master/resolve.h"
#include "common/base.h"

enum {
	/*
	 * A client that can end workers at will must not keep the machine busy with new
	 * forkservers.
	 */
	INTERVAL_MS = 5000,
	/* Without a forkserver there are no new workers: this is more urgent. */
	URGENT_INTERVAL_MS = 1000,
	/*
	 * After a failure the pause before the next attempt doubles from one to the
	 * other.
	 */
	PAUSE_FIRST_MS = 500,
	PAUSE_MAX_MS = 30000,
	/* A generation that is not usable by then never will be. */
	PATIENCE_MS = 15000,
};

static void
attempt(struct master *master, void *owner)
{
	const struct generation *current = master->current;
	struct generation_setup setup;
	int result;

	(void)owner;
	if (current == NULL || master->next != NULL || master->is_stopping) {
		return; /* what is starting already is as new as can be */
	}
	setup = (struct generation_setup){.options = &current->options,
	                                  .overrides = &current->overrides,
	                                  .users = &current->users,
	                                  .tls_fd = tls_watch_fd(master)};
	result = renew_begin(master, &setup, &current->passive_address, false);
	if (result != 0) {
		master_log(master, RECORD_ERROR, "a forkserver cannot be started: %s",
		           strerror(-result));
		master_set_deadline(master, &master->renew.deadline, PAUSE_MAX_MS,
		                    attempt, master);
	}
}

void
renew_request(struct master *master)
{
	uint64_t age_ms = clock_monotonic_ms() - master->renewed_ms;

	if (timer_is_set(&master->renew.deadline.timer)) {
		return;
	}
	/* Not now: the caller is in the middle of something. */
	master_set_deadline(master, &master->renew.deadline,
	                    age_ms < INTERVAL_MS ? INTERVAL_MS - age_ms : 0, attempt,
	                    master);
}

void
renew_after_crash(struct generation *generation)
{
	if (generation == generation->master->current) {
		renew_request(generation->master);
	}
}

static bool
has_lost_forkserver(const struct generation *generation)
{
	return generation->server.state == FORKSERVER_LOST ||
	       generation->auth.server.state == FORKSERVER_LOST;
}

/* Give up the generation that was to take over. */
static void
give_up(struct master *master, const char *why)
{
	struct generation *generation = master->next;
	bool was_reload = generation->is_reload;

	master->next = NULL;
	timer_clear(&master->wheel, &master->next_deadline.timer);
	generation_retire(generation);
	if (was_reload) {
		listen_abandon(master);
		tls_watch_abandon(master);
		reload_failed(master);
	}
	master->failures++;
	if (master->current == NULL) {
		return; /* start.c sees it and tells why */
	}
	master_log(master, RECORD_ERROR, "%s: %s",
	           was_reload ? "the configuration was not taken over"
	                      : "no new forkserver could be brought up",
	           why);
	if (has_lost_forkserver(master->current) || tls_watch_is_waiting(master)) {
		struct retry *renew = &master->renew;

		renew->pause_ms = renew->pause_ms == 0             ? PAUSE_FIRST_MS
		                  : renew->pause_ms < PAUSE_MAX_MS ? renew->pause_ms * 2
		                                                   : PAUSE_MAX_MS;
		master_set_deadline(master, &renew->deadline, renew->pause_ms, attempt,
		                    master);
	}
}

void
renew_cancel(struct master *master)
{
	struct generation *generation = master->next;

	if (generation == NULL) {
		return;
	}
	master->next = NULL;
	timer_clear(&master->wheel, &master->next_deadline.timer);
	generation_retire(generation);
	if (generation->is_reload) {
		listen_abandon(master);
	}
}

static void
patience_is_over(struct master *master, void *owner)
{
	(void)owner;
	give_up(master, "its workers do not become ready");
}

int
renew_begin(struct master *master, const struct generation_setup *setup,
            const struct addr *resolved, bool is_reload)
{
	struct generation *generation;
	int result = generation_start(master, setup, resolved, &generation);

	if (result != 0) {
		return result;
	}
	if (master->next != NULL) {
		generation_retire(master->next); /* a renewal, overtaken by a reload */
	}
	generation->is_reload = is_reload;
	master->next = generation;
	master->renewed_ms = clock_monotonic_ms();
	timer_clear(&master->wheel, &master->renew.deadline.timer);
	master_set_deadline(master, &master->next_deadline, PATIENCE_MS, patience_is_over,
	                    master);
	return 0;
}

void
renew_forkserver_lost(struct generation *generation)
{
	struct master *master = generation->master;

	if (generation == master->next) {
		give_up(master, "its forkserver ended");
	} else if (generation == master->current && master->next == NULL) {
		if (clock_monotonic_ms() - master->renewed_ms >= URGENT_INTERVAL_MS) {
			attempt(master, master);
			return;
		}
		master_set_deadline(master, &master->renew.deadline, URGENT_INTERVAL_MS,
		                    attempt, master);
	}
}

void
renew_usable(struct generation *generation)
{
	struct master *master = generation->master;
	struct generation *old = master->current;

	if (generation != master->next || !generation->has_usable ||
	    generation->is_resolving || !auth_pool_is_usable(generation)) {
		return;
	}
	master->current = generation;
	master->next = NULL;
	master->renew.pause_ms = 0;
	timer_clear(&master->wheel, &master->next_deadline.timer);
	if (generation->is_reload) {
		listen_commit(master);
		reload_done(master);
	}
	tls_watch_serving(master);
	if (old != NULL) {
		generation_retire(old);
	}
	assign_again(master);
	if (master->is_crowded) {
		assign_uncrowd(master);
	}
	resolve_keep_fresh(generation);
	if (has_lost_forkserver(generation)) {
		renew_request(
		    master); /* its forkserver ended while a name was being looked up */
	}
}
