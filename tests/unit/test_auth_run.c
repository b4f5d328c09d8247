/*
 * test_auth_run: the built deftpd-auth with users of a file: verdicts, the way to the
 * agent, and workers and masters that do everything wrong.
 * Source: SECURITY.md A4, A7, A8, A10, A15, A18, A22; ftpd/auth/link.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <crypt.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/ipc/agent_start.h"
#include "tests/unit/auth_harness.h"
#include "common/base.h"

enum {
	LINE_SIZE = 1024,
	USERS_SIZE = 16 * LINE_SIZE,
	HASH_SIZE = 128,
};

struct run {
	struct auth_place place;
	struct auth_server server;
	char hash[HASH_SIZE]; /* of "horse" */
};

static void
add_user(char users[USERS_SIZE], const char *name, const char *hash, const char *ids,
         const char *home)
{
	size_t used = strlen(users);

	(void)snprintf(users + used, USERS_SIZE - used, "%s:%s:%s::%s:/bin/sh\n", name,
	               hash, ids, home);
}

static void
write_users(struct run *run)
{
	struct auth_place *place = &run->place;
	char users[USERS_SIZE] = "# users of this test\n";
	char hash[HASH_SIZE + 2];

	add_user(users, "ann", run->hash, "1:1", place->home);
	add_user(users, "empty", "", "1:1", place->home);
	add_user(users, "star", "*", "1:1", place->home);
	add_user(users, "bangs", "!!", "1:1", place->home);
	(void)snprintf(hash, sizeof(hash), "!%s", run->hash);
	add_user(users, "locked", hash, "1:1", place->home);
	(void)snprintf(hash, sizeof(hash), "%.*s", 30, run->hash);
	add_user(users, "cut", hash, "1:1", place->home);
	add_user(users, "denied", run->hash, "1:1", place->home);
	add_user(users, "nohome", run->hash, "1:1", "/srv/deftpd-has/no-such");
	add_user(users, "filehome", run->hash, "1:1", place->file);
	add_user(users, "dots", run->hash, "1:1", "/srv/../other");
	add_user(users, "split", run->hash, "1:1", "");
	users[strlen(users) - strlen(":/bin/sh\n")] = '\0';
	{
		size_t used = strlen(users);

		(void)snprintf(users + used, sizeof(users) - used, "%s/./in:\nbad:line\n",
		               place->home);
	}
	place_write(place, "users", users);
}

static int
set_up(void **state)
{
	static struct crypt_data data;
	struct run *run = calloc(1, sizeof(*run));
	struct options_logins *logins;

	assert_non_null(run);
	place_make(&run->place);
	(void)snprintf(run->hash, sizeof(run->hash), "%s",
	               crypt_r("horse", "$6$rounds=1000$saltsalt$", &data));
	write_users(run);
	logins = &run->place.options.logins;
	logins->deny_users.count = 1;
	(void)snprintf(logins->deny_users.entry[0], OPTIONS_NAME_MAX, "denied");
	server_start(&run->server, &run->place);
	*state = run;
	return 0;
}

static int
tear_down(void **state)
{
	struct run *run = *state;

	server_stop(&run->server);
	place_remove(&run->place);
	free(run);
	return 0;
}

static void
assert_exit(int status, int expected)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

/* Read a file of /proc/PID. */
static void
read_proc(pid_t pid, const char *name, char *ret_text, size_t cap)
{
	char path[64];
	int fd;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, ret_text, cap - 1);
	assert_true(len >= 0);
	ret_text[len] = '\0';
	fd_close(&fd);
}

