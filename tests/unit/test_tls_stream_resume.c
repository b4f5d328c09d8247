/*
 * test_tls_stream_resume: whose session a connection may resume, how often, and what that
 * costs the session.
 * Source: SECURITY.md T5, T6; RFC 8446 2.2; RFC 5077; RFC 5246 7.3.
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
#include <sys/socket.h>

#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	OTHER_BINDING = 2,
	PARALLEL = 8,
	TRANSFERS = 300,
	MANY = 1000,
	WARM_UP = 200,
	GROWTH_MAX = 64 * 1024,
	TEXT_MAX = 1024,
	HOURS_24 = 24 * 3600,
	DAYS_7 = 7 * 24 * 3600,
};

/* How a client resumes: TLS 1.3 by tickets, TLS 1.2 by tickets or by the session's id. */
struct way {
	int version;
	bool has_no_tickets;
};

static const struct way ways[] = {
    {TLS1_2_VERSION, false},
    {TLS1_2_VERSION, true},
    {TLS1_3_VERSION, false},
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

/* A control connection and the session that its client has of it. */
static SSL_SESSION *
open_control(struct duo *duo, struct lab *lab, const struct way *way)
{
	struct duo_order order = {.version = way->version,
	                          .has_no_tickets = way->has_no_tickets};

	duo_open(duo, lab, &order);
	assert_non_null(duo->kept);
	assert_true(SSL_SESSION_is_resumable(duo->kept));
	(void)SSL_SESSION_up_ref(duo->kept);
	return duo->kept;
}

static struct duo_order
data_order(const struct way *way, SSL_SESSION *session)
{
	return (struct duo_order){.version = way->version,
	                          .side = TLS_DATA,
	                          .session = session,
	                          .has_no_tickets = way->has_no_tickets};
}

/* OpenSSL names sessions by an id that it will not resume; that is no ticket. */
static void
assert_no_ticket(const struct duo *data)
{
	assert_true(data->kept_count == 0 || SSL_SESSION_has_ticket(data->kept) == 0);
}

static void
data_connections_resume(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		struct duo control;
		SSL_SESSION *session = open_control(&control, *state, &ways[i]);
		struct duo_order order = data_order(&ways[i], session);
		struct duo data[PARALLEL];

		for (size_t j = 0; j < PARALLEL; j++) {
			duo_begin(&data[j], *state, &order);
		}
		for (size_t j = 0; j < PARALLEL; j++) {
			assert_int_equal(duo_shake(&data[j]), TLS_READY);
			assert_true(tls_stream_has_resumed(data[j].stream));
		}
		for (size_t j = 0; j < PARALLEL; j++) {
			char text[1];

			/* never a ticket here */
			(void)duo_hear(&data[j], text, sizeof(text));
			assert_int_equal(data[j].kept_count, 0);
			duo_end(&data[j]);
		}
		SSL_SESSION_free(session);
		duo_end(&control);
	}
}

/* A session of somebody else, of another process or of before a restart. */
static void
strangers_shake_hands_in_full(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		for (int reseeded = 0; reseeded < 2; reseeded++) {
			struct lab *lab = *state;
			struct duo control;
			SSL_SESSION *session = open_control(&control, lab, &ways[i]);
			struct duo_order order = data_order(&ways[i], session);
			struct duo data;

			if (reseeded != 0 && ways[i].has_no_tickets) {
				/*
				 * ids are kept in memory: those of other processes are
				 * not
				 */
				SSL_SESSION_free(session);
				duo_end(&control);
				continue;
			}
			if (reseeded != 0) {
				assert_int_equal(tls_context_seed(lab->context), 0);
			} else {
				order.binding = OTHER_BINDING;
			}
			duo_open(&data, lab, &order);
			assert_false(tls_stream_has_resumed(data.stream));
			assert_string_equal(tls_stream_failure(data.stream), "");
			assert_no_ticket(&data);
			duo_say(&data, "x");
			duo_end(&data);
			SSL_SESSION_free(session);
			duo_end(&control);
		}
	}
}

/* A session that a data connection began is not for the next one. */
static void
data_connections_begin_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		struct duo_order order = data_order(&ways[i], NULL);
		SSL_SESSION *session = NULL;
		struct duo data;

		duo_open(&data, *state, &order);
		assert_no_ticket(&data);
		session = SSL_get1_session(data.client);
		duo_end(&data);
		order.session = session;
		if (SSL_SESSION_is_resumable(session)) {
			duo_open(&data, *state, &order);
			assert_false(tls_stream_has_resumed(data.stream));
			duo_end(&data);
		}
		SSL_SESSION_free(session);
	}
}

enum ending {
	END_OF_FILE,
	END_BY_RESET,
	END_BY_US,
	END_OF_GARBAGE,
	END_OF_HANDSHAKE,
	ENDING_COUNT,
};

