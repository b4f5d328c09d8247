/*
 * test_tls_stream_end: how a connection ends is told apart, whatever lay in buffers then.
 * Source: SECURITY.md T4; RFC 8446 6.1.
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
#include <unistd.h>

#include "common/mix.h"
#include "ftpd/tls/stream_internal.h"
#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	TEXT_MAX = 64 * 1024,
	RECORD = 16 * 1024,
	CUTS_EVERY = 7,
	CUTS = 1000,
	UPLOAD = 3000,
	ROUNDS = 8,
	BUDGET_MAX = 4500,
	GROWTH_MAX = 64 * 1024,
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

enum ending {
	END_CLOSE_NOTIFY,
	END_FIN,
	END_CLOSE_NOTIFY_AND_FIN,
	END_CUT_HEADER, /* 3 bytes of a record, FIN */
	END_CUT_LENGTH, /* 5 bytes: the header and nothing of the body */
	END_CUT_BODY,   /* all but one byte */
	END_RESET,
	END_GARBAGE,
	ENDING_COUNT,
};

static const struct {
	ssize_t result;
	const char *failure; /* part of it; NULL: none is told */
} endings[ENDING_COUNT] = {
    [END_CLOSE_NOTIFY] = {0, NULL},
    [END_FIN] = {-ENODATA, "closed the connection"},
    [END_CLOSE_NOTIFY_AND_FIN] = {0, NULL},
    [END_CUT_HEADER] = {-EBADMSG, "within a record"},
    [END_CUT_LENGTH] = {-EBADMSG, "within a record"},
    [END_CUT_BODY] = {-EBADMSG, "within a record"},
    [END_RESET] = {-ECONNRESET, "reset"},
    [END_GARBAGE] = {-EBADMSG, "record"},
};

static void
cut(struct duo *duo, size_t bytes)
{
	assert_int_equal(SSL_write(duo->client, "unfinished", 10), 10);
	if (bytes == 0) {
		bytes = BIO_ctrl_pending(duo->to_server) - 1;
	}
	assert_int_equal(duo_send(duo, bytes), bytes);
	assert_int_equal(shutdown(duo->client_fd, SHUT_WR), 0);
}

static void
end_by(struct duo *duo, enum ending ending)
{
	static const struct linger at_once = {.l_onoff = 1};
	/* application data whose tag cannot be right */
	static const char garbage[] = "\x17\x03\x03\x00\x20"
				      "0123456789abcdef0123456789abcdef";

	switch (ending) {
	case END_CLOSE_NOTIFY:
	case END_CLOSE_NOTIFY_AND_FIN:
		(void)SSL_shutdown(duo->client);
		(void)duo_send(duo, SIZE_MAX);
		break;
	case END_FIN: break;
	case END_CUT_HEADER: cut(duo, 3); break;
	case END_CUT_LENGTH: cut(duo, 5); break;
	case END_CUT_BODY: cut(duo, 0); break;
	case END_RESET:
		assert_int_equal(setsockopt(duo->client_fd, SOL_SOCKET, SO_LINGER,
		                            &at_once, sizeof(at_once)),
		                 0);
		assert_int_equal(close(duo->client_fd), 0);
		duo->client_fd = -1;
		break;
	case END_GARBAGE:
		assert_int_equal(send(duo->client_fd, garbage, sizeof(garbage) - 1, 0),
		                 sizeof(garbage) - 1);
		break;
	case ENDING_COUNT: break;
	}
	if (ending == END_FIN || ending == END_CLOSE_NOTIFY_AND_FIN) {
		assert_int_equal(shutdown(duo->client_fd, SHUT_WR), 0);
	}
}

/*
 * With nothing, little and several records in front of it, read in small and large bits.
 */
