/*
 * test_auth_session: the built deftpd-auth with PAM sessions: the keeper, who closes them
 * however the agent ends, and modules that misbehave.
 * Source: SECURITY.md A19, A21, A22, R6; pam_open_session(3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/ipc/agent_start.h"
#include "tests/unit/auth_local.h"
#include "common/base.h"

enum {
	CHUNK = 1 << 20,
};

static const char password[] = LOCAL_PASSWORD;

/*
 * The agent of a keeper: its only child, as what modules have left behind is waited for.
 */
static pid_t
find_agent(pid_t keeper)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)keeper,
	               (int)keeper);
	for (int waited_ms = 0; waited_ms < LOCAL_PATIENCE_MS; waited_ms += 10) {
		char text[64] = "";
		char *end;
		pid_t child;
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		fd_close(&fd);
		child = (pid_t)strtol(text, &end, 10);
		if (strcmp(end, " ") == 0) {
			return child;
		}
		(void)usleep(10 * 1000);
	}
	fail_msg("the keeper %d has other children than its agent", (int)keeper);
	return -1;
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
	char service[LOCAL_SERVICE_SIZE];

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
	local_wait_for_log(local, full_log);
}

/* The keeper: a root process that has nothing, hears nobody and closes the session. */
static void
a_keeper_closes_the_session(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGPIPE, SIGUSR1};
	struct local *local = local_begin(state);
	struct auth_child child;
	char text[8192];
	pid_t agent;

	log_in_with_session(local, &child);
	agent = find_agent(child.pid);
	local_read_proc(agent, "status", text, sizeof(text));
	assert_non_null(strstr(text, "Name:\tdeftpd-agent\n"));
	/* SIGPIPE, SIGXFSZ */
	assert_non_null(strstr(text, "SigIgn:\t0000000001001000\n"));
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000\n"));
	local_read_proc(child.pid, "status", text, sizeof(text));
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
	local_wait_for_log(local, full_log); /* it is still there */
	assert_int_equal(kill(child.pid, 0), 0);
	local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
	local_wait_for_log(local, closed_log);
}

static void
a_killed_agent_closes_the_session(void **state)
{
	struct local *local = local_begin(state);
	struct login_message nothing;
	struct auth_child child;

	log_in_with_session(local, &child);
	assert_int_equal(kill(find_agent(child.pid), SIGKILL), 0);
	assert_false(worker_receive(&child, &nothing));
	local_assert_exit(child_wait(&child), 128 + SIGKILL);
	local_wait_for_log(local, closed_log);
	(void)close(child.worker_fd);
	(void)close(child.master_fd);
}

/* A session that cannot be opened, and an agent that cannot start. */
static void
failed_sessions_are_undone(void **state)
{
	struct local *local = local_begin(state);
	struct login_message verdict;
	struct ma_message told;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	local_set_script(local, "refuse_session");
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	master_go(&child, true);
	expect_refusal(&child, MA_FAULT, LOGIN_UNAVAILABLE, text);
	assert_non_null(strstr(text, "pam_open_session: "));
	local_assert_exit(child_end(&child), 0);
	local_wait_for_log(local,
	                   "authenticate\naccount\ncredentials\ndelete credentials\n");

	(void)unlink(local->place.log);
	local_set_script(local, "");
	child_start(&local->server, &child);
	child_try(&child, "ftnohome", "x");
	expect_acceptance(&child, NULL);
	assert_int_not_equal(expect_agent(&child), IPC_OK);
	local_assert_exit(child_end(&child), AGENT_EXIT_ROOT);
	local_wait_for_log(local, closed_log);

	/* Too many sessions: it was never opened. */
	(void)unlink(local->place.log);
	child_start(&local->server, &child);
	child_try(&child, "ftann", "x");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	master_go(&child, false);
	assert_true(worker_receive(&child, &verdict));
	assert_int_equal(verdict.refusal, LOGIN_TOO_MANY);
	local_assert_exit(child_end(&child), 0);
	local_wait_for_log(local, "authenticate\naccount\n");
}

/* A19: whatever a module does to its process, the agent begins in good order. */
static void
modules_may_misbehave(void **state)
{
	static const char *const rows[] = {"signals", "close", "write",
	                                   "core",    "alarm", "fork"};
	struct local *local = local_begin(state);

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[8192];
		pid_t agent;

		local_set_script(local, rows[i]);
		child_start(&local->server, &child);
		child_try(&child, "ftann", "x");
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		agent = find_agent(child.pid);
		if (strcmp(rows[i], "alarm") == 0) {
			(void)sleep(2); /* the alarm would have killed it */
		}
		local_read_proc(agent, "status", text, sizeof(text));
		assert_non_null(strstr(text, "SigBlk:\t0000000000000000\n"));
		assert_non_null(strstr(text, "SigIgn:\t0000000001001000\n"));
		local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
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
	struct local *local = local_begin(state);
	char path[AUTH_PATH + 16];
	char script[LOCAL_SERVICE_SIZE];

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
		char service[LOCAL_SERVICE_SIZE];
		char text[8192];

		(void)snprintf(service, sizeof(service), "%.*s%s%s", (int)before,
		               rows[i].service, mark != NULL ? local->place.top : "",
		               mark != NULL ? mark + 2 : "");
		place_set_service(&local->place, service);
		child_start(&local->server, &child);
		child_try(&child, "ftann", password);
		if (rows[i].reason != MA_REASON_COUNT) {
			expect_refusal(&child, rows[i].reason, LOGIN_INCORRECT, text);
			local_assert_exit(child_end(&child), 0);
			continue;
		}
		expect_acceptance(&child, NULL);
		assert_int_equal(expect_agent(&child), IPC_OK);
		if (strstr(service, "pam_limits") != NULL) {
			local_read_proc(find_agent(child.pid), "limits", text,
			                sizeof(text));
			assert_non_null(strstr(text, "77                   files"));
			/* A22: no core, whatever a module allows. */
			assert_non_null(strstr(
			    text, "Max core file size        0                    0 "));
		}
		local_assert_exit(child_end(&child), AGENT_EXIT_DONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, local_set_up_session, local_tear_down)
	    TEST(a_keeper_closes_the_session), TEST(a_killed_agent_closes_the_session),
	    TEST(failed_sessions_are_undone),  TEST(modules_may_misbehave),
	    TEST(modules_of_the_system),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
