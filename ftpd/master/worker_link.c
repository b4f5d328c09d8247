/*
 * worker_link: the channel to one worker, and what the master knows of that worker.
 * Runs in: master.
 */
#include "ftpd/master/worker_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/ipc/message.h"
#include "ftpd/master/answer.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/master.h"
#include "ftpd/master/pool.h"
#include "ftpd/master/recorder_link.h"
#include "ftpd/master/session_record.h"
#include "ftpd/master/worker_end.h"
#include "ftpd/master/worker_obey.h"
#include "common/base.h"

enum {
	/* Messages still read from a worker that is gone. */
	LAST_WORDS = 64,
	/*
	 * A shared worker with so many messages waiting gets no further client for now.
	 */
	CROWDED = OUTBOX_MAX / 4,
	/* Longer than the longest message from a worker. */
	MESSAGE_CAP = 128,
	/* Type and session. */
	HAND_BACK_LEN = 5,
};

const char *
worker_kind_name(enum worker_kind kind)
{
	return kind == WORKER_SHARED ? "shared" : "private";
}

/* Returns: false when the worker is gone. */
static bool
take_message(struct worker *worker, const uint8_t *bytes, size_t len, int fd)
{
	struct mw_message message;

	if (!mw_decode(bytes, len, &message) || !mw_is_from_worker(message.type) ||
	    mw_has_descriptor(&message) != (fd >= 0)) {
		fd_close(&fd);
		worker_violates(worker, "sent what is no message");
		return false;
	}
	worker_obey(worker, &message, fd);
	return worker->state != WORKER_GONE;
}

static bool
has_run_out_of_descriptors(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	bool is_out = fd < 0 && errno == EMFILE;

	fd_close(&fd);
	return is_out;
}

/*
 * A descriptor was lost or there were too many. At our own limit it is not the worker's
 * fault, and of its messages only HAND_BACK has one.
 * Returns: false if it is.
 */
static bool
take_without_descriptor(struct worker *worker, const uint8_t *bytes)
{
	struct mw_message message;

	if (!has_run_out_of_descriptors() || !mw_decode(bytes, HAND_BACK_LEN, &message) ||
	    message.type != MW_HAND_BACK || worker->state != WORKER_READY) {
		return false;
	}
	worker_obey(worker, &message, -1);
	return true;
}

/*
 * Taking a message may end the worker, but never frees it here: a GONE worker waits for
 * its exit status, or for the sweep.
 */
static void
receive(struct worker *worker, int limit)
{
	uint8_t bytes[MESSAGE_CAP];

	for (int i = 0; i < limit; i++) {
		int fd = -1;
		ssize_t len = channel_recv(worker->source.fd, bytes, sizeof(bytes),
		                           MSG_DONTWAIT, &fd);

		if (len == -EAGAIN) {
			return;
		}
		if (len == -EPROTO && take_without_descriptor(worker, bytes)) {
			return;
		}
		if (len == -EMSGSIZE || len == -EPROTO) {
			worker_violates(worker,
			                "sent a message of a wrong size or shape");
			return;
		}
		if (len <= 0) {
			worker_gone(worker);
			return;
		}
		if (!take_message(worker, bytes, (size_t)len, fd)) {
			return;
		}
	}
}

void
worker_receive(struct worker *worker)
{
	receive(worker, LAST_WORDS);
}

static void
handle(struct loop_source *source, uint32_t events)
{
	struct worker *worker = (struct worker *)source; /* its first member */

	if ((events & EPOLLOUT) != 0) {
		(void)loop_change(&worker->master->loop, source, EPOLLIN);
		worker_pump(worker);
	}
	if (worker->state != WORKER_GONE && (events & ~(uint32_t)EPOLLOUT) != 0) {
		/*
		 * Rarely is there a second message: the loop tells, and others have their
		 * turn before it.
		 */
		receive(worker, 1);
	}
}

struct worker *
worker_create(struct generation *generation, enum worker_kind kind)
{
	struct master *master = generation->master;
	struct worker *worker = calloc(1, sizeof(*worker));
	int fds[2];

	if (worker == NULL) {
		return NULL;
	}
	if (channel_pair(fds) != 0) {
		free(worker);
		return NULL;
	}
	worker->master = master;
	worker->generation = generation;
	worker->number = ++master->last_worker;
	worker->kind = kind;
	worker->state = WORKER_ORDERED;
	worker->order.owner = worker;
	worker->order.number = worker->number;
	worker->order.kind = (uint8_t)kind;
	worker->order.child_fd = fds[1];
	worker->recorder_end_fd = -1;
	worker->source.handle = handle;
	outbox_init(&worker->outbox);
	TAILQ_INIT(&worker->questions);
	if (loop_watch(&master->loop, &worker->source, fds[0], EPOLLIN) != 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		free(worker);
		return NULL;
	}
	LIST_INSERT_HEAD(&master->workers, worker, entry);
	generation->workers++;
	return worker;
}

void
worker_began(struct worker *worker)
{
	worker->state = WORKER_STARTING;
	worker->started_ms = clock_monotonic_ms();
}

static void
pump_again(struct master *master, void *owner)
{
	(void)master;
	worker_pump(owner);
}

/*
 * Returns: false when the channel takes no more at present, or the worker had to be
 *          ended.
 */
static bool
transmit(struct worker *worker, const struct mw_message *message, int fd)
{
	uint8_t bytes[MESSAGE_CAP];
	size_t len = mw_encode(message, bytes, sizeof(bytes));
	int result = channel_send(worker->source.fd, bytes, len, fd);

	if (result == 0) {
		return true;
	}
	if (result == -EAGAIN) {
		(void)loop_change(&worker->master->loop, &worker->source,
		                  EPOLLIN | EPOLLOUT);
	} else if (result == -EPIPE || result == -ECONNRESET) {
		worker_receive(worker); /* its last words, then the end */
		worker_gone(worker);
	} else {
		/* ETOOMANYREFS, ENOBUFS, ENOMEM: only time helps. */
		master_set_deadline(worker->master, &worker->later, TIMER_TICK_MS,
		                    pump_again, worker);
	}
	return false;
}

