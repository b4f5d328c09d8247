/*
 * test_worker_data_tls: what a private data connection is worth, and what the end of an
 * upload is worth, by the rules and by what the client has shown before; handshakes that
 * fail, stall, and do not resume, from the command to the last reply.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "ftpd/worker/data_tls.h"
#include "tests/unit/tls_house.h"
#include "common/base.h"

enum {
	ACTIVE = false,
	PASSIVE = true,
	NEVER = false,
	BEFORE = true,
	NOT_NOW = false,
	NOW = true,
};

static void
a_connection_is_judged(void **state)
{
	static const struct {
		enum options_tls_resume rule;
		bool is_passive;
		bool has_before;
		bool has_now;
		enum data_tls_verdict verdict;
	} cases[] = {
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, NEVER, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, BEFORE, NOT_NOW, DATA_TLS_STRANGER},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, NEVER, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, BEFORE, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_AUTO, PASSIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, PASSIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, PASSIVE, NEVER, NOT_NOW, DATA_TLS_UNPROVEN},
	    {OPTIONS_RESUME_AUTO, PASSIVE, BEFORE, NOT_NOW, DATA_TLS_STRANGER},
	    {OPTIONS_RESUME_AUTO, ACTIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, ACTIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, ACTIVE, NEVER, NOT_NOW, DATA_TLS_UNPROVEN},
	    {OPTIONS_RESUME_AUTO, ACTIVE, BEFORE, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_OFF, PASSIVE, NEVER, NOT_NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_OFF, PASSIVE, BEFORE, NOT_NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_OFF, ACTIVE, NEVER, NOT_NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_OFF, ACTIVE, BEFORE, NOT_NOW, DATA_TLS_SERVED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(data_tls_judge(cases[i].rule, cases[i].is_passive,
		                                cases[i].has_before, cases[i].has_now,
		                                false),
		                 cases[i].verdict);
		/* whatever else: another client's certificate */
		assert_int_equal(
		    data_tls_judge(cases[i].rule, cases[i].is_passive,
		                   cases[i].has_before, cases[i].has_now, true),
		    cases[i].is_passive ? DATA_TLS_STRANGER : DATA_TLS_REFUSED);
	}
}