/* A8, A12, A22: what the agent is that the authenticator has become. */
static void
check_agent(pid_t pid)
{
	char text[8192];

	read_proc(pid, "comm", text, sizeof(text));
	assert_string_equal(text, "deftpd-agent\n");
	read_proc(pid, "limits", text, sizeof(text));
	assert_non_null(
	    strstr(text, "Max core file size        0                    0 "));
	read_proc(pid, "status", text, sizeof(text));
	assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000\n"));
	if (geteuid() == 0) {
		assert_non_null(strstr(text, "Uid:\t65534\t65534\t65534\t65534\n"));
		assert_non_null(strstr(text, "Gid:\t65534\t65534\t65534\t65534\n"));
		assert_non_null(strstr(text, "Groups:\t65534 \n"));
		read_proc(pid, "environ", text, sizeof(text));
		assert_string_equal(text, "");
	}
}

static void
the_right_password_becomes_an_agent(void **state)
{
	struct run *run = *state;
	struct login_message verdict;
	struct ma_message told;
	struct auth_child child;

	child_start(&run->server, &child);
	child_try(&child, "ann", "horse");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	assert_true(told.number == login_user_number("ann", 3));
	assert_int_equal(told.user_len, 3);
	assert_memory_equal(told.user, "ann", 3);
	assert_int_equal(told.max_sessions, 0);
	master_go(&child, true);
	assert_true(worker_receive(&child, &verdict));
	assert_int_equal(verdict.type, LOGIN_ACCEPTED);
	assert_int_equal(verdict.user_len, 3);
	assert_int_equal(verdict.grant.start_len, 1);
	assert_false(verdict.grant.is_read_only);
	assert_int_equal(verdict.text_len, 0);
	assert_int_equal(expect_agent(&child), IPC_OK);
	check_agent(child.pid);
	assert_exit(child_end(&child), AGENT_EXIT_DONE);
}

struct refusal_case {
	const char *user;
	const char *password;
	enum ma_reason reason;
	enum login_refusal refusal;
	const char *text; /* part of it */
};

/* A4, A6: the worker is told the same in all of them. */
static void
refusals_are_alike(void **state)
{
	static const struct refusal_case rows[] = {
	    {"ann", "Horse", MA_WRONG_PASSWORD, LOGIN_INCORRECT, ""},
	    {"ann", "", MA_WRONG_PASSWORD, LOGIN_INCORRECT, ""},
	    {"nobody-has-this", "horse", MA_UNKNOWN_USER, LOGIN_INCORRECT, ""},
	    {"ann\n", "horse", MA_UNKNOWN_USER, LOGIN_INCORRECT, ""},
	    {"../ann", "horse", MA_UNKNOWN_USER, LOGIN_INCORRECT, ""},
	    {"root", "", MA_UNKNOWN_USER, LOGIN_INCORRECT, ""}, /* A5; no local users */
	    {"empty", "", MA_LOCKED, LOGIN_INCORRECT, "no password matches"},
	    {"empty", "horse", MA_LOCKED, LOGIN_INCORRECT, "no password matches"},
	    {"star", "*", MA_LOCKED, LOGIN_INCORRECT, "no password matches"},
	    {"bangs", "!!", MA_LOCKED, LOGIN_INCORRECT, "no password matches"},
	    {"locked", "horse", MA_LOCKED, LOGIN_INCORRECT, "no password matches"},
	    {"cut", "horse", MA_LOCKED, LOGIN_INCORRECT, "no password matches"},
	    {"denied", "horse", MA_DENIED, LOGIN_INCORRECT, "logins.deny_users"},
	    {"denied", "Horse", MA_DENIED, LOGIN_INCORRECT, "logins.deny_users"},
	    {"bad", "horse", MA_FAULT, LOGIN_INCORRECT, "not a valid line"},
	};
	struct run *run = *state;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct auth_child child;
		char text[MA_TEXT_MAX + 1];

		child_start(&run->server, &child);
		child_try(&child, rows[i].user, rows[i].password);
		expect_refusal(&child, rows[i].reason, rows[i].refusal, text);
		assert_non_null(strstr(text, rows[i].text));
		assert_null(strstr(text, "horse"));
		assert_exit(child_wait(&child), 0);
		(void)close(child.worker_fd);
		(void)close(child.master_fd);
	}
}

