/*
 * control: the control connection: bytes become lines, lines become commands, replies go
 * out.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/secret.h"
#include "ftpd/proto/request.h"
#include "ftpd/worker/cmd_stat.h"
#include "ftpd/worker/dispatch.h"
#include "ftpd/worker/handover.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	CONTROL_EVENTS = EPOLLIN | EPOLLRDHUP,
};

/* What the loop should wake us for, given what can be done. */
static void
watch(struct session *session)
{
	uint32_t events = session->output_len > 0 ? EPOLLOUT : 0;

	if (!session->is_stopped && !session->is_input_closed &&
	    !session->is_handing_over && session->input_len < WORKER_INPUT_BYTES &&
	    session->output_len < SESSION_OUTPUT_MAX) {
		events |= CONTROL_EVENTS;
	}
	/* or the timeout ends it */
	(void)loop_change(&session->worker->loop, &session->control, events);
}

static void
keep_output(struct session *session, const char *bytes, size_t len)
{
	char *grown = realloc(session->output, session->output_len + len);

	if (grown == NULL) {
		/* the client finds a reply missing; its session ends by timeout */
		return;
	}
	memcpy(grown + session->output_len, bytes, len);
	session->output = grown;
	session->output_len += len;
}

void
control_send(struct session *session, const char *bytes, size_t len)
{
	ssize_t sent = 0;

	if (session->state == SESSION_CLOSING || session->control.fd < 0) {
		return;
	}
	if (session->is_holding) {
		keep_output(session, bytes, len);
		return;
	}
	if (session->output_len == 0) {
		sent = send(session->control.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			/* broken: the loop reports it and the session ends there */
			return;
		}
		sent = sent < 0 ? 0 : sent;
	}
	if ((size_t)sent < len) {
		keep_output(session, bytes + sent, len - (size_t)sent);
		watch(session);
	}
}

/*
 * No command is taken up any more; the session ends when the client has taken the last
 * reply.
 */
static void
end_after_replies(struct session *session, enum mw_end end)
{
	session->is_stopped = true;
	session->end = end;
	if (session->output_len == 0) {
		session_end(session, end);
	} else {
		watch(session);
	}
}

void
control_end(struct session *session, enum mw_end end)
{
	/*
	 * Bytes that nobody has read would turn the close into a reset, and the client
	 * might lose the last reply.
	 */
	if (end != MW_END_QUIT && session->control.fd >= 0) {
		(void)recv(session->control.fd, session->worker->input,
		           WORKER_INPUT_BYTES,
		           MSG_DONTWAIT); /* as far as they have come */
	}
	end_after_replies(session, end);
}

void
control_time_out(struct session *session)
{
	enum mw_end end =
	    session->state == SESSION_LOGGED_IN ? MW_END_TIMEOUT : MW_END_LOGIN_TIMEOUT;

	if (session->is_stopped) {
		/* it does not even take the last reply */
		session_end(session, session->end);
		return;
	}
	control_reply(session, REPLY_SERVICE_CLOSING, "%s",
	              end == MW_END_TIMEOUT
	                  ? "Idle for too long; closing the connection."
	                  : "Login took too long; closing the connection.");
	session_end(session, end);
}

void
control_shut_down(struct session *session)
{
	control_reply(session, REPLY_SERVICE_CLOSING, "The service is shutting down.");
	session_end(session, MW_END_CLOSED);
}

/*
 * Ask whether the assembled line may be carried out now: commands are answered in order,
 * and only what the table says is taken up while data moves.
 */
static bool
may_take(const struct session *session)
{
	struct request request;

	if (session->output_len >= SESSION_OUTPUT_MAX || session->is_quitting) {
		return false;
	}
	/* ABOR waits for its answer, and all behind it for theirs. */
	if (session->transfer != NULL && session->transfer->has_abor) {
		return false;
	}
	if (session_is_transferring(session) || session->copy != NULL) {
		return session->line_result == LINE_READY &&
		       request_parse(session->text, session->line.len, &request) ==
		           REQUEST_OK &&
		       (command_row(request.id)->flags & COMMAND_DURING_TRANSFER) != 0 &&
		       request.text_len == 0;
	}
	return !session_is_waiting(session);
}

/* A private worker's lines may be secrets: none is left behind (SECURITY.md A21). */
static void
wipe(const struct session *session, void *bytes, size_t len)
{
	if (session->worker->kind == WORKER_PRIVATE && bytes != NULL) {
		secret_wipe(bytes, len);
	}
}

void
control_wipe(struct session *session)
{
	wipe(session, session->text, LINE_MAX_BYTES);
	wipe(session, session->input, WORKER_INPUT_BYTES);
}

static void
carry_out(struct session *session)
{
	session->has_line = false;
	session_touch(session);
	switch (session->line_result) {
	case LINE_READY:
		dispatch_line(session, session->text, session->line.len);
		/* NULL if the session has ended by it */
		wipe(session, session->text, LINE_MAX_BYTES);
		return;
	case LINE_TOO_LONG:
		control_reply(session, REPLY_UNKNOWN_COMMAND, "The line is too long.");
		return;
	case LINE_BAD:
		control_reply(session, REPLY_BAD_ARGUMENT,
		              "The line holds a NUL or a CR without LF.");
		return;
	case LINE_MORE: return;
	}
}

static bool
get_text(struct session *session)
{
	if (session->text == NULL) {
		session->text = malloc(LINE_MAX_BYTES);
	}
	return session->text != NULL;
}

