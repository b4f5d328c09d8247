/*
 * login_desk: where sessions queue for a login: their tries are counted, delayed by
 * penalties, given to authenticators, and judged.
 * Runs in: master.
 */
#include "ftpd/master/login_desk.h"

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/master/authenticator.h"
#include "ftpd/master/master.h"
#include "ftpd/master/moving.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

static const char *const reasons[MA_REASON_COUNT] = {
    [MA_WRONG_PASSWORD] = "wrong password",
    [MA_UNKNOWN_USER] = "unknown user",
    [MA_LOCKED] = "the account is locked or has expired",
    [MA_DENIED] = "the user may not log in",
    [MA_NO_HOME] = "the root directory cannot be used",
    [MA_CERTIFICATE] = "the client's certificate is not the user's",
    [MA_NEEDS_TLS] = "the user's tls_policy wants TLS, and the client has used none",
    [MA_GONE] = "the client left before the verdict",
    [MA_PROTOCOL] = "the worker broke the wire format",
    [MA_FAULT] = "a fault of this machine",
};

void
login_desk_init(struct master *master, uint64_t seed)
{
	struct login_desk *desk = &master->desk;

	TAILQ_INIT(&desk->queue);
	TAILQ_INIT(&desk->waiting);
	penalty_init(&desk->addresses, PENALTY_CAPACITY, seed);
	penalty_init(&desk->users, PENALTY_CAPACITY, ~seed);
	desk->accounts.seed = seed;
}

void
login_desk_end(struct master *master)
{
	penalty_end(&master->desk.addresses);
	penalty_end(&master->desk.users);
}

static void
answer(struct session *session, enum ipc_result result, int fd)
{
	const struct mw_message message = {
	    .type = MW_LOGIN_ANSWER, .session = session->id, .result = result};

	session->question = SESSION_ASKED_NOTHING;
	worker_send(session->worker, &message, fd);
}

/* Returns: how long the session's try must still wait, 0 if it may be made now. */
static uint64_t
delay_of(const struct master *master, const struct session *session)
{
	const struct login_desk *desk = &master->desk;
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t max_ms = UINT64_C(1000) * master->current->options.logins.max_delay_s;
	const struct penalty_rule of_address = {.free = LOGIN_DESK_FREE_FAILURES,
	                                        .max_ms = max_ms};
	const struct penalty_rule of_user = {.free = LOGIN_DESK_FREE_FAILURES,
	                                     .max_ms = max_ms < LOGIN_DESK_USER_DELAY_MS
	                                                   ? max_ms
	                                                   : LOGIN_DESK_USER_DELAY_MS};
	uint64_t delay_ms = penalty_delay(&desk->addresses, &of_address,
	                                  penalty_address_key(&session->peer), now_ms);
	uint64_t user_ms =
	    penalty_delay(&desk->users, &of_user, session->login_number, now_ms);
	uint64_t waited_ms = now_ms - session->asked_ms;

	if (user_ms > delay_ms) {
		delay_ms = user_ms;
	}
	return delay_ms > waited_ms ? delay_ms - waited_ms : 0;
}

static void enqueue(struct master *master, struct session *session);

static void
delay_is_over(struct master *master, void *owner)
{
	enqueue(master, owner);
	login_desk_pump(master);
}

/* Let the session wait for the end of its delay, or for its turn. */
static void
enqueue(struct master *master, struct session *session)
{
	uint64_t delay_ms = delay_of(master, session);

	if (delay_ms > 0) {
		master_set_deadline(master, &session->deadline, delay_ms, delay_is_over,
		                    session);
		return;
	}
	session->is_queued = true;
	TAILQ_INSERT_TAIL(&master->desk.queue, session, in_queue);
}

static void
dequeue(struct master *master, struct session *session)
{
	session->is_queued = false;
	TAILQ_REMOVE(&master->desk.queue, session, in_queue);
}

void
login_desk_ask(struct worker *worker, struct session *session, uint64_t number)
{
	struct master *master = worker->master;

	session->tries++;
	session->question = SESSION_ASKED_LOGIN;
	session->login_number = number;
	session->asked_ms = clock_monotonic_ms();
	if (master->current == NULL ||
	    master->current->auth.server.state == FORKSERVER_NONE ||
	    session->tries > master->current->options.logins.tries) {
		answer(session, IPC_DENIED, -1);
		return;
	}
	enqueue(master, session);
	login_desk_pump(master);
}

