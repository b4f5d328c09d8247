/*
 * pool: keeps as many shared workers and spare private ones as the options say.
 * Runs in: master.
 */
#include "ftpd/master/pool.h"

#include <unistd.h>

#include "common/clock.h"
#include "ftpd/master/agents.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/master.h"
#include "ftpd/master/renew.h"
#include "common/base.h"

enum {
	TICK_MS = 1000,
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 8000,
	/* After so long without a failure the next one is treated as the first. */
	PAUSE_FORGET_MS = 30000,
	/* A worker that ends sooner, without a client, has not been well. */
	YOUNG_MS = 2000,
};

static uint32_t
shared_wanted(const struct generation *generation)
{
	long cores;

	if (!generation->options.anonymous.enabled) {
		return 0;
	}
	if (generation->options.shared_workers > 0) {
		return generation->options.shared_workers;
	}
	cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (uint32_t)cores : 1;
}

static void
pause_is_over(struct master *master, void *owner)
{
	(void)master;
	pool_top_up(owner);
}

/*
 * A worker could not be made, or ended before it was of use. The next may fare no better:
 * wait longer each time.
 */
static void
hold_orders(struct generation *generation)
{
	if (generation->server.state != FORKSERVER_RUNNING ||
	    generation->master->is_stopping ||
	    timer_is_set(&generation->order_pause.timer)) {
		return;
	}
	if (generation->order_pause_ms == 0 ||
	    clock_monotonic_ms() > generation->order_failed_ms + PAUSE_FORGET_MS) {
		generation->order_pause_ms = PAUSE_FIRST_MS;
	} else if (generation->order_pause_ms < PAUSE_MAX_MS) {
		generation->order_pause_ms *= 2;
	}
	generation->order_failed_ms = clock_monotonic_ms();
	master_set_deadline(generation->master, &generation->order_pause,
	                    generation->order_pause_ms, pause_is_over, generation);
}

static bool
may_order(const struct generation *generation)
{
	return generation->server.state == FORKSERVER_RUNNING && !generation->is_test &&
	       !generation->master->is_stopping &&
	       !timer_is_set(&generation->order_pause.timer);
}

static bool
order(struct generation *generation, enum worker_kind kind)
{
	if (generation_order(generation, kind) != NULL) {
		return true;
	}
	hold_orders(generation);
	return false;
}

void
pool_top_up(struct generation *generation)
{
	uint32_t wanted = shared_wanted(generation);

	while (may_order(generation) && generation->shared_count < wanted) {
		if (!order(generation, WORKER_SHARED)) {
			return;
		}
	}
	while (may_order(generation) &&
	       generation->idle_count + generation->coming_count <
	           generation->spare_target) {
		if (!order(generation, WORKER_PRIVATE)) {
			return;
		}
	}
}

void
pool_begin(struct generation *generation)
{
	generation->spare_target = generation->options.spare_min;
	pool_top_up(generation);
}

void
pool_worker_comes(struct worker *worker)
{
	struct generation *generation = worker->generation;

	worker->is_pooled = true;
	if (worker->kind == WORKER_SHARED) {
		LIST_INSERT_HEAD(&generation->shared, worker, shared);
		generation->shared_count++;
	} else {
		generation->coming_count++;
	}
}

void
pool_worker_ready(struct worker *worker)
{
	struct generation *generation = worker->generation;

	worker->state = WORKER_READY;
	worker_give_recorder(worker);
	agents_give_first(worker);
	if (worker->state != WORKER_READY || worker->is_retiring) {
		return;
	}
	if (worker->kind == WORKER_PRIVATE) {
		generation->coming_count--;
		generation->idle_count++;
		worker->is_idle = true;
		TAILQ_INSERT_TAIL(&generation->idle, worker, in_queue);
	}
	generation->has_usable = true;
	renew_usable(generation);
	if (generation == generation->master->current) {
		assign_waiting(generation->master);
	}
}

static void
leave_idle(struct worker *worker)
{
	TAILQ_REMOVE(&worker->generation->idle, worker, in_queue);
	worker->generation->idle_count--;
	worker->is_idle = false;
}

void
pool_worker_leaves(struct worker *worker)
{
	struct generation *generation = worker->generation;

	if (!worker->is_pooled) {
		return;
	}
	worker->is_pooled = false;
	if (worker->state == WORKER_ORDERED) {
		forkserver_cancel(&generation->server, &worker->order);
	}
	if (worker->kind == WORKER_SHARED) {
		LIST_REMOVE(worker, shared);
		generation->shared_count--;
	} else if (worker->is_idle) {
		leave_idle(worker);
	} else if (worker->state == WORKER_ORDERED || worker->state == WORKER_STARTING) {
		generation->coming_count--;
	}
	if (worker->state != WORKER_ORDERED && !worker->is_retiring &&
	    clock_monotonic_ms() < worker->started_ms + YOUNG_MS) {
		hold_orders(generation);
	}
}

struct worker *
pool_pick_shared(struct generation *generation, bool *ret_is_crowded)
{
	struct worker *best = NULL;
	struct worker *worker;
	bool has_ready = false;

	LIST_FOREACH(worker, &generation->shared, shared) {
		has_ready = has_ready || worker->state == WORKER_READY;
		if (worker_has_room(worker) &&
		    (best == NULL || worker->session_count < best->session_count)) {
			best = worker;
		}
	}
	*ret_is_crowded = best == NULL && has_ready;
	return best;
}

/*
 * Once a second while clients come, and until the pool is small again: as many spare ones
 * as were needed in that second.
 */
static void
tick(struct master *master, void *owner)
{
	struct generation *generation = owner;
	uint32_t target = generation->spare_target - generation->spare_target / 8;

	if (target == generation->spare_target && target > 0) {
		target--;
	}
	if (target < generation->taken) {
		target = generation->taken;
	}
	if (target < generation->options.spare_min) {
		target = generation->options.spare_min;
	}
	if (target > generation->options.spare_max) {
		target = generation->options.spare_max;
	}
	generation->spare_target = target;
	while (generation->idle_count > target) {
		worker_retire(TAILQ_FIRST(&generation->idle));
	}
	if (generation->taken > 0 || target > generation->options.spare_min) {
		master_set_deadline(master, &generation->pool_tick, TICK_MS, tick,
		                    generation);
	}
	generation->taken = 0;
	pool_top_up(generation);
}

static void
grow(struct generation *generation)
{
	generation->spare_target *= 2;
	if (generation->spare_target > generation->options.spare_max) {
		generation->spare_target = generation->options.spare_max;
	}
}

static void
note_taken(struct generation *generation)
{
	generation->taken++;
	generation->used++;
	if (!timer_is_set(&generation->pool_tick.timer)) {
		master_set_deadline(generation->master, &generation->pool_tick, TICK_MS,
		                    tick, generation);
	}
	if (generation->used == generation->options.renew_after) {
		renew_request(generation->master);
	}
}

struct worker *
pool_take_private(struct generation *generation)
{
	struct worker *worker = TAILQ_FIRST(&generation->idle);

	if (worker == NULL) {
		grow(generation);
		pool_top_up(generation);
		return NULL;
	}
	leave_idle(worker);
	worker->is_pooled = false;
	note_taken(generation);
	pool_top_up(generation);
	return worker;
}
