/*
 * control: the control connection: bytes become lines, lines become commands, replies go
 * out.
 * Runs in: deftpd-worker.
 * Not here: lines (control_line.c), replies (control_send.c, control_reply.c).
 */
#include "ftpd/worker/control.h"

#include <errno.h>
#include <sys/socket.h>

#include "ftpd/worker/cmd_stat.h"
#include "ftpd/worker/cmd_tls.h"
#include "ftpd/worker/control_parts.h"
#include "ftpd/worker/handover.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	CONTROL_EVENTS = EPOLLIN | EPOLLRDHUP,
	/*
	 * Records that are read in one go: TLS gives one at a time, and a client who has
	 * sent many must not keep the loop from its other work.
	 */
	CONTROL_RECORDS_MAX = 16,
};

static bool
may_receive(const struct session *session)
{
	return !session->is_stopped && !session->is_input_closed &&
	       !session->is_handing_over && !secure_is_changing(session) &&
	       session->input_len < WORKER_INPUT_BYTES &&
	       session->output_len < SESSION_OUTPUT_MAX;
}

void
control_watch(struct session *session)
{
	uint32_t events = control_has_output(session) ? EPOLLOUT : 0;

	if (session->tls.is_starting) {
		events = session->tls.wants_room ? EPOLLOUT : CONTROL_EVENTS;
	} else if (session->is_stopped || session->tls.is_clearing) {
		events = EPOLLOUT; /* close_notify waits, if nothing else does */
	} else if (may_receive(session)) {
		events |= CONTROL_EVENTS;
		/* what TLS has read already: the loop tells of room to answer it */
		events |= secure_has_input(session) ? EPOLLOUT : 0;
	}
	/* or the timeout ends it */
	(void)loop_change(&session->worker->loop, &session->control, events);
}

/*
 * After the client's FIN nothing more can come: what was received is still answered; a
 * transfer goes on only if QUIT was said (RFC 959 4.1.1, QUIT: an unexpected close has
 * the effect of ABOR and QUIT).
 */
static void
settle(struct session *session)
{
	if (session->state == SESSION_CLOSING || session->is_stopped) {
		return;
	}
	if (session->is_quitting && !session_is_transferring(session) &&
	    session->copy == NULL) {
		control_reply(session, REPLY_GOODBYE, "Goodbye.");
		control_end(session, MW_END_QUIT);
		return;
	}
	if (session->is_input_closed && !session->is_quitting && !session->has_line &&
	    session->input_len == 0 && !session_is_waiting(session)) {
		control_end(session, MW_END_CLOSED);
		return;
	}
	if (secure_is_changing(session) && !control_has_output(session)) {
		secure_advance(session);
	}
	control_watch(session);
}

void
control_continue(struct session *session)
{
	if (session->state == SESSION_CLOSING || session->is_processing) {
		return; /* the outer call goes on by itself */
	}
	control_take_kept(session);
	settle(session);
}

/*
 * In a shared worker before login a line is looked at before it is taken: it may be for a
 * private worker to read.
 * Returns: true if bytes were taken into worker->input, *ret_len of them; false to wait
 *          or because the session is gone.
 */
static bool
take_peeked(struct session *session, uint32_t events, ssize_t peeked, size_t *ret_len)
{
	enum handover_decision decision;
	size_t used;

	if (!control_get_text(session)) {
		return false;
	}
	decision =
	    handover_decide(session, session->worker->input, (size_t)peeked, &used);
	if (decision == HANDOVER_WAIT && (events & EPOLLRDHUP) == 0 &&
	    peeked < WORKER_INPUT_BYTES) {
		handover_wait_for(session, (size_t)peeked + 1);
		control_release_text(session);
		return false;
	}
	if (decision == HANDOVER_PRIVATE) {
		handover_start(session);
		return false;
	}
	if (recv(session->control.fd, session->worker->input, used, MSG_DONTWAIT) !=
	    (ssize_t)used) {
		/* cannot be: they were there a moment ago. The loop asks again. */
		return false;
	}
	handover_wait_for(session, 1);
	*ret_len = used;
	return true;
}