void
login_desk_forget(struct master *master, struct session *session)
{
	if (session->is_queued) {
		dequeue(master, session);
	}
	timer_clear(&master->wheel, &session->deadline.timer);
	session->question = SESSION_ASKED_NOTHING;
}

void
login_desk_end_session(struct master *master, struct session *session)
{
	struct authenticator *authenticator;

	(void)master;
	while ((authenticator = LIST_FIRST(&session->logins)) != NULL) {
		authenticator_leave_session(authenticator);
	}
}

/* Returns: false if the authenticator was of no use, and the session still waits. */
static bool
give(struct master *master, struct session *session, struct authenticator *authenticator)
{
	int fds[2];
	bool is_given;

	if (channel_pair(fds) != 0) {
		dequeue(master, session);
		answer(session, IPC_BUSY, -1);
		return true;
	}
	is_given = authenticator_try(authenticator, session, fds[1]);
	fd_close(&fds[1]);
	if (!is_given) {
		fd_close(&fds[0]);
		return false;
	}
	dequeue(master, session);
	answer(session, IPC_OK, fds[0]);
	return true;
}

static bool
may_compute(const struct master *master)
{
	return master->current != NULL && !master->is_stopping &&
	       master->desk.computing < master->current->auth.limit;
}

void
login_desk_pump(struct master *master)
{
	struct authenticator *authenticator;
	struct session *session;

	if (master->desk.is_pumping) {
		return; /* the round in progress does it */
	}
	master->desk.is_pumping = true;
	while (may_compute(master) &&
	       (session = TAILQ_FIRST(&master->desk.queue)) != NULL &&
	       (authenticator = auth_pool_first(master->current)) != NULL) {
		/* Others may have failed while it was waiting. */
		if (delay_of(master, session) > 0) {
			dequeue(master, session);
			enqueue(master, session);
		} else {
			(void)give(master, session, authenticator); /* else again */
		}
	}
	master->desk.is_pumping = false;
}

static void
punish(struct authenticator *authenticator)
{
	struct login_desk *desk = &authenticator->master->desk;
	uint64_t now_ms = clock_monotonic_ms();

	penalty_add(&desk->addresses, penalty_address_key(&authenticator->peer), now_ms);
	penalty_add(&desk->users, authenticator->number, now_ms);
}

/*
 * Returns: true if the worker has named another user here than to the authenticator, to
 *          escape from penalties. It is ended then, and the try is a failure.
 */
static bool
has_lied(struct authenticator *authenticator, const struct ma_message *message)
{
	if (message->number == authenticator->number ||
	    (message->number == 0 && message->type == MA_REFUSED)) {
		return false;
	}
	punish(authenticator);
	if (authenticator->session != NULL) {
		worker_violates(authenticator->session->worker,
		                "named two users in one try to log in");
	}
	return true;
}

static void
log_refusal(struct authenticator *authenticator, const struct ma_message *message)
{
	const struct record record = {
	    .level = message->reason == MA_FAULT ? RECORD_ERROR : RECORD_WARNING,
	    .session = authenticator->session_id,
	    .peer = authenticator->peer};

	/*
	 * The recorder escapes what a client has sent. His name comes last: nothing that
	 * he makes up stands before it.
	 */
	master_log_of(authenticator->master, &record,
	              "login refused: %s%s%.*s; user %.*s", reasons[message->reason],
	              message->text_len > 0 ? ": " : "", (int)message->text_len,
	              message->text, (int)message->user_len, message->user);
}

/* Returns: true if somebody may have been guessing. */
static bool
is_failure(const struct ma_message *message)
{
	switch (message->reason) {
	case MA_WRONG_PASSWORD:
	case MA_UNKNOWN_USER:
	case MA_LOCKED:
	case MA_DENIED:
	case MA_CERTIFICATE:
	case MA_PROTOCOL: return true;
	case MA_GONE: return message->number != 0;
	case MA_NO_HOME:
	case MA_NEEDS_TLS: /* whoever sees that knows the password */
	case MA_FAULT:
	case MA_REASON_COUNT: return false;
	}
	return false;
}