static void
note_sent(struct worker *worker, const struct mw_message *message)
{
	struct session *session;

	if (message->type != MW_ASSIGN) {
		return;
	}
	session = session_table_find(&worker->master->sessions, message->session);
	if (session != NULL) {
		session->state = SESSION_SERVED;
	}
}

/*
 * Answers are made only when they can be sent: a data socket does not lie about in the
 * master.
 */
static bool
answer_next(struct worker *worker)
{
	struct session *session = TAILQ_FIRST(&worker->questions);
	struct mw_message message;
	int fd = -1;
	bool is_sent;

	if (session == NULL || worker->outbox.is_in_flight) {
		return false;
	}
	fd = answer_make(worker->master, session, &message);
	is_sent = transmit(worker, &message, fd);
	if (is_sent) {
		TAILQ_REMOVE(&worker->questions, session, in_queue);
		session->question = SESSION_ASKED_NOTHING;
		if (fd >= 0) {
			outbox_mark_in_flight(&worker->outbox);
		}
	}
	fd_close(&fd);
	return is_sent;
}

static bool
send_next(struct worker *worker)
{
	const struct outbox_entry *entry = outbox_next(&worker->outbox);

	if (entry == NULL) {
		return false;
	}
	if (!transmit(worker, &entry->message, entry->fd)) {
		return false;
	}
	note_sent(worker, &entry->message);
	outbox_sent(&worker->outbox);
	return true;
}

/*
 * Messages and answers take turns: a burst of new clients does not hold up the transfers
 * of those who are there.
 */
void
worker_pump(struct worker *worker)
{
	bool is_moving = worker->state != WORKER_ORDERED;

	if (worker->is_pumping) {
		return; /* the round in progress sends it */
	}
	worker->is_pumping = true;
	while (is_moving && worker->state != WORKER_GONE) {
		is_moving = answer_next(worker);
		if (worker->state != WORKER_GONE) {
			is_moving = send_next(worker) || is_moving;
		}
	}
	worker->is_pumping = false;
	if (worker->master->is_crowded && worker_has_room(worker)) {
		assign_uncrowd(worker->master);
	}
}

void
worker_send(struct worker *worker, const struct mw_message *message, int fd)
{
	if (worker->state == WORKER_GONE) {
		fd_close(&fd);
		return;
	}
	if (outbox_push(&worker->outbox, message, fd) != 0) {
		fd_close(&fd);
		worker_violates(worker, "does not read its messages");
		return;
	}
	worker_pump(worker);
}

void
worker_assign(struct worker *worker, struct session *session, int fd)
{
	const struct mw_message message = {.type = MW_ASSIGN,
	                                   .session = session->id,
	                                   .peer = session->peer,
	                                   .local = session->local,
	                                   .is_handed_over = session->is_handed_over,
	                                   .is_implicit_tls = session->is_implicit_tls};

	session->state = SESSION_QUEUED;
	session->worker = worker;
	LIST_INSERT_HEAD(&worker->sessions, session, of_worker);
	worker->session_count++;
	session_record_begin(worker->master, session);
	worker_send(worker, &message, fd);
}

void
worker_release(struct worker *worker, struct session *session)
{
	if (session->question == SESSION_ASKED_LOGIN) {
		login_desk_forget(worker->master, session);
	} else if (session->question != SESSION_ASKED_NOTHING) {
		TAILQ_REMOVE(&worker->questions, session, in_queue);
		session->question = SESSION_ASKED_NOTHING;
	}
	LIST_REMOVE(session, of_worker);
	worker->session_count--;
	session->worker = NULL;
}

void
worker_retire(struct worker *worker)
{
	const struct mw_message message = {.type = MW_RETIRE};

	if (worker->is_retiring || worker->state == WORKER_GONE) {
		return;
	}
	worker->is_retiring = true;
	pool_worker_leaves(worker);
	worker_send(worker, &message, -1);
}

bool
worker_has_room(const struct worker *worker)
{
	return worker->state == WORKER_READY && !worker->is_retiring &&
	       worker->outbox.count < CROWDED;
}

void
worker_violates(struct worker *worker, const char *format, ...)
{
	char text[256];
	va_list list;

	if (worker->state == WORKER_GONE) {
		return;
	}
	va_start(list, format);
	(void)vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	master_log(worker->master, RECORD_ERROR, "%s worker %u (pid %d) %s; it is ended",
	           worker_kind_name(worker->kind), (unsigned)worker->number,
	           (int)worker->pid, text);
	worker->is_condemned = true;
	worker_kill(worker);
	worker_gone(worker);
}

void
worker_give_recorder(struct worker *worker)
{
	const struct mw_message message = {.type = MW_GIVE_RECORDER};
	struct master *master = worker->master;
	int fds[2];

	if (worker->generation->is_test) {
		return; /* selftest.c gives it another end */
	}
	if (channel_pair(fds) != 0) {
		master_log(master, RECORD_ERROR,
		           "worker %u gets no channel to the recorder: %s",
		           (unsigned)worker->number, strerror(errno));
		return;
	}
	if (worker->recorder_end_fd < 0) {
		master->recorder.worker_ends++;
	}
	fd_close(&worker->recorder_end_fd);
	worker->recorder_end_fd = fds[1];
	worker_send(worker, &message, fds[0]);
	recorder_pass_worker(master);
}
