/*
 * tls_session: a private worker with one session, its master, and a client who speaks
 * TLS, all in one thread.
 */
#include "tests/unit/tls_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/ipc/record.h"
#include "ftpd/worker/session_timer.h"
#include "common/base.h"

enum {
	QUIET_TURNS = 3,
	TURNS_MAX = 100000,
};

static void
make_lab(struct talk *talk, const struct talk_order *order)
{
	char text[LAB_TEXT_MAX];

	if (order->has_no_tls) {
		lab_begin(&talk->lab,
		          order->configuration != NULL ? order->configuration : "");
		return;
	}
	(void)snprintf(text, sizeof(text), "tls { certificate = {\"/c0\"} %s }\n%s",
	               order->tls != NULL ? order->tls : "",
	               order->configuration != NULL ? order->configuration : "");
	lab_begin(&talk->lab, text);
	lab_add_plain(&talk->lab, 0, 0,
	              &(struct forge_order){.subject = "server", .names = order->names});
	if (order->client_ca != NULL) {
		lab_add(&talk->lab, TLS_FILE_CLIENT_CA, 0, 0, order->client_ca);
	}
	if (options_has_tls(talk->lab.setup.options)) {
		assert_int_equal(lab_make(&talk->lab), 0);
		assert_int_equal(tls_context_seed(talk->lab.context), 0);
	}
}

static void
make_worker(struct talk *talk)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int channel[2];
	int records[2];

	assert_non_null(worker);
	talk->worker = worker;
	worker->kind = WORKER_PRIVATE;
	worker->options = talk->lab.setup.options;
	worker->overrides = talk->lab.setup.overrides;
	worker->tls = talk->lab.context;
	timer_wheel_init(&worker->wheel, clock_monotonic_ms());
	agent_pool_init(worker);
	assert_int_equal(loop_init(&worker->loop), 0);
	worker->loop.now_ms = clock_monotonic_ms();
	assert_int_equal(channel_pair(channel), 0);
	assert_int_equal(master_client_start(worker, channel[0]), 0);
	talk->master_fd = channel[1];
	assert_int_equal(channel_pair(records), 0);
	worker->recorder.fd = records[0];
	talk->log_fd = records[1];
}

static void
make_client(struct talk *talk, const struct talk_order *order, int ends[2])
{
	int version = order->version != 0 ? order->version : TLS1_3_VERSION;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	for (size_t i = 0; i < 2 && order->buffer_bytes > 0; i++) {
		assert_int_equal(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF,
		                            &order->buffer_bytes,
		                            sizeof(order->buffer_bytes)),
		                 0);
	}
	talk->client_fd = ends[1];
	talk->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(talk->ctx);
	assert_int_equal(SSL_CTX_set_min_proto_version(talk->ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(talk->ctx, version), 1);
	talk->server_name = order->server_name;
	if (order->own != NULL) {
		assert_int_equal(
		    SSL_CTX_use_certificate(talk->ctx, order->own->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(talk->ctx, order->own->key), 1);
	}
}

void
talk_begin(struct talk *talk, const struct talk_order *order)
{
	struct mw_message assign = {.type = MW_ASSIGN,
	                            .session = TALK_SESSION,
	                            .peer = {.family = ADDR_IPV4},
	                            .local = {.family = ADDR_IPV4},
	                            .is_implicit_tls = order->is_implicit};
	int ends[2];

	memset(talk, 0, sizeof(*talk));
	talk->text = malloc(TALK_TEXT_MAX);
	assert_non_null(talk->text);
	make_lab(talk, order);
	make_worker(talk);
	make_client(talk, order, ends);
	session_begin(talk->worker, &assign, ends[0]);
	talk->session = worker_find(talk->worker, TALK_SESSION);
	(void)talk_settle(talk);
}

void
talk_end(struct talk *talk)
{
	struct worker *worker = talk->worker;
	struct session *session = worker_find(worker, TALK_SESSION);
	int master_fd = worker->master.source.fd;

	if (session != NULL) {
		session_end(session, MW_END_CLOSED);
	}
	session_free_ended(worker);
	loop_forget(&worker->loop, &worker->master.source);
	fd_close(&master_fd);
	fd_close(&worker->loop.epoll_fd);
	fd_close(&worker->recorder.fd);
	free(worker->recorder.backlog);
	fd_close(&talk->master_fd);
	fd_close(&talk->log_fd);
	fd_close(&talk->client_fd);
	SSL_free(talk->ssl);
	SSL_CTX_free(talk->ctx);
	free(worker);
	free(talk->text);
	lab_end(&talk->lab);
}

static void
hear_master(struct talk *talk)
{
	uint8_t bytes[256];
	struct mw_message message;
	ssize_t len;

	while ((len = channel_recv_plain(talk->master_fd, bytes, sizeof(bytes),
	                                 MSG_DONTWAIT)) > 0) {
		assert_true(mw_decode(bytes, (size_t)len, &message));
		if (message.type == MW_ENDED) {
			talk->has_ended = true;
			talk->end = message.end;
		} else if (message.type == MW_LOGIN) {
			talk->has_login = true;
		} else if (message.type == MW_MORE_AGENTS) {
			talk->asked_for++;
			talk->asked_host = message.host;
		}
	}
}

static void
hear_log(struct talk *talk)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct record record;
	size_t at = strlen(talk->log);
	ssize_t len;

	while ((len = channel_recv_plain(talk->log_fd, bytes, sizeof(bytes),
	                                 MSG_DONTWAIT)) > 0) {
		assert_true(record_decode(bytes, (size_t)len, &record));
		if (record.type == RECORD_EVENT &&
		    record.text_len + 2 < sizeof(talk->log) - at) {
			memcpy(talk->log + at, record.text, record.text_len);
			at += record.text_len;
			talk->log[at++] = '\n';
		}
	}
}