void
login_desk_refused(struct authenticator *authenticator, const struct ma_message *message)
{
	login_desk_release(authenticator); /* it may have been accepted before */
	if (has_lied(authenticator, message)) {
		return;
	}
	log_refusal(authenticator, message);
	if (is_failure(message)) {
		punish(authenticator);
	}
	if (message->reason == MA_PROTOCOL && authenticator->session != NULL) {
		worker_violates(authenticator->session->worker,
		                "broke the wire format towards an authenticator");
	}
}

static void
log_too_many(struct authenticator *authenticator)
{
	const struct record record = {.level = RECORD_WARNING,
	                              .session = authenticator->session_id,
	                              .peer = authenticator->peer};

	master_log_of(authenticator->master, &record,
	              "login refused: max_sessions_per_user (%u) is reached; user %.*s",
	              (unsigned)authenticator->max_sessions, (int)authenticator->user_len,
	              authenticator->user);
}

/* Returns: true if the user may have one session more; it is counted then. */
static bool
count_session(struct authenticator *authenticator)
{
	struct master *master = authenticator->master;
	struct limit_row *row = limit_hold(&master->desk.accounts, authenticator->user,
	                                   authenticator->user_len);

	if (row == NULL) {
		return false;
	}
	if (authenticator->max_sessions > 0 && row->count > authenticator->max_sessions) {
		limit_release(&master->desk.accounts, row);
		return false;
	}
	share_set_rates(&master->rates.board, &row->share, authenticator->rates);
	authenticator->account = row;
	authenticator->session->tries--; /* it was no guess */
	moving_set_user(master, authenticator->session, row);
	return true;
}

static void look_again(struct master *master, void *owner);

static void
admit(struct authenticator *authenticator)
{
	if (authenticator->session == NULL) {
		authenticator_go(authenticator, false);
	} else if (count_session(authenticator)) {
		authenticator_go(authenticator, true);
	} else if (authenticator->looks++ < LOGIN_DESK_LOOKS) {
		master_set_deadline(authenticator->master, &authenticator->deadline,
		                    LOGIN_DESK_LOOK_MS, look_again, authenticator);
	} else {
		log_too_many(authenticator);
		authenticator_go(authenticator, false);
	}
}

static void
look_again(struct master *master, void *owner)
{
	(void)master;
	admit(owner);
}

void
login_desk_accepted(struct authenticator *authenticator, const struct ma_message *message)
{
	if (has_lied(authenticator, message) || message->user_len > MA_USER_MAX ||
	    message->text_len > MA_TEXT_MAX) {
		authenticator_go(authenticator, false);
		return;
	}
	memcpy(authenticator->user, message->user, message->user_len);
	authenticator->user_len = message->user_len;
	memcpy(authenticator->directory, message->text, message->text_len);
	authenticator->directory_len = message->text_len;
	authenticator->max_sessions = message->max_sessions;
	authenticator->rates[SHARE_DOWN] = message->user_rate_down;
	authenticator->rates[SHARE_UP] = message->user_rate_up;
	admit(authenticator);
}

void
login_desk_failed(struct authenticator *authenticator)
{
	if (!authenticator->master->is_stopping) {
		punish(authenticator);
	}
}

/* Returns: true if another login of the session, which began anew, holds the row. */
static bool
is_held_by_session(const struct session *session, const struct limit_row *row)
{
	const struct authenticator *other;

	LIST_FOREACH(other, &session->logins, of_session) {
		if (other->account == row) {
			return true;
		}
	}
	return false;
}

void
login_desk_release(struct authenticator *authenticator)
{
	struct master *master = authenticator->master;
	struct session *session = authenticator->session;
	struct limit_row *row = authenticator->account;

	if (row == NULL) {
		return;
	}
	authenticator->account = NULL;
	if (session != NULL && session->user == row &&
	    !is_held_by_session(session, row)) {
		moving_set_user(master, session, NULL);
	}
	limit_release(&master->desk.accounts, row);
}
