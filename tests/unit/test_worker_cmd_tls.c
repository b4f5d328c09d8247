/*
 * test_worker_cmd_tls: AUTH, PBSZ, PROT and CCC, what policies refuse, and which host a
 * client has come to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "ftpd/ipc/login.h"
#include "tests/unit/tls_session.h"
#include "common/base.h"

#define GREETING  "220 FTP server ready.\r\n"
#define ANONYMOUS "anonymous { enabled = yes }\n"
#define NEEDS_TLS "503 Commands are not encrypted; use AUTH TLS first.\r\n"
#define ASKS_MAIL "331 Anonymous login: send your e-mail address as password.\r\n"
#define GRANTED   "230 Anonymous access granted, read only.\r\n"

struct said {
	const char *line;   /* NULL: the client begins TLS */
	const char *wanted; /* the reply's beginning */
};

enum {
	SAID_MAX = 16,
};

static void
play(struct talk *talk, const struct said said[SAID_MAX])
{
	for (size_t i = 0; i < SAID_MAX && said[i].wanted != NULL; i++) {
		const char *end;

		if (said[i].line == NULL) {
			talk_auth(talk);
			continue;
		}
		talk_say(talk, said[i].line);
		talk_expect(talk, said[i].wanted);
		/* the rest of one line */
		end = memchr(talk->text, '\n', talk->len);
		talk->len -= end != NULL ? (size_t)(end + 1 - talk->text) : 0;
		memmove(talk->text, end != NULL ? end + 1 : talk->text, talk->len);
		if (talk->len > 0) {
			fail_msg("%s: and then %.*s", said[i].line, (int)talk->len,
			         talk->text);
		}
	}
}

