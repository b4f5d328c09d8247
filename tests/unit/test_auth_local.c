/*
 * test_auth_local: the built deftpd-auth with users of the machine and PAM. The users and
 * the service are the test's own, in a mount namespace; without the right to make one it
 * says that it skips.
 * Source: SECURITY.md A5, A8, A19, A21, A25, R6; pam_unix(8); RFC 959 5.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <crypt.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/ipc/agent_start.h"
#include "tests/unit/auth_harness.h"
#include "common/base.h"

enum {
	LINES_SIZE = 4096,
	SERVICE_SIZE = 2048,
	HASH_SIZE = 128,
	PATIENCE_MS = 10000,
	PAUSE_NS = 10000000,
	CHUNK = 1 << 20,
};

static const char password[] = "horse-battery-9731";

struct local {
	struct auth_place place;
	struct auth_server server;
	bool is_skipped;
};

static void add(char lines[LINES_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(char lines[LINES_SIZE], const char *format, ...)
{
	size_t used = strlen(lines);
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(lines + used, LINES_SIZE - used, format, arguments);
	va_end(arguments);
	assert_in_range(len, 1, LINES_SIZE - used - 1);
}

/* Users of uid 4242 and up, whom no real machine of a test has. */
static bool
add_users(struct auth_place *place)
{
	static struct crypt_data data;
	const char *hash = crypt_r(password, "$6$rounds=1000$saltsalt$", &data);
	char users[LINES_SIZE] = "";
	char groups[LINES_SIZE] = "";
	char shadow[LINES_SIZE] = "";
	const char *home = place->home;

	add(users, "ftann:x:4242:4242::%s:/bin/sh\n", home);
	add(users, "ftblank:x:4243:4242::%s:/bin/sh\n", home);
	add(users, "ftlocked:x:4244:4242::%s:/bin/sh\n", home);
	add(users, "ftexpired:x:4245:4242::%s:/bin/sh\n", home);
	add(users, "ftmustset:x:4246:4242::%s:/bin/sh\n", home);
	add(users, "ftnoshell:x:4247:4242::%s:/usr/sbin/nologin\n", home);
	add(users, "ftlow:x:42:4242::%s:/bin/sh\n", home);
	add(users, "ftroot:x:0:0::%s:/bin/sh\n", home);
	add(users, "ftdenied:x:4248:4242::%s:/bin/sh\n", home);
	add(users, "ftnohome:x:4249:4242::/srv/deftpd-has/no-such:/bin/sh\n");
	add(groups,
	    "ftgroup:x:4242:\nftteam:x:4343:ftann\nftcrew:x:4344:ftann,ftblank\n");
	add(shadow, "ftann:%s:19000:0:99999:7:::\n", hash);
	add(shadow, "ftblank::19000:0:99999:7:::\n");
	add(shadow, "ftlocked:!%s:19000:0:99999:7:::\n", hash);
	add(shadow, "ftexpired:%s:19000:0:99999:7::1:\n", hash);
	add(shadow, "ftmustset:%s:0:0:99999:7:::\n", hash);
	add(shadow, "ftnoshell:%s:19000:0:99999:7:::\n", hash);
	add(shadow, "ftlow:%s:19000:0:99999:7:::\n", hash);
	add(shadow, "ftroot::19000:0:99999:7:::\n");
	add(shadow, "ftdenied:%s:19000:0:99999:7:::\n", hash);
	add(shadow, "ftnohome:%s:19000:0:99999:7:::\n", hash);
	return place_add_users(place, users, groups, shadow);
}

static int
set_up_with(void **state, bool has_session)
{
	struct local *local = calloc(1, sizeof(*local));
	struct options *options;

	assert_non_null(local);
	place_make(&local->place);
	options = &local->place.options;
	options->virtual_users.file[0] = '\0';
	options->local_users.pam_session = has_session;
	options->logins.deny_groups.count = 0;
	options->logins.deny_users.count = 1;
	(void)snprintf(options->logins.deny_users.entry[0], OPTIONS_NAME_MAX, "ftdenied");
	local->is_skipped = !add_users(&local->place);
	if (!local->is_skipped) {
		server_start(&local->server, &local->place);
	}
	*state = local;
	return 0;
}

static int
set_up(void **state)
{
	return set_up_with(state, false);
}