static void
endings_differ(void **state)
{
	static const size_t before[] = {0, 1, RECORD, 2 * RECORD + 1};
	static const size_t caps[] = {100, TEXT_MAX};
	static char bytes[TEXT_MAX];
	static char got[TEXT_MAX];

	for (size_t i = 0; i < ENDING_COUNT * ARRAY_COUNT(before) * 4; i++) {
		enum ending ending = (enum ending)(i / 4 % ENDING_COUNT);
		size_t len = before[i / 4 / ENDING_COUNT];
		size_t cap = caps[i % 2];
		struct duo_order order = {.version = duo_versions[i / 2 % 2],
		                          .side = TLS_DATA,
		                          .is_tcp = ending == END_RESET};
		size_t sum = 0;
		ssize_t result = 1;
		struct duo duo;

		duo_open(&duo, *state, &order);
		memset(bytes, 'a' + (int)(i % 26), sizeof(bytes));
		if (len > 0) {
			assert_int_equal(SSL_write(duo.client, bytes, (int)len), len);
			assert_true(duo_send(&duo, SIZE_MAX) > len);
		}
		end_by(&duo, ending);
		while (result > 0 && sum < sizeof(got)) {
			size_t room = sizeof(got) - sum;

			result = duo_read(&duo, got + sum, room < cap ? room : cap);
			sum += result > 0 ? (size_t)result : 0;
		}
		if (result != endings[ending].result) {
			print_error("ending %d after %zu: %zd\n", (int)ending, len,
			            result);
			fail();
		}
		/* what came before a reset may be lost with it; all else has arrived */
		assert_true(sum == len || ending == END_RESET);
		assert_memory_equal(got, bytes, sum);
		/* and it stays so */
		assert_int_equal(tls_stream_read(duo.stream, got, cap), result);
		if (endings[ending].failure == NULL) {
			assert_string_equal(tls_stream_failure(duo.stream), "");
		} else {
			assert_non_null(strstr(tls_stream_failure(duo.stream),
			                       endings[ending].failure));
		}
		duo_end(&duo);
	}
}

/* With the bytes before it in the same packet, no event will come for it any more. */
static void
an_end_behind_data_is_told(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i % 2],
		                          .side = TLS_DATA};
		enum ending ending = i < 2 ? END_CLOSE_NOTIFY : END_GARBAGE;
		char text[TEXT_MAX];
		struct duo duo;

		duo_open(&duo, *state, &order);
		assert_int_equal(SSL_write(duo.client, "last", 4), 4);
		if (ending == END_GARBAGE) {
			(void)duo_send(&duo, SIZE_MAX);
		}
		end_by(&duo, ending);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 4);
		assert_true(tls_stream_has_input(duo.stream));
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)),
		                 endings[ending].result);
		duo_end(&duo);
	}
}

/* Cut after every seventh byte: never an end that looks whole. */
static void
a_cut_is_never_an_end(void **state)
{
	size_t whole = 1;

	for (size_t i = 0; i < whole; i += CUTS_EVERY) {
		for (size_t j = 0; j < ARRAY_COUNT(duo_versions); j++) {
			struct duo_order order = {.version = duo_versions[j],
			                          .side = TLS_DATA};
			char got[TEXT_MAX];
			size_t len = 0;
			ssize_t result;
			struct duo duo;

			duo_open(&duo, *state, &order);
			for (int n = 0; n < 20; n++) {
				assert_int_equal(SSL_write(duo.client, "0123456789", 10),
				                 10);
			}
			(void)SSL_shutdown(duo.client);
			whole = BIO_ctrl_pending(duo.to_server);
			(void)duo_send(&duo, i < whole ? i : whole - 1);
			assert_int_equal(shutdown(duo.client_fd, SHUT_WR), 0);
			result = duo_read_all(&duo, got, sizeof(got), &len);
			assert_true(result == -ENODATA || result == -EBADMSG);
			assert_int_equal(len % 10, 0);
			duo_end(&duo);
		}
	}
}

/* The client has said all that it will, and still listens. */
static void
half_a_connection_goes_on(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .side = TLS_DATA};
		char text[TEXT_MAX];
		struct duo duo;

		duo_open(&duo, *state, &order);
		end_by(&duo, END_CLOSE_NOTIFY_AND_FIN);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 0);
		assert_int_equal(tls_stream_write(duo.stream, "still here", 10), 10);
		assert_int_equal(tls_stream_close(duo.stream), 0);
		(void)duo_receive(&duo);
		/* this client's library does not read behind its own close_notify */
		SSL_set_shutdown(duo.client, 0);
		assert_int_equal(SSL_read(duo.client, text, sizeof(text)), 10);
		assert_memory_equal(text, "still here", 10);
		assert_int_equal(SSL_read(duo.client, text, sizeof(text)), 0);
		assert_int_equal(SSL_get_shutdown(duo.client) & SSL_RECEIVED_SHUTDOWN,
		                 SSL_RECEIVED_SHUTDOWN);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 0);
		duo_end(&duo);
	}
}

