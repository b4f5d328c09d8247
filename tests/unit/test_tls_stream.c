/*
 * test_tls_stream: handshakes, reading, writing and what is told of a connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "ftpd/tls/stream_internal.h"
#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	BIG = 3 * 1024 * 1024 + 17,
	TEXT_MAX = 1024,
	SMALL_SOCKET = 4096,
	IDLE_STREAMS = 64,
	/* an idle connection of commands, all that OpenSSL holds for it; see the test */
	IDLE_BYTES_MAX = 24 * 1024,
};

static int
begin(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	duo_lab(lab, "");
	*state = lab;
	return 0;
}

static int
end(void **state)
{
	lab_end(*state);
	free(*state);
	return 0;
}

static void
both_sides_speak(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i / 2],
		                          .side = i % 2 == 0 ? TLS_CONTROL : TLS_DATA,
		                          .server_name = "ftp.example"};
		struct duo duo;
		char text[TEXT_MAX];
		const char *version =
		    order.version == TLS1_3_VERSION ? "TLS 1.3, TLS_" : "TLS 1.2, ECDHE-";

		duo_open(&duo, *state, &order);
		assert_false(tls_stream_has_resumed(duo.stream));
		assert_false(tls_stream_has_client_certificate(duo.stream));
		assert_string_equal(tls_stream_server_name(duo.stream), "ftp.example");
		assert_string_equal(tls_stream_failure(duo.stream), "");
		assert_true(tls_stream_describe(duo.stream, text) > strlen(version));
		assert_memory_equal(text, version, strlen(version));
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)),
		                 -EAGAIN);
		assert_int_equal(tls_stream_wants(duo.stream), EPOLLIN);
		duo_say(&duo, "NOOP\r\n");
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 6);
		assert_memory_equal(text, "NOOP\r\n", 6);
		assert_int_equal(tls_stream_write(duo.stream, "200 Yes.\r\n", 10), 10);
		assert_true(tls_stream_has_output(duo.stream));
		/* nothing leaves before it is flushed */
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 0);
		assert_int_equal(tls_stream_flush(duo.stream), 0);
		assert_false(tls_stream_has_output(duo.stream));
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 10);
		assert_string_equal(text, "200 Yes.\r\n");
		duo_end(&duo);
	}
}

/* One byte at a time, both ways: each call goes on where it was. */
static void
a_handshake_may_come_byte_by_byte(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i]};
		struct duo duo;
		enum tls_progress progress = TLS_WANTS_READ;

		duo_begin(&duo, *state, &order);
		for (int n = 0; n < BIG && progress != TLS_READY; n++) {
			(void)SSL_do_handshake(duo.client);
			ERR_clear_error();
			(void)duo_send(&duo, 1);
			progress = tls_stream_handshake(duo.stream);
			assert_int_not_equal(progress, TLS_FAILED);
			(void)duo_receive(&duo);
		}
		assert_int_equal(progress, TLS_READY);
		/* again does no harm */
		assert_int_equal(tls_stream_handshake(duo.stream), TLS_READY);
		duo_end(&duo);
	}
}

/* A client who takes nothing: the flight waits, and nobody spins. */
static void
a_handshake_may_have_to_wait_to_send(void **state)
{
	int small = SMALL_SOCKET;
	struct duo_order order = {.version = TLS1_2_VERSION};
	struct duo duo;
	char filler[SMALL_SOCKET] = {0};
	size_t filled = 0;
	ssize_t len = 0;

	duo_begin(&duo, *state, &order);
	assert_int_equal(
	    setsockopt(duo.server_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	while ((len = send(duo.server_fd, filler, sizeof(filler), MSG_DONTWAIT)) > 0) {
		filled += (size_t)len;
	}
	(void)SSL_do_handshake(duo.client);
	(void)duo_send(&duo, SIZE_MAX);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tls_stream_handshake(duo.stream), TLS_WANTS_WRITE);
		assert_int_equal(tls_stream_wants(duo.stream), EPOLLOUT);
	}
	while (filled > 0) {
		len = recv(duo.client_fd, filler,
		           filled < sizeof(filler) ? filled : sizeof(filler), 0);
		assert_true(len > 0);
		filled -= (size_t)len;
	}
	assert_int_equal(duo_shake(&duo), TLS_READY);
	duo_end(&duo);
}

