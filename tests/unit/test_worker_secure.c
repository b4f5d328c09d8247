/*
 * test_worker_secure: the control connection's bytes in TLS: the change from clear, what
 * comes in pieces or at once, what is not taken, and how it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ftpd/worker/secure.h"
#include "tests/unit/tls_session.h"
#include "common/base.h"

#define GREETING  "220 FTP server ready.\r\n"
#define NOOP_DONE "200 Done.\r\n"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
commands_go_in_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.version = versions[i]});
		talk_expect(&talk, GREETING);
		assert_false(secure_is_on(talk.session));
		talk_auth(&talk);
		talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
		assert_true(secure_is_on(talk.session));
		talk_ask(&talk, "NO", "");
		talk_ask(&talk, "OP\r\n", NOOP_DONE);
		talk_ask(&talk, "QUIT\r\n", "221 Goodbye.\r\n");
		assert_true(talk.has_notified);
		talk_expect_end(&talk, MW_END_QUIT);
		/* one line in the log for it */
		assert_non_null(strstr(talk.log, i == 0 ? "TLS 1.2, " : "TLS 1.3, "));
		talk_end(&talk);
	}
}

/* SECURITY.md T1: what was received in clear is never carried out in TLS. */
static void
nothing_may_follow_auth(void **state)
{
	static const struct {
		const char *clear;
		const char *wanted;
		const char *why;
		size_t padding; /* NULs behind it */
	} cases[] = {
	    {"AUTH TLS\r\nNOOP\r\n", "", "a whole line", 0},
	    {"AUTH TLS\r\n", "", "a NUL", 1},
	    {"AUTH TLS\r\n", "", "many of them", 100},
	    {"AUTH TLS\r\nUSER ev", "", "the beginning of one", 0},
	    {"AUTH TLS\r\n\r\n", "", "an empty one", 0},
	    {"NOOP\r\nAUTH TLS\r\nNOOP\r\n", NOOP_DONE, "behind others", 0},
	    {"AUTH TLS\r\nAUTH TLS\r\n", "", "the same again", 0},
	    {"AUTH TLS\r\n\x16\x03\x01", "", "what looks like TLS", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct talk talk;
		char bytes[256];
		size_t len;

		talk_begin(&talk, &(struct talk_order){.version = 0});
		talk_expect(&talk, GREETING);
		len = strlen(cases[i].clear);
		memcpy(bytes, cases[i].clear, len);
		memset(bytes + len, 0, cases[i].padding);
		talk_say_raw(&talk, bytes, len + cases[i].padding);
		talk_expect(&talk, cases[i].wanted);
		talk_expect(&talk, "421 Nothing may follow AUTH before TLS.\r\n");
		talk_expect_end(&talk, MW_END_VIOLATION);
		if (strstr(talk.log, "bytes behind AUTH") == NULL) {
			fail_msg("%s: not in the log", cases[i].why);
		}
		talk_end(&talk);
	}
}

/* The handshake waits until all that was said in clear has left. */
static void
replies_in_clear_go_first(void **state)
{
	struct talk talk;
	unsigned asked = 0;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.buffer_bytes = 4096});
	talk_expect(&talk, GREETING);
	talk.is_deaf = true;
	while (talk.session->output_len == 0) {
		talk_say(&talk, "HELP\r\n");
		asked++;
	}
	talk_say(&talk, "AUTH TLS\r\n");
	assert_true(talk.session->tls.is_wanted);
	assert_false(talk.session->tls.is_starting);
	talk.is_deaf = false;
	(void)talk_settle(&talk);
	assert_true(talk.session->tls.is_starting);
	for (const char *at = talk.text; (at = strstr(at, "214-")) != NULL; at++) {
		asked--;
	}
	assert_int_equal(asked, 0);
	assert_memory_equal(talk.text + talk.len - 20, "234 Begin TLS now.\r\n", 20);
	talk_end(&talk);
}