static int
set_up_session(void **state)
{
	return set_up_with(state, true);
}

static int
tear_down(void **state)
{
	struct local *local = *state;

	if (!local->is_skipped) {
		server_stop(&local->server);
	}
	place_remove(&local->place);
	free(local);
	return 0;
}

static struct local *
begin(void **state)
{
	struct local *local = *state;

	if (local->is_skipped) {
		print_message("no right to make users of its own: skipped\n");
		skip();
	}
	return local;
}

static void
assert_exit(int status, int expected)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

/* A service of pam_script alone; its log is the place's. */
static void
set_script(const struct local *local, const char *arguments)
{
	char service[SERVICE_SIZE];
	static const char *const kinds[] = {"auth", "account", "session"};

	service[0] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		size_t used = strlen(service);

		(void)snprintf(service + used, sizeof(service) - used,
		               "%s required %s log=%s %s\n", kinds[i], PAM_SCRIPT,
		               local->place.log, arguments);
	}
	place_set_service(&local->place, service);
}

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
	struct local *local = begin(state);

	set_unix(local);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[MA_TEXT_MAX + 1];

		child_start(&local->server, &child);
		child_try(&child, rows[i].user, rows[i].password);
		if (rows[i].reason == MA_REASON_COUNT) {
			expect_acceptance(&child, NULL);
			assert_int_equal(expect_agent(&child), IPC_OK);
			assert_exit(child_end(&child), AGENT_EXIT_DONE);
			continue;
		}
		expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
		assert_non_null(strstr(text, rows[i].text));
		assert_null(strstr(text, password));
		assert_exit(child_end(&child), 0);
	}
}

static void
read_status(pid_t pid, char *ret_text, size_t cap)
{
	char path[64];
	int fd;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, ret_text, cap - 1);
	assert_true(len > 0);
	ret_text[len] = '\0';
	fd_close(&fd);
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
	struct local *local = begin(state);

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[8192];

		set_script(local, rows[i].arguments);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		read_status(child.pid, text, sizeof(text));
		assert_non_null(strstr(text, "Uid:\t4242\t4242\t4242\t4242\n"));
		assert_non_null(strstr(text, "Gid:\t4242\t4242\t4242\t4242\n"));
		assert_non_null(strstr(text, rows[i].groups));
		assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
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
	struct local *local = begin(state);
	struct login_message verdict;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	set_script(local, "info=Hello. password=x ask=123456 info=Welcome. ");
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	expect_question(&child, "Hello.\nCode: \n");
	send_answer(&child, "123456");
	expect_asking(&child, false);
	expect_acceptance(&child, &verdict);
	assert_int_equal(verdict.text_len, strlen("Welcome.\n"));
	assert_memory_equal(verdict.text, "Welcome.\n", verdict.text_len);
	assert_int_equal(expect_agent(&child), IPC_OK);
	assert_exit(child_end(&child), AGENT_EXIT_DONE);

	/* What a module says never comes with a refusal, which has no text. */
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	expect_question(&child, "Hello.\nCode: \n");
	send_answer(&child, "000000");
	expect_asking(&child, false);
	expect_refusal(&child, MA_WRONG_PASSWORD, LOGIN_INCORRECT, text);
	assert_exit(child_end(&child), 0);

	/* "requisite" is the script's way: a wrong password asks nothing more. */
	child_start(&local->server, &child);
	child_try(&child, "ftann", "y");
	expect_refusal(&child, MA_WRONG_PASSWORD, LOGIN_INCORRECT, text);
	assert_exit(child_end(&child), 0);
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
	struct local *local = begin(state);

	set_script(local, "password=x ask=1");
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
		assert_exit(child_end(&child), 0);
	}
	/* The master's end ends it, too. */
	{
		struct auth_child child;

		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_question(&child, "Code: \n");
		fd_close(&child.master_fd);
		assert_exit(child_wait(&child), 1);
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
	struct local *local = begin(state);
	struct ma_message told;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		set_script(local, rows[i].arguments);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
		assert_non_null(strstr(text, rows[i].text));
		assert_exit(child_end(&child), 0);
	}
	set_script(local, "user=ftblank");
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	assert_int_equal(told.uid, 4243);
	assert_int_equal(told.user_len, strlen("ftblank"));
	assert_memory_equal(told.user, "ftblank", told.user_len);
	assert_true(told.number == login_user_number("ftann", 5)); /* as it was typed */
	master_go(&child, false);
	assert_exit(child_wait(&child), 0);
	(void)close(child.worker_fd);
	(void)close(child.master_fd);
}