/* The file is read at each try; one that cannot be read is our fault, told as such. */
static void
a_changed_file_holds_at_once(void **state)
{
	struct run *run = *state;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];
	char line[LINE_SIZE];

	(void)snprintf(line, sizeof(line), "new:%s:1:1::%s:\n", run->hash,
	               run->place.home);
	child_start(&run->server, &child);
	place_write(&run->place, "users", line);
	child_try(&child, "new", "horse");
	expect_acceptance(&child, NULL);
	assert_int_equal(expect_agent(&child), IPC_OK);
	assert_exit(child_end(&child), AGENT_EXIT_DONE);

	assert_int_equal(chmod(run->place.file, 0666), 0);
	child_start(&run->server, &child);
	child_try(&child, "new", "horse");
	expect_refusal(&child, MA_FAULT, LOGIN_UNAVAILABLE, text);
	assert_non_null(strstr(text, run->place.file));
	assert_exit(child_end(&child), 0);
}

static void
too_many_sessions_are_told(void **state)
{
	struct run *run = *state;
	struct login_message verdict;
	struct ma_message told;
	struct auth_child child;

	child_start(&run->server, &child);
	child_try(&child, "ann", "horse");
	assert_true(master_receive(&child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	master_go(&child, false);
	assert_true(worker_receive(&child, &verdict));
	assert_int_equal(verdict.type, LOGIN_REFUSED);
	assert_int_equal(verdict.refusal, LOGIN_TOO_MANY);
	assert_false(worker_receive(&child, &verdict));
	assert_exit(child_end(&child), 0);
}

/* A10: never another directory. */
static void
a_home_that_cannot_be_used(void **state)
{
	static const struct {
		const char *user;
		int status;
	} rows[] = {{"nohome", AGENT_EXIT_ROOT}, {"filehome", AGENT_EXIT_ROOT}};
	struct run *run = *state;
	struct auth_child child;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		child_start(&run->server, &child);
		child_try(&child, rows[i].user, "horse");
		expect_acceptance(&child, NULL);
		assert_int_not_equal(expect_agent(&child), IPC_OK);
		assert_exit(child_wait(&child), rows[i].status);
		(void)close(child.worker_fd);
		(void)close(child.master_fd);
	}
}

/* "/./" parts root and start; the start is made here between two tries. */
static void
homes_are_split(void **state)
{
	struct run *run = *state;
	char path[AUTH_PATH + 16];
	struct login_message verdict;
	struct auth_child child;

	child_start(&run->server, &child);
	child_try(&child, "split", "horse");
	expect_acceptance(&child, NULL);
	assert_int_not_equal(expect_agent(&child), IPC_OK);
	assert_exit(child_end(&child), AGENT_EXIT_HOME);

	(void)snprintf(path, sizeof(path), "%s/in", run->place.home);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chmod(path, 0755), 0);
	child_start(&run->server, &child);
	child_try(&child, "split", "horse");
	expect_acceptance(&child, &verdict);
	assert_int_equal(verdict.grant.start_len, 3);
	assert_memory_equal(verdict.grant.start, "/in", 3);
	assert_int_equal(expect_agent(&child), IPC_OK);
	assert_exit(child_end(&child), AGENT_EXIT_DONE);
}

/* A root that cannot be written as a path is refused before there is an agent. */
static void
a_root_that_is_no_path(void **state)
{
	struct run *run = *state;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	child_start(&run->server, &child);
	child_try(&child, "dots", "horse");
	expect_refusal(&child, MA_NO_HOME, LOGIN_INCORRECT, text);
	assert_non_null(strstr(text, "/srv/../other"));
	assert_exit(child_end(&child), 0);
}

/* What a worker may put into its channel before the authenticator looks at it. */
struct hostile_case {
	const char *what;
	struct login_message messages[2]; /* LOGIN_COUNT: none */
	const char *raw;                  /* or these bytes first */
	size_t raw_len;
	unsigned descriptors; /* with the first message */
	bool hangs_up;
	enum ma_reason reason;
	bool has_number;
	const char *text;
};

