/*
 * test_auth_grant: what worker and agent are told of a policy.
 * Source: ftpd/ipc/login.h, ftpd/ipc/agent_start.h; deftpd.conf(5), "directory".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "ftpd/auth/admit.h"
#include "ftpd/auth/grant.h"
#include "common/base.h"

enum {
	RULES = AGENT_RULES_MAX + 1,
	BIG = 1 << 20,
};

struct grant_test {
	struct auth auth;
	struct login_try login;
	struct agent_start start;
	struct policy_override entries[RULES];
	char name[8];
	char shell[8];
	gid_t groups[3];
};

static int
set_up(void **state)
{
	struct grant_test *test = calloc(1, sizeof(*test));
	struct account *account;

	assert_non_null(test);
	options_set_defaults(&test->auth.options);
	test->auth.overrides.entry = test->entries;
	test->login.auth = &test->auth;
	test->login.candidate.kind = POLICY_KIND_VIRTUAL;
	account = &test->login.candidate.account;
	memcpy(test->name, "ann", 4);
	memcpy(test->groups, (gid_t[]){5, 70000, 6}, sizeof(test->groups));
	account->name = test->name;
	account->shell = test->shell;
	account->uid = 1234;
	account->gid = 5;
	account->groups = test->groups;
	account->group_count = ARRAY_COUNT(test->groups);
	memcpy(test->login.root, "/srv/ann", 9);
	memcpy(test->login.start, "/in", 4);
	test->login.policy = (struct policy){.may_log_in = true,
	                                     .upload_mode = OPTIONS_UPLOAD_ATOMIC,
	                                     .tls_policy = OPTIONS_TLS_ALL,
	                                     .umask = 027,
	                                     .idle_timeout_s = 99,
	                                     .max_file_size = BIG,
	                                     .min_free_space = 2 * BIG,
	                                     .rate_down = 1,
	                                     .rate_up = 2};
	*state = test;
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct policy_override *
add_directory(struct grant_test *test, const char *title, uint32_t keys)
{
	struct policy_override *entry = &test->entries[test->auth.overrides.count++];

	entry->scope = POLICY_DIRECTORY;
	(void)snprintf(entry->title, sizeof(entry->title), "%s", title);
	entry->keys = keys;
	return entry;
}

static void
the_agent_gets_ids_and_rights(void **state)
{
	struct grant_test *test = *state;
	const struct agent_start *start = &test->start;

	assert_true(grant_for_agent(&test->login, &test->start));
	assert_int_equal(start->uid, 1234);
	assert_int_equal(start->gid, 5);
	assert_int_equal(start->group_count, 3);
	assert_ptr_equal(start->groups, test->groups);
	assert_true(start->has_sandbox);
	assert_string_equal(start->root, "/srv/ann");
	assert_int_equal(start->root_len, 8);
	assert_string_equal(start->start, "/in");
	assert_int_equal(start->start_len, 3);
	assert_true(start->rights.may_write);
	assert_false(start->rights.is_dropbox);
	assert_int_equal(start->rights.mode, AGENT_UPLOAD_ATOMIC);
	assert_false(start->rights.keeps_partial);
	assert_int_equal(start->rights.max_file_bytes, BIG);
	assert_int_equal(start->rights.min_free_bytes, 2 * BIG);
	assert_int_equal(start->rights.umask, 027);
	assert_int_equal(start->rule_count, 0);
	test->auth.options.sandbox = OPTIONS_SANDBOX_OFF;
	test->login.policy.read_only = true;
	test->login.policy.keep_partial = true;
	test->login.policy.upload_mode = OPTIONS_UPLOAD_DURABLE;
	assert_true(grant_for_agent(&test->login, &test->start));
	assert_false(start->has_sandbox);
	assert_false(start->rights.may_write);
	assert_true(start->rights.keeps_partial);
	assert_int_equal(start->rights.mode, AGENT_UPLOAD_DURABLE);
}

static void
directories_become_rules(void **state)
{
	struct grant_test *test = *state;
	const struct agent_start *start = &test->start;
	struct policy_override *entry;

	test->login.policy.read_only = true;
	entry = add_directory(test, "/in/deep", 1U << POLICY_UMASK);
	entry->values.umask = 077;
	entry =
	    add_directory(test, "/in", 1U << POLICY_READ_ONLY | 1U << POLICY_UPLOAD_MODE);
	entry->values.upload_mode = OPTIONS_UPLOAD_DIRECT;
	entry = &test->entries[test->auth.overrides.count++];
	entry->scope = POLICY_GROUP; /* no rule of an agent */
	assert_true(grant_for_agent(&test->login, &test->start));
	assert_int_equal(start->rule_count, 2);
	assert_int_equal(start->rules[0].directory_len, 8);
	assert_memory_equal(start->rules[0].directory, "/in/deep", 8);
	/* What it does not say is said by the directory around it, then by the user. */
	assert_true(start->rules[0].rights.may_write);
	assert_int_equal(start->rules[0].rights.mode, AGENT_UPLOAD_DIRECT);
	assert_int_equal(start->rules[0].rights.umask, 077);
	assert_int_equal(start->rules[0].rights.max_file_bytes, BIG);
	assert_int_equal(start->rules[1].directory_len, 3);
	assert_true(start->rules[1].rights.may_write);
	assert_int_equal(start->rules[1].rights.umask, 027);
	assert_false(start->rights.may_write);
}