static uint8_t *
pattern(size_t len)
{
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	}
	return bytes;
}

/* Move all of it to the client. */
static void
download(struct duo *duo, const uint8_t *bytes, size_t len, uint8_t *to)
{
	size_t written = 0;
	size_t heard = 0;
	int idle = 0;

	while (heard < len) {
		int got = 0;

		if (written < len) {
			ssize_t taken =
			    tls_stream_write(duo->stream, bytes + written, len - written);

			assert_true(taken > 0 || taken == -EAGAIN);
			written += taken > 0 ? (size_t)taken : 0;
			assert_true(taken > 0 ||
			            tls_stream_wants(duo->stream) == EPOLLOUT);
		} else {
			int result = tls_stream_flush(duo->stream);

			assert_true(result == 0 || result == -EAGAIN);
		}
		(void)duo_receive(duo);
		while (heard < len && (got = SSL_read(duo->client, to + heard,
		                                      (int)(len - heard))) > 0) {
			heard += (size_t)got;
			idle = 0;
		}
		assert_true(++idle < 100);
	}
}

static void
much_is_sent(void **state)
{
	uint8_t *bytes = pattern(BIG);
	uint8_t *heard = malloc(BIG);

	assert_non_null(heard);
	for (size_t i = 0; i < 2 * ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i / 2],
		                          .side = i % 2 == 0 ? TLS_CONTROL : TLS_DATA,
		                          .is_tcp = i % 2 == 0};
		struct duo duo;

		duo_open(&duo, *state, &order);
		memset(heard, 0, BIG);
		download(&duo, bytes, BIG, heard);
		assert_memory_equal(heard, bytes, BIG);
		duo_end(&duo);
	}
	free(heard);
	free(bytes);
}

/* What is gathered is bounded: a client that takes nothing costs no more. */
static void
what_is_gathered_is_bounded(void **state)
{
	static const struct {
		enum tls_side side;
		size_t max;
	} cases[] = {
	    {TLS_CONTROL, 64 * 1024},
	    {TLS_DATA, TLS_GATHER_BYTES},
	};
	uint8_t *bytes = pattern(BIG);

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct duo_order order = {.side = cases[i].side};
		struct duo duo;
		ssize_t taken = 1;
		size_t sum = 0;
		size_t arrived = 0;

		duo_open(&duo, *state, &order);
		while (taken > 0) {
			taken = tls_stream_write(duo.stream, bytes, BIG);
			sum += taken > 0 ? (size_t)taken : 0;
		}
		assert_int_equal(taken, -EAGAIN);
		assert_int_equal(tls_stream_flush(duo.stream), -EAGAIN);
		assert_int_equal(tls_stream_wants(duo.stream), EPOLLOUT);
		arrived = duo_receive(&duo);
		assert_true(sum > cases[i].max / 2);
		assert_true(sum < arrived + cases[i].max);
		duo_end(&duo);
	}
	free(bytes);
}

static void
much_is_received(void **state)
{
	static const size_t caps[] = {1, 100, 16 * 1024, 512 * 1024};
	enum { LEN = 300 * 1000 };
	uint8_t *bytes = pattern(LEN);
	uint8_t *got = malloc(LEN);

	assert_non_null(got);
	for (size_t i = 0; i < 2 * ARRAY_COUNT(caps); i++) {
		struct duo_order order = {.version = duo_versions[i % 2],
		                          .side = TLS_DATA};
		size_t cap = caps[i / 2];
		size_t have = 0;
		struct duo duo;

		duo_open(&duo, *state, &order);
		assert_int_equal(SSL_write(duo.client, bytes, LEN), LEN);
		memset(got, 0, LEN);
		while (have < LEN) {
			size_t room = LEN - have < cap ? LEN - have : cap;
			ssize_t len = tls_stream_read(duo.stream, got + have, room);

			assert_true(len > 0 || len == -EAGAIN);
			have += len > 0 ? (size_t)len : 0;
			if (len == -EAGAIN) {
				/* what is left cannot be told by the descriptor */
				assert_false(tls_stream_has_input(duo.stream));
				assert_true(duo_send(&duo, SIZE_MAX) > 0);
			}
		}
		assert_memory_equal(got, bytes, LEN);
		assert_false(tls_stream_has_input(duo.stream));
		duo_end(&duo);
	}
	free(got);
	free(bytes);
}