/* What comes is no TLS any more, or too much of what is none of a client's business. */
static void
end_broken(struct session *session)
{
	if (session->tls.control != NULL) {
		worker_log(session->worker, session->id, RECORD_INFO,
		           "TLS of the control connection failed: %s",
		           tls_stream_failure(session->tls.control));
	}
	session_end(session, MW_END_CLOSED);
}

/* Returns: true if something has been taken. */
static bool
receive(struct session *session, uint32_t events)
{
	struct worker *worker = session->worker;
	ssize_t received = secure_receive(session, worker->input,
	                                  WORKER_INPUT_BYTES - session->input_len);
	size_t len;

	if (received == -EAGAIN) {
		return false;
	}
	if (received == -EBADMSG) {
		end_broken(session);
		return false;
	}
	if (received <= 0) {
		session->is_input_closed = true;
		control_take_kept(session);
		return false;
	}
	len = (size_t)received;
	if (session->is_peeking && !take_peeked(session, events, received, &len)) {
		return false;
	}
	control_take(session, worker->input, len);
	control_wipe_bytes(session, worker->input, len);
	return true;
}

static void
receive_all(struct session *session, uint32_t events)
{
	for (int i = 0; i < CONTROL_RECORDS_MAX; i++) {
		if (!receive(session, events) || session->state == SESSION_CLOSING ||
		    !may_receive(session) || !secure_has_input(session)) {
			return;
		}
	}
}

static void
greet(struct session *session)
{
	control_reply(session, REPLY_READY, "%s", session_banner(session));
}

static void
shake_hands(struct session *session)
{
	switch (secure_handshake(session)) {
	case TLS_WANTS_READ:
	case TLS_WANTS_WRITE: control_watch(session); return;
	case TLS_FAILED: end_broken(session); return;
	case TLS_READY: break;
	}
	cmd_tls_begun(session);
	if (session->tls.is_implicit && !session->tls.is_greeted) {
		session->tls.is_greeted = true;
		greet(session);
	}
	if (secure_has_input(session)) {
		receive_all(session, 0);
	}
	settle(session);
}

static void
handle_control(struct loop_source *source, uint32_t events)
{
	struct session *session = (struct session *)source;

	if ((events & EPOLLERR) != 0 ||
	    ((events & EPOLLHUP) != 0 && (events & EPOLLIN) == 0)) {
		session_end(session, MW_END_CLOSED);
		return;
	}
	if (session->tls.is_starting) {
		shake_hands(session);
		return;
	}
	if ((events & EPOLLOUT) != 0 &&
	    (control_has_output(session) || session->is_stopped)) {
		control_send_kept(session);
		if (session->state != SESSION_CLOSING) {
			cmd_stat_resume(session);
			control_take_kept(session);
		}
	}
	if (session->state != SESSION_CLOSING && may_receive(session) &&
	    ((events & CONTROL_EVENTS) != 0 || secure_has_input(session))) {
		receive_all(session, events);
	}
	settle(session);
}

/* TLS begins before the first reply. */
static int
start_implicit(struct session *session)
{
	int result =
	    secure_is_offered(session->worker) ? secure_prepare(session) : -EINVAL;

	if (result != 0) {
		loop_forget(&session->worker->loop, &session->control);
		return result;
	}
	secure_advance(session);
	return 0;
}

int
control_start(struct session *session, int control_fd, bool is_handed_over)
{
	int result;

	session->control.handle = handle_control;
	result = loop_watch(&session->worker->loop, &session->control, control_fd,
	                    CONTROL_EVENTS);
	if (result == 0 && session->tls.is_implicit) {
		return start_implicit(session);
	}
	if (result == 0 && !is_handed_over) {
		greet(session);
	}
	return result;
}
