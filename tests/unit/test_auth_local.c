/*
 * test_auth_local: the built deftpd-auth with users of the machine and PAM: who may log
 * in, with what groups, and what modules ask. The users and the service are the test's
 * own, in a mount namespace; without the right to make one it says that it skips.
 * Source: SECURITY.md A5, A7, A8, A18, A19, A25; pam_unix(8); RFC 959 5.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/text.h"
#include "ftpd/ipc/agent_start.h"
#include "tests/unit/auth_local.h"
#include "common/base.h"

enum {
	STATUS_SIZE = 1024 * 1024,
};

static const char password[] = LOCAL_PASSWORD;

static void
set_unix(const struct local *local)
{
	place_set_service(&local->place, "auth required pam_unix.so nullok\n"
	                                 "account required pam_unix.so\n"
	                                 "session required pam_permit.so\n");
}

struct unix_case {
	const char *user;
	const char *password;
	enum ma_reason reason; /* MA_REASON_COUNT: accepted */
	const char *text;
};

/* Real pam_unix with real shadow lines, blank passwords allowed by its configuration. */
static void
pam_unix_decides(void **state)
{
	static const struct unix_case rows[] = {
	    {"ftann", password, MA_REASON_COUNT, ""},
	    {"ftann", "horse", MA_WRONG_PASSWORD, "pam_authenticate: "},
	    {"ftann", "", MA_WRONG_PASSWORD, "empty password"},
	    {"ftblank", "", MA_WRONG_PASSWORD, "empty password"},
	    {"ftblank", "x", MA_WRONG_PASSWORD, "pam_authenticate: "},
	    {"ftlocked", password, MA_WRONG_PASSWORD, "pam_authenticate: "},
	    {"ftexpired", password, MA_LOCKED, "pam_acct_mgmt: User account has expired"},
	    {"ftmustset", password, MA_LOCKED, "pam_acct_mgmt: "},
	    /* A25; root has a blank password here. */
	    {"ftnoshell", password, MA_DENIED, "/etc/shells"},
	    {"ftlow", password, MA_DENIED, "min_uid"},
	    {"ftroot", "", MA_DENIED, "min_uid"},
	    {"ftroot", "x", MA_DENIED, "min_uid"},
	    {"root", "", MA_DENIED, ""},
	    {"nobody", "", MA_DENIED, ""},
	    {"ftdenied", password, MA_DENIED, "deny_users"},
	    {"nobody-has-this", password, MA_UNKNOWN_USER, ""},
	    {"nobody-has-this", "", MA_UNKNOWN_USER, ""},
	};
	struct local *local = local_begin(state);

	set_unix(local);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[MA_TEXT_MAX + 1];

		child_start(&local->server, &child);
		child_try(&child, rows[i].user, rows[i].password);
		if (rows[i].reason == MA_REASON_COUNT) {
			expect_acceptance(&child, NULL);
			assert_int_equal(expect_agent(&child), IPC_OK);
			local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
			continue;
		}
		expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
		assert_non_null(strstr(text, rows[i].text));
		assert_null(strstr(text, password));
		local_assert_exit(child_end(&child), 0);
	}
}

/* No password is asked for; what else PAM and the lists say, holds. */
static void
a_certificate_spares_the_password_alone(void **state)
{
	static const struct unix_case rows[] = {
	    {"ftann", "", MA_REASON_COUNT, ""},
	    {"ftann", "horse", MA_REASON_COUNT, ""},
	    {"ftexpired", "", MA_LOCKED, "pam_acct_mgmt: User account has expired"},
	    {"ftmustset", "", MA_LOCKED, "pam_acct_mgmt: "},
	    {"ftnoshell", "", MA_DENIED, "/etc/shells"},
	    {"ftlow", "", MA_DENIED, "min_uid"},
	    {"ftroot", "", MA_DENIED, "min_uid"},
	    {"root", "", MA_DENIED, ""},
	    {"ftdenied", "", MA_DENIED, "deny_users"},
	};
	struct local *local = local_begin(state);

	server_stop(&local->server);
	local->place.options.tls.client_login = OPTIONS_CERTIFICATE_ENOUGH;
	server_start(&local->server, &local->place);
	set_unix(local);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char names[64];
		struct login_message message = {.type = LOGIN_TRY,
		                                .user = rows[i].user,
		                                .user_len = strlen(rows[i].user),
		                                .secret = rows[i].password,
		                                .secret_len = strlen(rows[i].password),
		                                .host = "",
		                                .is_secure = true,
		                                .names = names};
		struct auth_child child;
		char text[MA_TEXT_MAX + 1];

		message.names_len =
		    (size_t)snprintf(names, sizeof(names), "%s\n", rows[i].user);
		child_start(&local->server, &child);
		child_give_try(&child, child_make_channel(&child));
		worker_send(&child, &message);
		if (rows[i].reason == MA_REASON_COUNT) {
			expect_acceptance(&child, NULL);
			assert_int_equal(expect_agent(&child), IPC_OK);
			local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
			continue;
		}
		expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
		assert_non_null(strstr(text, rows[i].text));
		local_assert_exit(child_end(&child), 0);
	}
}