/* Wait until the log of pam_script is this. */
static void
wait_for_log(const struct local *local, const char *expected)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	uint64_t end = clock_monotonic_ms() + PATIENCE_MS;
	char *log = place_read(&local->place, "log");

	while (strcmp(log, expected) != 0 && clock_monotonic_ms() < end) {
		(void)nanosleep(&pause, NULL);
		free(log);
		log = place_read(&local->place, "log");
	}
	assert_string_equal(log, expected);
	free(log);
}

/* The agent of a keeper: its only child. */
static pid_t
find_agent(pid_t keeper)
{
	char path[64];
	char text[32] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)keeper,
	               (int)keeper);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	fd_close(&fd);
	return (pid_t)strtol(text, NULL, 10);
}

static unsigned
count_fds(pid_t pid)
{
	char path[64];
	unsigned count = 0;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	assert_non_null(directory);
	while (readdir(directory) != NULL) {
		count++;
	}
	assert_int_equal(closedir(directory), 0);
	return count - 2; /* "." and ".." */
}

/* A21: look through all writable memory of a process for the password. */
static bool
remembers_password(pid_t pid)
{
	char path[64];
	char line[512];
	char *chunk = malloc(CHUNK);
	bool is_found = false;
	FILE *maps;
	int fd;

	assert_non_null(chunk);
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		char *at = line;
		uint64_t from = strtoull(at, &at, 16);
		uint64_t to = strtoull(at + 1, &at, 16);

		for (; at[2] == 'w' && from < to; from += CHUNK - sizeof(password)) {
			size_t len = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
			ssize_t count = pread(fd, chunk, len, (off_t)from);

			is_found = is_found ||
			           (count > 0 && memmem(chunk, (size_t)count, password,
			                                strlen(password)) != NULL);
		}
	}
	(void)fclose(maps);
	fd_close(&fd);
	free(chunk);
	return is_found;
}

static const char full_log[] = "authenticate\naccount\ncredentials\nopen\n";
static const char closed_log[] =
    "authenticate\naccount\ncredentials\nopen\nclose\ndelete credentials\n";

static void
log_in_with_session(struct local *local, struct auth_child *child)
{
	char service[SERVICE_SIZE];

	/* Not a script that knows the password: it would be found there. */
	(void)snprintf(service, sizeof(service),
	               "auth required pam_unix.so\nauth required %s log=%s\n"
	               "account required %s log=%s\nsession required %s log=%s\n",
	               PAM_SCRIPT, local->place.log, PAM_SCRIPT, local->place.log,
	               PAM_SCRIPT, local->place.log);
	(void)unlink(local->place.log);
	place_set_service(&local->place, service);
	child_start(&local->server, child);
	child_try(child, "ftann", password);
	expect_acceptance(child, NULL);
	assert_int_equal(expect_agent(child), IPC_OK);
	wait_for_log(local, full_log);
}

/* The keeper: a root process that has nothing, hears nobody and closes the session. */
static void
a_keeper_closes_the_session(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGPIPE, SIGUSR1};
	struct local *local = begin(state);
	struct auth_child child;
	char text[8192];
	pid_t agent;

	log_in_with_session(local, &child);
	agent = find_agent(child.pid);
	read_status(agent, text, sizeof(text));
	assert_non_null(strstr(text, "Name:\tdeftpd-agent\n"));
	assert_non_null(strstr(text, "SigIgn:\t0000000000001000\n")); /* SIGPIPE */
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000\n"));
	read_status(child.pid, text, sizeof(text));
	assert_non_null(strstr(text, "Name:\tdeftpd-keeper\n"));
	/* Streams and /dev/null: no channel. */
	assert_int_equal(count_fds(child.pid), 4);
	/* The memory of a sanitizer is some terabytes. */
	if (sandbox_is_built()) {
		assert_false(remembers_password(child.pid));
		assert_false(remembers_password(agent));
	}
	for (size_t i = 0; i < ARRAY_COUNT(signals); i++) {
		assert_int_equal(kill(child.pid, signals[i]), 0);
	}
	wait_for_log(local, full_log); /* it is still there */
	assert_int_equal(kill(child.pid, 0), 0);
	assert_exit(child_end(&child), AGENT_EXIT_DONE);
	wait_for_log(local, closed_log);
}