static void
commands_are_answered_by_the_rules(void **state)
{
	static const struct {
		const char *why;
		struct talk_order order;
		struct said said[SAID_MAX];
	} cases[] = {
	    {"in clear",
	     {.configuration = ANONYMOUS},
	     {{"AUTH\r\n", "501 "},
	      {"AUTH GSSAPI\r\n", "504 "},
	      {"PBSZ 0\r\n", NEEDS_TLS},
	      {"PROT P\r\n", NEEDS_TLS},
	      {"CCC\r\n", "533 "},
	      {"ADAT x\r\n", "502 "},
	      {"USER ftp\r\n", "331 "},
	      {"PASS x\r\n", "230 "},
	      {"AUTH TLS\r\n", "503 "}}},
	    {"in TLS",
	     {.configuration = ANONYMOUS},
	     {{NULL, ""},
	      {"AUTH TLS\r\n", "503 TLS is on already."},
	      {"PROT P\r\n", "503 Please send PBSZ 0 first."},
	      {"PBSZ x\r\n", "501 "},
	      {"PBSZ 4294967296\r\n", "501 "},
	      {"PBSZ 1024\r\n", "200 PBSZ=0\r"},
	      {"PROT S\r\n", "536 "},
	      {"prot e\r\n", "536 "},
	      {"PROT X\r\n", "504 "},
	      {"PROT\r\n", "501 "},
	      {"PROT p\r\n", "200 Data is encrypted."},
	      {"PROT C\r\n", "200 Data is not encrypted."},
	      {"CCC\r\n", "533 "}}},
	    {"a refused AUTH changes nothing",
	     {.configuration = ANONYMOUS},
	     {{"USER ftp\r\n", "331 "},
	      {"AUTH GSS\r\n", "504 "},
	      {"PASS x\r\n", "230 "}}},
	    {"CCC comes after the login",
	     {.configuration = ANONYMOUS, .tls = "allow_ccc = yes"},
	     {{"CCC\r\n", "503 "}, {NULL, ""}, {"CCC\r\n", "530 "}}},
	    {"not where commands must be encrypted",
	     {.configuration = ANONYMOUS, .tls = "allow_ccc = yes policy = \"all\""},
	     {{NULL, ""},
	      {"USER ftp\r\n", "331 "},
	      {"PASS x\r\n", "230 "},
	      {"CCC\r\n", "534 "},
	      {"PBSZ 0\r\n", "200 "},
	      {"PROT C\r\n", "534 "},
	      {"NLST\r\n", "521 "},
	      {"PROT P\r\n", "200 "},
	      {"NLST\r\n", "425 "}}},
	    {"no password in clear",
	     {.configuration = ANONYMOUS, .tls = "policy = \"logins\""},
	     {{"USER alice\r\n", "530 Use AUTH TLS first."},
	      {"PASS x\r\n", "503 "},
	      {"USER ftp\r\n", "530 Use AUTH TLS first."},
	      {"NOOP\r\n", "200 "}}},
	    {"policy logins says nothing of data",
	     {.configuration = ANONYMOUS, .tls = "policy = \"logins\""},
	     {{NULL, ""},
	      {"USER alice\r\n", "331 "},
	      {"USER ftp\r\n", "331 "},
	      {"PASS x\r\n", "230 "},
	      {"NLST\r\n", "425 "}}},
	    {"anonymous clients have a policy of their own",
	     {.configuration = "anonymous { enabled = yes tls_policy = \"optional\" }",
	      .tls = "policy = \"logins\""},
	     {{"USER alice\r\n", "530 "},
	      {"USER ftp\r\n", "331 "},
	      {"PASS x\r\n", "230 "}}},
	    {"switched off",
	     {.configuration = ANONYMOUS, .tls = "policy = \"off\""},
	     {{"AUTH TLS\r\n", "534 "},
	      {"PBSZ 0\r\n", "503 "},
	      {"USER alice\r\n", "331 "}}},
	    {"no certificate",
	     {.configuration = ANONYMOUS, .has_no_tls = true},
	     {{"AUTH TLS\r\n", "502 AUTH is not implemented here."},
	      {"AUTH\r\n", "502 "},
	      {"PBSZ 0\r\n", "502 "},
	      {"PROT P\r\n", "502 "},
	      {"CCC\r\n", "502 "},
	      {"HELP AUTH\r\n", "214 Syntax: AUTH <SP> TLS - Begin TLS (not "},
	      {"USER ftp\r\n", "331 "},
	      {"PASS x\r\n", "230 "},
	      {"NLST\r\n", "425 "}}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct talk talk;

		talk_begin(&talk, &cases[i].order);
		talk_expect(&talk, GREETING);
		print_message("%s\n", cases[i].why);
		play(&talk, cases[i].said);
		talk_end(&talk);
	}
}

static void
older_names_of_tls_protect_data(void **state)
{
	static const struct {
		const char *name;
		bool is_data_private;
	} cases[] = {{"TLS", false}, {"tls-c", false}, {"SSL", true}, {"TLS-P", true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct talk talk;
		char line[32];

		talk_begin(&talk, &(struct talk_order){.version = 0});
		talk_expect(&talk, GREETING);
		(void)snprintf(line, sizeof(line), "AUTH %s\r\n", cases[i].name);
		talk_ask(&talk, line, "234 Begin TLS now.\r\n");
		talk_shake(&talk);
		talk_ask(&talk, "NOOP\r\n", "200 Done.\r\n");
		assert_int_equal(talk.session->tls.is_data_private,
		                 cases[i].is_data_private);
		talk_end(&talk);
	}
}

/* RFC 2228 3, AUTH: what was said in clear could be anybody's. */
static void
auth_forgets_what_was_said(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.configuration = ANONYMOUS});
	talk_expect(&talk, GREETING);
	talk_ask(&talk, "CLNT somebody\r\n", "200 Noted.\r\n");
	assert_string_equal(talk.session->client, "somebody");
	talk_ask(&talk, "HOST ftp.example\r\n", GREETING);
	talk_ask(&talk, "USER ftp\r\n", ASKS_MAIL);
	talk_auth(&talk);
	talk_ask(&talk, "PASS x\r\n", "503 Please send USER first.\r\n");
	assert_null(talk.session->name);
	assert_null(talk.session->client);
	assert_string_equal(talk.session->host, "ftp.example");
	talk_end(&talk);
}

