/*
 * test_auth_certificate: the built deftpd-auth with clients who have TLS, certificates
 * and virtual hosts, and with workers that lie about it.
 * Source: deftpd.conf(5), tls.client_login, tls_policy, users_file; SECURITY.md A4, A13.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <crypt.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ftpd/auth/certificate.h"
#include "ftpd/ipc/agent_start.h"
#include "tests/unit/auth_harness.h"
#include "common/base.h"

enum {
	SECTIONS = 5,
	USERS_SIZE = 4096,
};

static const char host_name[] = "files.example.org";

struct name_case {
	const char *names;
	const char *name;
	bool is_there;
};

static void
names_are_compared_whole(void **state)
{
	static const struct name_case rows[] = {
	    {"ann\n", "ann", true},
	    {"bob\nann\ncy\n", "ann", true},
	    {"bob\ncy\nann\n", "ann", true},
	    {"", "ann", false},
	    {"\n", "ann", false},
	    {"ann\n", "", false},
	    {"\n", "", false},
	    {"Ann\n", "ann", false},
	    {"ann \n", "ann", false},
	    {"xann\nannx\nan\n", "ann", false},
	    {"*\n", "ann", false},
	    {"a\nnn\n", "ann", false},
	    {"ann\nbob\n", "ann\nbob", false},
	    {"ann", "ann", false}, /* not ended: no whole line */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_int_equal(certificate_has_name(rows[i].names, rows[i].name),
		                 rows[i].is_there);
	}
}

struct run {
	struct auth_place place;
	struct auth_server server;
	struct policy_override sections[SECTIONS];
	struct policy_host host;
};

static void
add_section(struct run *run, enum policy_scope scope, const char *title,
            enum policy_key key)
{
	struct overrides *overrides = &run->place.overrides;
	struct policy_override *section = &overrides->entry[overrides->count++];

	section->scope = scope;
	section->keys = 1U << key;
	(void)snprintf(section->title, sizeof(section->title), "%s", title);
}

static struct policy *
last_values(struct run *run)
{
	return &run->place.overrides.entry[run->place.overrides.count - 1].values;
}

static void
write_sections(struct run *run)
{
	run->place.overrides.entry = run->sections;
	add_section(run, POLICY_USER, "mapped", POLICY_CLIENT_NAME);
	(void)snprintf(last_values(run)->client_name, OPTIONS_HOST_MAX, "x-%%u@a.org");
	add_section(run, POLICY_USER, "tlslogins", POLICY_TLS_POLICY);
	last_values(run)->tls_policy = OPTIONS_TLS_LOGINS;
	add_section(run, POLICY_USER, "tlsall", POLICY_TLS_POLICY);
	last_values(run)->tls_policy = OPTIONS_TLS_ALL;
	add_section(run, POLICY_USER, "tlsoptional", POLICY_TLS_POLICY);
	last_values(run)->tls_policy = OPTIONS_TLS_OPTIONAL;
	add_section(run, POLICY_HOST, host_name, POLICY_USERS_FILE);
	(void)snprintf(run->host.users_file, sizeof(run->host.users_file), "%s/others",
	               run->place.top);
	run->sections[SECTIONS - 1].host = &run->host;
}

static void
write_users(struct run *run)
{
	static const char *const with_horse[] = {"ann",    "mapped",      "tlslogins",
	                                         "tlsall", "tlsoptional", "denied"};
	static struct crypt_data data;
	const char *home = run->place.home;
	char users[USERS_SIZE] = "";
	size_t used = 0;
	const char *hash = crypt_r("horse", "$6$rounds=1000$saltsalt$", &data);

	for (size_t i = 0; i < ARRAY_COUNT(with_horse); i++) {
		used += (size_t)snprintf(users + used, sizeof(users) - used,
		                         "%s:%s:1:1::%s:\n", with_horse[i], hash, home);
	}
	(void)snprintf(users + used, sizeof(users) - used,
	               "locked:!%s:1:1::%s:\nstar:*:1:1::%s:\nempty::1:1::%s:\n", hash,
	               home, home, home);
	place_write(&run->place, "users", users);
	hash = crypt_r("other", "$6$rounds=1000$saltsalt$", &data);
	(void)snprintf(users, sizeof(users), "ann:%s:1:1::%s:\nbob:%s:1:1::%s:\n", hash,
	               home, hash, home);
	place_write(&run->place, "others", users);
}