/* Whole records that lie inside are told; a part of one would only make the loop spin. */
static void
input_is_known_to_the_record(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i]};
		struct duo duo;
		char text[TEXT_MAX];
		size_t first = 0;

		duo_open(&duo, *state, &order);
		assert_false(tls_stream_has_input(duo.stream));
		assert_int_equal(SSL_write(duo.client, "one", 3), 3);
		first = BIO_ctrl_pending(duo.to_server);
		assert_int_equal(SSL_write(duo.client, "two", 3), 3);
		assert_int_equal(SSL_write(duo.client, "three", 5), 5);
		/* two records, and a part of the third one's header */
		assert_int_equal(duo_send(&duo, 2 * first + 3), 2 * first + 3);
		assert_int_equal(tls_stream_read(duo.stream, text, 1), 1);
		assert_true(tls_stream_has_input(duo.stream)); /* "ne" */
		assert_int_equal(tls_stream_read(duo.stream, text, 2), 2);
		assert_true(tls_stream_has_input(duo.stream)); /* "two" */
		assert_int_equal(tls_stream_read(duo.stream, text, 3), 3);
		assert_false(tls_stream_has_input(duo.stream));
		(void)duo_send(&duo, SIZE_MAX);
		assert_int_equal(tls_stream_read(duo.stream, text, 5), 5);
		assert_memory_equal(text, "three", 5);
		assert_false(tls_stream_has_input(duo.stream));
		duo_end(&duo);
	}
}

/* The client's Finished, and what it says behind that in the same packet. */
static void
what_comes_with_the_handshake_is_told(void **state)
{
	struct duo_order order = {.version = TLS1_3_VERSION};
	struct duo duo;
	char text[TEXT_MAX];

	duo_begin(&duo, *state, &order);
	(void)SSL_do_handshake(duo.client);
	(void)duo_send(&duo, SIZE_MAX);
	assert_int_equal(tls_stream_handshake(duo.stream), TLS_WANTS_READ);
	(void)duo_receive(&duo);
	assert_int_equal(SSL_do_handshake(duo.client), 1);
	assert_int_equal(SSL_write(duo.client, "early", 5), 5);
	(void)duo_send(&duo, SIZE_MAX);
	assert_int_equal(tls_stream_handshake(duo.stream), TLS_READY);
	assert_true(tls_stream_has_input(duo.stream));
	assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 5);
	assert_memory_equal(text, "early", 5);
	duo_end(&duo);
}

/* Before it has begun there is nothing to say, and no crash. */
static void
order_is_kept(void **state)
{
	struct duo_order order = {0};
	struct duo duo;
	char text[TLS_DESCRIPTION_MAX];
	char names[TLS_NAMES_MAX_BYTES];

	duo_begin(&duo, *state, &order);
	assert_int_equal(tls_stream_wants(duo.stream), EPOLLIN);
	assert_int_equal(tls_stream_handshake(duo.stream), TLS_WANTS_READ);
	assert_int_equal(tls_stream_wants(duo.stream), EPOLLIN);
	assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), -EINVAL);
	assert_int_equal(tls_stream_write(duo.stream, "x", 1), -EINVAL);
	assert_int_equal(tls_stream_send_file(duo.stream, 0, 0, 1), -EINVAL);
	assert_int_equal(tls_stream_flush(duo.stream), 0);
	assert_int_equal(tls_stream_close(duo.stream), 0);
	assert_false(tls_stream_has_input(duo.stream));
	assert_false(tls_stream_has_output(duo.stream));
	assert_int_equal(tls_stream_client_names(duo.stream, names), 0);
	(void)tls_stream_describe(duo.stream, text);
	tls_stream_offer_ticket(duo.stream);
	assert_int_equal(duo_shake(&duo), TLS_READY);
	duo_end(&duo);
	tls_stream_free(NULL);
}

