/*
 * tls_harness: a stream and its client, both in one thread.
 */
#include "tests/unit/tls_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/base.h"

enum {
	PIECE = 64 * 1024,
	ROUNDS = 64,
	LOW_BYTE = 0xff,
};

const int duo_versions[2] = {TLS1_2_VERSION, TLS1_3_VERSION};

void
duo_lab(struct lab *lab, const char *more)
{
	char text[LAB_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "tls { certificate = {\"/c0\"} %s }\n", more);
	lab_begin(lab, text);
	lab_add_plain(lab, 0, 0, &(struct forge_order){.subject = "server"});
	assert_int_equal(lab_make(lab), 0);
	assert_int_equal(tls_context_seed(lab->context), 0);
}

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct duo *duo = SSL_get_app_data(ssl);

	SSL_SESSION_free(duo->kept);
	duo->kept = session;
	duo->kept_count++;
	return 1; /* ours now */
}

static void
note_alert(const SSL *ssl, int where, int value)
{
	struct duo *duo = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
		duo->alert = value & LOW_BYTE;
	}
}

static void
connect_loopback(int fds[2])
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
	                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int now = 1;

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fds[1] >= 0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&addr, len), 0);
	fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[0] >= 0);
	for (int i = 0; i < 2; i++) {
		/* or what is sent would not have come yet when the other side looks */
		assert_int_equal(
		    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now)), 0);
	}
	fd_close(&listener);
}

void
duo_connect(bool is_tcp, int ret_fds[2])
{
	if (is_tcp) {
		connect_loopback(ret_fds);
	} else {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(ret_fds[i], F_SETFL, O_NONBLOCK), 0);
	}
}

