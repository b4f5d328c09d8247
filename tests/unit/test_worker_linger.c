/*
 * test_worker_linger: how private data connections end: downloads, which leave a
 * connection behind, and uploads, which are whole or cut by the client's last word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "ftpd/worker/linger.h"
#include "tests/unit/tls_house.h"
#include "common/base.h"

static const char complete[] = "226 Transfer complete.\r\n";

/* 150, handshake, bytes, close_notify, FIN, 226; the connection waits for the client. */
static void
a_download_ends_in_order(void **state)
{
	struct house house;
	struct house_line line;

	(void)state;
	house_begin(&house, "");
	line = house_dial(&house, NULL);
	house_begin_download(&house);
	assert_true(house_shake(&house, &line));
	house_hear(&house, &line, "hello");
	assert_true(line.is_notified);
	assert_true(line.has_ended);
	talk_expect(&house.talk, complete);
	assert_int_equal(house.talk.worker->lingering.count, 1);
	assert_false(house.talk.session->tls.has_closed);
	(void)SSL_shutdown(line.ssl);
	(void)talk_settle(&house.talk);
	assert_int_equal(house.talk.worker->lingering.count, 0);
	assert_true(house.talk.session->tls.has_closed);
	assert_true(house_has_logged(&house, "data connections: TLS 1.3, TLS_AES_"));
	house_hang_up(&line);
	house_end(&house);
}

/* What ends the wait for a client's close_notify, and what is learned from it. */
static void
a_wait_for_the_end_is_bounded(void **state)
{
	enum { END_BY_FIN, END_BY_TIME, END_BY_BYTES, END_BY_SESSION, END_COUNT };

	(void)state;
	for (int how = 0; how < END_COUNT; how++) {
		static const char much[LINGER_BYTES_MAX];
		struct house house;
		struct house_line line;
		struct worker *worker;

		house_begin(&house, "");
		worker = house.talk.worker;
		line = house_dial(&house, NULL);
		house_begin_download(&house);
		assert_true(house_shake(&house, &line));
		talk_expect(&house.talk, complete);
		assert_in_range(linger_sleep_ms(worker, -1), LINGER_MS / 2, LINGER_MS);
		assert_int_equal(linger_sleep_ms(worker, 7), 7);
		if (how == END_BY_FIN) {
			assert_int_equal(shutdown(line.fd, SHUT_WR), 0);
		} else if (how == END_BY_TIME) {
			worker->loop.now_ms += LINGER_MS / 2;
			linger_run(worker);
			assert_int_equal(worker->lingering.count, 1);
			worker->loop.now_ms += LINGER_MS / 2;
			linger_run(worker);
		} else if (how == END_BY_BYTES) {
			/* or the last ones wait in the client for an acknowledgement */
			assert_int_equal(setsockopt(line.fd, IPPROTO_TCP, TCP_NODELAY,
			                            &(int){1}, sizeof(int)),
			                 0);
			assert_int_equal(SSL_write(line.ssl, much, sizeof(much)),
			                 sizeof(much));
		} else {
			session_end(house.talk.session, MW_END_QUIT);
			(void)talk_settle(&house.talk);
			assert_int_equal(worker->lingering.count, 1);
			/* the master counts it as long as it is not over */
			assert_false(house.talk.has_ended);
			(void)SSL_shutdown(line.ssl);
		}
		(void)talk_settle(&house.talk);
		assert_int_equal(worker->lingering.count, 0);
		assert_int_equal(linger_sleep_ms(worker, -1), -1);
		assert_int_equal(house.talk.has_ended, how == END_BY_SESSION);
		assert_true(how != END_BY_SESSION || house.talk.end == MW_END_QUIT);
		assert_true(how == END_BY_SESSION || !house.talk.session->tls.has_closed);
		house_hang_up(&line);
		house_end(&house);
	}
}

