/*
 * worker_obey: what the master does when a worker says something; everything out of phase
 * ends that worker.
 * Runs in: master.
 *
 * The master never ends a session by itself while a worker has it, and a worker names a
 * session only between its ASSIGN and its own ENDED or HAND_BACK. So no race can make an
 * honest worker name a session that is not its own.
 */
#include "ftpd/master/worker_obey.h"

#include "common/fd.h"
#include "ftpd/master/accept.h"
#include "ftpd/master/agents.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/early_drop.h"
#include "ftpd/master/master.h"
#include "ftpd/master/pool.h"
#include "common/base.h"

/*
 * Returns: the session if the worker has it, else NULL: a guess, or a number of the past.
 */
static struct session *
own_session(struct worker *worker, uint32_t id)
{
	struct session *session = session_table_find(&worker->master->sessions, id);

	if (session == NULL || session->worker != worker ||
	    session->state != SESSION_SERVED) {
		worker_violates(worker, "named session %08x, which it does not have",
		                (unsigned)id);
		return NULL;
	}
	return session;
}

static void
take_ready(struct worker *worker)
{
	if (worker->state != WORKER_STARTING) {
		worker_violates(worker, "said READY twice");
		return;
	}
	pool_worker_ready(worker);
}

static void
take_taken(struct worker *worker)
{
	if (!outbox_taken(&worker->outbox)) {
		worker_violates(worker, "said TAKEN, and nothing was on its way");
		return;
	}
	worker_pump(worker);
}

static void
take_question(struct worker *worker, const struct mw_message *message,
              enum session_question question)
{
	struct session *session = own_session(worker, message->session);

	if (session == NULL) {
		return;
	}
	if (session->question != SESSION_ASKED_NOTHING) {
		worker_violates(worker,
		                "asked a second question before the answer to the first");
		return;
	}
	session->question = question;
	session->target = message->peer;
	TAILQ_INSERT_TAIL(&worker->questions, session, in_queue);
	worker_pump(worker);
}

static void
take_login(struct worker *worker, const struct mw_message *message)
{
	struct session *session = own_session(worker, message->session);

	if (session == NULL) {
		return;
	}
	/* No password ever enters a shared worker. */
	if (worker->kind != WORKER_PRIVATE ||
	    session->question != SESSION_ASKED_NOTHING) {
		worker_violates(worker,
		                "wanted to log somebody in, and may not, or not now");
		return;
	}
	login_desk_ask(worker, session, message->user);
}

static void
take_moving(struct worker *worker, const struct mw_message *message)
{
	struct session *session = own_session(worker, message->session);

	if (session != NULL) {
		moving_take(worker, session, message);
	}
}

static void
take_back(struct worker *worker, const struct mw_message *message, int fd)
{
	const struct mw_message answer = {.type = MW_TAKEN_BACK,
	                                  .session = message->session};
	struct session *session = own_session(worker, message->session);
	uint64_t cookie;

	if (session == NULL) {
		fd_close(&fd);
		return;
	}
	if (fd < 0) {
		master_log(worker->master, RECORD_ERROR,
		           "a client was lost: the limit of open files is too low");
		assign_end_session(worker->master, session);
		worker_send(worker, &answer, -1);
		return;
	}
	if (worker->kind != WORKER_SHARED || session->question != SESSION_ASKED_NOTHING ||
	    !accept_cookie(fd, &cookie) || cookie != session->cookie) {
		fd_close(&fd);
		worker_violates(worker, "handed back what it may not, or another socket");
		return;
	}
	moving_end(worker->master, session);
	worker_release(worker, session);
	session->wants_private = true;
	session->is_handed_over = true;
	worker_send(worker, &answer, -1);
	assign_session(worker->master, session, fd);
}

static void
take_ended(struct worker *worker, const struct mw_message *message)
{
	struct session *session = own_session(worker, message->session);

	if (session == NULL) {
		return;
	}
	if (message->end == MW_END_DROPPED) {
		early_drop_note(worker->master);
	}
	assign_end_session(worker->master, session);
}

static void
take_more_agents(struct worker *worker, const struct mw_message *message)
{
	if (!agents_may_have(worker, message->host)) {
		worker_violates(worker, "asked for agents of host %u, and may not",
		                (unsigned)message->host);
		return;
	}
	agents_give_one(worker, message->host);
}

void
worker_obey(struct worker *worker, const struct mw_message *message, int fd)
{
	if (worker->state == WORKER_STARTING && message->type != MW_READY) {
		fd_close(&fd);
		worker_violates(worker, "spoke before it was ready");
		return;
	}
	switch (message->type) {
	case MW_READY: take_ready(worker); return;
	case MW_TAKEN: take_taken(worker); return;
	case MW_PASSIVE: take_question(worker, message, SESSION_ASKED_PASSIVE); return;
	case MW_ACTIVE: take_question(worker, message, SESSION_ASKED_ACTIVE); return;
	case MW_HAND_BACK: take_back(worker, message, fd); return;
	case MW_ENDED: take_ended(worker, message); return;
	case MW_MORE_AGENTS: take_more_agents(worker, message); return;
	case MW_LOGIN: take_login(worker, message); return;
	case MW_MOVING: take_moving(worker, message); return;
	case MW_ASSIGN:
	case MW_GIVE_AGENT:
	case MW_GIVE_RECORDER:
	case MW_PASSIVE_ANSWER:
	case MW_ACTIVE_ANSWER:
	case MW_TAKEN_BACK:
	case MW_LOGIN_ANSWER:
	case MW_SHARE:
	case MW_DROP:
	case MW_RETIRE:
	case MW_COUNT:
		/* worker_link.c lets no message of the master's own through. */
		worker_violates(worker, "sent a message of the master's");
		return;
	}
}