static void
features_tell_of_tls(void **state)
{
	static const struct {
		struct talk_order order;
		const char *has;
		const char *lacks;
	} cases[] = {
	    {{.version = 0}, " AUTH TLS\r\n PBSZ\r\n PROT\r\n", " CCC\r\n"},
	    {{.tls = "allow_ccc = yes"}, " CCC\r\n", "?"},
	    {{.tls = "policy = \"off\""}, "UTF8", "AUTH"},
	    {{.has_no_tls = true}, "UTF8", "PBSZ"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
		struct talk talk;

		talk_begin(&talk, &cases[i / 2].order);
		talk_expect(&talk, GREETING);
		if (i % 2 != 0 && talk.worker->tls != NULL) {
			talk_auth(&talk); /* the list stays the same */
		}
		talk_say(&talk, "FEAT\r\n");
		talk.text[talk.len] = '\0';
		assert_non_null(strstr(talk.text, cases[i / 2].has));
		assert_null(strstr(talk.text, cases[i / 2].lacks));
		talk_end(&talk);
	}
}

static void
status_tells_of_tls(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.version = TLS1_2_VERSION});
	talk_expect(&talk, GREETING);
	talk_say(&talk, "STAT\r\n");
	talk.text[talk.len] = '\0';
	assert_non_null(strstr(talk.text, " No TLS for commands\r\n"));
	assert_non_null(strstr(talk.text, " Data is not encrypted: PROT C\r\n"));
	talk.len = 0;
	talk_auth(&talk);
	talk_ask(&talk, "PBSZ 0\r\n", "200 PBSZ=0\r\n");
	talk_ask(&talk, "PROT P\r\n", "200 Data is encrypted.\r\n");
	talk_say(&talk, "STAT\r\n");
	talk.text[talk.len] = '\0';
	assert_non_null(strstr(talk.text, " TLS 1.2, ECDHE-"));
	assert_non_null(strstr(talk.text, " Data is encrypted: PROT P\r\n"));
	talk_end(&talk);
}

/* RFC 4217 13: nothing that was agreed upon in TLS outlives it. */
static void
rein_begins_anew(void **state)
{
	(void)state;
	for (int is_clear = 0; is_clear < 2; is_clear++) {
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.configuration = ANONYMOUS,
		                                       .tls = "allow_ccc = yes"});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		talk_ask(&talk, "PBSZ 0\r\n", "200 PBSZ=0\r\n");
		talk_ask(&talk, "PROT P\r\n", "200 Data is encrypted.\r\n");
		talk_ask(&talk, "USER ftp\r\n", ASKS_MAIL);
		talk_ask(&talk, "PASS x\r\n", GRANTED);
		if (is_clear != 0) {
			talk_ask(&talk, "CCC\r\n",
			         "200 Commands go in clear from now on.\r\n");
			talk_leave_tls(&talk, true);
			assert_true(talk.session->tls.is_data_private);
		}
		talk.session->tls.has_closed = true;
		talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
		if (is_clear == 0) {
			talk_leave_tls(&talk, true);
		}
		assert_false(talk.session->tls.is_data_private);
		assert_false(talk.session->tls.has_pbsz);
		assert_false(talk.session->tls.has_closed);
		talk_ask(&talk, "USER ftp\r\n", ASKS_MAIL);
		talk_end(&talk);
	}
}

/* Where TLS is demanded, it is demanded of the next user, too. */
static void
rein_lets_nobody_in_without_tls(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.tls = "policy = \"logins\""});
	talk_expect(&talk, GREETING);
	talk_auth(&talk);
	talk_ask(&talk, "USER alice\r\n", "331 Password required.\r\n");
	talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
	talk_leave_tls(&talk, true);
	talk_ask(&talk, "PASS x\r\n", "503 Please send USER first.\r\n");
	talk_ask(&talk, "USER alice\r\n", "530 Use AUTH TLS first.\r\n");
	talk_auth(&talk);
	talk_ask(&talk, "USER alice\r\n", "331 Password required.\r\n");
	talk_end(&talk);
}