/* Returns: true if something came. */
static bool
hear_server(struct talk *talk)
{
	size_t room = TALK_TEXT_MAX - talk->len;
	ssize_t len;

	assert_true(room > 0);
	if (talk->is_deaf) {
		return false;
	}
	if (talk->ssl == NULL) {
		len = recv(talk->client_fd, talk->text + talk->len, room, MSG_DONTWAIT);
		talk->is_closed = talk->is_closed || len == 0;
	} else {
		int got = SSL_read(talk->ssl, talk->text + talk->len, (int)room);

		talk->has_notified =
		    (SSL_get_shutdown(talk->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
		ERR_clear_error();
		len = got;
	}
	talk->len += len > 0 ? (size_t)len : 0;
	return len > 0;
}

unsigned
talk_settle(struct talk *talk)
{
	unsigned busy = 0;

	for (unsigned quiet = 0; quiet < QUIET_TURNS; quiet++) {
		struct epoll_event event;
		bool is_awake = epoll_wait(talk->worker->loop.epoll_fd, &event, 1, 0) > 0;

		assert_int_equal(loop_turn(&talk->worker->loop, 0), 0);
		session_free_ended(talk->worker);
		hear_master(talk);
		hear_log(talk);
		if (hear_server(talk) || is_awake) {
			quiet = 0;
			busy++;
		}
		if (busy > TURNS_MAX) {
			fail_msg("the loop does not come to rest");
		}
	}
	return busy;
}

void
talk_say_raw(struct talk *talk, const void *bytes, size_t len)
{
	assert_int_equal(send(talk->client_fd, bytes, len, MSG_NOSIGNAL), len);
}

void
talk_write(struct talk *talk, const char *text)
{
	int len = (int)strlen(text);

	if (talk->ssl != NULL) {
		assert_int_equal(SSL_write(talk->ssl, text, len), len);
	} else {
		talk_say_raw(talk, text, (size_t)len);
	}
}

void
talk_say(struct talk *talk, const char *text)
{
	talk_write(talk, text);
	(void)talk_settle(talk);
}

void
talk_expect(struct talk *talk, const char *wanted)
{
	size_t len = strlen(wanted);

	(void)talk_settle(talk);
	if (talk->len < len || memcmp(talk->text, wanted, len) != 0) {
		fail_msg("got \"%.*s\", expected \"%s\"", (int)talk->len, talk->text,
		         wanted);
	}
	talk->len -= len;
	memmove(talk->text, talk->text + len, talk->len);
}

void
talk_ask(struct talk *talk, const char *text, const char *wanted)
{
	talk_say(talk, text);
	talk_expect(talk, wanted);
	talk_expect_nothing(talk);
}

void
talk_expect_nothing(struct talk *talk)
{
	(void)talk_settle(talk);
	if (talk->len > 0) {
		fail_msg("got \"%.*s\"", (int)talk->len, talk->text);
	}
}

void
talk_expect_end(struct talk *talk, enum mw_end end)
{
	talk_expect_nothing(talk);
	assert_true(talk->has_ended);
	assert_int_equal(talk->end, end);
	assert_null(worker_find(talk->worker, TALK_SESSION));
}

void
talk_hello(struct talk *talk)
{
	talk->ssl = SSL_new(talk->ctx);
	assert_non_null(talk->ssl);
	assert_int_equal(SSL_set_fd(talk->ssl, talk->client_fd), 1);
	if (talk->server_name != NULL) {
		char name[OPTIONS_HOST_MAX];

		(void)snprintf(name, sizeof(name), "%s", talk->server_name);
		assert_int_equal(SSL_set_tlsext_host_name(talk->ssl, name), 1);
	}
	assert_int_equal(SSL_connect(talk->ssl), -1);
}

void
talk_shake(struct talk *talk)
{
	if (talk->ssl == NULL) {
		talk_hello(talk);
	}
	for (unsigned i = 0; i < TURNS_MAX && SSL_connect(talk->ssl) != 1; i++) {
		assert_int_equal(SSL_get_error(talk->ssl, -1), SSL_ERROR_WANT_READ);
		assert_int_equal(loop_turn(&talk->worker->loop, 0), 0);
	}
	assert_true(SSL_is_init_finished(talk->ssl));
	ERR_clear_error();
}

void
talk_auth(struct talk *talk)
{
	talk_ask(talk, "AUTH TLS\r\n", "234 Begin TLS now.\r\n");
	talk_shake(talk);
}

void
talk_leave_tls(struct talk *talk, bool notifies)
{
	if (notifies) {
		assert_int_equal(SSL_shutdown(talk->ssl), 1);
	}
	SSL_set_quiet_shutdown(talk->ssl, 1);
	SSL_free(talk->ssl);
	talk->ssl = NULL;
	talk->has_notified = false;
}

void
talk_give(struct talk *talk, const struct mw_message *message, int fd)
{
	uint8_t bytes[256];
	size_t len = mw_encode(message, bytes, sizeof(bytes));

	assert_int_equal(channel_send(talk->master_fd, bytes, len, fd), 0);
	(void)talk_settle(talk);
}

void
talk_wait(struct talk *talk, uint64_t ms)
{
	struct worker *worker = talk->worker;
	struct timer *timer;

	/* each turn of the loop looks at the clock again */
	talk->waited_ms += ms;
	worker->loop.now_ms = clock_monotonic_ms() + talk->waited_ms;
	while ((timer = timer_wheel_expire(&worker->wheel, worker->loop.now_ms)) !=
	       NULL) {
		session_handle_timer(session_of_timer(timer));
	}
	(void)talk_settle(talk);
}
