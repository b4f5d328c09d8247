/*
 * generation: one set of options and the forkserver that makes workers under them.
 * Runs in: master.
 */
#include "ftpd/master/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "ftpd/master/pool.h"
#include "ftpd/master/program.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/resolve.h"
#include "ftpd/master/worker_end.h"
#include "common/base.h"

/*
 * The forkserver is no more. Workers that it was to make will not come; those that it
 * made go on.
 */
static void
lose_forkserver(struct generation *generation)
{
	struct master *master = generation->master;
	int fd = generation->source.fd;
	struct worker *worker = generation->ordered;
	bool was_expected = generation->state == GENERATION_RETIRED;

	if (fd < 0) {
		return;
	}
	loop_forget(&master->loop, &generation->source);
	fd_close(&fd);
	if (!was_expected) {
		generation->state = GENERATION_LOST;
	}
	generation->ordered = NULL;
	if (worker != NULL) {
		worker_gone(worker);
	}
	while ((worker = TAILQ_FIRST(&generation->orders)) != NULL) {
		worker_gone(worker);
	}
	if (!was_expected && !master->is_stopping) {
		renew_forkserver_lost(generation);
	}
}

static void
forkserver_exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct generation *generation = owner;
	char text[64];

	generation->forkserver_pid = 0;
	if (generation->state != GENERATION_RETIRED && !master->is_stopping) {
		master_log(master, RECORD_WARNING, "the forkserver (pid %d) ended by %s",
		           (int)pid, children_describe(status, text));
	}
	/* The end of its channel comes by itself, behind its last messages. */
}

/* It broke the wire format. Its children are honest until they prove otherwise. */
static void
condemn(struct generation *generation)
{
	master_log(generation->master, RECORD_ERROR,
	           "the forkserver (pid %d) broke the protocol; it is ended",
	           (int)generation->forkserver_pid);
	children_kill(generation->forkserver_pid, 0);
	lose_forkserver(generation);
}

/*
 * Ask for the first worker in the queue, if no answer is outstanding: one descriptor is
 * on its way at a time.
 */
static void
send_order(struct generation *generation)
{
	struct worker *worker = TAILQ_FIRST(&generation->orders);
	struct spawn_message order = {.type = SPAWN_ORDER};
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	size_t len;

	if (worker == NULL || generation->ordered != NULL ||
	    generation->state != GENERATION_RUNNING) {
		return;
	}
	order.kind = (uint8_t)worker->kind;
	order.child = worker->number;
	len = spawn_encode(&order, bytes);
	if (channel_send(generation->source.fd, bytes, len, worker->child_fd) != 0) {
		/*
		 * It answers each order before the next, so its queue has room: it is
		 * gone, and the channel will tell.
		 */
		return;
	}
	TAILQ_REMOVE(&generation->orders, worker, in_queue);
	generation->ordered = worker;
	worker_began(worker);
}

static void
take_done(struct generation *generation, const struct spawn_message *message)
{
	struct worker *worker = generation->ordered;

	if (worker == NULL || message->child != worker->number || message->pid < 0) {
		condemn(generation);
		return;
	}
	generation->ordered = NULL;
	worker_forked(worker, message->pid);
	send_order(generation);
}

static void
take_ready(struct generation *generation, const struct spawn_message *message)
{
	if (generation->state == GENERATION_RETIRED) {
		return; /* retired before it was ready */
	}
	if (generation->state != GENERATION_STARTING) {
		condemn(generation);
		return;
	}
	generation->state = GENERATION_RUNNING;
	generation->layers = message->layers;
	pool_begin(generation);
}

static void
take_message(struct generation *generation, const struct spawn_message *message)
{
	switch (message->type) {
	case SPAWN_READY: take_ready(generation, message); return;
	case SPAWN_DONE: take_done(generation, message); return;
	case SPAWN_EXITED:
		children_ended(generation->master, message->pid, message->status,
		               generation);
		return;
	case SPAWN_ORDER:
	case SPAWN_COUNT: condemn(generation); return;
	}
}

static void
receive(struct generation *generation)
{
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	struct spawn_message message;

	while (generation->source.fd >= 0) {
		ssize_t len = channel_recv_plain(generation->source.fd, bytes,
		                                 sizeof(bytes), MSG_DONTWAIT);

		if (len == -EAGAIN) {
			return;
		}
		if (len <= 0 && len != -EMSGSIZE) {
			lose_forkserver(generation);
		} else if (len < 0 || !spawn_decode(bytes, (size_t)len, &message)) {
			condemn(generation);
		} else {
			take_message(generation, &message);
		}
	}
}