static void
end_badly(struct duo *data, enum ending ending)
{
	static const char garbage[] = "\x17\x03\x03\x00\x03xyz";
	char text[TEXT_MAX];

	switch (ending) {
	case END_OF_FILE:
		assert_int_equal(shutdown(data->client_fd, SHUT_WR), 0);
		assert_int_equal(tls_stream_read(data->stream, text, sizeof(text)),
		                 -ENODATA);
		break;
	case END_BY_RESET:
		assert_int_equal(tls_stream_write(data->stream, "x", 1), 1);
		assert_int_equal(tls_stream_flush(data->stream), 0);
		assert_int_equal(close(data->client_fd), 0);
		data->client_fd = -1;
		assert_int_equal(tls_stream_read(data->stream, text, sizeof(text)),
		                 -ECONNRESET);
		break;
	case END_BY_US: break;
	case END_OF_GARBAGE:
		(void)send(data->client_fd, garbage, sizeof(garbage) - 1, 0);
		assert_int_equal(tls_stream_read(data->stream, text, sizeof(text)),
		                 -EBADMSG);
		break;
	case END_OF_HANDSHAKE:
	case ENDING_COUNT: break;
	}
}

/* One transfer that is cut must not cost the client its next ones. */
static void
a_cut_does_not_cost_the_session(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(ways) * ENDING_COUNT; i++) {
		const struct way *way = &ways[i / ENDING_COUNT];
		enum ending ending = (enum ending)(i % ENDING_COUNT);
		struct duo control;
		SSL_SESSION *session = open_control(&control, *state, way);
		struct duo_order order = data_order(way, session);
		struct duo data;

		if (ending == END_OF_GARBAGE && way->has_no_tickets) {
			/*
			 * a session that has been tampered with is given up: RFC 5246
			 * 7.2.2
			 */
			SSL_SESSION_free(session);
			duo_end(&control);
			continue;
		}
		if (ending == END_OF_HANDSHAKE) {
			duo_begin(&data, *state, &order);
			(void)SSL_do_handshake(data.client);
			(void)duo_send(&data, SIZE_MAX);
			assert_int_equal(tls_stream_handshake(data.stream),
			                 TLS_WANTS_READ);
		} else {
			duo_open(&data, *state, &order);
			assert_true(tls_stream_has_resumed(data.stream));
			end_badly(&data, ending);
		}
		duo_end(&data);
		duo_open(&data, *state, &order);
		assert_true(tls_stream_has_resumed(data.stream));
		duo_end(&data);
		SSL_SESSION_free(session);
		duo_end(&control);
	}
}

/*
 * What a client says of its host on the data connection, if anything, is its own affair.
 */
static void
the_name_of_the_host_does_not_matter(void **state)
{
	static const struct {
		const char *control;
		uint16_t host; /* that the control connection has chosen */
		const char *data;
	} cases[] = {
	    {NULL, 0, NULL},
	    {"ftp.example", 0, "ftp.example"},
	    {"ftp.example", 0, NULL},
	    {NULL, 0, "ftp.example"},
	    {"ftp.example", 0, "data.example"},
	    /* another certificate, and the same sessions */
	    {"a.example", 1, "a.example"},
	    {"a.example", 1, NULL},
	};
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c0\"} }\n"
	                "host \"a.example\" { certificate = {\"/a\"} }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.subject = "server"});
	lab_add_plain(&lab, 1, 0, &(struct forge_order){.subject = "a"});
	assert_int_equal(lab_make(&lab), 0);
	assert_int_equal(tls_context_seed(lab.context), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases) * ARRAY_COUNT(ways); i++) {
		const struct way *way = &ways[i % ARRAY_COUNT(ways)];
		size_t at = i / ARRAY_COUNT(ways);
		struct duo_order order = {.version = way->version,
		                          .has_no_tickets = way->has_no_tickets,
		                          .server_name = cases[at].control};
		struct duo control;
		struct duo data;

		duo_open(&control, &lab, &order);
		assert_int_equal(tls_stream_host(control.stream), cases[at].host);
		order = data_order(way, control.kept);
		order.host = cases[at].host;
		order.server_name = cases[at].data;
		duo_open(&data, &lab, &order);
		if (!tls_stream_has_resumed(data.stream)) {
			print_error("case %zu, way %zu\n", at, i % ARRAY_COUNT(ways));
			fail();
		}
		duo_end(&data);
		duo_end(&control);
	}
	lab_end(&lab);
}

/* A client that uses each ticket once gets one with each offer, in front of the reply. */
static void
tickets_never_run_dry(void **state)
{
	struct duo control;
	SSL_SESSION *session = open_control(&control, *state, &ways[2]);

	SSL_SESSION_free(session);
	assert_int_equal(control.kept_count, 1);
	for (unsigned i = 0; i < TRANSFERS; i++) {
		unsigned before = control.kept_count;
		struct duo_order order;
		struct duo data;
		char text[TEXT_MAX];
		SSL_SESSION *fresh = NULL;

		tls_stream_offer_ticket(control.stream);
		tls_stream_offer_ticket(control.stream); /* still one */
		assert_int_equal(tls_stream_write(control.stream, "229 Ok.\r\n", 9), 9);
		assert_int_equal(tls_stream_flush(control.stream), 0);
		assert_int_equal(duo_hear(&control, text, sizeof(text)), 9);
		assert_int_equal(control.kept_count, before + 1);
		fresh = control.kept;
		control.kept = NULL; /* used up */
		order = data_order(&ways[2], fresh);
		duo_open(&data, *state, &order);
		assert_true(tls_stream_has_resumed(data.stream));
		duo_end(&data);
		SSL_SESSION_free(fresh);
	}
	/* none is sent without an offer, and commands still go both ways */
	assert_int_equal(tls_stream_write(control.stream, "200\r\n", 5), 5);
	assert_int_equal(tls_stream_flush(control.stream), 0);
	control.kept_count = 0;
	duo_say(&control, "QUIT\r\n");
	duo_end(&control);
}

