/*
 * data_tls: TLS on the data connection: the handshake, whose connection it is, and when
 * an upload is whole.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/data_tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "ftpd/tls/stream.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/transfer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum data_tls_verdict
data_tls_judge(enum options_tls_resume rule, bool is_passive, bool has_before,
               bool has_now, bool is_other)
{
	if (is_other) {
		return is_passive ? DATA_TLS_STRANGER : DATA_TLS_REFUSED;
	}
	if (has_now || rule == OPTIONS_RESUME_OFF) {
		return DATA_TLS_SERVED;
	}
	if (has_before) {
		return is_passive ? DATA_TLS_STRANGER : DATA_TLS_REFUSED;
	}
	return rule == OPTIONS_RESUME_REQUIRE ? DATA_TLS_REFUSED : DATA_TLS_UNPROVEN;
}

bool
data_tls_is_cut(enum options_tls_close rule, bool has_before)
{
	return rule == OPTIONS_CLOSE_REQUIRE ||
	       (rule == OPTIONS_CLOSE_AUTO && has_before);
}

/* What it calls itself (CLNT), for the log. */
static const char *
client_of(const struct session *session)
{
	return session->client != NULL ? session->client : "(no CLNT was said)";
}

static enum data_tls_verdict
judge(const struct session *session)
{
	const struct options_tls *rules = &session->worker->options->tls;
	const struct tls_stream *stream = session->data.stream;

	return data_tls_judge((enum options_tls_resume)rules->resume,
	                      session->data.mode == DATA_PASSIVE,
	                      session->tls.has_resumed, tls_stream_has_resumed(stream),
	                      !tls_stream_is_client(stream, &session->tls.client));
}

static void
tell_unproven(struct session *session)
{
	if (!session->tls.is_unresumed_told) {
		session->tls.is_unresumed_told = true;
		worker_log(session->worker, session->id, RECORD_INFO,
		           "client %s does not resume the TLS session on data "
		           "connections: its address alone says that they are its own; "
		           "tls.resume = \"require\" would refuse it",
		           client_of(session));
	}
}

/* It is closed, or refused: note and tell why. */
static void
tell_refused(struct session *session)
{
	struct data *data = &session->data;

	data->unresumed++;
	if (!tls_stream_is_client(data->stream, &session->tls.client)) {
		data->is_other_client = true;
		worker_log(session->worker, session->id, RECORD_WARNING,
		           "data connection refused: it does not bring the client's "
		           "certificate, which client %s has brought on the control "
		           "connection",
		           client_of(session));
		return;
	}
	worker_log(session->worker, session->id, RECORD_WARNING,
	           session->tls.has_resumed
	               ? "data connection refused: client %s has resumed the TLS session "
	                 "before, and this one does not"
	               : "data connection refused: client %s does not resume the TLS "
	                 "session; tls.resume = \"auto\" would serve it",
	           client_of(session));
}

/* Once for all of the session: they are alike. */
static void
tell_encryption(struct session *session)
{
	char what[TLS_DESCRIPTION_MAX];

	if (!session->data.is_security_told) {
		session->data.is_security_told = true;
		(void)tls_stream_describe(session->data.stream, what);
		worker_log(session->worker, session->id, RECORD_INFO,
		           "data connections: %s, encrypted %s", what,
		           tls_kernel_text(tls_stream_kernel(session->data.stream)));
	}
}

/*
 * What a client has to say when we have nothing to answer comes in several parts: the end
 * of the handshake (Java and GnuTLS send it in two), the data of a small upload,
 * close_notify. Most clients hold each part back until the one before is acknowledged
 * (RFC 896), and after an exchange such as a handshake the kernel is slow to do so: 40
 * ms, for each small file.
 */
static void
acknowledge_at_once(const struct data *data)
{
	int one = 1;

	/* It is slower without, and nothing else. */
	(void)setsockopt(data->connection_fd, IPPROTO_TCP, TCP_QUICKACK, &one,
	                 sizeof(one));
}

/* It was not the client's own, which may still come. */
static void
wait_on(struct session *session)
{
	data_drop_stranger(session);
	session_touch(session);
	session_arm_timer(session);
}

static void
take_verdict(struct session *session)
{
	struct data *data = &session->data;

	switch (judge(session)) {
	case DATA_TLS_UNPROVEN: tell_unproven(session); break;
	case DATA_TLS_SERVED:
		/* behind CCC there are no more tickets: nobody is held to it then */
		session->tls.has_resumed |=
		    secure_is_on(session) && tls_stream_has_resumed(data->stream);
		break;
	case DATA_TLS_STRANGER:
		tell_refused(session);
		if (data->unresumed < DATA_TLS_UNRESUMED_MAX) {
			wait_on(session);
			return;
		}
		transfer_not_connected(session);
		return;
	case DATA_TLS_REFUSED:
		tell_refused(session);
		transfer_not_connected(session);
		return;
	}
	tell_encryption(session);
	if (transfer_is_upload(session->transfer)) {
		acknowledge_at_once(data);
	}
	transfer_connected(session);
}