/* Ours first; the client sends more, then ends. */
static void
our_end_waits_for_the_clients(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .side = TLS_DATA};
		char text[TEXT_MAX];
		struct duo duo;

		duo_open(&duo, *state, &order);
		assert_int_equal(tls_stream_write(duo.stream, "all", 3), 3);
		/* what is gathered goes with it */
		assert_int_equal(tls_stream_close(duo.stream), 0);
		assert_int_equal(tls_stream_close(duo.stream), 0);
		assert_int_equal(shutdown(duo.server_fd, SHUT_WR), 0);
		assert_true(tls_stream_write(duo.stream, "more", 4) < 0);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)),
		                 -EAGAIN);
		duo_say(&duo, "late");
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 4);
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 3);
		(void)SSL_shutdown(duo.client);
		(void)duo_send(&duo, SIZE_MAX);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 0);
		duo_end(&duo);
	}
}

/* After CCC: what follows the client's close_notify lies untouched in the socket. */
static void
what_follows_tls_is_left(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i]};
		char text[TEXT_MAX];
		struct duo duo;

		duo_open(&duo, *state, &order);
		duo_say(&duo, "CCC\r\n");
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 5);
		assert_int_equal(tls_stream_write(duo.stream, "200 Ok.\r\n", 9), 9);
		assert_int_equal(tls_stream_close(duo.stream), 0);
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 9);
		end_by(&duo, END_CLOSE_NOTIFY);
		assert_int_equal(send(duo.client_fd, "NOOP\r\n", 6, 0), 6);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)), 0);
		assert_int_equal(recv(duo.server_fd, text, sizeof(text), 0), 6);
		assert_memory_equal(text, "NOOP\r\n", 6);
		duo_end(&duo);
	}
}

/* The client is gone while we send: an error, and no signal. */
static void
sending_to_nobody_fails(void **state)
{
	static char bytes[TEXT_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {
		    .version = duo_versions[i], .side = TLS_DATA, .is_tcp = true};
		struct duo duo;
		ssize_t result = 0;

		duo_open(&duo, *state, &order);
		end_by(&duo, END_RESET);
		assert_int_equal(tls_stream_write(duo.stream, bytes, sizeof(bytes)),
		                 sizeof(bytes));
		result = tls_stream_flush(duo.stream);
		assert_true(result == -ECONNRESET || result == -EPIPE);
		assert_false(tls_stream_has_output(duo.stream));
		assert_true(tls_stream_flush(duo.stream) < 0);
		assert_true(tls_stream_close(duo.stream) < 0);
		/* the kernel has told of the reset; what it says next is a FIN */
		assert_int_equal(tls_stream_read(duo.stream, bytes, 1), result);
		for (int n = 0; n < 10 && result >= 0; n++) {
			result = tls_stream_write(duo.stream, bytes, sizeof(bytes));
		}
		assert_true(result < 0);
		duo_end(&duo);
	}
}

/* What has not ended by our close_notify is not said to. */
static void
a_failed_stream_does_not_end_well(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .side = TLS_DATA};
		char text[TEXT_MAX];
		struct duo duo;

		duo_open(&duo, *state, &order);
		end_by(&duo, END_GARBAGE);
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)),
		                 -EBADMSG);
		assert_int_equal(tls_stream_close(duo.stream), -EBADMSG);
		duo_end(&duo);
	}
}

/* The client may take its time to end: meanwhile nothing large is held for it. */
static void
what_waits_for_the_end_is_small(void **state)
{
	static char bytes[TLS_GATHER_BYTES];

	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .side = TLS_DATA};
		struct duo duo;

		duo_open(&duo, *state, &order);
		assert_int_equal(tls_stream_write(duo.stream, bytes, sizeof(bytes)),
		                 sizeof(bytes));
		assert_true(duo.stream->wire.cap > sizeof(bytes));
		while (tls_stream_close(duo.stream) == -EAGAIN) {
			char sink[TEXT_MAX];

			(void)recv(duo.client_fd, sink, sizeof(sink), MSG_DONTWAIT);
		}
		assert_int_equal(duo.stream->wire.cap, 0);
		duo_end(&duo);
	}
}