/* In TLS 1.2 one session serves all; data connections are never offered one. */
static void
offers_are_for_whom_they_help(void **state)
{
	static const struct duo_order orders[] = {
	    {.version = TLS1_2_VERSION},
	    {.version = TLS1_3_VERSION, .side = TLS_DATA},
	    {.version = TLS1_2_VERSION, .side = TLS_DATA},
	};

	for (size_t i = 0; i < ARRAY_COUNT(orders); i++) {
		struct duo duo;
		unsigned before = 0;
		char text[TEXT_MAX];

		duo_open(&duo, *state, &orders[i]);
		before = duo.kept_count;
		tls_stream_offer_ticket(duo.stream);
		assert_int_equal(tls_stream_write(duo.stream, "x", 1), 1);
		assert_int_equal(tls_stream_flush(duo.stream), 0);
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 1);
		assert_int_equal(duo.kept_count, before);
		duo_end(&duo);
	}
}

static void
nothing_is_resumed_when_off(void **state)
{
	struct lab lab;

	(void)state;
	duo_lab(&lab, "resume = off");
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		struct duo_order order = {.version = ways[i].version,
		                          .has_no_tickets = ways[i].has_no_tickets};
		struct duo control;
		SSL_SESSION *session = NULL;
		char text[TEXT_MAX];

		duo_open(&control, &lab, &order);
		tls_stream_offer_ticket(control.stream);
		assert_int_equal(tls_stream_write(control.stream, "x", 1), 1);
		assert_int_equal(tls_stream_flush(control.stream), 0);
		assert_int_equal(duo_hear(&control, text, sizeof(text)), 1);
		session = SSL_get1_session(control.client);
		if (SSL_SESSION_is_resumable(session)) {
			struct duo_order again = data_order(&ways[i], session);
			struct duo data;

			duo_open(&data, &lab, &again);
			assert_false(tls_stream_has_resumed(data.stream));
			duo_end(&data);
		}
		SSL_SESSION_free(session);
		duo_end(&control);
	}
	lab_end(&lab);
}

/* What a client is told of its life; RFC 8446 4.6.1 allows seven days at most. */
static void
a_session_lives_for_long(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		struct duo control;
		SSL_SESSION *session = open_control(&control, *state, &ways[i]);
		unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(session);

		if (!ways[i].has_no_tickets) {
			assert_true(hint >= HOURS_24);
		}
		assert_true(ways[i].version != TLS1_3_VERSION || hint <= DAYS_7);
		SSL_SESSION_free(session);
		duo_end(&control);
	}
}

/* SECURITY.md T6: with and without resumption, memory stays as it is. */
static void
thousands_of_connections_hold_nothing(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_COUNT(ways); i++) {
		const struct way *way = &ways[i / 2];
		struct duo control;
		SSL_SESSION *session = open_control(&control, *state, way);
		struct duo_order order = data_order(way, i % 2 == 0 ? session : NULL);
		int count = i % 2 == 0 ? MANY : MANY / 4;
		size_t before = 0;
		struct duo last;

		for (int j = 0; j < count; j++) {
			struct duo data;

			if (j == WARM_UP) {
				before = mallinfo2().uordblks;
			}
			duo_begin(&data, *state, &order);
			assert_int_equal(duo_shake(&data), TLS_READY);
			assert_int_equal(tls_stream_has_resumed(data.stream), i % 2 == 0);
			duo_end(&data);
		}
		assert_true(mallinfo2().uordblks < before + GROWTH_MAX);
		/* and the session is as good as at first */
		order.session = session;
		duo_open(&last, *state, &order);
		assert_true(tls_stream_has_resumed(last.stream));
		duo_end(&last);
		SSL_SESSION_free(session);
		duo_end(&control);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(data_connections_resume),
	    cmocka_unit_test(strangers_shake_hands_in_full),
	    cmocka_unit_test(data_connections_begin_nothing),
	    cmocka_unit_test(a_cut_does_not_cost_the_session),
	    cmocka_unit_test(the_name_of_the_host_does_not_matter),
	    cmocka_unit_test(tickets_never_run_dry),
	    cmocka_unit_test(offers_are_for_whom_they_help),
	    cmocka_unit_test(nothing_is_resumed_when_off),
	    cmocka_unit_test(a_session_lives_for_long),
	    cmocka_unit_test(thousands_of_connections_hold_nothing),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