static void
bindings_differ(void **state)
{
	struct tls_binding a;
	struct tls_binding b;

	(void)state;
	assert_int_equal(tls_binding_make(&a), 0);
	assert_int_equal(tls_binding_make(&b), 0);
	assert_memory_not_equal(a.bytes, b.bytes, TLS_BINDING_BYTES);
}

/* A private worker has one, but the limit of its memory is that of all its parts. */
static void
an_idle_connection_holds_little(void **state)
{
	struct duo_order order = {0};
	struct duo duos[IDLE_STREAMS];
	size_t before = 0;
	size_t each = 0;
	char text[TEXT_MAX];

	for (size_t i = 0; i < IDLE_STREAMS; i++) {
		duo_open(&duos[i], *state, &order);
		duo_say(&duos[i], "NOOP\r\n");
		assert_int_equal(tls_stream_read(duos[i].stream, text, sizeof(text)), 6);
		assert_int_equal(tls_stream_write(duos[i].stream, "200\r\n", 5), 5);
		assert_int_equal(tls_stream_flush(duos[i].stream), 0);
	}
	before = mallinfo2().uordblks;
	for (size_t i = 0; i < IDLE_STREAMS; i++) {
		tls_stream_free(duos[i].stream);
		duos[i].stream = NULL;
	}
	each = (before - mallinfo2().uordblks) / IDLE_STREAMS;
	print_message("an idle connection holds %zu bytes\n", each);
	assert_true(each < IDLE_BYTES_MAX);
	for (size_t i = 0; i < IDLE_STREAMS; i++) {
		duo_end(&duos[i]);
	}
}

/* NOLINTBEGIN(readability-function-size): the signature is OpenSSL's */
/* The client counts new keys. */
static void
count_updates(int is_sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
              void *argument)
{
	unsigned *updates = argument;
	const uint8_t *message = bytes;

	(void)version;
	(void)ssl;
	*updates += is_sent == 0 && type == SSL3_RT_HANDSHAKE && len > 0 &&
	            message[0] == SSL3_MT_KEY_UPDATE;
}
/* NOLINTEND(readability-function-size) */

/* RFC 8446 5.5: a long download outlasts its key. */
static void
a_key_is_replaced_in_time(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .side = TLS_DATA};
		unsigned wanted = order.version == TLS1_3_VERSION ? 1 : 0;
		unsigned updates = 0;
		char text[TEXT_MAX];
		struct duo duo;

		duo_open(&duo, *state, &order);
		SSL_set_msg_callback(duo.client, count_updates);
		SSL_set_msg_callback_arg(duo.client, &updates);
		duo.stream->sealed = TLS_KEY_LASTS_RECORDS - 2;
		for (unsigned n = 0; n < 6; n++) {
			assert_int_equal(tls_stream_write(duo.stream, "piece", 5), 5);
			assert_int_equal(tls_stream_flush(duo.stream), 0);
			assert_int_equal(duo_hear(&duo, text, sizeof(text)), 5);
			assert_int_equal(updates, n < 2 ? 0 : wanted);
		}
		assert_int_equal(tls_stream_close(duo.stream), 0);
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 0);
		duo_end(&duo);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_sides_speak),
	    cmocka_unit_test(a_handshake_may_come_byte_by_byte),
	    cmocka_unit_test(a_handshake_may_have_to_wait_to_send),
	    cmocka_unit_test(much_is_sent),
	    cmocka_unit_test(what_is_gathered_is_bounded),
	    cmocka_unit_test(much_is_received),
	    cmocka_unit_test(input_is_known_to_the_record),
	    cmocka_unit_test(what_comes_with_the_handshake_is_told),
	    cmocka_unit_test(order_is_kept),
	    cmocka_unit_test(a_key_is_replaced_in_time),
	    cmocka_unit_test(bindings_differ),
	    cmocka_unit_test(an_idle_connection_holds_little),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
