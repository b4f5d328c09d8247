/*
 * stream: TLS on one connection that does not block: of commands, or of data.
 * Runs in: deftpd-worker, on the loop. Input: hostile.
 */
#include "ftpd/tls/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "ftpd/tls/failure.h"
#include "ftpd/tls/kernel.h"
#include "ftpd/tls/stream_internal.h"
#include "common/base.h"

enum {
	/* A full record, and what TLS adds to it at most. */
	RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH,
	RECORD_ADDED = SSL3_RT_MAX_ENCRYPTED_OVERHEAD + SSL3_RT_HEADER_LENGTH,
	/* What is gathered before it is sent, with what is added. */
	GATHER_DATA = TLS_GATHER_BYTES + TLS_GATHER_BYTES / RECORD_BYTES * RECORD_ADDED,
	GATHER_CONTROL = 2 * (RECORD_BYTES + RECORD_ADDED),
	/* Uploads are received in such pieces. */
	LARGE_BUFFER = 128 * 1024,
	LARGE_READ = 32 * 1024,
	/* One call takes so many records: of the smallest ones, too. */
	RECORDS_A_CALL = 128,
	/* So much data, and a client's key updates are counted from zero again. */
	CALM_BYTES = 1024 * 1024,
};

/* NOLINTBEGIN(readability-function-size): the signature is OpenSSL's */
/*
 * Count what costs much and brings nothing: key updates, and the first messages of
 * renegotiation, which is refused each time. Records that OpenSSL has begun are counted,
 * too, see has_input; and those that are sent, see renew_key.
 */
static void
watch_message(int is_sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
              void *argument)
{
	struct tls_stream *stream = argument;

	(void)version;
	(void)bytes;
	(void)len;
	(void)ssl;
	if (is_sent) {
		stream->sealed += type == SSL3_RT_HEADER;
		return;
	}
	if (type == SSL3_RT_HEADER) {
		stream->records++;
	}
	if (type == SSL3_RT_HANDSHAKE && stream->is_open) {
		stream->noise++;
	}
	if (stream->noise > TLS_KEY_UPDATES_MAX) {
		stream->wire.is_stopped = true;
		failure_explain(stream, "more than %d key updates or renegotiations",
		                TLS_KEY_UPDATES_MAX);
	}
}
/* NOLINTEND(readability-function-size) */

int
tls_binding_make(struct tls_binding *ret_binding)
{
	struct tls_binding binding;

	if (RAND_bytes(binding.bytes, sizeof(binding.bytes)) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	*ret_binding = binding;
	return 0;
}

/*
 * It is idle most of the time. One ticket serves the first data connection; before each
 * further one there is a fresh one, see tls_stream_offer_ticket().
 */
static void
prepare_control(SSL *ssl)
{
	(void)SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_get_num_tickets(ssl) > 1) {
		(void)SSL_set_num_tickets(ssl, 1); /* cannot fail */
	}
}

static int
prepare(struct tls_stream *stream, struct tls_context *context,
        const struct tls_binding *binding)
{
	BIO *bio = NULL;
	int result = tls_connection_new(context, binding, &stream->hello, &stream->ssl);

	if (result != 0) {
		return result;
	}
	bio = wire_bio(&stream->wire);
	if (bio == NULL) {
		return -ENOMEM;
	}
	SSL_set_bio(stream->ssl, bio, bio);
	SSL_set_accept_state(stream->ssl);
	SSL_set_read_ahead(stream->ssl, 1);
	(void)SSL_set_options(stream->ssl, SSL_OP_NO_RENEGOTIATION);
	if (stream->hello.side == TLS_CONTROL) {
		prepare_control(stream->ssl);
	}
	SSL_set_msg_callback(stream->ssl, watch_message);
	SSL_set_msg_callback_arg(stream->ssl, stream);
	return 0;
}

int
tls_stream_new(struct tls_context *context, enum tls_side side,
               const struct tls_binding *binding, uint16_t host, int fd,
               struct tls_stream **ret_stream)
{
	struct tls_stream *stream = calloc(1, sizeof(*stream));
	int result = -ENOMEM;

	if (stream != NULL) {
		stream->context = context;
		stream->kernel = TLS_KERNEL_UNASKED;
		stream->hello.side = side;
		stream->hello.host = host;
		stream->wire.fd = fd;
		stream->wants = EPOLLIN; /* the client begins */
		stream->wire.is_frugal = side == TLS_CONTROL;
		result = prepare(stream, context, binding);
	}
	ERR_clear_error();
	if (result != 0) {
		tls_stream_free(stream);
		return result;
	}
	*ret_stream = stream;
	return 0;
}

void
tls_stream_free(struct tls_stream *stream)
{
	if (stream == NULL) {
		return;
	}
	/*
	 * A session whose connection ends without a word may not be resumed, says
	 * OpenSSL; but a transfer that is aborted must not cost the next ones that.
	 */
	if (stream->ssl != NULL && stream->is_open) {
		SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	}
	SSL_free(stream->ssl);
	wire_clear(&stream->wire);
	ERR_clear_error();
	free(stream);
}