static void
too_many_rules_are_refused(void **state)
{
	struct grant_test *test = *state;
	char title[16];

	for (int i = 0; i < AGENT_RULES_MAX; i++) {
		(void)snprintf(title, sizeof(title), "/%d", i);
		(void)add_directory(test, title, 0);
	}
	assert_true(grant_for_agent(&test->login, &test->start));
	assert_int_equal(test->start.rule_count, AGENT_RULES_MAX);
	(void)add_directory(test, "/more", 0);
	assert_false(grant_for_agent(&test->login, &test->start));
}

/* The longest record that there can be fits. */
static void
many_groups_are_sealed(void **state)
{
	struct grant_test *test = *state;
	static gid_t groups[AGENT_GROUPS_MAX];
	int fd = -1;

	for (size_t i = 0; i < ARRAY_COUNT(groups); i++) {
		groups[i] = (gid_t)(i + 1);
	}
	test->login.candidate.account.groups = groups;
	test->login.candidate.account.group_count = ARRAY_COUNT(groups);
	assert_true(grant_for_agent(&test->login, &test->start));
	assert_int_equal(agent_start_seal(&test->start, &fd), 0);
	assert_int_equal(close(fd), 0);
}

static void
the_worker_gets_limits(void **state)
{
	struct grant_test *test = *state;
	struct login_grant grant;

	grant_for_worker(&test->login, &grant);
	assert_false(grant.is_read_only);
	assert_false(grant.has_shared_rate);
	assert_int_equal(grant.idle_timeout_s, 99);
	assert_int_equal(grant.rate_down, 1);
	assert_int_equal(grant.rate_up, 2);
	assert_int_equal(grant.max_file_bytes, BIG);
	assert_int_equal(grant.min_free_bytes, 2 * BIG);
	assert_int_equal(grant.tls_policy, OPTIONS_TLS_ALL);
	assert_int_equal(grant.start_len, 3);
	assert_memory_equal(grant.start, "/in", 3);
}

/* Any of four limits makes the session tell the master when data moves. */
static void
shared_rates_are_told(void **state)
{
	struct grant_test *test = *state;
	uint64_t *const limits[] = {
	    &test->login.policy.user_rate_down, &test->login.policy.user_rate_up,
	    &test->auth.options.rates.address_down, &test->auth.options.rates.address_up};

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		struct login_grant grant;

		*limits[i] = 1;
		grant_for_worker(&test->login, &grant);
		assert_true(grant.has_shared_rate);
		*limits[i] = 0;
	}
}

/* The worker refuses only what is refused in every directory. */
static void
directories_widen_the_grant(void **state)
{
	struct grant_test *test = *state;
	struct policy_override *entry;
	struct login_grant grant;

	test->login.policy.read_only = true;
	entry = add_directory(test, "/a",
	                      1U << POLICY_MAX_FILE_SIZE | 1U << POLICY_MIN_FREE_SPACE);
	entry->values.max_file_size = BIG - 1;
	entry->values.min_free_space = 3 * BIG;
	grant_for_worker(&test->login, &grant);
	assert_true(grant.is_read_only);
	assert_int_equal(grant.max_file_bytes, BIG);
	assert_int_equal(grant.min_free_bytes, 2 * BIG);
	entry->values.max_file_size = BIG + 1;
	entry->values.min_free_space = BIG;
	grant_for_worker(&test->login, &grant);
	assert_int_equal(grant.max_file_bytes, BIG + 1);
	assert_int_equal(grant.min_free_bytes, BIG);
	entry->values.max_file_size = 0;
	entry->keys |= 1U << POLICY_READ_ONLY;
	grant_for_worker(&test->login, &grant);
	assert_int_equal(grant.max_file_bytes, 0);
	assert_false(grant.is_read_only);
}