static void
make_client(struct duo *duo, const struct duo_order *order)
{
	int version = order->version != 0 ? order->version : TLS1_3_VERSION;

	duo->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(duo->ctx);
	assert_int_equal(SSL_CTX_set_min_proto_version(duo->ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(duo->ctx, version), 1);
	(void)SSL_CTX_set_session_cache_mode(duo->ctx, SSL_SESS_CACHE_CLIENT |
	                                                   SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(duo->ctx, keep_session);
	SSL_CTX_set_info_callback(duo->ctx, note_alert);
	if (order->has_no_tickets) {
		(void)SSL_CTX_set_options(duo->ctx, SSL_OP_NO_TICKET);
	}
	if (order->own != NULL) {
		assert_int_equal(
		    SSL_CTX_use_certificate(duo->ctx, order->own->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(duo->ctx, order->own->key), 1);
	}
	if (order->ciphers != NULL) {
		assert_int_equal(SSL_CTX_set_cipher_list(duo->ctx, order->ciphers), 1);
	}
	duo->client = SSL_new(duo->ctx);
	duo->from_server = BIO_new(BIO_s_mem());
	duo->to_server = BIO_new(BIO_s_mem());
	assert_true(duo->client != NULL && duo->from_server != NULL &&
	            duo->to_server != NULL);
	SSL_set_bio(duo->client, duo->from_server, duo->to_server);
	(void)SSL_set_app_data(duo->client, duo);
	SSL_set_connect_state(duo->client);
}

void
duo_begin(struct duo *duo, struct lab *lab, const struct duo_order *order)
{
	struct tls_binding binding = {{order->binding != 0 ? order->binding : 1}};

	int fds[2];

	*duo = (struct duo){.alert = -1};
	if (order->sockets != NULL) {
		memcpy(fds, order->sockets, sizeof(fds));
	} else {
		duo_connect(order->is_tcp, fds);
	}
	duo->server_fd = fds[0];
	duo->client_fd = fds[1];
	make_client(duo, order);
	if (order->session != NULL) {
		/*
		 * a client gives up a session of TLS 1.3 that it has used: not this one
		 */
		SSL_SESSION *copy = SSL_SESSION_dup(order->session);

		assert_non_null(copy);
		assert_int_equal(SSL_set_session(duo->client, copy), 1);
		SSL_SESSION_free(copy);
	}
	if (order->server_name != NULL) {
		char name[LAB_TEXT_MAX];

		(void)snprintf(name, sizeof(name), "%s", order->server_name);
		assert_int_equal(SSL_set_tlsext_host_name(duo->client, name), 1);
	}
	assert_int_equal(tls_stream_new(lab->context, order->side, &binding, order->host,
	                                duo->server_fd, &duo->stream),
	                 0);
	if (order->side == TLS_DATA && !order->is_upload) {
		tls_stream_ask_kernel(duo->stream);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

void
duo_end(struct duo *duo)
{
	tls_stream_free(duo->stream);
	/* the client ends in order, too, or OpenSSL takes its session */
	SSL_set_shutdown(duo->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(duo->client);
	SSL_CTX_free(duo->ctx);
	SSL_SESSION_free(duo->kept);
	fd_close(&duo->server_fd);
	fd_close(&duo->client_fd);
	ERR_clear_error();
	*duo = (struct duo){.server_fd = -1, .client_fd = -1};
}

size_t
duo_send(struct duo *duo, size_t max)
{
	size_t done = 0;

	while (done < max) {
		char *bytes = NULL;
		long waiting = BIO_get_mem_data(duo->to_server, &bytes);
		size_t len = (size_t)waiting < max - done ? (size_t)waiting : max - done;
		char sent[PIECE];
		ssize_t count = 0;

		len = len < sizeof(sent) ? len : sizeof(sent);
		if (len > 0) {
			count = send(duo->client_fd, bytes, len, MSG_NOSIGNAL);
		}
		if (count <= 0) {
			break;
		}
		(void)BIO_read(duo->to_server, sent, (int)count);
		done += (size_t)count;
	}
	return done;
}

size_t
duo_receive(struct duo *duo)
{
	size_t done = 0;
	char bytes[PIECE];
	ssize_t len = 0;

	while ((len = recv(duo->client_fd, bytes, sizeof(bytes), 0)) > 0) {
		assert_int_equal(BIO_write(duo->from_server, bytes, (int)len), len);
		done += (size_t)len;
	}
	return done;
}

enum tls_progress
duo_shake(struct duo *duo)
{
	enum tls_progress progress = TLS_WANTS_READ;

	for (int i = 0; i < ROUNDS; i++) {
		size_t moved = 0;

		(void)SSL_do_handshake(duo->client);
		ERR_clear_error();
		moved = duo_send(duo, SIZE_MAX);
		if (progress != TLS_READY && progress != TLS_FAILED) {
			progress = tls_stream_handshake(duo->stream);
			assert_int_equal(ERR_peek_error(), 0);
		}
		moved += duo_receive(duo);
		if (moved == 0) {
			break;
		}
	}
	return progress;
}

void
duo_open(struct duo *duo, struct lab *lab, const struct duo_order *order)
{
	char none[1];

	duo_begin(duo, lab, order);
	if (duo_shake(duo) != TLS_READY) {
		print_error("%s\n", tls_stream_failure(duo->stream));
		fail();
	}
	assert_true(SSL_is_init_finished(duo->client));
	/* tickets */
	assert_int_equal(duo_hear(duo, none, sizeof(none)), 0);
}

void
duo_say(struct duo *duo, const char *text)
{
	assert_int_equal(SSL_write(duo->client, text, (int)strlen(text)), strlen(text));
	assert_true(duo_send(duo, SIZE_MAX) > 0);
}

size_t
duo_hear(struct duo *duo, char *text, size_t cap)
{
	size_t used = 0;
	int len = 1;
	char drop;

	while (len > 0) {
		(void)duo_receive(duo);
		len = used + 1 < cap
		          ? SSL_read(duo->client, text + used, (int)(cap - 1 - used))
		          : SSL_peek(duo->client, &drop, 1);
		if (used + 1 >= cap) {
			break;
		}
		used += len > 0 ? (size_t)len : 0;
	}
	ERR_clear_error();
	text[used] = '\0';
	return used;
}

ssize_t
duo_read(struct duo *duo, void *bytes, size_t cap)
{
	struct pollfd readable = {.fd = duo->server_fd, .events = POLLIN};
	ssize_t len = -EAGAIN;

	do {
		len = tls_stream_read(duo->stream, bytes, cap);
		assert_int_equal(ERR_peek_error(), 0);
	} while (len == -EAGAIN && poll(&readable, 1, 0) == 1);
	return len;
}

ssize_t
duo_read_all(struct duo *duo, void *bytes, size_t cap, size_t *ret_len)
{
	size_t used = 0;
	ssize_t len = 1;

	while (len > 0 && used < cap) {
		len = duo_read(duo, (char *)bytes + used, cap - used);
		used += len > 0 ? (size_t)len : 0;
	}
	*ret_len = used;
	return len;
}
