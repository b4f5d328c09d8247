/*
 * control_send: replies go out, and the session ends behind the last one; see control.h.
 * Runs in: deftpd-worker.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ftpd/worker/control.h"
#include "ftpd/worker/control_parts.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/*
	 * of what a client says behind its last command, which is read for its own good
	 */
	DRAIN_READS_MAX = 16,
};

bool
control_has_output(const struct session *session)
{
	return session->output_len > 0 || secure_has_output(session);
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
	size_t sent = 0;

	if (session->state == SESSION_CLOSING || session->control.fd < 0) {
		return;
	}
	if (session->is_holding) {
		keep_output(session, bytes, len);
		return;
	}
	if (session->output_len == 0) {
		sent = secure_send(session, bytes, len);
	}
	if (sent < len) {
		keep_output(session, bytes + sent, len - sent);
	}
	if (control_has_output(session)) {
		control_watch(session);
	}
}

/* All replies are taken, and in TLS our end of it is told, too. */
static void
end_if_sent(struct session *session)
{
	if (session->output_len == 0 && secure_finish(session)) {
		session_end(session, session->end);
	} else {
		control_watch(session);
	}
}

void
control_send_kept(struct session *session)
{
	size_t sent = 0;

	if (session->output_len > 0) {
		sent = secure_send(session, session->output, session->output_len);
	} else {
		secure_flush(session);
	}
	session->output_len -= sent;
	if (session->output_len > 0) {
		memmove(session->output, session->output + sent, session->output_len);
	} else {
		free(session->output);
		session->output = NULL;
	}
	if (!control_has_output(session)) {
		session->is_handing_over = false; /* the line is looked at again */
	}
	if (session->is_stopped) {
		end_if_sent(session);
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
	control_send_kept(session);
	if (session->state != SESSION_CLOSING && control_has_output(session)) {
		control_watch(session);
	}
}

void
control_end(struct session *session, enum mw_end end)
{
	session->is_stopped = true;
	session->end = end;
	if (session->is_holding && session->output_len > 0) {
		session->is_holding = false;
		control_send_kept(session);
	} else {
		end_if_sent(session);
	}
}

void
control_drain(const struct session *session, int control_fd)
{
	uint8_t *input = session->worker->input;
	size_t most = 0;

	for (unsigned i = 0; i < DRAIN_READS_MAX; i++) {
		ssize_t len = recv(control_fd, input, WORKER_INPUT_BYTES, MSG_DONTWAIT);

		if (len <= 0) {
			break;
		}
		if (i == 0) {
			/* a reset that comes yet comes behind an end: or it was faster */
			(void)shutdown(control_fd, SHUT_WR);
		}
		most = most > (size_t)len ? most : (size_t)len;
	}
	control_wipe_bytes(session, input, most);
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