/* A scanner, perhaps, and the client comes yet; but it may be the client as well. */
static void
take_failure(struct session *session)
{
	struct data *data = &session->data;

	worker_log(session->worker, session->id, RECORD_INFO,
	           "TLS on the data connection failed: %s",
	           tls_stream_failure(data->stream));
	data->failed_handshakes++;
	if (data->mode == DATA_PASSIVE && data->failed_handshakes < DATA_TLS_FAILED_MAX) {
		wait_on(session);
	} else {
		transfer_not_connected(session);
	}
}

static void
handle_handshake(struct loop_source *source, uint32_t events)
{
	struct data *data = (struct data *)source;

	(void)events; /* shaking hands tells */
	switch (tls_stream_handshake(data->stream)) {
	case TLS_READY: take_verdict(data->session); return;
	case TLS_FAILED: take_failure(data->session); return;
	case TLS_WANTS_READ: acknowledge_at_once(data); break;
	case TLS_WANTS_WRITE: break;
	}
	/* Should it fail for want of memory, the timeout ends the transfer. */
	(void)loop_change(data->loop, source, tls_stream_wants(data->stream));
}

void
data_tls_start(struct session *session)
{
	struct data *data = &session->data;
	struct worker *worker = session->worker;
	int result =
	    tls_stream_new(worker->tls, TLS_DATA, &session->tls.binding,
	                   session->host_number, data->connection_fd, &data->stream);

	data->source.handle = handle_handshake;
	data->loop = &worker->loop;
	if (result == 0 && !transfer_is_upload(session->transfer)) {
		tls_stream_ask_kernel(data->stream);
	}
	if (result == 0) {
		/* The client speaks first. */
		result = data->source.fd >= 0
		             ? loop_change(data->loop, &data->source, EPOLLIN)
		             : loop_watch(data->loop, &data->source, data->connection_fd,
		                          EPOLLIN);
	}
	if (result != 0) {
		transfer_not_connected(session);
	}
}

uint32_t
data_tls_wait_s(const struct session *session, uint32_t timeout_s)
{
	bool had_strangers =
	    session->data.failed_handshakes > 0 || session->data.unresumed > 0;

	return had_strangers && timeout_s > DATA_TLS_WAIT_S ? DATA_TLS_WAIT_S : timeout_s;
}

const char *
data_tls_complaint(const struct session *session)
{
	const struct data *data = &session->data;

	if (data->is_other_client) {
		return "The data connection must resume the TLS session of the control "
		       "connection or bring the same client certificate.";
	}
	if (data->unresumed > 0) {
		return "TLS session of the control connection must be resumed "
		       "(tls.resume).";
	}
	if (data->failed_handshakes > 0) {
		return "TLS on the data connection failed; see that its TLS is that of "
		       "the control connection.";
	}
	return data->stream != NULL ? "TLS on the data connection did not begin in time."
	                            : NULL;
}

const char *
data_tls_describe(const struct session *session, char text[DATA_TLS_TEXT_MAX])
{
	const struct tls_stream *stream = session->data.stream;
	char what[TLS_DESCRIPTION_MAX];

	text[0] = '\0';
	if (stream != NULL && session->transfer_state == TRANSFER_MOVING) {
		(void)tls_stream_describe(stream, what);
		(void)snprintf(text, DATA_TLS_TEXT_MAX, "; %s, encrypted %s", what,
		               tls_kernel_text(tls_stream_kernel(stream)));
	}
	return text;
}

bool
data_tls_take_end(struct session *session, bool has_notified)
{
	struct session_tls *tls = &session->tls;
	const struct options_tls *rules = &session->worker->options->tls;

	if (has_notified) {
		tls->has_closed = true;
		return true;
	}
	if (data_tls_is_cut((enum options_tls_close)rules->strict_close,
	                    tls->has_closed)) {
		return false;
	}
	if (!tls->is_unclosed_told) {
		tls->is_unclosed_told = true;
		worker_log(
		    session->worker, session->id, RECORD_INFO,
		    "client %s ends uploads without close_notify, so that one that "
		    "was cut looks whole; tls.strict_close = \"require\" would "
		    "refuse it",
		    client_of(session));
	}
	return true;
}