/* Many records in one segment: the loop does not tell of those behind the first. */
static void
no_record_is_forgotten(void **state)
{
	enum {
		COUNT = 100, /* more than are read in one go */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.version = versions[i]});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		for (int n = 0; n < COUNT; n++) {
			talk_write(&talk, n % 2 == 0 ? "NOO" : "P\r\nNOOP\r\n");
		}
		for (int n = 0; n < COUNT; n++) {
			talk_expect(&talk, NOOP_DONE);
		}
		talk_expect_nothing(&talk);
		talk_end(&talk);
	}
}

static void
replies_wait_for_a_slow_client(void **state)
{
	enum {
		COUNT = 60,
	};
	struct talk talk;
	struct epoll_event event;
	unsigned heard = 0;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.buffer_bytes = 4096});
	talk_expect(&talk, GREETING);
	talk_auth(&talk);
	talk.is_deaf = true;
	for (int i = 0; i < COUNT; i++) {
		talk_say(&talk, "HELP\r\n");
	}
	assert_true(secure_has_output(talk.session) || talk.session->output_len > 0);
	/* nothing is asked of the loop that could be done at once */
	assert_int_equal(epoll_wait(talk.worker->loop.epoll_fd, &event, 1, 0), 0);
	talk.is_deaf = false;
	(void)talk_settle(&talk);
	talk.text[talk.len] = '\0';
	for (const char *at = talk.text; (at = strstr(at, "214-")) != NULL; at++) {
		heard++;
	}
	assert_int_equal(heard, COUNT);
	talk.len = 0;
	talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
	talk_end(&talk);
}

/* RFC 959 4.1.1, QUIT: what has come is answered. */
static void
what_came_before_the_end_is_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(versions); i++) {
		bool has_notice = i % 2 == 0;
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.version = versions[i / 2]});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		talk_write(&talk, "NOOP\r\nNOOP\r\n");
		if (has_notice) {
			assert_int_equal(SSL_shutdown(talk.ssl), 0);
		} else {
			assert_int_equal(shutdown(talk.client_fd, SHUT_WR), 0);
		}
		talk_expect(&talk, NOOP_DONE NOOP_DONE);
		assert_true(talk.has_notified);
		talk_expect_end(&talk, MW_END_CLOSED);
		talk_end(&talk);
	}
}

/* SECURITY.md A21, as in clear. */
static void
no_line_is_left_behind(void **state)
{
	static const char secret[] = "sikrit-word";
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.version = 0});
	talk_expect(&talk, GREETING);
	talk_auth(&talk);
	talk_say(&talk, "NOOP\r\nPASS sikrit-word\r\n");
	talk_expect(&talk, NOOP_DONE "503 ");
	assert_null(
	    memmem(talk.worker->input, WORKER_INPUT_BYTES, secret, sizeof(secret) - 1));
	assert_null(talk.session->text);
	assert_null(talk.session->input);
	talk_end(&talk);
}

static void
garbage_ends_the_session(void **state)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

	(void)state;
	for (int is_open = 0; is_open < 2; is_open++) {
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.version = 0});
		talk_expect(&talk, GREETING);
		if (is_open != 0) {
			talk_auth(&talk);
			(void)talk_settle(&talk);
		} else {
			talk_ask(&talk, "AUTH TLS\r\n", "234 Begin TLS now.\r\n");
		}
		talk_say_raw(&talk, garbage, sizeof(garbage) - 1);
		(void)talk_settle(&talk);
		assert_true(talk.has_ended);
		assert_int_equal(talk.end, MW_END_CLOSED);
		assert_non_null(strstr(talk.log, "failed: "));
		talk_end(&talk);
	}
}