#define TRY_OF(name, password)                                                       \
	{                                                                            \
		.type = LOGIN_TRY, .user = (name), .user_len = sizeof(name) - 1,     \
		.secret = (password), .secret_len = sizeof(password) - 1, .host = "" \
	}
#define NO_MESSAGE                  \
	{                           \
		.type = LOGIN_COUNT \
	}
#define ACCOUNT                                                       \
	{                                                             \
		.type = LOGIN_ACCOUNT, .secret = "1", .secret_len = 1 \
	}

static char too_long[IPC_MESSAGE_MAX + 1];

static const struct hostile_case hostile[] = {
    {"nothing", {NO_MESSAGE, NO_MESSAGE}, NULL, 0, 0, true, MA_GONE, false, ""},
    {"account first",
     {ACCOUNT, NO_MESSAGE},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     false,
     "out of turn"},
    {"account, then a try",
     {ACCOUNT, TRY_OF("ann", "horse")},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     false,
     "out of turn"},
    {"ask",
     {{.type = LOGIN_ASK, .text = ""}, NO_MESSAGE},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     false,
     "out of turn"},
    {"refused",
     {{.type = LOGIN_REFUSED}, NO_MESSAGE},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     false,
     "out of turn"},
    {"accepted",
     {{.type = LOGIN_ACCEPTED,
       .user = "ann",
       .user_len = 3,
       .grant = {.start = "/", .start_len = 1},
       .text = ""},
      NO_MESSAGE},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     false,
     "out of turn"},
    {"an unknown type",
     {NO_MESSAGE, NO_MESSAGE},
     "\x05",
     1,
     0,
     false,
     MA_PROTOCOL,
     false,
     "no message"},
    {"half a try",
     {NO_MESSAGE, NO_MESSAGE},
     "\0\0\3ann\0",
     7,
     0,
     false,
     MA_PROTOCOL,
     false,
     "no message"},
    {"a try with a surplus byte",
     {NO_MESSAGE, NO_MESSAGE},
     "\0\0\1a\0\1b\0\0x",
     10,
     0,
     false,
     MA_PROTOCOL,
     false,
     "no message"},
    {"a NUL in the name",
     {NO_MESSAGE, NO_MESSAGE},
     "\0\0\3a\0n\0\1b\0\0",
     11,
     0,
     false,
     MA_PROTOCOL,
     false,
     "no message"},
    {"too long",
     {NO_MESSAGE, NO_MESSAGE},
     too_long,
     sizeof(too_long),
     0,
     false,
     MA_PROTOCOL,
     false,
     "too long"},
    {"an empty message", {NO_MESSAGE, NO_MESSAGE}, "", 0, 0, false, MA_GONE, false, ""},
    {"a descriptor",
     {TRY_OF("ann", "horse"), NO_MESSAGE},
     NULL,
     0,
     1,
     false,
     MA_PROTOCOL,
     false,
     "descriptor"},
    {"two descriptors",
     {TRY_OF("ann", "horse"), NO_MESSAGE},
     NULL,
     0,
     2,
     false,
     MA_PROTOCOL,
     false,
     "descriptor"},
    /* With the right password: it is of no use. */
    {"two tries",
     {TRY_OF("ann", "horse"), TRY_OF("ann", "horse")},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     true,
     "out of turn"},
    {"another user in the second",
     {TRY_OF("ann", "horse"), TRY_OF("denied", "horse")},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     true,
     "out of turn"},
    {"an answer to no question",
     {TRY_OF("ann", "horse"), ACCOUNT},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     true,
     "out of turn"},
    {"a second try after a wrong one",
     {TRY_OF("ann", "Horse"), TRY_OF("ann", "horse")},
     NULL,
     0,
     0,
     false,
     MA_PROTOCOL,
     true,
     "out of turn"},
    {"a try, then the end",
     {TRY_OF("ann", "horse"), NO_MESSAGE},
     NULL,
     0,
     0,
     true,
     MA_GONE,
     true,
     ""},
    /* Whoever hangs up has guessed all the same. */
    {"a wrong try, then the end",
     {TRY_OF("ann", "Horse"), NO_MESSAGE},
     NULL,
     0,
     0,
     true,
     MA_WRONG_PASSWORD,
     true,
     ""},
};

