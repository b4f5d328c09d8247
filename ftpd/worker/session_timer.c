/*
 * session_timer: how long a session may be silent, and what happens then.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/session_timer.h"

#include "ftpd/worker/cmd_site.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/data_tls.h"
#include "ftpd/worker/dispatch.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

struct session *
session_of_timer(struct timer *timer)
{
	return (struct session *)(void *)((char *)timer -
	                                  offsetof(struct session, timer));
}

/* How long the session may be silent in its present state, in seconds. */
static uint32_t
timeout_s(const struct session *session)
{
	const struct options *options = session->worker->options;
	uint32_t idle_s = session->rights.idle_timeout_s != 0
	                      ? session->rights.idle_timeout_s
	                      : options->idle_timeout_s;

	if (session->transfer_state == TRANSFER_MOVING) {
		return options->stall_timeout_s;
	}
	/*
	 * A large durable upload takes its time to get to the disk, and so does the copy
	 * to which APPE adds: no client stalls.
	 */
	if (session->transfer_state == TRANSFER_FINISHING ||
	    (session->is_asking && session->question_verb == AGENT_OPEN_WRITE)) {
		return idle_s;
	}
	if (session_is_transferring(session) || session_is_waiting(session)) {
		return data_tls_wait_s(session, options->data_timeout_s);
	}
	return session->state == SESSION_LOGGED_IN ? idle_s : options->login_timeout_s;
}

static uint64_t
deadline_ms(const struct session *session)
{
	/* a try to log in has deadlines of its own */
	return session->login != NULL
	           ? login_deadline_ms(session)
	           : session->active_ms + UINT64_C(1000) * timeout_s(session);
}

void
session_touch(struct session *session)
{
	/* A client that has not logged in gains no time by talking (SECURITY.md R2). */
	if (session->state == SESSION_LOGGED_IN) {
		session->active_ms = session->worker->loop.now_ms;
	}
}

void
session_arm_timer(struct session *session)
{
	uint64_t deadline = deadline_ms(session);
	uint64_t linger = data_linger_deadline_ms(session);

	deadline = linger < deadline ? linger : deadline;
	if (session->state == SESSION_CLOSING) {
		return;
	}
	/*
	 * A later deadline is found when the earlier one runs off: most are never moved.
	 */
	if (!timer_is_set(&session->timer) || deadline < session->timer.deadline_ms) {
		timer_set(&session->worker->wheel, &session->timer, deadline);
	}
}

static void
give_up_waiting(struct session *session)
{
	struct agent_answer answer = {.result = IPC_LOCAL_ERROR, .denied_call = -1};

	agent_forget(session);
	session->active_ms = session->worker->loop.now_ms;
	dispatch_finish(session, &answer, -1);
}

void
session_handle_timer(struct session *session)
{
	uint64_t now = session->worker->loop.now_ms;

	if (now >= data_linger_deadline_ms(session)) {
		data_end(session);
	}
	if (now < deadline_ms(session)) {
		session_arm_timer(session);
		return;
	}
	if (session->login != NULL) {
		login_handle_timer(session);
		session_arm_timer(session);
		return;
	}
	if (session->copy != NULL) {
		cmd_site_cancel(session);
		control_continue(session);
	} else if (session->is_asking) {
		give_up_waiting(session);
	} else if (session->transfer_state == TRANSFER_MOVING) {
		transfer_abort(session, "the data connection stalled");
		control_continue(session);
	} else if (session->transfer_state == TRANSFER_OPENING) {
		transfer_not_connected(session);
	} else {
		control_time_out(session);
		return;
	}
	session->active_ms = session->worker->loop.now_ms;
	session_arm_timer(session);
}