/* Whoever stalls in the handshake has no more time than others, and costs nothing. */
static void
a_stalled_handshake_runs_off(void **state)
{
	static const char hello[] = "\x16\x03\x01\x02"; /* of a ClientHello */

	(void)state;
	for (int has_begun = 0; has_begun < 2; has_begun++) {
		struct talk talk;
		struct epoll_event event;
		uint64_t ms;

		talk_begin(&talk, &(struct talk_order){.version = 0});
		ms = UINT64_C(1000) * talk.worker->options->login_timeout_s;
		talk_expect(&talk, GREETING);
		talk_ask(&talk, "AUTH TLS\r\n", "234 Begin TLS now.\r\n");
		talk_wait(&talk, ms - 2000);
		if (has_begun != 0) {
			talk_say_raw(&talk, hello, sizeof(hello) - 1);
		}
		(void)talk_settle(&talk);
		assert_int_equal(epoll_wait(talk.worker->loop.epoll_fd, &event, 1, 0), 0);
		assert_false(talk.has_ended);
		talk_wait(&talk, 3000);
		/* not a word in clear: it would be taken for TLS */
		talk_expect_end(&talk, MW_END_LOGIN_TIMEOUT);
		talk_end(&talk);
	}
}

/* What the server has to say may be more than the client takes at once. */
static void
a_long_handshake_waits_for_room(void **state)
{
	enum {
		NAMES = 1500,
		NAME_BYTES = 24,
	};
	char *names = calloc(NAMES, NAME_BYTES);
	struct talk_order order = {.buffer_bytes = 4096, .names = names};
	struct epoll_event event;
	struct talk talk;
	size_t at = 0;

	(void)state;
	assert_non_null(names);
	for (int i = 0; i < NAMES; i++) {
		at += (size_t)snprintf(names + at, NAME_BYTES, "%sDNS:n%d.example",
		                       i > 0 ? ", " : "", i);
	}
	talk_begin(&talk, &order);
	talk_expect(&talk, GREETING);
	talk_ask(&talk, "AUTH TLS\r\n", "234 Begin TLS now.\r\n");
	talk.is_deaf = true;
	talk_hello(&talk);
	(void)talk_settle(&talk);
	assert_true(talk.session->tls.wants_room);
	assert_int_equal(epoll_wait(talk.worker->loop.epoll_fd, &event, 1, 0), 0);
	talk.is_deaf = false;
	talk_shake(&talk);
	talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
	talk_end(&talk);
	free(names);
}

static void
tls_may_begin_at_once(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.is_implicit = true});
	talk_expect_nothing(&talk);
	talk_shake(&talk);
	talk_expect(&talk, GREETING);
	assert_true(talk.session->tls.is_data_private);
	talk_ask(&talk, "AUTH TLS\r\n", "503 TLS is on already.\r\n");
	/* without PBSZ */
	talk_ask(&talk, "PROT C\r\n", "200 Data is not encrypted.\r\n");
	talk_end(&talk);

	talk_begin(&talk, &(struct talk_order){.is_implicit = true, .has_no_tls = true});
	talk_expect_end(&talk, MW_END_CLOSED);
	talk_end(&talk);
}

static void
log_in(struct talk *talk)
{
	talk_ask(talk, "USER ftp\r\n",
	         "331 Anonymous login: send your e-mail address as password.\r\n");
	talk_ask(talk, "PASS x\r\n", "230 Anonymous access granted, read only.\r\n");
}

static void
begin_clearing(struct talk *talk, int version)
{
	talk_begin(talk,
	           &(struct talk_order){.version = version,
	                                .tls = "allow_ccc = yes",
	                                .configuration = "anonymous { enabled = yes }"});
	talk_expect(talk, GREETING);
	talk_auth(talk);
	log_in(talk);
	talk->session->tls.has_resumed = true;
	talk_ask(talk, "CCC\r\n", "200 Commands go in clear from now on.\r\n");
	assert_true(talk->has_notified);
	assert_false(talk->session->tls.has_resumed); /* without tickets it cannot */
}