struct admit_case {
	const char *denied_user;
	const char *allowed_user;
	uint32_t uid;
	uint32_t gid;
	bool is_admitted;
	const char *text; /* part of it */
};

/* The rules have tests of their own; here, that they are asked and told of. */
static void
lists_and_limits_are_asked(void **state)
{
	static const struct admit_case rows[] = {
	    {"", "", 1234, 5, true, ""},    {"ann", "", 1234, 5, false, "deny_users"},
	    {"Ann", "", 1234, 5, true, ""}, {"", "bob", 1234, 5, false, "allow_users"},
	    {"", "ann", 1234, 5, true, ""}, {"", "", 0, 5, false, " 0"},
	};
	struct grant_test *test = *state;
	struct options_logins *logins = &test->auth.options.logins;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[MA_TEXT_MAX + 1] = "";
		enum ma_reason reason = MA_REASON_COUNT;

		memset(&logins->deny_users, 0, sizeof(logins->deny_users));
		memset(&logins->allow_users, 0, sizeof(logins->allow_users));
		logins->deny_users.count = rows[i].denied_user[0] != '\0';
		logins->allow_users.count = rows[i].allowed_user[0] != '\0';
		(void)snprintf(logins->deny_users.entry[0], OPTIONS_NAME_MAX, "%s",
		               rows[i].denied_user);
		(void)snprintf(logins->allow_users.entry[0], OPTIONS_NAME_MAX, "%s",
		               rows[i].allowed_user);
		test->login.candidate.account.uid = rows[i].uid;
		test->login.candidate.account.gid = rows[i].gid;
		assert_int_equal(admit(&test->login, &reason, text), rows[i].is_admitted);
		if (!rows[i].is_admitted) {
			assert_int_equal(reason, MA_DENIED);
			assert_non_null(strstr(text, rows[i].text));
		}
	}
	/* As root, group 0 is root's, too; without root it is nobody's in particular. */
	{
		char text[MA_TEXT_MAX + 1] = "";
		enum ma_reason reason;

		test->login.candidate.account.uid = 1234;
		test->login.candidate.account.gid = 0;
		memset(&logins->allow_users, 0, sizeof(logins->allow_users));
		assert_int_equal(admit(&test->login, &reason, text), geteuid() != 0);
	}
	/* A list that cannot be read denies everybody. */
	{
		char text[MA_TEXT_MAX + 1] = "";
		enum ma_reason reason = MA_REASON_COUNT;

		test->login.candidate.account.gid = 5;
		(void)snprintf(logins->denied_file, sizeof(logins->denied_file), "/proc");
		assert_false(admit(&test->login, &reason, text));
		assert_int_equal(reason, MA_FAULT);
		assert_non_null(strstr(text, "/proc"));
	}
}

/* Where groups decide, somebody whose groups cannot all be compared stays outside. */
static void
too_many_groups_are_denied(void **state)
{
	static const struct {
		size_t groups;
		uint32_t deny_groups;
		enum policy_scope scope;
		bool is_admitted;
	} rows[] = {{ACCOUNT_GROUP_NAMES_MAX, 1, POLICY_GROUP, true},
	            {ACCOUNT_GROUP_NAMES_MAX + 1, 0, POLICY_USER, true},
	            {ACCOUNT_GROUP_NAMES_MAX + 1, 0, POLICY_GROUP, false},
	            {ACCOUNT_GROUP_NAMES_MAX + 1, 1, POLICY_USER, false}};
	struct grant_test *test = *state;

	test->auth.overrides.count = 1;
	(void)snprintf(test->auth.options.logins.deny_groups.entry[0], OPTIONS_NAME_MAX,
	               "others");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[MA_TEXT_MAX + 1] = "";
		enum ma_reason reason = MA_REASON_COUNT;

		test->login.candidate.account.group_count = rows[i].groups;
		test->auth.options.logins.deny_groups.count = rows[i].deny_groups;
		test->entries[0].scope = rows[i].scope;
		assert_int_equal(admit(&test->login, &reason, text), rows[i].is_admitted);
		if (!rows[i].is_admitted) {
			assert_int_equal(reason, MA_DENIED);
			assert_non_null(strstr(text, "deny_groups"));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_agent_gets_ids_and_rights, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(directories_become_rules, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(too_many_rules_are_refused, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(many_groups_are_sealed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_worker_gets_limits, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(shared_rates_are_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(directories_widen_the_grant, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(lists_and_limits_are_asked, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(too_many_groups_are_denied, set_up,
	                                    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