/* A8: exactly the user's groups, and those that a module has added. */
static void
the_agent_has_the_users_groups(void **state)
{
	static const struct {
		const char *arguments;
		const char *groups;
	} rows[] = {{"", "Groups:\t4242 4343 4344 \n"},
	            {"group=4999", "Groups:\t4242 4343 4344 4999 \n"}};
	struct local *local = local_begin(state);

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[8192];

		local_set_script(local, rows[i].arguments);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		local_read_proc(child.pid, "status", text, sizeof(text));
		assert_non_null(strstr(text, "Uid:\t4242\t4242\t4242\t4242\n"));
		assert_non_null(strstr(text, "Gid:\t4242\t4242\t4242\t4242\n"));
		assert_non_null(strstr(text, rows[i].groups));
		local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
}

/* Returns: how many supplementary groups a process has. */
static size_t
count_groups(pid_t pid)
{
	char *text = malloc(STATUS_SIZE);
	size_t count = 0;
	char *at;

	assert_non_null(text);
	local_read_proc(pid, "status", text, STATUS_SIZE);
	at = strstr(text, "Groups:\t");
	assert_non_null(at);
	for (at += strlen("Groups:\t"); *at != '\n'; at++) {
		assert_int_not_equal(*at, '\0');
		count += *at == ' ' ? 1 : 0;
	}
	free(text);
	return count;
}

/* A8: in no other group, and in as many as Linux can have. */
static void
few_groups_and_all_of_them(void **state)
{
	static const size_t counts[] = {0, 1, AGENT_GROUPS_MAX - 1};
	struct local *local = local_begin(state);
	char *bytes = malloc(STATUS_SIZE * 2);

	assert_non_null(bytes);
	local_set_script(local, "");
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		struct auth_child child;
		struct text groups;

		text_init(&groups, bytes, STATUS_SIZE * 2);
		text_add(&groups, "ftgroup:x:4242:\n");
		for (size_t k = 0; k < counts[i]; k++) {
			text_add(&groups, "g%zu:x:%zu:ftann\n", k, 100000 + k);
		}
		assert_false(groups.is_cut);
		place_write(&local->place, "etc/group", groups.bytes);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		assert_int_equal(count_groups(child.pid), counts[i] + 1);
		local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
	free(bytes);
}

static void
expect_asking(struct auth_child *child, bool is_asking)
{
	struct ma_message told;

	assert_true(master_receive(child, &told));
	assert_int_equal(told.type, MA_ASKING);
	assert_int_equal(told.is_asking, is_asking);
}

static void
expect_question(struct auth_child *child, const char *text)
{
	struct login_message question;

	expect_asking(child, true);
	assert_true(worker_receive(child, &question));
	assert_int_equal(question.type, LOGIN_ASK);
	assert_int_equal(question.text_len, strlen(text));
	assert_memory_equal(question.text, text, strlen(text));
}

static void
send_answer(struct auth_child *child, const char *answer)
{
	const struct login_message message = {
	    .type = LOGIN_ACCOUNT, .secret = answer, .secret_len = strlen(answer)};

	worker_send(child, &message);
}

/* Issue: 332 and ACCT; texts come with the question and with the acceptance. */
static void
a_second_factor_is_asked(void **state)
{
	struct local *local = local_begin(state);
	struct login_message verdict;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	local_set_script(local, "info=Hello. password=x ask=123456 info=Welcome. ");
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	expect_question(&child, "Hello.\nCode: \n");
	send_answer(&child, "123456");
	expect_asking(&child, false);
	expect_acceptance(&child, &verdict);
	assert_int_equal(verdict.text_len, strlen("Welcome.\n"));
	assert_memory_equal(verdict.text, "Welcome.\n", verdict.text_len);
	assert_int_equal(expect_agent(&child), IPC_OK);
	local_assert_exit(child_end(&child), AGENT_EXIT_DONE);

	/* What a module says never comes with a refusal, which has no text. */
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	expect_question(&child, "Hello.\nCode: \n");
	send_answer(&child, "000000");
	expect_asking(&child, false);
	expect_refusal(&child, MA_WRONG_PASSWORD, LOGIN_INCORRECT, text);
	local_assert_exit(child_end(&child), 0);

	/* "requisite" is the script's way: a wrong password asks nothing more. */
	child_start(&local->server, &child);
	child_try(&child, "ftann", "y");
	expect_refusal(&child, MA_WRONG_PASSWORD, LOGIN_INCORRECT, text);
	local_assert_exit(child_end(&child), 0);
}