/* Clients that never close their side cost no more than so many connections. */
static void
only_so_many_wait(void **state)
{
	static struct house_line lines[LINGER_MAX + 2];
	struct house house;

	(void)state;
	house_begin(&house, "");
	for (unsigned i = 0; i < ARRAY_COUNT(lines); i++) {
		lines[i] = house_dial(&house, NULL);
		house_begin_download(&house);
		assert_true(house_shake(&house, &lines[i]));
		talk_expect(&house.talk, complete);
		assert_int_equal(house.talk.worker->lingering.count,
		                 i < LINGER_MAX ? i + 1 : LINGER_MAX);
	}
	for (unsigned i = 0; i < ARRAY_COUNT(lines); i++) {
		house_hear(&house, &lines[i], "hello");
		house_hang_up(&lines[i]);
	}
	house_end(&house);
}

/* SECURITY.md T4: by the rule, and by what the client has done before. */
static void
an_upload_is_whole_or_cut(void **state)
{
	static const char cut[] =
	    "426 The upload was cut: it did not end as TLS demands.\r\n";
	static const struct {
		const char *rule;
		bool has_before;
		bool has_notified;
		const char *reply;
		bool is_told;
	} cases[] = {
	    {"strict_close = require", false, true, complete, false},
	    {"strict_close = require", false, false, cut, false},
	    {"strict_close = auto", false, true, complete, false},
	    {"strict_close = auto", false, false, complete, true},
	    {"strict_close = auto", true, false, cut, false},
	    {"strict_close = off", true, false, complete, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool is_whole = cases[i].reply == complete;
		struct house house;
		struct house_line line;

		house_begin(&house, cases[i].rule);
		house.talk.session->tls.has_closed = cases[i].has_before;
		line = house_dial(&house, NULL);
		house_begin_upload(&house);
		assert_true(house_shake(&house, &line));
		assert_int_equal(SSL_write(line.ssl, "hello", 5), 5);
		if (cases[i].has_notified) {
			(void)SSL_shutdown(line.ssl);
		} else {
			assert_int_equal(shutdown(line.fd, SHUT_WR), 0);
		}
		(void)talk_settle(&house.talk);
		house_expect_verb(&house, is_whole ? AGENT_COMMIT : AGENT_DISCARD);
		talk_expect(&house.talk, cases[i].reply);
		house_hear(&house, &line, "");
		assert_int_equal(line.is_notified, is_whole);
		assert_int_equal(house.talk.worker->lingering.count, 0);
		assert_int_equal(house_has_logged(&house,
		                                  "client Tester 1.0 ends uploads "
		                                  "without close_notify"),
		                 cases[i].is_told);
		assert_int_equal(house.talk.session->tls.has_closed,
		                 cases[i].has_before || cases[i].has_notified);
		house_hang_up(&line);
		house_end(&house);
	}
}

/* A reset is no end, whatever the rule. */
static void
a_reset_is_never_a_success(void **state)
{
	const struct linger_option {
		int on;
		int seconds;
	} at_once = {1, 0};
	struct house house;
	struct house_line line;

	(void)state;
	house_begin(&house, "strict_close = off");
	line = house_dial(&house, NULL);
	house_begin_upload(&house);
	assert_true(house_shake(&house, &line));
	assert_int_equal(SSL_write(line.ssl, "hello", 5), 5);
	(void)talk_settle(&house.talk);
	assert_int_equal(
	    setsockopt(line.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	house_hang_up(&line);
	(void)talk_settle(&house.talk);
	house_expect_verb(&house, AGENT_DISCARD);
	talk_expect(&house.talk, "426 The data connection was broken.\r\n");
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_download_ends_in_order),
	    cmocka_unit_test(a_wait_for_the_end_is_bounded),
	    cmocka_unit_test(only_so_many_wait),
	    cmocka_unit_test(an_upload_is_whole_or_cut),
	    cmocka_unit_test(a_reset_is_never_a_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
