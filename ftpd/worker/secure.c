/*
 * secure: the bytes of the control connection, in clear or in TLS.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/secure.h"

#include <errno.h>
#include <sys/socket.h>

#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* RFC 8446 5.1: content types of records, and how long one may be */
	RECORD_ALERT = 21,
	RECORD_DATA = 23,                /* in TLS 1.3 all is called so, alerts, too */
	RECORD_BYTES_MAX = 16384 + 2048, /* RFC 5246 6.2.3 */
};

bool
secure_is_offered(const struct worker *worker)
{
	return options_has_tls(worker->options);
}

bool
secure_is_on(const struct session *session)
{
	return session->tls.control != NULL && !session->tls.is_wanted &&
	       !session->tls.is_starting;
}

bool
secure_is_changing(const struct session *session)
{
	return session->tls.is_wanted || session->tls.is_starting ||
	       session->tls.is_clearing;
}

int
secure_prepare(struct session *session)
{
	bool is_implicit = session->tls.is_implicit;
	struct session_tls tls = {.is_implicit = is_implicit,
	                          .is_greeted = session->tls.is_greeted,
	                          .may_skip = session->tls.may_skip,
	                          .has_pbsz = is_implicit,
	                          .is_data_private = is_implicit,
	                          .is_wanted = true};
	int result = tls_binding_make(&tls.binding);

	if (result == 0) {
		result = tls_stream_new(session->worker->tls, TLS_CONTROL, &tls.binding,
		                        session->host_number, session->control.fd,
		                        &tls.control);
	}
	if (result == 0) {
		session->tls = tls;
	}
	return result;
}

void
secure_begin_clearing(struct session *session, bool is_anew)
{
	session->tls.is_clearing = true;
	session->tls.is_anew = is_anew;
}

void
secure_forget(struct session *session)
{
	session->tls = (struct session_tls){.is_implicit = session->tls.is_implicit,
	                                    .is_greeted = session->tls.is_greeted,
	                                    .may_skip = session->tls.may_skip};
}

/*
 * Nobody can be told in the middle of what is being answered: the loop finds the
 * connection's end.
 */
static void
give_up(struct session *session)
{
	/* fails only if it is shut down already */
	(void)shutdown(session->control.fd, SHUT_RDWR);
}

static void
drop_stream(struct session *session)
{
	tls_stream_free(session->tls.control);
	session->tls.control = NULL;
}

/* Our side has ended TLS: what comes now is in clear, or another handshake. */
static void
leave_tls(struct session *session)
{
	bool is_anew = session->tls.is_anew;

	drop_stream(session);
	session->tls.is_clearing = false;
	session->tls.may_skip = true;
	if (is_anew) {
		secure_forget(session);
	}
	if (is_anew && session->tls.is_implicit && secure_prepare(session) != 0) {
		give_up(session);
	}
}

void
secure_advance(struct session *session)
{
	if (session->tls.is_clearing && secure_finish(session)) {
		leave_tls(session);
	}
	if (session->tls.is_wanted) {
		session->tls.is_wanted = false;
		session->tls.is_starting = true;
		session->tls.wants_room = false; /* the client begins */
	}
}

static ssize_t
receive_plain(struct session *session, void *bytes, size_t cap, int flags)
{
	ssize_t received = recv(session->control.fd, bytes, cap, MSG_DONTWAIT | flags);

	if (received < 0) {
		return errno == EINTR ? -EAGAIN : -errno;
	}
	return received;
}

/* Take as much of one record as has come. Returns: as receive_plain(). */
static ssize_t
skip_part(struct session *session)
{
	struct session_skip *skip = &session->tls.skip;
	uint8_t *input = session->worker->input; /* nothing is in it now */
	ssize_t received;
	size_t body;

	if (skip->left > 0) {
		received = receive_plain(
		    session, input,
		    skip->left < WORKER_INPUT_BYTES ? skip->left : WORKER_INPUT_BYTES, 0);
		skip->left -= received > 0 ? (size_t)received : 0;
		return received;
	}
	received = receive_plain(session, skip->head + skip->head_len,
	                         sizeof(skip->head) - skip->head_len, 0);
	skip->head_len += received > 0 ? (size_t)received : 0;
	if (skip->head_len == sizeof(skip->head)) {
		body = (size_t)skip->head[3] << 8 | skip->head[4];
		skip->head_len = 0;
		if (body > RECORD_BYTES_MAX || ++skip->count > SECURE_SKIP_MAX) {
			return -EBADMSG;
		}
		skip->left = body;
	}
	return received;
}