/* A7, while a question is open. */
static void
hostile_answers_get_nothing(void **state)
{
	static const struct {
		struct login_message message;
		bool hangs_up;
		bool is_twice;
		enum ma_reason reason;
	} rows[] = {
	    {{.type = LOGIN_COUNT}, true, false, MA_GONE},
	    {{.type = LOGIN_TRY,
	      .user = "ftann",
	      .user_len = 5,
	      .secret = "x",
	      .secret_len = 1,
	      .host = ""},
	     false,
	     false,
	     MA_PROTOCOL},
	    {{.type = LOGIN_REFUSED}, false, false, MA_PROTOCOL},
	    {{.type = LOGIN_ACCOUNT, .secret = "1", .secret_len = 1},
	     false,
	     true,
	     MA_PROTOCOL},
	};
	struct local *local = local_begin(state);

	local_set_script(local, "password=x ask=1");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct login_message verdict;
		struct ma_message told;
		struct auth_child child;

		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_question(&child, "Code: \n");
		if (rows[i].message.type != LOGIN_COUNT) {
			worker_send(&child, &rows[i].message);
		}
		if (rows[i].is_twice) {
			worker_send(&child, &rows[i].message);
			expect_asking(&child, false);
		}
		if (rows[i].hangs_up) {
			fd_close(&child.worker_fd);
		}
		assert_true(master_receive(&child, &told));
		assert_int_equal(told.type, MA_REFUSED);
		assert_int_equal(told.reason, rows[i].reason);
		assert_true(told.number == login_user_number("ftann", 5));
		if (!rows[i].hangs_up) {
			assert_false(worker_receive(&child, &verdict));
		}
		local_assert_exit(child_end(&child), 0);
	}
	/* The master's end ends it, too. */
	{
		struct auth_child child;

		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_question(&child, "Code: \n");
		fd_close(&child.master_fd);
		local_assert_exit(child_wait(&child), 1);
		fd_close(&child.worker_fd);
	}
}

/* A name that a module has given is admitted, or refused, as any other. */
static void
mapped_names_are_admitted_anew(void **state)
{
	static const struct {
		const char *arguments;
		enum ma_reason reason;
		const char *text;
	} rows[] = {{"user=ftdenied", MA_DENIED, "deny_users"},
	            {"user=root", MA_DENIED, ""},
	            {"user=ftroot", MA_DENIED, ""},
	            {"user=nobody-has-this", MA_FAULT, "nobody has"}};
	struct local *local = local_begin(state);
	struct ma_message told;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		local_set_script(local, rows[i].arguments);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
		assert_non_null(strstr(text, rows[i].text));
		local_assert_exit(child_end(&child), 0);
	}
	local_set_script(local, "user=ftblank");
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	assert_int_equal(told.user_len, strlen("ftblank"));
	assert_memory_equal(told.user, "ftblank", told.user_len);
	assert_true(told.number == login_user_number("ftann", 5)); /* as it was typed */
	master_go(&child, false);
	local_assert_exit(child_wait(&child), 0);
	(void)close(child.worker_fd);
	(void)close(child.master_fd);
}

/* A module that ends the process gives no verdict: both channels just end. */
static void
modules_may_end_the_process(void **state)
{
	static const char *const rows[] = {"exit", "crash"};
	struct local *local = local_begin(state);

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct login_message verdict;
		struct ma_message told;
		struct auth_child child;
		int status;

		local_set_script(local, rows[i]);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		assert_false(master_receive(&child, &told));
		assert_false(worker_receive(&child, &verdict));
		status = child_end(&child);
		assert_int_equal(WIFSIGNALED(status), strcmp(rows[i], "crash") == 0);
	}
}

/* A18, A19: one that sleeps holds nobody but itself. */
static void
a_stalled_module_stalls_one(void **state)
{
	struct local *local = local_begin(state);
	struct auth_child stalled;
	struct auth_child other;
	uint64_t start = clock_monotonic_ms();
	int status;

	local_set_script(local, "sleep");
	child_start(&local->server, &stalled);
	child_try(&stalled, "ftann", "x");
	local_wait_for_log(local, "authenticate\n");
	local_set_script(local, "");
	child_start(&local->server, &other);
	child_try(&other, "ftann", "x");
	expect_acceptance(&other, NULL);
	assert_int_equal(expect_agent(&other), IPC_OK);
	local_assert_exit(child_end(&other), AGENT_EXIT_DONE);
	assert_int_equal(kill(stalled.pid, SIGKILL), 0); /* as the master does */
	status = child_end(&stalled);
	assert_true(WIFSIGNALED(status));
	assert_true(clock_monotonic_ms() - start < LOCAL_PATIENCE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, local_set_up, local_tear_down)
	    TEST(pam_unix_decides),
	    TEST(a_certificate_spares_the_password_alone),
	    TEST(the_agent_has_the_users_groups),
	    TEST(few_groups_and_all_of_them),
	    TEST(a_second_factor_is_asked),
	    TEST(hostile_answers_get_nothing),
	    TEST(mapped_names_are_admitted_anew),
	    TEST(modules_may_end_the_process),
	    TEST(a_stalled_module_stalls_one),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