static void
a_killed_agent_closes_the_session(void **state)
{
	struct local *local = begin(state);
	struct login_message nothing;
	struct auth_child child;

	log_in_with_session(local, &child);
	assert_int_equal(kill(find_agent(child.pid), SIGKILL), 0);
	assert_false(worker_receive(&child, &nothing));
	assert_exit(child_wait(&child), 128 + SIGKILL);
	wait_for_log(local, closed_log);
	(void)close(child.worker_fd);
	(void)close(child.master_fd);
}

/* A session that cannot be opened, and an agent that cannot start. */
static void
failed_sessions_are_undone(void **state)
{
	struct local *local = begin(state);
	struct login_message verdict;
	struct ma_message told;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	set_script(local, "refuse_session");
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	master_go(&child, true);
	expect_refusal(&child, MA_FAULT, LOGIN_UNAVAILABLE, text);
	assert_non_null(strstr(text, "pam_open_session: "));
	assert_exit(child_end(&child), 0);
	wait_for_log(local, "authenticate\naccount\ncredentials\ndelete credentials\n");

	(void)unlink(local->place.log);
	set_script(local, "");
	child_start(&local->server, &child);
	child_try(&child, "ftnohome", "x");
	expect_acceptance(&child, NULL);
	assert_int_not_equal(expect_agent(&child), IPC_OK);
	assert_exit(child_end(&child), AGENT_EXIT_ROOT);
	wait_for_log(local, closed_log);

	/* Too many sessions: it was never opened. */
	(void)unlink(local->place.log);
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	master_go(&child, false);
	assert_true(worker_receive(&child, &verdict));
	assert_int_equal(verdict.refusal, LOGIN_TOO_MANY);
	assert_exit(child_end(&child), 0);
	wait_for_log(local, "authenticate\naccount\n");
}

/* A19: whatever a module does to its process, the agent begins in good order. */
static void
modules_may_misbehave(void **state)
{
	static const char *const rows[] = {"signals", "close", "write",
	                                   "core",    "alarm", "fork"};
	struct local *local = begin(state);

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[8192];
		pid_t agent;

		set_script(local, rows[i]);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		agent = find_agent(child.pid);
		if (strcmp(rows[i], "alarm") == 0) {
			(void)sleep(2); /* the alarm would have killed it */
		}
		read_status(agent, text, sizeof(text));
		assert_non_null(strstr(text, "SigBlk:\t0000000000000000\n"));
		assert_non_null(strstr(text, "SigIgn:\t0000000000001000\n"));
		assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
}

/* A module that ends the process gives no verdict: both channels just end. */
static void
modules_may_end_the_process(void **state)
{
	static const char *const rows[] = {"exit", "crash"};
	struct local *local = begin(state);

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct login_message verdict;
		struct ma_message told;
		struct auth_child child;
		int status;

		set_script(local, rows[i]);
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
	struct local *local = begin(state);
	struct auth_child stalled;
	struct auth_child other;
	uint64_t start = clock_monotonic_ms();
	int status;

	set_script(local, "sleep");
	child_start(&local->server, &stalled);
	child_try(&stalled, "ftann", "x");
	wait_for_log(local, "authenticate\n");
	set_script(local, "");
	child_start(&local->server, &other);
	child_try(&other, "ftann", "x");
	expect_acceptance(&other, NULL);
	assert_int_equal(expect_agent(&other), IPC_OK);
	assert_exit(child_end(&other), AGENT_EXIT_DONE);
	assert_int_equal(kill(stalled.pid, SIGKILL), 0); /* as the master does */
	status = child_end(&stalled);
	assert_true(WIFSIGNALED(status));
	assert_true(clock_monotonic_ms() - start < PATIENCE_MS);
}