/*
 * Behind CCC and REIN the client's close_notify comes, or does not: not all send one. Its
 * record is told from a command, and from another handshake, by its first byte, and
 * passed over without being looked at: it could say nothing that matters any more.
 * Returns: 1 if something else comes next; else as receive_plain().
 */
static ssize_t
skip_records(struct session *session)
{
	struct session_skip *skip = &session->tls.skip;
	ssize_t received;
	uint8_t first;

	do {
		if (skip->head_len == 0 && skip->left == 0) {
			received = receive_plain(session, &first, 1, MSG_PEEK);
			if (received == 1 && first != RECORD_ALERT &&
			    first != RECORD_DATA) {
				session->tls.may_skip = false;
				return 1;
			}
			if (received <= 0) {
				return received;
			}
		}
		received = skip_part(session);
	} while (received > 0);
	return received;
}

enum tls_progress
secure_handshake(struct session *session)
{
	enum tls_progress progress = TLS_WANTS_READ;

	/* what ends the connection here is found, and told, by the handshake */
	if (!session->tls.may_skip || skip_records(session) != -EAGAIN) {
		progress = tls_stream_handshake(session->tls.control);
	}
	session->tls.is_starting = progress != TLS_READY;
	session->tls.wants_room = progress == TLS_WANTS_WRITE;
	return progress;
}

ssize_t
secure_receive(struct session *session, uint8_t *bytes, size_t cap)
{
	if (session->tls.may_skip) {
		ssize_t skipped = skip_records(session);

		if (skipped <= 0) {
			return skipped;
		}
	}
	if (session->tls.control != NULL) {
		ssize_t received = tls_stream_read(session->tls.control, bytes, cap);

		session->tls.is_dry = received == -EAGAIN;
		/* after a FIN nothing more can come either */
		return received == -ENODATA ? 0 : received;
	}
	return receive_plain(session, bytes, cap, session->is_peeking ? MSG_PEEK : 0);
}

bool
secure_has_input(const struct session *session)
{
	/* what could not be read just now is not asked for again and again */
	return secure_is_on(session) && !session->tls.is_dry &&
	       tls_stream_has_input(session->tls.control);
}

bool
secure_is_followed(const struct session *session)
{
	return secure_has_input(session) ||
	       (secure_is_on(session) &&
	        tls_stream_is_within_record(session->tls.control));
}

static size_t
send_plain(struct session *session, const char *bytes, size_t len)
{
	ssize_t sent = send(session->control.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0) {
		return errno == EAGAIN || errno == EINTR ? 0 : len;
	}
	return (size_t)sent;
}

size_t
secure_send(struct session *session, const char *bytes, size_t len)
{
	ssize_t taken;

	if (session->tls.is_starting) {
		return len; /* there is no way yet to tell this client anything */
	}
	if (session->tls.control == NULL || session->tls.is_wanted) {
		return send_plain(session, bytes, len);
	}
	taken = tls_stream_write(session->tls.control, bytes, len);
	if (taken < 0 && taken != -EAGAIN) {
		give_up(session);
		return len;
	}
	if (!session->is_stopped) { /* or close_notify goes along, see secure_finish() */
		secure_flush(session);
	}
	return taken > 0 ? (size_t)taken : 0;
}

void
secure_flush(struct session *session)
{
	int result =
	    secure_has_output(session) ? tls_stream_flush(session->tls.control) : 0;

	if (result < 0 && result != -EAGAIN) {
		give_up(session);
	} else if (result == 0) {
		session->tls.is_dry = false; /* reading may have waited for this */
	}
}

bool
secure_has_output(const struct session *session)
{
	return secure_is_on(session) && tls_stream_has_output(session->tls.control);
}

bool
secure_finish(struct session *session)
{
	return !secure_is_on(session) ||
	       tls_stream_close(session->tls.control) != -EAGAIN;
}

void
secure_end(struct session *session)
{
	if (session->tls.control == NULL) {
		return;
	}
	/* as far as the client takes it at once: it has been waited for already */
	(void)secure_finish(session);
	drop_stream(session);
	/*
	 * The client's close_notify may come yet, and to a closed socket: then the reset
	 * comes behind our end.
	 */
	(void)shutdown(session->control.fd, SHUT_WR); /* or the client was faster */
}