/* Before OpenSSL is called: whose errors follow, and that the socket may be asked. */
static void
begin(struct tls_stream *stream, uint32_t wants)
{
	ERR_clear_error();
	wire_wake(&stream->wire);
	stream->wants = wants;
}

/* TLS is over: say so to the client if that can be done now. */
static int
break_off(struct tls_stream *stream, int negative_errno)
{
	if (stream->error == 0) {
		stream->error = negative_errno;
	}
	failure_of_openssl(stream);
	(void)wire_flush(&stream->wire); /* an alert; it is told as well as can be */
	return stream->error;
}

/* How the connection itself has ended, when nothing more comes. */
static int
end_of_wire(struct tls_stream *stream)
{
	const struct wire *wire = &stream->wire;

	if (wire->is_stopped) {
		return break_off(stream, -EBADMSG);
	}
	if (wire->read_error != 0) {
		failure_explain(stream, "%s", strerror(-wire->read_error));
		return wire->read_error == -EPROTO ? -EBADMSG : wire->read_error;
	}
	if (wire->has_ended && wire->write_error != 0) {
		/* The kernel tells of a reset once, and then as of a FIN. */
		failure_explain(stream, "%s", strerror(-wire->write_error));
		return wire->write_error;
	}
	if (wire->has_ended) {
		failure_explain(
		    stream, wire_is_within_record(wire)
				? "the client has closed the connection within a record"
				: "the client has closed the connection");
		return wire_is_within_record(wire) ? -EBADMSG : -ENODATA;
	}
	return -EAGAIN;
}

/*
 * What an answer of OpenSSL means that was no success.
 * Returns: 0 after close_notify; negative errno.
 */
static int
judge(struct tls_stream *stream, int answer)
{
	switch (SSL_get_error(stream->ssl, answer)) {
	case SSL_ERROR_WANT_READ: return end_of_wire(stream);
	case SSL_ERROR_WANT_WRITE: return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN: return 0;
	case SSL_ERROR_SYSCALL:
		return break_off(stream, stream->wire.write_error != 0
		                             ? stream->wire.write_error
		                             : -EPIPE);
	default: return break_off(stream, -EBADMSG);
	}
}

static enum tls_progress
wait_in_handshake(struct tls_stream *stream, int answer)
{
	bool is_writing = SSL_want_write(stream->ssl);
	int result = judge(stream, answer);

	if (result != -EAGAIN) {
		stream->error = result != 0 ? result : -ENODATA;
		failure_explain(stream, "the client has ended TLS in the handshake");
		return TLS_FAILED;
	}
	if (is_writing || wire_has_output(&stream->wire)) {
		stream->wants = EPOLLOUT;
		return TLS_WANTS_WRITE;
	}
	return TLS_WANTS_READ;
}

enum tls_progress
tls_stream_handshake(struct tls_stream *stream)
{
	int answer = 1;
	int sent = 0;

	if (stream->error != 0) {
		return TLS_FAILED;
	}
	begin(stream, EPOLLIN);
	if (!stream->is_open) {
		answer = SSL_accept(stream->ssl);
		stream->is_open = answer == 1;
		if (stream->is_open) {
			kernel_settle(stream);
		}
	}
	sent = wire_flush(&stream->wire);
	if (sent != 0 && sent != -EAGAIN) {
		stream->error = sent;
		failure_explain(stream, "%s", strerror(-sent));
		return TLS_FAILED;
	}
	if (answer != 1) {
		return wait_in_handshake(stream, answer);
	}
	stream->wants = sent == 0 ? EPOLLIN : EPOLLOUT;
	return sent == 0 ? TLS_READY : TLS_WANTS_WRITE;
}

/*
 * Whoever reads much gets a large buffer; the handshake and the commands do without it.
 * While something is in the small one, it stays.
 */
static void
enlarge_buffer(struct tls_stream *stream, size_t cap)
{
	if (stream->has_large_buffer || cap < LARGE_READ ||
	    stream->hello.side != TLS_DATA || SSL_free_buffers(stream->ssl) != 1) {
		return;
	}
	SSL_set_default_read_buffer_len(stream->ssl, LARGE_BUFFER);
	stream->has_large_buffer = true;
}

static void
count_calm(struct tls_stream *stream, size_t len)
{
	stream->calm += len;
	if (stream->calm >= CALM_BYTES) {
		stream->calm = 0;
		stream->noise = 0;
	}
}