/* Behind CCC clients send close_notify, or nothing; at once, or in pieces. */
static void
commands_go_in_clear_again(void **state)
{
	static const char alert[] = "\x15\x03\x03\x00\x03\x01\x02\x03";

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(versions); i++) {
		struct talk talk;

		begin_clearing(&talk, versions[i / 2]);
		talk_leave_tls(&talk, i % 2 == 0);
		talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
		talk_ask(&talk, "PROT P\r\n",
		         "503 Commands are not encrypted; use AUTH TLS first.\r\n");
		talk_ask(&talk, "AUTH TLS\r\n",
		         "503 You are logged in already; REIN begins anew.\r\n");
		talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
		talk_auth(&talk);
		talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
		talk_end(&talk);
	}
	for (int is_whole = 0; is_whole < 2; is_whole++) {
		struct talk talk;

		begin_clearing(&talk, TLS1_3_VERSION);
		talk_leave_tls(&talk, false);
		for (size_t at = 0; is_whole == 0 && at < sizeof(alert) - 1; at++) {
			talk_say_raw(&talk, alert + at, 1);
			(void)talk_settle(&talk);
		}
		if (is_whole != 0) {
			talk_say_raw(&talk, alert, sizeof(alert) - 1);
		}
		talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
		talk_end(&talk);
	}
}

static void
records_behind_ccc_are_bounded(void **state)
{
	static const char alert[] = "\x15\x03\x03\x00\x01\x01";
	static const char huge[] = "\x15\x03\x03\xff\xff";
	struct talk talk;

	(void)state;
	begin_clearing(&talk, TLS1_3_VERSION);
	talk_leave_tls(&talk, false);
	for (int i = 0; i <= SECURE_SKIP_MAX && !talk.has_ended; i++) {
		talk_say_raw(&talk, alert, sizeof(alert) - 1);
		(void)talk_settle(&talk);
	}
	talk_expect_end(&talk, MW_END_CLOSED);
	talk_end(&talk);

	begin_clearing(&talk, TLS1_3_VERSION);
	talk_leave_tls(&talk, false);
	talk_say_raw(&talk, huge, sizeof(huge) - 1);
	talk_expect_end(&talk, MW_END_CLOSED);
	talk_end(&talk);
}

/* Nor what has come in part: its rest would be read in clear. */
static void
nothing_may_follow_the_end_of_tls(void **state)
{
	static const char *const names[] = {"CCC", "REIN"};
	static const char record[] = "\x17\x03\x03\x00\x40 and no more";
	enum { SAME_RECORD, PART_OF_LINE, NEXT_RECORD, PART_OF_RECORD, WAYS };

	(void)state;
	for (unsigned i = 0; i < WAYS * ARRAY_COUNT(names); i++) {
		const char *name = names[i / WAYS];
		unsigned way = i % WAYS;
		struct talk talk;
		char text[64];

		talk_begin(&talk, &(struct talk_order){
				      .tls = "allow_ccc = yes",
				      .configuration = "anonymous { enabled = yes }"});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		log_in(&talk);
		(void)snprintf(text, sizeof(text), "%s\r\n%s", name,
		               way == SAME_RECORD    ? "NOOP\r\n"
		               : way == PART_OF_LINE ? "NO"
		                                     : "");
		talk_write(&talk, text);
		if (way == NEXT_RECORD) {
			talk_write(&talk, "NOOP\r\n");
		} else if (way == PART_OF_RECORD) {
			talk_say_raw(&talk, record, sizeof(record) - 1);
		}
		(void)snprintf(text, sizeof(text),
		               "421 Nothing may follow %s before its reply.\r\n", name);
		talk_expect(&talk, text);
		talk_expect_end(&talk, MW_END_VIOLATION);
		(void)snprintf(text, sizeof(text), "bytes behind %s", name);
		assert_non_null(strstr(talk.log, text));
		talk_end(&talk);
	}
}