/* Give the line's buffer back as soon as nothing is in it. */
static void
release_text(struct session *session)
{
	if (!session->has_line && line_is_empty(&session->line)) {
		wipe(session, session->text, LINE_MAX_BYTES);
		free(session->text);
		session->text = NULL;
	}
}

/*
 * Assemble and carry out lines as long as there are bytes and nothing stands in the way.
 * Returns: how many bytes were used.
 */
static size_t
process(struct session *session, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	size_t used;

	session->is_processing = true;
	while (!session->is_stopped && get_text(session)) {
		if (!session->has_line && at < len) {
			session->line_result = line_feed(&session->line, session->text,
			                                 bytes + at, len - at, &used);
			at += used;
			session->has_line = session->line_result != LINE_MORE;
		}
		if (!session->has_line || !may_take(session)) {
			break;
		}
		carry_out(session);
	}
	session->is_processing = false;
	if (session->state != SESSION_CLOSING) {
		release_text(session);
	}
	return session->is_stopped ? len : at;
}

/* Process what was kept, and keep what is left over of it. */
static void
process_kept(struct session *session)
{
	size_t used = process(session, session->input, session->input_len);

	if (session->state == SESSION_CLOSING || session->input == NULL) {
		return;
	}
	session->input_len -= used;
	memmove(session->input, session->input + used, session->input_len);
	wipe(session, session->input + session->input_len, used);
	if (session->input_len == 0) {
		free(session->input);
		session->input = NULL;
	}
}

static void
keep_input(struct session *session, const uint8_t *bytes, size_t len)
{
	if (len == 0) {
		return;
	}
	if (session->input == NULL) {
		session->input = malloc(WORKER_INPUT_BYTES);
	}
	if (session->input == NULL) {
		control_reply(session, REPLY_SERVICE_CLOSING,
		              "Out of memory; try again later.");
		end_after_replies(session, MW_END_CLOSED);
		return;
	}
	memcpy(session->input + session->input_len, bytes, len);
	session->input_len += len;
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
		end_after_replies(session, MW_END_QUIT);
		return;
	}
	if (session->is_input_closed && !session->is_quitting && !session->has_line &&
	    session->input_len == 0 && !session_is_waiting(session)) {
		end_after_replies(session, MW_END_CLOSED);
		return;
	}
	watch(session);
}

void
control_continue(struct session *session)
{
	if (session->state == SESSION_CLOSING || session->is_processing) {
		return; /* the outer call goes on by itself */
	}
	process_kept(session);
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

	if (!get_text(session)) {
		return false;
	}
	decision =
	    handover_decide(session, session->worker->input, (size_t)peeked, &used);
	if (decision == HANDOVER_WAIT && (events & EPOLLRDHUP) == 0 &&
	    peeked < WORKER_INPUT_BYTES) {
		handover_wait_for(session, (size_t)peeked + 1);
		release_text(session);
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

static void
receive(struct session *session, uint32_t events)
{
	struct worker *worker = session->worker;
	size_t room = WORKER_INPUT_BYTES - session->input_len;
	ssize_t received = recv(session->control.fd, worker->input, room,
	                        MSG_DONTWAIT | (session->is_peeking ? MSG_PEEK : 0));
	size_t len;

	if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (received <= 0) {
		session->is_input_closed = true;
		process_kept(session);
		return;
	}
	len = (size_t)received;
	if (session->is_peeking && !take_peeked(session, events, received, &len)) {
		return;
	}
	if (session->input_len > 0) {
		keep_input(session, worker->input, len);
		process_kept(session);
	} else {
		size_t used = process(session, worker->input, len);

		if (session->state != SESSION_CLOSING) {
			keep_input(session, worker->input + used, len - used);
		}
	}
	wipe(session, worker->input, len);
}

static void
send_kept(struct session *session)
{
	ssize_t sent = send(session->control.fd, session->output, session->output_len,
	                    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent <= 0) {
		return;
	}
	session->output_len -= (size_t)sent;
	memmove(session->output, session->output + sent, session->output_len);
	if (session->output_len == 0) {
		free(session->output);
		session->output = NULL;
		session->is_handing_over = false; /* the line is looked at again */
	}
	if (session->output_len == 0 && session->is_stopped) {
		session_end(session, session->end);
	}
}

void
control_hold(struct session *session)
{
	session->is_holding = true;
}

void
control_flush(struct session *session)
{
	if (!session->is_holding) {
		return;
	}
	session->is_holding = false;
	if (session->state == SESSION_CLOSING || session->output_len == 0) {
		return;
	}
	send_kept(session);
	if (session->state != SESSION_CLOSING && session->output_len > 0) {
		watch(session);
	}
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
	if ((events & EPOLLOUT) != 0 && session->output_len > 0) {
		send_kept(session);
		if (session->state != SESSION_CLOSING) {
			cmd_stat_resume(session);
			process_kept(session);
		}
	}
	if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 && !session->is_stopped) {
		receive(session, events);
	}
	settle(session);
}

int
control_start(struct session *session, int control_fd, bool is_handed_over)
{
	int result;

	session->control.handle = handle_control;
	result = loop_watch(&session->worker->loop, &session->control, control_fd,
	                    CONTROL_EVENTS);
	if (result == 0 && !is_handed_over) {
		control_reply(session, REPLY_READY, "FTP server ready.");
	}
	return result;
}