#define HOSTS                                                        \
	ANONYMOUS "host \"a.example\" { banner = \"This is A.\" }\n" \
		  "host \"b.example\" { anonymous_root = \"/srv/b\" }\n"

static void
hosts_are_named(void **state)
{
	static const struct {
		const char *why;
		const char *server_name; /* NULL: no TLS */
		const char *line;
		const char *wanted;
		const char *host; /* then */
		uint16_t number;
	} cases[] = {
	    {"one of ours", NULL, "HOST a.example\r\n", "220 This is A.\r\n", "a.example",
	     1},
	    {"in any case", NULL, "HOST A.EXAMPLE\r\n", "220 This is A.\r\n", "A.EXAMPLE",
	     1},
	    {"without a banner", NULL, "HOST b.example\r\n", GREETING, "b.example", 2},
	    {"nobody's", NULL, "HOST c.example\r\n", GREETING, "c.example", 0},
	    {"by SNI", "a.example", "NOOP\r\n", "200 Done.\r\n", "a.example", 1},
	    {"the same by SNI and HOST", "b.example", "HOST B.example\r\n", GREETING,
	     "B.example", 2},
	    {"another one", "b.example", "HOST a.example\r\n",
	     "504 TLS was begun for another host.\r\n", "b.example", 2},
	    {"another one, which is nobody's", "b.example", "HOST c.example\r\n",
	     "504 TLS was begun for another host.\r\n", "b.example", 2},
	    {"SNI that names nobody", "c.example", "HOST a.example\r\n",
	     "220 This is A.\r\n", "a.example", 1},
	    {"no SNI", "", "HOST a.example\r\n", "220 This is A.\r\n", "a.example", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const char *name = cases[i].server_name;
		struct talk talk;

		print_message("%s\n", cases[i].why);
		talk_begin(&talk, &(struct talk_order){
				      .configuration = HOSTS,
				      .server_name =
					  name != NULL && name[0] != '\0' ? name : NULL});
		talk_expect(&talk, GREETING);
		if (name != NULL) {
			talk_auth(&talk);
		}
		talk_ask(&talk, cases[i].line, cases[i].wanted);
		assert_string_equal(talk.session->host, cases[i].host);
		assert_int_equal(talk.session->host_number, cases[i].number);
		talk_end(&talk);
	}
}

/* HOST in clear could be anybody's word; SNI is told in the handshake that is checked. */
static void
server_names_outweigh_what_was_said_in_clear(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.configuration = HOSTS,
	                                       .server_name = "b.example"});
	talk_expect(&talk, GREETING);
	talk_ask(&talk, "HOST c.example\r\n", GREETING);
	talk_auth(&talk);
	talk_ask(&talk, "NOOP\r\n", "200 Done.\r\n");
	assert_string_equal(talk.session->host, "b.example");
	assert_int_equal(talk.session->host_number, 2);
	assert_non_null(strstr(talk.log, "; for b.example"));
	talk_end(&talk);
}

/* A private worker has no agents before it knows whose files are wanted. */
static void
agents_are_those_of_the_host(void **state)
{
	struct talk talk;

	(void)state;
	talk_begin(&talk, &(struct talk_order){.configuration = HOSTS});
	talk_expect(&talk, GREETING);
	talk_auth(&talk);
	talk_ask(&talk, "HOST b.example\r\n", GREETING);
	talk_ask(&talk, "USER ftp\r\n", ASKS_MAIL);
	assert_int_equal(talk.asked_for, 0);
	talk_ask(&talk, "PASS x\r\n", GRANTED);
	assert_int_equal(talk.asked_for, 1);
	assert_int_equal(talk.asked_host, 2);
	talk_ask(&talk, "REIN\r\n", "220 Ready for a new user.\r\n");
	talk_leave_tls(&talk, true);
	talk_ask(&talk, "USER ftp\r\n", ASKS_MAIL);
	talk_ask(&talk, "PASS x\r\n", GRANTED);
	assert_int_equal(talk.asked_for, 2);
	assert_int_equal(talk.asked_host, 0);
	talk_end(&talk);
}