/* SECURITY.md T4: an upload that ends by the connection's end alone. */
static void
an_end_is_judged(void **state)
{
	static const struct {
		enum options_tls_close rule;
		bool has_before;
		bool is_cut;
	} cases[] = {
	    {OPTIONS_CLOSE_REQUIRE, NEVER, true}, {OPTIONS_CLOSE_REQUIRE, BEFORE, true},
	    {OPTIONS_CLOSE_AUTO, NEVER, false},   {OPTIONS_CLOSE_AUTO, BEFORE, true},
	    {OPTIONS_CLOSE_OFF, NEVER, false},    {OPTIONS_CLOSE_OFF, BEFORE, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(data_tls_is_cut(cases[i].rule, cases[i].has_before),
		                 cases[i].is_cut);
	}
}

static const char complete[] = "226 Transfer complete.\r\n";
static const char not_resumed[] =
    "522 TLS session of the control connection must be resumed (tls.resume).\r\n";

/* SECURITY.md D4 and T5. */
static void
a_client_must_resume_by_the_rule(void **state)
{
	static const struct {
		const char *rule;
		bool has_ticket;
		bool is_served;
		const char *log;
	} cases[] = {
	    {"resume = require", true, true, ""},
	    {"resume = require", false, false,
	     "data connection refused: client Tester 1.0 does not resume the TLS session; "
	     "tls.resume = \"auto\" would serve it"},
	    {"resume = auto", true, true, ""},
	    {"resume = auto", false, true,
	     "client Tester 1.0 does not resume the TLS session on data connections"},
	    {"resume = off", false, true, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct house house;
		struct house_line line;

		house_begin(&house, cases[i].rule);
		if (cases[i].has_ticket) {
			house_get_ticket(&house);
		}
		line = house_dial(&house, house.kept);
		house_begin_download(&house);
		assert_true(house_shake(&house, &line));
		house_hear(&house, &line, cases[i].is_served ? "hello" : "");
		assert_int_equal(line.is_notified, cases[i].is_served);
		talk_expect(&house.talk, cases[i].is_served ? complete : not_resumed);
		assert_true(house_has_logged(&house, cases[i].log));
		assert_int_equal(house_has_logged(&house, "client Tester"),
		                 cases[i].log[0] != '\0');
		assert_int_equal(house.talk.session->tls.has_resumed,
		                 cases[i].has_ticket);
		house_hang_up(&line);
		house_end(&house);
	}
}

/* Somebody behind the same address is faster: the client still gets its file. */
static void
a_stranger_is_closed_and_the_client_served(void **state)
{
	struct house house;
	struct house_line stranger;
	struct house_line line;

	(void)state;
	house_begin(&house, "resume = auto");
	house_get_ticket(&house);
	house.talk.session->tls.has_resumed = true;
	stranger = house_dial(&house, NULL);
	line = house_dial(&house, house.kept);
	house_begin_download(&house);
	assert_true(house_shake(&house, &stranger));
	house_hear(&house, &stranger, "");
	assert_false(stranger.is_notified);
	talk_expect_nothing(&house.talk);
	assert_true(house_shake(&house, &line));
	house_hear(&house, &line, "hello");
	talk_expect(&house.talk, complete);
	house_hang_up(&stranger);
	house_hang_up(&line);

	/* and if the client does not come, it is told why, soon */
	stranger = house_dial(&house, NULL);
	house_begin_download(&house);
	assert_true(house_shake(&house, &stranger));
	talk_wait(&house.talk, 1000 * (DATA_TLS_WAIT_S - 1));
	talk_expect_nothing(&house.talk);
	talk_wait(&house.talk, 2000);
	talk_expect(&house.talk, not_resumed);
	house_hang_up(&stranger);
	house_end(&house);
}

/* Everybody of this test, and who vouches for them. */
struct people {
	struct forged ca;
	struct forged alice;
	struct forged bob;
	struct forge_pem *pem;
};

static void
people_begin(struct people *people)
{
	people->ca = forge(&(struct forge_order){.subject = "ca", .is_ca = true});
	people->alice =
	    forge(&(struct forge_order){.subject = "alice", .by = &people->ca});
	people->bob = forge(&(struct forge_order){.subject = "alice", .by = &people->ca});
	people->pem = calloc(1, sizeof(*people->pem));
	assert_non_null(people->pem);
	forge_put(people->pem, &people->ca);
}

static void
people_end(struct people *people)
{
	forge_free(&people->ca);
	forge_free(&people->alice);
	forge_free(&people->bob);
	free(people->pem);
}

static void
bring(struct house_line *line, const struct forged *own)
{
	if (own == NULL) {
		SSL_certs_clear(line->ssl);
		return;
	}
	assert_int_equal(SSL_use_certificate(line->ssl, own->certificate), 1);
	assert_int_equal(SSL_use_PrivateKey(line->ssl, own->key), 1);
}

/*
 * A client that has shown who it is, is not taken for anybody else behind its address who
 * has not, or is somebody else of the same name.
 */
static void
a_certificate_ties_data_to_its_client(void **state)
{
	struct people people;
	const struct {
		const char *rule;
		int version;
		const struct forged *control;
		const struct forged *data;
		bool has_ticket;
		bool is_served;
	} cases[] = {
	    {"auto", TLS1_3_VERSION, &people.alice, &people.alice, false, true},
	    {"auto", TLS1_2_VERSION, &people.alice, &people.alice, false, true},
	    {"auto", TLS1_3_VERSION, &people.alice, &people.bob, false, false},
	    {"auto", TLS1_2_VERSION, &people.alice, &people.bob, false, false},
	    {"auto", TLS1_3_VERSION, &people.alice, NULL, false, false},
	    {"off", TLS1_3_VERSION, &people.alice, NULL, false, false},
	    {"off", TLS1_3_VERSION, &people.alice, &people.alice, false, true},
	    {"off", TLS1_3_VERSION, NULL, &people.bob, false, true},
	    {"require", TLS1_3_VERSION, &people.alice, NULL, true, true},
	    {"require", TLS1_2_VERSION, &people.alice, &people.bob, true, true},
	};

	(void)state;
	people_begin(&people);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char tls[64];
		struct house house;
		struct house_line line;

		(void)snprintf(tls, sizeof(tls), "client_ca = \"/ca\" resume = %s",
		               cases[i].rule);
		house_begin_as(&house, &(struct talk_order){.tls = tls,
		                                            .version = cases[i].version,
		                                            .client_ca = people.pem,
		                                            .own = cases[i].control});
		if (cases[i].has_ticket) {
			house_get_ticket(&house);
		}
		line = house_dial(&house, house.kept);
		bring(&line, cases[i].data);
		house_begin_download(&house);
		assert_true(house_shake(&house, &line));
		house_hear(&house, &line, cases[i].is_served ? "hello" : "");
		assert_int_equal(line.is_notified, cases[i].is_served);
		assert_int_equal(house_has_logged(&house, "does not bring the client's"),
		                 !cases[i].is_served);
		house_hang_up(&line);
		if (!cases[i].is_served) {
			/* the client's own may come yet */
			talk_expect_nothing(&house.talk);
			line = house_dial(&house, NULL);
			bring(&line, cases[i].control);
			assert_true(house_shake(&house, &line));
			house_hear(&house, &line, "hello");
			house_hang_up(&line);
		}
		talk_expect(&house.talk, complete);
		house_end(&house);
	}
	people_end(&people);
}

/* If it does not come, the client is told what was missed. */
static void
a_missing_certificate_is_told(void **state)
{
	struct people people;
	struct house house;
	struct house_line line;

	(void)state;
	people_begin(&people);
	house_begin_as(&house, &(struct talk_order){.tls = "client_ca = \"/ca\"",
	                                            .client_ca = people.pem,
	                                            .own = &people.alice});
	line = house_dial(&house, NULL);
	bring(&line, NULL);
	house_begin_download(&house);
	assert_true(house_shake(&house, &line));
	talk_wait(&house.talk, 1000 * (DATA_TLS_WAIT_S + 1));
	talk_expect(&house.talk,
	            "522 The data connection must resume the TLS session of the control "
	            "connection or bring the same client certificate.\r\n");
	house_hang_up(&line);
	house_end(&house);
	people_end(&people);
}

/* Scanners may come first, but not for ever. */
static void
handshakes_may_fail_so_often(void **state)
{
	struct house house;

	(void)state;
	house_begin(&house, "");
	house_begin_download(&house);
	for (int i = 0; i < DATA_TLS_FAILED_MAX; i++) {
		struct house_line line = house_dial(&house, NULL);

		talk_expect_nothing(&house.talk);
		assert_int_equal(send(line.fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
		(void)talk_settle(&house.talk);
		house_hang_up(&line);
	}
	talk_expect(&house.talk, "522 TLS on the data connection failed; see that its "
	                         "TLS is that of the control connection.\r\n");
	assert_true(house_has_logged(&house, "TLS on the data connection failed: "));
	house_end(&house);
}

/* SECURITY.md T8: commands are answered meanwhile, and a stall ends. */
static void
a_handshake_may_stall(void **state)
{
	struct house house;
	struct house_line line;

	(void)state;
	house_begin(&house, "");
	line = house_dial(&house, NULL);
	house_begin_download(&house);
	talk_say(&house.talk, "STAT\r\n");
	assert_non_null(memmem(house.talk.text, house.talk.len,
	                       "Waiting for TLS on the data connection", 38));
	house.talk.len = 0;
	talk_ask(&house.talk, "ABOR\r\n",
	         "426 Transfer aborted: as you asked.\r\n226 Aborted.\r\n");
	house_hang_up(&line);

	line = house_dial(&house, NULL);
	house_begin_download(&house);
	talk_wait(&house.talk,
	          UINT64_C(1000) * house.talk.worker->options->data_timeout_s + 1000);
	talk_expect(&house.talk,
	            "522 TLS on the data connection did not begin in time.\r\n");
	house_hang_up(&line);
	house_end(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_connection_is_judged),
	    cmocka_unit_test(an_end_is_judged),
	    cmocka_unit_test(a_client_must_resume_by_the_rule),
	    cmocka_unit_test(a_stranger_is_closed_and_the_client_served),
	    cmocka_unit_test(a_certificate_ties_data_to_its_client),
	    cmocka_unit_test(a_missing_certificate_is_told),
	    cmocka_unit_test(handshakes_may_fail_so_often),
	    cmocka_unit_test(a_handshake_may_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
