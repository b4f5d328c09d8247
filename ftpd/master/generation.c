/*
 * generation: one set of options and the forkservers that make workers and authenticators
 * under them.
 * Runs in: master.
 */
#include "ftpd/master/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/fd.h"
#include "ftpd/master/authenticator.h"
#include "ftpd/master/pool.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/resolve.h"
#include "ftpd/master/worker_end.h"
#include "common/base.h"

static void
worker_server_ready(struct forkserver_link *link)
{
	pool_begin(link->owner);
}

static void
worker_asked(struct fork_order *order)
{
	worker_began(order->owner);
}

static void
worker_is_forked(struct fork_order *order, pid_t pid)
{
	worker_forked(order->owner, pid);
}

static void
server_lost(struct forkserver_link *link)
{
	renew_forkserver_lost(link->owner);
}

static const struct forkserver_use worker_use = {
    .program = PROGRAM_WORKER,
    .name = "forkserver",
    .ready = worker_server_ready,
    .asked = worker_asked,
    .forked = worker_is_forked,
    .lost = server_lost,
};

void
generation_read_all(struct master *master)
{
	struct generation *generation;

	/*
	 * None is freed meanwhile, that is the sweep's, and new ones are inserted at the
	 * head.
	 */
	LIST_FOREACH(generation, &master->generations, entry) {
		forkserver_read(&generation->server);
		forkserver_read(&generation->auth.server);
	}
}

/* Free what has no process any more. */
static void
release(struct generation *generation)
{
	fd_close(&generation->options_fd);
	fd_close(&generation->tls_fd);
	overrides_free(&generation->overrides);
	free(generation);
}

static int
keep_setup(struct generation *generation, const struct generation_setup *setup)
{
	generation->options = *setup->options;
	generation->users = *setup->users;
	if (generation->master->is_filter_off) {
		generation->options.sandbox = OPTIONS_SANDBOX_OFF;
	}
	if (setup->tls_fd >= 0) {
		generation->tls_fd = fcntl(setup->tls_fd, F_DUPFD_CLOEXEC, 0);
		if (generation->tls_fd < 0) {
			return -errno;
		}
	}
	return setup->overrides != NULL
	           ? overrides_copy(setup->overrides, &generation->overrides)
	           : 0;
}

static int
begin(struct generation *generation, const struct generation_setup *setup)
{
	int result = keep_setup(generation, setup);

	if (result != 0) {
		return result;
	}
	auth_pool_init(generation); /* by the options */
	result = conf_seal(&generation->options, &generation->overrides,
	                   &generation->options_fd);

	if (result == 0) {
		result = forkserver_start(&generation->server, generation->options_fd,
		                          generation->tls_fd, &generation->users.worker);
	}
	return result;
}

int
generation_start(struct master *master, const struct generation_setup *setup,
                 const struct addr *resolved, struct generation **ret_generation)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	int result;

	if (generation == NULL) {
		return -ENOMEM;
	}
	generation->master = master;
	generation->options_fd = -1;
	generation->tls_fd = -1;
	forkserver_init(&generation->server, master, &worker_use, generation);
	TAILQ_INIT(&generation->idle);
	result = begin(generation, setup);
	if (result != 0) {
		release(generation);
		return result;
	}
	LIST_INSERT_HEAD(&master->generations, generation, entry);
	result = auth_pool_start(generation);
	if (result != 0) {
		generation_retire(generation); /* what has been started ends */
		return result;
	}
	if (resolved != NULL) {
		generation->passive_address = *resolved;
	} else {
		resolve_begin(generation);
	}
	*ret_generation = generation;
	return 0;
}

struct worker *
generation_order(struct generation *generation, enum worker_kind kind)
{
	struct worker *worker;

	if (generation->server.state != FORKSERVER_RUNNING) {
		return NULL;
	}
	worker = worker_create(generation, kind);
	if (worker == NULL) {
		return NULL;
	}
	pool_worker_comes(worker);
	forkserver_order(&generation->server, &worker->order);
	return worker;
}

/* Sending may end workers, and so change the list. */
static void
retire_workers(struct generation *generation)
{
	struct worker_list *list = &generation->master->workers;
	struct worker *worker;
	struct worker *next;

	for (worker = LIST_FIRST(list); worker != NULL; worker = next) {
		next = LIST_NEXT(worker, entry);
		if (worker->generation == generation) {
			if (worker->order.stage == FORK_QUEUED) {
				worker_gone(worker); /* it was never asked for */
			} else {
				worker_retire(worker);
			}
		}
		if (next != NULL && next->state == WORKER_GONE) {
			next = LIST_FIRST(list); /* begin again */
		}
	}
}

void
generation_retire(struct generation *generation)
{
	struct master *master = generation->master;

	if (generation->server.state == FORKSERVER_RETIRED) {
		return;
	}
	forkserver_retire(&generation->server);
	resolve_end(generation);
	timer_clear(&master->wheel, &generation->pool_tick.timer);
	timer_clear(&master->wheel, &generation->order_pause.timer);
	auth_pool_retire(generation);
	retire_workers(generation);
}

static bool
is_over(const struct generation *generation)
{
	const struct master *master = generation->master;

	return generation != master->current && generation != master->next &&
	       !generation->is_test && forkserver_is_over(&generation->server) &&
	       generation->workers == 0 && auth_pool_is_over(generation);
}

void
generation_sweep(struct master *master)
{
	struct generation *generation = LIST_FIRST(&master->generations);

	worker_sweep(master);
	authenticator_sweep(master);
	while (generation != NULL) {
		struct generation *next = LIST_NEXT(generation, entry);

		if (is_over(generation)) {
			generation_retire(generation); /* its timers and its resolver */
			LIST_REMOVE(generation, entry);
			release(generation);
		}
		generation = next;
	}
}