static int
set_up(void **state)
{
	struct run *run = calloc(1, sizeof(*run));
	struct options *options;

	assert_non_null(run);
	place_make(&run->place);
	options = &run->place.options;
	options->tls.certificate.count = 1;
	(void)snprintf(options->tls.certificate.entry[0], OPTIONS_TEXT_MAX, "/c");
	options->logins.deny_users.count = 1;
	(void)snprintf(options->logins.deny_users.entry[0], OPTIONS_NAME_MAX, "denied");
	write_users(run);
	write_sections(run);
	*state = run;
	return 0;
}

static int
tear_down(void **state)
{
	struct run *run = *state;

	place_remove(&run->place);
	free(run);
	return 0;
}

struct try_case {
	const char *user;
	const char *password;
	bool is_secure;
	const char *names;
	const char *host;
	enum ma_reason reason; /* MA_REASON_COUNT: accepted */
	const char *text;      /* part of what the log has */
};

static void
assert_exit(int status, int expected)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

/* All refusals but one look alike to the client. */
static enum login_refusal
refusal_of(enum ma_reason reason)
{
	return reason == MA_NEEDS_TLS ? LOGIN_NEEDS_TLS : LOGIN_INCORRECT;
}

static void
try_one(struct run *run, const struct try_case *row)
{
	const struct login_message message = {.type = LOGIN_TRY,
	                                      .user = row->user,
	                                      .user_len = strlen(row->user),
	                                      .secret = row->password,
	                                      .secret_len = strlen(row->password),
	                                      .host = row->host,
	                                      .host_len = strlen(row->host),
	                                      .is_secure = row->is_secure,
	                                      .names = row->names,
	                                      .names_len = strlen(row->names)};
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	child_start(&run->server, &child);
	child_give_try(&child, child_make_channel(&child));
	worker_send(&child, &message);
	if (row->reason == MA_REASON_COUNT) {
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		assert_exit(child_end(&child), AGENT_EXIT_DONE);
		return;
	}
	expect_refusal(&child, row->reason, refusal_of(row->reason), text);
	assert_non_null(strstr(text, row->text));
	assert_exit(child_end(&child), 0);
}

static void
try_all(struct run *run, uint8_t client_login, const struct try_case *rows, size_t count)
{
	run->place.options.tls.client_login = client_login;
	server_start(&run->server, &run->place);
	for (size_t i = 0; i < count; i++) {
		try_one(run, &rows[i]);
	}
	server_stop(&run->server);
}

/* Both are needed, and who has not the certificate learns nothing of the password. */
static void
certificate_and_password_must_match(void **state)
{
	static const struct try_case rows[] = {
	    {"ann", "horse", true, "ann\n", "", MA_REASON_COUNT, ""},
	    {"ann", "horse", true, "bob\nann\n", "", MA_REASON_COUNT, ""},
	    {"ann", "Horse", true, "ann\n", "", MA_WRONG_PASSWORD, ""},
	    {"ann", "", true, "ann\n", "", MA_WRONG_PASSWORD, ""},
	    {"ann", "horse", true, "", "", MA_CERTIFICATE, "brought none"},
	    {"ann", "horse", false, "", "", MA_CERTIFICATE, "brought none"},
	    {"ann", "horse", false, "ann\n", "", MA_CERTIFICATE, "\"ann\""},
	    {"ann", "horse", true, "bob\n", "", MA_CERTIFICATE, "\"ann\""},
	    {"ann", "Horse", true, "bob\n", "", MA_CERTIFICATE, "\"ann\""},
	    {"ann", "horse", true, "Ann\n", "", MA_CERTIFICATE, "\"ann\""},
	    {"ann", "horse", true, "*\n", "", MA_CERTIFICATE, "\"ann\""},
	    {"nobody-has-this", "x", true, "nobody-has-this\n", "", MA_UNKNOWN_USER, ""},
	    {"denied", "horse", true, "denied\n", "", MA_DENIED, "deny_users"},
	    {"locked", "horse", true, "locked\n", "", MA_LOCKED, "no password"},
	    /* client_name of his own section */
	    {"mapped", "horse", true, "mapped\n", "", MA_CERTIFICATE, "x-mapped@a.org"},
	    {"mapped", "horse", true, "x-mapped@a.org\n", "", MA_REASON_COUNT, ""},
	};

	try_all(*state, OPTIONS_CERTIFICATE_MATCH, rows, ARRAY_COUNT(rows));
}