/* Send with any number of descriptors, which channel_send() never does. */
static void
send_with_descriptors(int fd, const uint8_t *bytes, size_t len, unsigned count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	uint8_t copy[1024];
	struct iovec part = {.iov_base = copy, .iov_len = len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	const int passed[2] = {STDERR_FILENO, STDERR_FILENO};
	struct cmsghdr *header;

	assert_true(len <= sizeof(copy));
	memcpy(copy, bytes, len);
	message.msg_control = control.bytes;
	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), passed, count * sizeof(int));
	assert_int_equal(sendmsg(fd, &message, 0), len);
}

static void
send_hostile(struct auth_child *child, const struct hostile_case *row)
{
	if (row->raw != NULL) {
		assert_int_equal(send(child->worker_fd, row->raw, row->raw_len, 0),
		                 row->raw_len);
	}
	for (size_t i = 0; i < ARRAY_COUNT(row->messages); i++) {
		uint8_t bytes[1024];
		size_t len;

		if (row->messages[i].type == LOGIN_COUNT) {
			continue;
		}
		if (row->descriptors == 0) {
			worker_send(child, &row->messages[i]);
			continue;
		}
		len = login_encode(&row->messages[i], bytes, sizeof(bytes));
		send_with_descriptors(child->worker_fd, bytes, len, row->descriptors);
	}
	if (row->hangs_up) {
		fd_close(&child->worker_fd);
	}
}

/* A7, A15, A18: only the sender fails, and the next try is served. */
static void
hostile_workers_get_nothing(void **state)
{
	struct run *run = *state;

	for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
		const struct hostile_case *row = &hostile[i];
		struct login_message verdict;
		struct ma_message told;
		struct auth_child child;
		int auth_fd;

		child_start(&run->server, &child);
		auth_fd = child_make_channel(&child);
		send_hostile(&child, row);
		child_give_try(&child, auth_fd);
		assert_true(master_receive(&child, &told));
		assert_int_equal(told.type, MA_REFUSED);
		assert_int_equal(told.reason, row->reason);
		assert_int_equal(told.number != 0, row->has_number);
		assert_int_equal(told.user_len, row->has_number ? 3 : 0);
		assert_true(told.text_len >= strlen(row->text));
		child.bytes[(size_t)((const uint8_t *)told.text - child.bytes) +
		            told.text_len] = '\0';
		assert_non_null(strstr(told.text, row->text));
		if (!row->hangs_up) {
			/* Not a word, only the end. */
			assert_false(worker_receive(&child, &verdict));
		}
		assert_false(master_receive(&child, &told));
		assert_exit(child_end(&child), 0);
	}
	the_right_password_becomes_an_agent(state);
}

/* Between the verdict and the master's word, too, the worker has to be silent. */
static void
hostile_workers_while_the_master_thinks(void **state)
{
	const struct login_message account = ACCOUNT;
	struct run *run = *state;

	for (int hangs_up = 0; hangs_up <= 1; hangs_up++) {
		struct ma_message told;
		struct auth_child child;

		child_start(&run->server, &child);
		child_try(&child, "ann", "horse");
		assert_true(master_receive(&child, &told));
		assert_int_equal(told.type, MA_ACCEPTED);
		if (hangs_up != 0) {
			fd_close(&child.worker_fd);
		} else {
			worker_send(&child, &account);
		}
		assert_true(master_receive(&child, &told));
		assert_int_equal(told.type, MA_REFUSED);
		assert_int_equal(told.reason, hangs_up != 0 ? MA_GONE : MA_PROTOCOL);
		assert_false(master_receive(&child, &told));
		assert_exit(child_end(&child), 0);
	}
}