/* Modules of the system that issue 3 names, as an administrator would write them. */
static void
modules_of_the_system(void **state)
{
	static const struct {
		const char *service; /* %s: the place's directory */
		enum ma_reason reason;
	} rows[] = {
	    {"auth required pam_permit.so\naccount required pam_permit.so\n"
	     "session required pam_permit.so\n",
	     MA_REASON_COUNT},
	    {"auth required pam_deny.so\naccount required pam_permit.so\n",
	     MA_WRONG_PASSWORD},
	    /* pam_exec has no credentials, and none at all are a failure to libpam. */
	    {"auth required pam_exec.so quiet expose_authtok %s/check\n"
	     "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
	     MA_REASON_COUNT},
	    /* A program that says no has refused a password: that is a guess. */
	    {"auth required pam_exec.so quiet expose_authtok /bin/false\n"
	     "auth required pam_permit.so\naccount required pam_permit.so\n",
	     MA_WRONG_PASSWORD},
	    {"auth required pam_permit.so\naccount required pam_exec.so quiet /bin/false\n",
	     MA_FAULT},
	    {"auth required pam_permit.so\naccount required pam_time.so conffile=%s/time\n",
	     MA_LOCKED},
	    {"auth required pam_permit.so\naccount required pam_permit.so\n"
	     "session required pam_limits.so conf=%s/limits\n",
	     MA_REASON_COUNT},
	};
	struct local *local = begin(state);
	char path[AUTH_PATH + 16];
	char script[SERVICE_SIZE];

	/* The password comes on standard input, the peer in the environment. */
	(void)snprintf(
	    script, sizeof(script),
	    "#!/bin/sh\n"
	    "word=$(tr -d '\\000')\n"
	    "[ \"$PAM_TYPE\" = setcred ] || [ \"$word\" = %s ] || exit 1\n"
	    "[ \"$PAM_RHOST $PAM_TTY $PAM_USER\" = '192.0.2.1 ftp ftann' ] &&\n"
	    "\t[ -z \"$SHELL$HOME$LD_BIND_NOT\" ]\n",
	    password);
	place_write(&local->place, "check", script);
	place_write(&local->place, "time",
	            "deftpd;*;!ftann;Al0000-2400\n"
	            "deftpd;*;ftann;!Al0000-2400\n");
	place_write(&local->place, "limits", "ftann hard nofile 77\nftann - core 100\n");
	(void)snprintf(path, sizeof(path), "%s/check", local->place.top);
	assert_int_equal(chmod(path, 0700), 0);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const char *mark = strstr(rows[i].service, "%s");
		size_t before = mark != NULL ? (size_t)(mark - rows[i].service)
		                             : strlen(rows[i].service);
		struct auth_child child;
		char service[SERVICE_SIZE];
		char text[8192];

		(void)snprintf(service, sizeof(service), "%.*s%s%s", (int)before,
		               rows[i].service, mark != NULL ? local->place.top : "",
		               mark != NULL ? mark + 2 : "");
		place_set_service(&local->place, service);
		child_start(&local->server, &child);
		child_try(&child, "ftann", password);
		if (rows[i].reason != MA_REASON_COUNT) {
			expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
			assert_exit(child_end(&child), 0);
			continue;
		}
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		if (strstr(service, "pam_limits") != NULL) {
			char name[64];
			int fd;
			ssize_t len;

			(void)snprintf(name, sizeof(name), "/proc/%d/limits",
			               (int)find_agent(child.pid));
			fd = open(name, O_RDONLY | O_CLOEXEC);
			len = read(fd, text, sizeof(text) - 1);
			assert_true(len > 0);
			text[len] = '\0';
			fd_close(&fd);
			assert_non_null(strstr(text, "77                   files"));
			/* A22: no core, whatever a module allows. */
			assert_non_null(strstr(
			    text, "Max core file size        0                    0 "));
		}
		assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define PLAIN(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define SESSION(function) \
	cmocka_unit_test_setup_teardown(function, set_up_session, tear_down)
	    PLAIN(pam_unix_decides),
	    PLAIN(the_agent_has_the_users_groups),
	    PLAIN(a_second_factor_is_asked),
	    PLAIN(hostile_answers_get_nothing),
	    PLAIN(mapped_names_are_admitted_anew),
	    SESSION(a_keeper_closes_the_session),
	    SESSION(a_killed_agent_closes_the_session),
	    SESSION(failed_sessions_are_undone),
	    SESSION(modules_may_misbehave),
	    PLAIN(modules_may_end_the_process),
	    PLAIN(a_stalled_module_stalls_one),
	    SESSION(modules_of_the_system),
#undef PLAIN
#undef SESSION
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