static void
a_certificate_may_be_enough(void **state)
{
	static const struct try_case rows[] = {
	    {"ann", "", true, "ann\n", "", MA_REASON_COUNT, ""},
	    {"ann", "Horse", true, "ann\n", "", MA_REASON_COUNT, ""},
	    {"empty", "x", true, "empty\n", "", MA_REASON_COUNT, ""},
	    /* Without it, or with another's, the password decides. */
	    {"ann", "horse", true, "", "", MA_REASON_COUNT, ""},
	    {"ann", "horse", false, "", "", MA_REASON_COUNT, ""},
	    {"ann", "Horse", true, "bob\n", "", MA_WRONG_PASSWORD, ""},
	    {"ann", "Horse", false, "ann\n", "", MA_WRONG_PASSWORD, ""},
	    {"ann", "", true, "", "", MA_WRONG_PASSWORD, ""},
	    /* It opens nothing that is closed. */
	    {"locked", "horse", true, "locked\n", "", MA_LOCKED, "locked in"},
	    {"star", "", true, "star\n", "", MA_LOCKED, "locked in"},
	    {"denied", "horse", true, "denied\n", "", MA_DENIED, "deny_users"},
	    {"nobody-has-this", "", true, "nobody-has-this\n", "", MA_UNKNOWN_USER, ""},
	};

	try_all(*state, OPTIONS_CERTIFICATE_ENOUGH, rows, ARRAY_COUNT(rows));
}

/* That TLS is missing is told to him alone who knows the password. */
static void
users_may_have_to_use_tls(void **state)
{
	static const struct try_case rows[] = {
	    {"tlslogins", "horse", false, "", "", MA_NEEDS_TLS, ""},
	    {"tlsall", "horse", false, "", "", MA_NEEDS_TLS, ""},
	    {"tlsall", "Horse", false, "", "", MA_WRONG_PASSWORD, ""},
	    {"tlsall", "", false, "", "", MA_WRONG_PASSWORD, ""},
	    {"tlsall", "horse", true, "", "", MA_REASON_COUNT, ""},
	    {"tlslogins", "horse", true, "", "", MA_REASON_COUNT, ""},
	    {"tlsoptional", "horse", false, "", "", MA_REASON_COUNT, ""},
	    /* A certificate that nobody asks about is worth nothing. */
	    {"ann", "Horse", true, "ann\n", "", MA_WRONG_PASSWORD, ""},
	};

	try_all(*state, OPTIONS_CERTIFICATE_OFF, rows, ARRAY_COUNT(rows));
}

static void
hosts_have_users_of_their_own(void **state)
{
	static const struct try_case rows[] = {
	    {"ann", "horse", false, "", "", MA_REASON_COUNT, ""},
	    {"ann", "horse", false, "", host_name, MA_WRONG_PASSWORD, ""},
	    {"ann", "other", false, "", host_name, MA_REASON_COUNT, ""},
	    {"ann", "other", false, "", "FILES.example.ORG", MA_REASON_COUNT, ""},
	    {"ann", "other", false, "", "", MA_WRONG_PASSWORD, ""},
	    {"bob", "other", false, "", host_name, MA_REASON_COUNT, ""},
	    {"bob", "other", false, "", "", MA_UNKNOWN_USER, ""},
	    {"bob", "other", false, "", "another.example.org", MA_UNKNOWN_USER, ""},
	    {"tlsall", "horse", true, "", host_name, MA_UNKNOWN_USER, ""},
	    {"ann", "horse", false, "", "another.example.org", MA_REASON_COUNT, ""},
	};

	try_all(*state, OPTIONS_CERTIFICATE_OFF, rows, ARRAY_COUNT(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_compared_whole),
	    cmocka_unit_test_setup_teardown(certificate_and_password_must_match, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(a_certificate_may_be_enough, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(users_may_have_to_use_tls, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(hosts_have_users_of_their_own, set_up,
	                                    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