/* What the authenticator is told of the client, who has come with a certificate. */
static struct login_message
hear_try(struct talk *talk, uint8_t bytes[IPC_MESSAGE_MAX])
{
	const struct mw_message give = {
	    .type = MW_LOGIN_ANSWER, .session = TALK_SESSION, .result = IPC_OK};
	struct login_message message = {.type = LOGIN_COUNT};
	int channel[2];
	ssize_t len;

	assert_true(talk->has_login);
	assert_int_equal(channel_pair(channel), 0);
	talk_give(talk, &give, channel[0]);
	len = channel_recv_plain(channel[1], bytes, IPC_MESSAGE_MAX, MSG_DONTWAIT);
	assert_true(len > 0 && login_decode(bytes, (size_t)len, &message));
	assert_int_equal(message.type, LOGIN_TRY);
	fd_close(&channel[0]);
	fd_close(&channel[1]);
	return message;
}

static void
certificates_are_told_to_the_authenticator(void **state)
{
	static const char names[] = "alice.example\nalice@example.net\n";
	struct forged ca = forge(&(struct forge_order){.subject = "ca", .is_ca = true});
	struct forged own =
	    forge(&(struct forge_order){.subject = "alice",
	                                .by = &ca,
	                                .names = "DNS:alice.example, "
	                                         "email:alice@example.net"});
	struct forge_pem *pem = calloc(1, sizeof(*pem));
	uint8_t *bytes = malloc(IPC_MESSAGE_MAX);

	(void)state;
	assert_true(pem != NULL && bytes != NULL);
	forge_put(pem, &ca);
	for (int has_certificate = 0; has_certificate < 2; has_certificate++) {
		struct talk talk;
		struct login_message message;

		talk_begin(&talk, &(struct talk_order){
				      .tls = "client_ca = \"/ca\"",
				      .configuration = "local_users { enabled = yes }",
				      .client_ca = pem,
				      .own = has_certificate != 0 ? &own : NULL});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		talk_ask(&talk, "USER alice\r\n", "331 Password required.\r\n");
		talk_ask(&talk, "PASS secret\r\n", "");
		message = hear_try(&talk, bytes);
		assert_true(message.is_secure);
		assert_int_equal(message.secret_len, 6);
		assert_int_equal(message.names_len,
		                 has_certificate != 0 ? sizeof(names) - 1 : 0);
		assert_memory_equal(message.names, names, message.names_len);
		assert_int_equal(strstr(talk.log, "; client certificate: alice.example, "
		                                  "alice@example.net\n") != NULL,
		                 has_certificate);
		talk_end(&talk);
	}
	forge_free(&own);
	forge_free(&ca);
	free(pem);
	free(bytes);
}

static void
other_protocols_end_the_session(void **state)
{
	static const char *const lines[] = {"GET / HTTP/1.1\r\n", "EHLO x\r\n",
	                                    "MAIL FROM:<a@b>\r\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		struct talk talk;

		talk_begin(&talk, &(struct talk_order){.version = 0});
		talk_expect(&talk, GREETING);
		talk_auth(&talk);
		talk_say(&talk, lines[i]);
		talk_expect(&talk, "421 This is an FTP server; goodbye.\r\n");
		assert_true(talk.has_notified);
		talk_expect_end(&talk, MW_END_VIOLATION);
		talk_end(&talk);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_are_answered_by_the_rules),
	    cmocka_unit_test(older_names_of_tls_protect_data),
	    cmocka_unit_test(auth_forgets_what_was_said),
	    cmocka_unit_test(features_tell_of_tls),
	    cmocka_unit_test(status_tells_of_tls),
	    cmocka_unit_test(rein_begins_anew),
	    cmocka_unit_test(rein_lets_nobody_in_without_tls),
	    cmocka_unit_test(hosts_are_named),
	    cmocka_unit_test(server_names_outweigh_what_was_said_in_clear),
	    cmocka_unit_test(agents_are_those_of_the_host),
	    cmocka_unit_test(certificates_are_told_to_the_authenticator),
	    cmocka_unit_test(other_protocols_end_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
