/*
 * forkserver_link: the channel to one forkserver: what is ordered from it, what it tells
 * of its children, and its loss.
 * Runs in: master.
 */
#include "ftpd/master/forkserver_link.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/forkserver.h"
#include "ftpd/master/children.h"
#include "ftpd/master/master.h"
#include "common/base.h"

/* The order is over, one way or another. */
static void
finish(struct forkserver_link *link, struct fork_order *order, pid_t pid)
{
	order->stage = FORK_NOT_ORDERED;
	fd_close(&order->child_fd);
	link->use->forked(order, pid);
}

/*
 * The forkserver is no more. Children that it was to make will not come; those that it
 * made go on.
 */
static void
lose(struct forkserver_link *link)
{
	struct fork_order *order = link->asked;
	int fd = link->source.fd;
	bool was_expected = link->state == FORKSERVER_RETIRED;

	if (fd < 0) {
		return;
	}
	loop_forget(&link->master->loop, &link->source);
	fd_close(&fd);
	if (!was_expected) {
		link->state = FORKSERVER_LOST;
	}
	link->asked = NULL;
	if (order != NULL) {
		finish(link, order, 0);
	}
	while ((order = TAILQ_FIRST(&link->orders)) != NULL) {
		TAILQ_REMOVE(&link->orders, order, next);
		finish(link, order, 0);
	}
	if (!was_expected && !link->master->is_stopping) {
		link->use->lost(link);
	}
}

static void
exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct forkserver_link *link = owner;
	char text[64];

	link->pid = 0;
	if (link->state != FORKSERVER_RETIRED && !master->is_stopping) {
		master_log(master, RECORD_WARNING, "the %s (pid %d) ended by %s",
		           link->use->name, (int)pid, children_describe(status, text));
	}
	/* The end of its channel comes by itself, behind its last messages. */
}

/* It broke the wire format. Its children are honest until they prove otherwise. */
static void
condemn(struct forkserver_link *link)
{
	master_log(link->master, RECORD_ERROR,
	           "the %s (pid %d) broke the protocol; it is ended", link->use->name,
	           (int)link->pid);
	children_kill(link->pid, 0);
	lose(link);
}

/*
 * Ask for the first child in the queue, if no answer is outstanding: one descriptor is on
 * its way at a time.
 */
static void
send_order(struct forkserver_link *link)
{
	struct fork_order *order = TAILQ_FIRST(&link->orders);
	struct spawn_message message = {.type = SPAWN_ORDER};
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	size_t len;

	if (order == NULL || link->asked != NULL || link->state != FORKSERVER_RUNNING) {
		return;
	}
	message.kind = order->kind;
	message.child = order->number;
	len = spawn_encode(&message, bytes);
	if (channel_send(link->source.fd, bytes, len, order->child_fd) != 0) {
		/*
		 * It answers each order before the next, so its queue has room: it is
		 * gone, and the channel will tell.
		 */
		return;
	}
	TAILQ_REMOVE(&link->orders, order, next);
	link->asked = order;
	order->stage = FORK_ASKED;
	fd_close(&order->child_fd);
	link->use->asked(order);
}

static void
take_done(struct forkserver_link *link, const struct spawn_message *message)
{
	struct fork_order *order = link->asked;

	if (order == NULL || message->child != order->number || message->pid < 0) {
		condemn(link);
		return;
	}
	link->asked = NULL;
	finish(link, order, message->pid);
	send_order(link);
}

static void
take_ready(struct forkserver_link *link, const struct spawn_message *message)
{
	if (link->state == FORKSERVER_RETIRED) {
		return; /* retired before it was ready */
	}
	if (link->state != FORKSERVER_STARTING) {
		condemn(link);
		return;
	}
	link->state = FORKSERVER_RUNNING;
	link->layers = message->layers;
	link->use->ready(link);
}

static void
take_message(struct forkserver_link *link, const struct spawn_message *message)
{
	switch (message->type) {
	case SPAWN_READY: take_ready(link, message); return;
	case SPAWN_DONE: take_done(link, message); return;
	case SPAWN_EXITED:
		children_ended(link->master, message->pid, message->status, link);
		return;
	case SPAWN_ORDER:
	case SPAWN_COUNT: condemn(link); return;
	}
}

void
forkserver_read(struct forkserver_link *link)
{
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	struct spawn_message message;

	while (link->source.fd >= 0) {
		ssize_t len = channel_recv_plain(link->source.fd, bytes, sizeof(bytes),
		                                 MSG_DONTWAIT);

		if (len == -EAGAIN) {
			return;
		}
		if (len <= 0 && len != -EMSGSIZE) {
			lose(link);
		} else if (len < 0 || !spawn_decode(bytes, (size_t)len, &message)) {
			condemn(link);
		} else {
			take_message(link, &message);
		}
	}
}

static void
handle(struct loop_source *source, uint32_t events)
{
	(void)events;
	forkserver_read((struct forkserver_link *)source); /* its first member */
}

void
forkserver_init(struct forkserver_link *link, struct master *master,
                const struct forkserver_use *use, void *owner)
{
	link->source.fd = -1;
	link->source.handle = handle;
	link->master = master;
	link->use = use;
	link->owner = owner;
	TAILQ_INIT(&link->orders);
}

/* fd: our end. */
static int
start_program(struct forkserver_link *link, int fd, const struct program_order *order)
{
	int result = loop_watch(&link->master->loop, &link->source, fd, EPOLLIN);

	if (result == 0) {
		result = program_start(link->master, order, &link->pid);
	}
	if (result != 0) {
		loop_forget(&link->master->loop, &link->source);
	}
	return result;
}

int
forkserver_start(struct forkserver_link *link, int options_fd, int tls_fd,
                 const struct identity *identity)
{
	struct program_order order = {.kind = link->use->program,
	                              .options_fd = options_fd,
	                              .tls_fd = tls_fd,
	                              .identity = identity,
	                              .ended = exited,
	                              .owner = link};
	int fds[2];
	int result = channel_pair(fds);

	if (result != 0) {
		return result;
	}
	order.channel_fd = fds[1];
	result = start_program(link, fds[0], &order);
	fd_close(&fds[1]);
	if (result != 0) {
		fd_close(&fds[0]);
		return result;
	}
	link->state = FORKSERVER_STARTING;
	return 0;
}

void
forkserver_order(struct forkserver_link *link, struct fork_order *order)
{
	order->stage = FORK_QUEUED;
	TAILQ_INSERT_TAIL(&link->orders, order, next);
	send_order(link);
}

void
forkserver_cancel(struct forkserver_link *link, struct fork_order *order)
{
	if (order->stage == FORK_QUEUED) {
		TAILQ_REMOVE(&link->orders, order, next);
		order->stage = FORK_NOT_ORDERED;
		fd_close(&order->child_fd);
	}
}

void
forkserver_retire(struct forkserver_link *link)
{
	link->state = FORKSERVER_RETIRED;
	if (link->source.fd >= 0) {
		/*
		 * It reads the end of the file, and what it has still to tell is read
		 * here.
		 */
		(void)shutdown(link->source.fd, SHUT_WR);
	}
}

bool
forkserver_is_over(const struct forkserver_link *link)
{
	return link->source.fd < 0 && link->pid == 0;
}