/* One connection's failure is not told of the next one. */
static void
failures_stay_with_their_own(void **state)
{
	struct duo_order order = {.side = TLS_DATA};
	char text[TEXT_MAX];
	struct duo good;
	struct duo bad;

	duo_open(&good, *state, &order);
	duo_open(&bad, *state, &order);
	/* an error that somebody else has left */
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	assert_int_equal(tls_stream_read(good.stream, text, sizeof(text)), -EAGAIN);
	end_by(&bad, END_GARBAGE);
	assert_int_equal(tls_stream_read(bad.stream, text, sizeof(text)), -EBADMSG);
	duo_say(&good, "fine");
	assert_int_equal(tls_stream_read(good.stream, text, sizeof(text)), 4);
	assert_int_equal(tls_stream_write(good.stream, "fine", 4), 4);
	assert_string_equal(tls_stream_failure(good.stream), "");
	duo_end(&good);
	duo_end(&bad);
}

/* One client that says all it has to say, as far as its budget of bytes goes. */
static bool
spend(struct duo *duo, size_t *budget)
{
	static const char upload[UPLOAD];
	bool has_said_all = false;

	for (int i = 0; i<ROUNDS && * budget> 0; i++) {
		char text[TEXT_MAX];

		(void)SSL_do_handshake(duo->client);
		if (SSL_is_init_finished(duo->client) && !has_said_all) {
			(void)SSL_write(duo->client, upload, sizeof(upload));
			(void)SSL_shutdown(duo->client);
			has_said_all = true;
		}
		ERR_clear_error();
		*budget -= duo_send(duo, *budget);
		if (tls_stream_handshake(duo->stream) == TLS_READY) {
			(void)tls_stream_read(duo->stream, text, UPLOAD / 2);
			(void)tls_stream_write(duo->stream, text, TEXT_MAX);
			(void)tls_stream_flush(duo->stream);
		}
		(void)duo_receive(duo);
	}
	return has_said_all && BIO_ctrl_pending(duo->to_server) == 0;
}

/* Anywhere from the first byte to the last, by FIN or by reset: nothing stays behind. */
static void
random_cuts_leave_nothing(void **state)
{
	uint64_t seed = 1;
	size_t before = 0;
	unsigned whole = 0;

	for (int i = 0; i < CUTS; i++) {
		struct duo_order order = {.version = duo_versions[i % 2],
		                          .side = i / 2 % 2 == 0 ? TLS_DATA : TLS_CONTROL,
		                          .is_tcp = i / 4 % 2 == 0};
		char text[TEXT_MAX];
		size_t budget = 0;
		size_t len = 0;
		bool is_whole;
		struct duo duo;

		if (i == CUTS / 10) {
			before = mallinfo2().uordblks;
		}
		seed = mix_bits(seed);
		budget = seed % BUDGET_MAX;
		duo_begin(&duo, *state, &order);
		is_whole = spend(&duo, &budget);
		whole += is_whole;
		end_by(&duo, order.is_tcp ? END_RESET : END_FIN);
		if (tls_stream_handshake(duo.stream) == TLS_READY && !is_whole) {
			assert_true(duo_read_all(&duo, text, sizeof(text), &len) < 0);
		}
		duo_end(&duo);
	}
	assert_true(whole > 0 && whole < CUTS);
	assert_true(mallinfo2().uordblks < before + GROWTH_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(endings_differ),
	    cmocka_unit_test(an_end_behind_data_is_told),
	    cmocka_unit_test(a_cut_is_never_an_end),
	    cmocka_unit_test(half_a_connection_goes_on),
	    cmocka_unit_test(our_end_waits_for_the_clients),
	    cmocka_unit_test(what_follows_tls_is_left),
	    cmocka_unit_test(sending_to_nobody_fails),
	    cmocka_unit_test(a_failed_stream_does_not_end_well),
	    cmocka_unit_test(what_waits_for_the_end_is_small),
	    cmocka_unit_test(random_cuts_leave_nothing),
	    cmocka_unit_test(failures_stay_with_their_own),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