ssize_t
tls_stream_read(struct tls_stream *stream, void *bytes, size_t cap)
{
	uint8_t *to = bytes;
	size_t got = 0;
	int answer = 1;
	int result = -EAGAIN;

	begin(stream, EPOLLIN);
	if (stream->error != 0 || !stream->is_open) {
		return stream->error != 0 ? stream->error : -EINVAL;
	}
	enlarge_buffer(stream, cap);
	for (int i = 0; got < cap && answer == 1 && i < RECORDS_A_CALL; i++) {
		size_t len = 0;

		answer = SSL_read_ex(stream->ssl, to + got, cap - got, &len);
		got += answer == 1 ? len : 0;
	}
	count_calm(stream, got);
	stream->wants |= wire_has_output(&stream->wire) ? EPOLLOUT : 0U;
	if (answer != 1) {
		result = judge(stream, answer);
	}
	/* How it ends will be known again by the next call. */
	return got > 0 ? (ssize_t)got : result;
}

bool
tls_stream_has_input(const struct tls_stream *stream)
{
	/* The end, too: the read that has found it told of the bytes before it. */
	return stream->is_open &&
	       (stream->error != 0 || stream->wire.read_error != 0 ||
	        SSL_pending(stream->ssl) > 0 || stream->wire.records > stream->records ||
	        (SSL_get_shutdown(stream->ssl) & SSL_RECEIVED_SHUTDOWN) != 0);
}

bool
tls_stream_is_within_record(const struct tls_stream *stream)
{
	return wire_is_within_record(&stream->wire);
}

/* How much of len can be encrypted without more being gathered than shall be. */
static size_t
chunk_of(const struct tls_stream *stream, size_t len)
{
	size_t max = stream->hello.side == TLS_DATA ? GATHER_DATA : GATHER_CONTROL;
	size_t room = max > stream->wire.end ? max - stream->wire.end : 0;
	size_t fit = room / (RECORD_BYTES + RECORD_ADDED) * RECORD_BYTES;

	return len < fit ? len : fit;
}

static size_t
encrypted_len(size_t len)
{
	return len + (len / RECORD_BYTES + 1) * RECORD_ADDED;
}

/* A key lasts for long, but a download may last longer. TLS 1.2 knows no second one. */
static void
renew_key(struct tls_stream *stream)
{
	if (stream->sealed < TLS_KEY_LASTS_RECORDS ||
	    SSL_version(stream->ssl) != TLS1_3_VERSION) {
		return;
	}
	stream->sealed = 0;
	/* The client need not change its own. It fails for nobody who writes as we do. */
	(void)SSL_key_update(stream->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
}

/* Encrypt one chunk into the wire, behind a ticket if one was offered. */
static int
encrypt(struct tls_stream *stream, const uint8_t *bytes, size_t len)
{
	size_t taken = 0;
	int answer = 0;

	if (!wire_reserve(&stream->wire, encrypted_len(len))) {
		return -ENOMEM;
	}
	if (stream->offers_ticket) {
		stream->offers_ticket = false;
		(void)SSL_new_session_ticket(stream->ssl); /* none: it resumes another */
	}
	renew_key(stream);
	answer = SSL_write_ex(stream->ssl, bytes, len, &taken);
	return answer == 1 ? 0 : judge(stream, answer);
}

ssize_t
tls_stream_write(struct tls_stream *stream, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t taken = 0;
	int result = 0;

	begin(stream, EPOLLOUT);
	if (stream->error != 0 || !stream->is_open) {
		return stream->error != 0 ? stream->error : -EINVAL;
	}
	if (stream->is_closed) {
		return -EPIPE;
	}
	if (stream->kernel == TLS_KERNEL_USED) {
		return kernel_write(stream, bytes, len);
	}
	while (taken < len && result == 0) {
		size_t chunk = chunk_of(stream, len - taken);

		if (chunk == 0) {
			result = wire_flush(&stream->wire);
			continue;
		}
		result = encrypt(stream, from + taken, chunk);
		taken += result == 0 ? chunk : 0;
	}
	return taken > 0 ? (ssize_t)taken : result;
}

int
tls_stream_flush(struct tls_stream *stream)
{
	stream->wants = EPOLLOUT;
	return wire_flush(&stream->wire);
}

bool
tls_stream_has_output(const struct tls_stream *stream)
{
	return wire_has_output(&stream->wire);
}

int
tls_stream_close(struct tls_stream *stream)
{
	int result;

	begin(stream, EPOLLOUT);
	stream->wire.is_frugal = true; /* it may linger, and gathers nothing any more */
	if (stream->is_open && stream->error == 0 && !stream->is_closed) {
		int answer = SSL_shutdown(stream->ssl);

		if (answer < 0) {
			return judge(stream, answer);
		}
		stream->is_closed = true;
		/* After CCC, what comes behind the client's close_notify is no TLS. */
		SSL_set_read_ahead(stream->ssl, stream->hello.side == TLS_DATA);
	}
	result = wire_flush(&stream->wire);
	return result == 0 ? stream->error : result;
}

uint32_t
tls_stream_wants(const struct tls_stream *stream)
{
	return stream->wants;
}

void
tls_stream_offer_ticket(struct tls_stream *stream)
{
	stream->offers_ticket = stream->hello.side == TLS_CONTROL && stream->is_open &&
	                        SSL_version(stream->ssl) == TLS1_3_VERSION &&
	                        SSL_get_num_tickets(stream->ssl) > 0;
}