/* RFC 4217 13; bytes that come behind it as TLS are not carried out either. */
static void
rein_ends_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(versions); i++) {
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.version = versions[i / 2]});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
		assert_true(talk.has_notified);
		assert_false(secure_is_on(talk.session));
		if (i % 2 == 0) {
			talk_write(&talk, "NOOP\r\n");
		}
		talk_leave_tls(&talk, i % 2 != 0);
		talk_ask(&talk, "SYST\r\n", "215 UNIX Type: L8\r\n");
		talk_ask(&talk, "PBSZ 0\r\n",
		         "503 Commands are not encrypted; use AUTH TLS first.\r\n");
		talk_auth(&talk);
		talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
		talk_ask(&talk, "PROT P\r\n", "503 Please send PBSZ 0 first.\r\n");
		talk_end(&talk);
	}
}

/* Where TLS comes first, it comes first again, and greets nobody a second time. */
static void
rein_begins_tls_anew_where_it_comes_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(versions); i++) {
		struct tls_binding binding;
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.is_implicit = true,
		                                       .version = versions[i / 2]});
		talk_shake(&talk);
		talk_expect(&talk, GREETING);
		binding = talk.session->tls.binding;
		talk_ask(&talk, "PROT C\r\n", "200 Data is not encrypted.\r\n");
		talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
		assert_true(talk.has_notified);
		assert_true(talk.session->tls.is_starting);
		talk_leave_tls(&talk, i % 2 == 0);
		talk_shake(&talk);
		talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
		assert_true(talk.session->tls.is_data_private);
		assert_memory_not_equal(&binding, &talk.session->tls.binding,
		                        sizeof(binding));
		talk_ask(&talk, "QUIT\r\n", "221 Goodbye.\r\n");
		talk_expect_end(&talk, MW_END_QUIT);
		talk_end(&talk);
	}
}

/* Also when it was left there by CCC before. */
static void
rein_in_clear_begins_tls_anew_where_it_comes_first(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk,
	           &(struct talk_order){.is_implicit = true,
	                                .tls = "allow_ccc = yes",
	                                .configuration = "anonymous { enabled = yes }"});
	talk_shake(&talk);
	talk_expect(&talk, GREETING);
	log_in(&talk);
	talk_ask(&talk, "CCC\r\n", "200 Commands go in clear from now on.\r\n");
	talk_leave_tls(&talk, true);
	talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
	talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
	talk_shake(&talk);
	talk_ask(&talk, "NOOP\r\n", NOOP_DONE);
	assert_true(secure_is_on(talk.session));
	talk_end(&talk);
}

/* What is no TLS there is found, and costs nothing. */
static void
clear_text_is_not_taken_behind_rein_where_tls_comes_first(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.is_implicit = true});
	talk_shake(&talk);
	talk_expect(&talk, GREETING);
	talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
	talk_leave_tls(&talk, true);
	talk_say(&talk, "NOOP\r\n");
	(void)talk_settle(&talk);
	assert_true(talk.has_ended);
	assert_null(memmem(talk.text, talk.len, "200", 3));
	talk_end(&talk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_go_in_tls),
	    cmocka_unit_test(nothing_may_follow_auth),
	    cmocka_unit_test(replies_in_clear_go_first),
	    cmocka_unit_test(no_record_is_forgotten),
	    cmocka_unit_test(replies_wait_for_a_slow_client),
	    cmocka_unit_test(what_came_before_the_end_is_answered),
	    cmocka_unit_test(no_line_is_left_behind),
	    cmocka_unit_test(garbage_ends_the_session),
	    cmocka_unit_test(a_stalled_handshake_runs_off),
	    cmocka_unit_test(a_long_handshake_waits_for_room),
	    cmocka_unit_test(tls_may_begin_at_once),
	    cmocka_unit_test(commands_go_in_clear_again),
	    cmocka_unit_test(records_behind_ccc_are_bounded),
	    cmocka_unit_test(nothing_may_follow_the_end_of_tls),
	    cmocka_unit_test(rein_ends_tls),
	    cmocka_unit_test(rein_begins_tls_anew_where_it_comes_first),
	    cmocka_unit_test(rein_in_clear_begins_tls_anew_where_it_comes_first),
	    cmocka_unit_test(clear_text_is_not_taken_behind_rein_where_tls_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
