/*
 * assign: which worker gets which client, who waits for one, and the end of a session.
 * Runs in: master.
 */
#include "ftpd/master/assign.h"

#include "common/fd.h"
#include "ftpd/master/accept.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/pool.h"
#include "ftpd/master/refuse.h"
#include "ftpd/master/session_record.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

static bool
may_be_shared(const struct master *master, const struct session *session)
{
	return !session->wants_private && master->current->options.anonymous.enabled;
}

static struct worker *
pick(struct master *master, const struct session *session)
{
	bool is_crowded = false;
	struct worker *worker;

	if (master->current == NULL) {
		return NULL;
	}
	if (!may_be_shared(master, session)) {
		return pool_take_private(master->current);
	}
	worker = pool_pick_shared(master->current, &is_crowded);
	if (is_crowded && !master->is_crowded) {
		master->is_crowded = true;
		accept_pause(master);
	}
	return worker;
}

static struct session_queue *
queue_of(struct master *master, const struct session *session)
{
	return session->wants_private ? &master->waiting_private
	                              : &master->waiting_shared;
}

static void
wait_is_over(struct master *master, void *owner)
{
	struct session *session = owner;
	int fd = session->fd;

	session->fd = -1;
	refuse_client(master, fd,
	              session->is_implicit_tls
	                  ? NULL
	                  : "421 The server is busy, please try again later.\r\n");
	assign_end_session(master, session);
}

static void
let_wait(struct master *master, struct session *session, int fd)
{
	uint64_t patience_ms =
	    UINT64_C(1000) *
	    (master->current != NULL ? master->current->options.login_timeout_s : 1);

	session->state = SESSION_WAITING;
	session->fd = fd;
	TAILQ_INSERT_TAIL(queue_of(master, session), session, in_queue);
	master_set_deadline(master, &session->deadline, patience_ms, wait_is_over,
	                    session);
}

void
assign_session(struct master *master, struct session *session, int fd)
{
	struct worker *worker = pick(master, session);

	if (worker == NULL) {
		let_wait(master, session, fd);
		return;
	}
	worker_assign(worker, session, fd);
}

static int
stop_waiting(struct master *master, struct session *session)
{
	int fd = session->fd;

	timer_clear(&master->wheel, &session->deadline.timer);
	TAILQ_REMOVE(queue_of(master, session), session, in_queue);
	session->fd = -1;
	return fd;
}

static size_t
count_waiting(const struct session_queue *queue)
{
	const struct session *session;
	size_t count = 0;

	TAILQ_FOREACH(session, queue, in_queue) {
		count++;
	}
	return count;
}

/*
 * Each client that waits is tried once: one who finds no worker waits again, at the end
 * of his queue.
 */
static void
try_queue(struct master *master, struct session_queue *queue, bool is_stopping_at_first)
{
	struct session *session;

	for (size_t i = count_waiting(queue); i > 0; i--) {
		struct worker *worker;
		int fd;

		session = TAILQ_FIRST(queue);
		worker = session != NULL ? pick(master, session) : NULL;
		if (session == NULL || (worker == NULL && is_stopping_at_first)) {
			return;
		}
		fd = stop_waiting(master, session);
		if (worker == NULL) {
			let_wait(master, session, fd);
			continue;
		}
		worker_assign(worker, session, fd);
	}
}

void
assign_waiting(struct master *master)
{
	try_queue(master, &master->waiting_private, true);
	try_queue(master, &master->waiting_shared, true);
}

void
assign_again(struct master *master)
{
	try_queue(master, &master->waiting_private, false);
	try_queue(master, &master->waiting_shared, false);
}

void
assign_refuse_waiting(struct master *master)
{
	struct session *session;

	while ((session = TAILQ_FIRST(&master->waiting_private)) != NULL ||
	       (session = TAILQ_FIRST(&master->waiting_shared)) != NULL) {
		wait_is_over(master, session);
	}
}

void
assign_uncrowd(struct master *master)
{
	master->is_crowded = false;
	assign_waiting(master);
	if (!master->is_crowded) {
		accept_resume(master);
	}
}

void
assign_end_session(struct master *master, struct session *session)
{
	session_record_forget(master, session);
	moving_end(master, session);
	login_desk_end_session(master, session);
	if (session->state == SESSION_WAITING) {
		int fd = stop_waiting(master, session);

		fd_close(&fd);
	} else if (session->worker != NULL) {
		worker_release(session->worker, session);
	}
	if (!session->is_test) {
		admit_remove(&master->admit, &session->peer);
	}
	session_table_remove(&master->sessions, session);
}