static void
handle(struct loop_source *source, uint32_t events)
{
	(void)events;
	receive((struct generation *)source); /* its first member */
}

void
generation_read_all(struct master *master)
{
	struct generation *generation;

	/*
	 * None is freed meanwhile, that is the sweep's, and new ones are inserted at the
	 * head.
	 */
	LIST_FOREACH(generation, &master->generations, entry) {
		receive(generation);
	}
}

/* fds: our end and the forkserver's. */
static int
start_forkserver(struct generation *generation, const int fds[2])
{
	struct master *master = generation->master;
	const struct program_order order = {.kind = PROGRAM_WORKER,
	                                    .channel_fd = fds[1],
	                                    .options_fd = generation->options_fd,
	                                    .identity = &generation->users.worker,
	                                    .ended = forkserver_exited,
	                                    .owner = generation};
	int result = loop_watch(&master->loop, &generation->source, fds[0], EPOLLIN);

	if (result == 0) {
		result = program_start(master, &order, &generation->forkserver_pid);
	}
	if (result != 0) {
		loop_forget(&master->loop, &generation->source);
	}
	return result;
}

static int
begin(struct generation *generation)
{
	int fds[2];
	int result = conf_seal(&generation->options, &generation->options_fd);

	if (result == 0) {
		result = channel_pair(fds);
	}
	if (result != 0) {
		return result;
	}
	result = start_forkserver(generation, fds);
	fd_close(&fds[1]);
	if (result != 0) {
		fd_close(&fds[0]);
	}
	return result;
}

int
generation_start(struct master *master, const struct options *options,
                 const struct users *users, const struct addr *resolved,
                 struct generation **ret_generation)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	int result;

	if (generation == NULL) {
		return -ENOMEM;
	}
	generation->master = master;
	generation->options = *options;
	generation->users = *users;
	if (master->is_filter_off) {
		generation->options.sandbox = OPTIONS_SANDBOX_OFF;
	}
	generation->options_fd = -1;
	generation->source.fd = -1;
	generation->source.handle = handle;
	TAILQ_INIT(&generation->orders);
	TAILQ_INIT(&generation->idle);
	result = begin(generation);
	if (result != 0) {
		fd_close(&generation->options_fd);
		free(generation);
		return result;
	}
	LIST_INSERT_HEAD(&master->generations, generation, entry);
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

	if (generation->state != GENERATION_RUNNING) {
		return NULL;
	}
	worker = worker_create(generation, kind);
	if (worker == NULL) {
		return NULL;
	}
	TAILQ_INSERT_TAIL(&generation->orders, worker, in_queue);
	pool_worker_comes(worker);
	send_order(generation);
	return worker;
}

void
generation_retire(struct generation *generation)
{
	struct master *master = generation->master;
	struct worker *worker;
	struct worker *next;

	if (generation->state == GENERATION_RETIRED) {
		return;
	}
	generation->state = GENERATION_RETIRED;
	resolve_end(generation);
	timer_clear(&master->wheel, &generation->pool_tick.timer);
	timer_clear(&master->wheel, &generation->order_pause.timer);
	while ((worker = TAILQ_FIRST(&generation->orders)) != NULL) {
		worker_gone(worker);
	}
	if (generation->source.fd >= 0) {
		/*
		 * It reads the end of the file, and what it has still to tell is read
		 * here.
		 */
		(void)shutdown(generation->source.fd, SHUT_WR);
	}
	for (worker = LIST_FIRST(&master->workers); worker != NULL; worker = next) {
		next = LIST_NEXT(worker, entry);
		if (worker->generation == generation) {
			worker_retire(worker);
		}
		if (next != NULL && next->state == WORKER_GONE) {
			next = LIST_FIRST(
			    &master->workers); /* sending has ended others: begin again */
		}
	}
}

static bool
is_over(const struct generation *generation)
{
	const struct master *master = generation->master;

	return generation != master->current && generation != master->next &&
	       !generation->is_test && generation->source.fd < 0 &&
	       generation->forkserver_pid == 0 && generation->workers == 0;
}

void
generation_sweep(struct master *master)
{
	struct generation *generation = LIST_FIRST(&master->generations);

	worker_sweep(master);
	while (generation != NULL) {
		struct generation *next = LIST_NEXT(generation, entry);

		if (is_over(generation)) {
			generation_retire(generation); /* its timers and its resolver */
			LIST_REMOVE(generation, entry);
			fd_close(&generation->options_fd);
			free(generation);
		}
		generation = next;
	}
}