/* The agent follows the same rules: a login's message is none of its own. */
static void
the_agent_takes_no_login(void **state)
{
	const struct login_message again = TRY_OF("ann", "horse");
	struct login_message verdict;
	struct run *run = *state;
	struct auth_child child;

	child_start(&run->server, &child);
	child_try(&child, "ann", "horse");
	expect_acceptance(&child, NULL);
	assert_int_equal(expect_agent(&child), IPC_OK);
	worker_send(&child, &again);
	assert_false(worker_receive(&child, &verdict));
	assert_exit(child_wait(&child), AGENT_EXIT_PROTOCOL);
	(void)close(child.worker_fd);
	(void)close(child.master_fd);
}

static void
nobody_outlives_the_master(void **state)
{
	static const char *const messages[] = {
	    "",               /* an empty one reads as the end */
	    "\x01\x01",       /* MA_GO before there is anything to admit */
	    "\x02",           /* MA_READY is the other's */
	    "\xff",     NULL, /* NULL: the end itself */
	};
	struct run *run = *state;
	struct auth_child child;

	for (size_t i = 0; i < ARRAY_COUNT(messages); i++) {
		child_start(&run->server, &child);
		if (messages[i] != NULL) {
			assert_int_equal(channel_send(child.master_fd, messages[i],
			                              strlen(messages[i]), -1),
			                 0);
			assert_exit(child_wait(&child), 1);
			(void)close(child.master_fd);
		} else {
			assert_exit(child_end(&child), 1);
		}
	}
	/* While it waits for the worker, */
	child_start(&run->server, &child);
	child_give_try(&child, child_make_channel(&child));
	fd_close(&child.master_fd);
	assert_exit(child_wait(&child), 1);
	(void)close(child.worker_fd);
	/* and for the master itself. */
	child_start(&run->server, &child);
	child_try(&child, "ann", "horse");
	{
		struct ma_message told;

		assert_true(master_receive(&child, &told));
		assert_int_equal(told.type, MA_ACCEPTED);
	}
	fd_close(&child.master_fd);
	assert_exit(child_wait(&child), 1);
	(void)close(child.worker_fd);
}

/* A TRY without a descriptor is none. */
static void
a_try_has_a_channel(void **state)
{
	const struct ma_message order = {.type = MA_TRY};
	struct run *run = *state;
	struct auth_child child;
	uint8_t bytes[128];
	size_t len = ma_encode(&order, bytes, sizeof(bytes));

	child_start(&run->server, &child);
	assert_int_equal(channel_send(child.master_fd, bytes, len, -1), 0);
	assert_exit(child_wait(&child), 1);
	(void)close(child.master_fd);
}

/* Without root, local users are known and cannot be served. */
static void
local_users_need_root(void **state)
{
	struct run *run = *state;
	struct auth_server server;
	struct auth_child child;
	char text[MA_TEXT_MAX + 1];

	if (geteuid() == 0) {
		skip();
	}
	run->place.options.local_users.enabled = true;
	run->place.options.local_users.min_uid = 1;
	run->place.options.local_users.valid_shell = false;
	server_start(&server, &run->place);
	child_start(&server, &child);
	child_try(&child, "nobody", "horse");
	expect_refusal(&child, MA_FAULT, LOGIN_INCORRECT, text);
	assert_non_null(strstr(text, "root"));
	assert_exit(child_end(&child), 0);
	server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	    TEST(the_right_password_becomes_an_agent),
	    TEST(refusals_are_alike),
	    TEST(a_changed_file_holds_at_once),
	    TEST(too_many_sessions_are_told),
	    TEST(a_home_that_cannot_be_used),
	    TEST(homes_are_split),
	    TEST(a_root_that_is_no_path),
	    TEST(hostile_workers_get_nothing),
	    TEST(hostile_workers_while_the_master_thinks),
	    TEST(the_agent_takes_no_login),
	    TEST(nobody_outlives_the_master),
	    TEST(a_try_has_a_channel),
	    TEST(local_users_need_root),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
