/*
 * test_worker_login: a user's try as the client sees it, with a master and an
 * authenticator that are played here.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/ipc/login.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	SESSION_ID = 7,
	PATIENCE_MS = 10000,
	REPLY_MAX = 4096,
};

struct fixture {
	struct worker *worker;
	struct options options;
	int client_fd;
	int master_fd;
	int auth_fd; /* -1 until the worker has been given the other end */
};

static void
turn(struct fixture *fixture)
{
	struct worker *worker = fixture->worker;
	struct timer *timer;

	assert_int_equal(loop_turn(&worker->loop, 5), 0);
	while ((timer = timer_wheel_expire(&worker->wheel, worker->loop.now_ms)) !=
	       NULL) {
		session_handle_timer(session_of_timer(timer));
	}
	session_free_ended(worker);
}

/*
 * Turn the loop until there is something to read. Returns: false when it takes too long.
 */
static bool
wait_for(struct fixture *fixture, int fd)
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct pollfd watched = {.fd = fd, .events = POLLIN};

	while (poll(&watched, 1, 0) == 0) {
		if (clock_monotonic_ms() > until_ms) {
			return false;
		}
		turn(fixture);
	}
	return true;
}

/* The next message of the worker that is not about descriptors. */
static struct mw_message
hear_master(struct fixture *fixture)
{
	struct mw_message message = {.type = MW_TAKEN};
	uint8_t bytes[256];

	while (message.type == MW_TAKEN) {
		ssize_t len;

		assert_true(wait_for(fixture, fixture->master_fd));
		len = channel_recv_plain(fixture->master_fd, bytes, sizeof(bytes), 0);
		assert_true(len > 0 && mw_decode(bytes, (size_t)len, &message));
	}
	return message;
}

static void
tell_worker(struct fixture *fixture, const struct mw_message *message, int fd)
{
	uint8_t bytes[256];
	size_t len = mw_encode(message, bytes, sizeof(bytes));

	assert_int_equal(channel_send(fixture->master_fd, bytes, len, fd), 0);
}

static void
say(struct fixture *fixture, const char *lines)
{
	size_t len = strlen(lines);

	assert_int_equal(send(fixture->client_fd, lines, len, 0), len);
}

/* Expect exactly this from the server. */
static void
expect(struct fixture *fixture, const char *wanted)
{
	char got[REPLY_MAX] = "";
	size_t want = strlen(wanted);
	size_t len = 0;

	while (len < want) {
		ssize_t more;

		if (!wait_for(fixture, fixture->client_fd)) {
			fail_msg("nothing came, but expected: %s", wanted);
		}
		more = recv(fixture->client_fd, got + len, want - len, 0);
		if (more <= 0) {
			fail_msg("the end came, but expected: %s", wanted);
		}
		len += (size_t)more;
	}
	if (memcmp(got, wanted, want) != 0) {
		fail_msg("got: %.*s expected: %s", (int)len, got, wanted);
	}
}

static void
expect_end(struct fixture *fixture)
{
	char byte;

	assert_true(wait_for(fixture, fixture->client_fd));
	assert_int_equal(recv(fixture->client_fd, &byte, 1, 0), 0);
}

static void
set_up(struct fixture *fixture)
{
	struct mw_message assign = {.type = MW_ASSIGN,
	                            .session = SESSION_ID,
	                            .peer = {.family = ADDR_IPV4},
	                            .local = {.family = ADDR_IPV4}};
	int channel[2];
	int control[2];

	memset(fixture, 0, sizeof(*fixture));
	fixture->auth_fd = -1;
	options_set_defaults(&fixture->options);
	fixture->worker = calloc(1, sizeof(*fixture->worker));
	assert_non_null(fixture->worker);
	fixture->worker->kind = WORKER_PRIVATE;
	fixture->worker->options = &fixture->options;
	fixture->worker->recorder.fd = -1;
	timer_wheel_init(&fixture->worker->wheel, clock_monotonic_ms());
	agent_pool_init(fixture->worker);
	assert_int_equal(loop_init(&fixture->worker->loop), 0);
	fixture->worker->loop.now_ms = clock_monotonic_ms();
	assert_int_equal(channel_pair(channel), 0);
	assert_int_equal(master_client_start(fixture->worker, channel[0]), 0);
	fixture->master_fd = channel[1];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control),
	    0);
	fixture->client_fd = control[1];
	assert_int_equal(hear_master(fixture).type, MW_READY);
	session_begin(fixture->worker, &assign, control[0]);
	expect(fixture, "220 FTP server ready.\r\n");
}

static void
tear_down(struct fixture *fixture)
{
	struct session *session = worker_find(fixture->worker, SESSION_ID);
	struct agent_pool *pool = &fixture->worker->agents;
	int fd = fixture->worker->master.source.fd;

	if (session != NULL) {
		session_end(session, MW_END_CLOSED);
	}
	session_free_ended(fixture->worker);
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		int agent_fd = pool->agents[i].source.fd;

		loop_forget(&fixture->worker->loop, &pool->agents[i].source);
		fd_close(&agent_fd);
	}
	loop_forget(&fixture->worker->loop, &fixture->worker->master.source);
	fd_close(&fd);
	fd_close(&fixture->worker->loop.epoll_fd);
	fd_close(&fixture->client_fd);
	fd_close(&fixture->master_fd);
	fd_close(&fixture->auth_fd);
	free(fixture->worker);
}

/* USER and PASS, and the worker is given a channel. */
static void
begin_try(struct fixture *fixture)
{
	const struct mw_message give = {
	    .type = MW_LOGIN_ANSWER, .session = SESSION_ID, .result = IPC_OK};
	struct mw_message asked;
	int channel[2];

	say(fixture, "USER alice\r\n");
	expect(fixture, "331 Password required.\r\n");
	say(fixture, "PASS secret\r\n");
	asked = hear_master(fixture);
	assert_int_equal(asked.type, MW_LOGIN);
	assert_int_equal(asked.session, SESSION_ID);
	assert_int_equal(asked.user, login_user_number("alice", 5));
	assert_int_equal(channel_pair(channel), 0);
	tell_worker(fixture, &give, channel[0]);
	fd_close(&channel[0]);
	fd_close(&fixture->auth_fd);
	fixture->auth_fd = channel[1];
}

/* What the worker sends to the authenticator. */
static void
hear_secret(struct fixture *fixture, enum login_type type, const char *secret)
{
	struct login_message message = {.type = LOGIN_COUNT};
	uint8_t bytes[IPC_MESSAGE_MAX];
	ssize_t len;

	assert_true(wait_for(fixture, fixture->auth_fd));
	len = channel_recv_plain(fixture->auth_fd, bytes, sizeof(bytes), 0);
	assert_true(len > 0 && login_decode(bytes, (size_t)len, &message));
	assert_int_equal(message.type, type);
	assert_int_equal(message.secret_len, strlen(secret));
	assert_memory_equal(message.secret, secret, message.secret_len);
	if (type == LOGIN_TRY) {
		assert_false(message.is_secure);
		assert_int_equal(message.names_len, 0);
		assert_int_equal(message.user_len, 5);
		assert_memory_equal(message.user, "alice", 5);
	}
}

static void
judge(struct fixture *fixture, const struct login_message *verdict)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = login_encode(verdict, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(channel_send(fixture->auth_fd, bytes, len, -1), 0);
}

static void
accept_user(struct fixture *fixture, const char *text)
{
	const struct login_message accepted = {.type = LOGIN_ACCEPTED,
	                                       .user = "Alice",
	                                       .user_len = 5,
	                                       .text = text,
	                                       .text_len = strlen(text),
	                                       .grant = {.start = "/home",
	                                                 .start_len = 5,
	                                                 .is_read_only = true,
	                                                 .tls_policy = OPTIONS_TLS_ALL,
	                                                 .idle_timeout_s = 77}};

	judge(fixture, &accepted);
}

/* What was the authenticator is the agent now, and says how it began. */
static void
be_agent(struct fixture *fixture, enum ipc_result result)
{
	const struct agent_answer ready = {
	    .result = result, .name = "", .denied_call = -1};
	uint8_t bytes[AGENT_ANSWER_MAX];
	size_t len = agent_answer_encode(&ready, bytes, sizeof(bytes));

	assert_int_equal(channel_send(fixture->auth_fd, bytes, len, -1), 0);
}

/*
 * RFC 959 5.4: 332 and ACCT; the texts of modules are cleaned and do not look like
 * replies.
 */
static void
a_module_may_ask_again(void **state)
{
	const struct login_message ask = {
	    .type = LOGIN_ASK, .text = "Code \x1b[1m\n230 OK", .text_len = 16};
	struct fixture fixture;
	struct session *session;

	(void)state;
	set_up(&fixture);
	begin_try(&fixture);
	hear_secret(&fixture, LOGIN_TRY, "secret");
	judge(&fixture, &ask);
	expect(&fixture, "332-Code ?[1m\r\n 230 OK\r\n332 Answer by ACCT.\r\n");
	say(&fixture, "PASS secret\r\nNOOP\r\n");
	expect(&fixture, "503 ACCT is expected now; USER begins anew.\r\n200 Done.\r\n");
	say(&fixture, "ACCT 123 456\r\n");
	hear_secret(&fixture, LOGIN_ACCOUNT, "123 456");
	accept_user(&fixture, "Last login: never\nYou have mail.\n");
	be_agent(&fixture, IPC_OK);
	expect(&fixture, "230-Last login: never\r\n You have mail.\r\n"
	                 "230 Welcome, Alice. You may only read here.\r\n");
	session = worker_find(fixture.worker, SESSION_ID);
	assert_non_null(session);
	assert_int_equal(session->state, SESSION_LOGGED_IN);
	assert_null(session->login);
	assert_string_equal(session_cwd(session), "/home");
	assert_true(session->rights.is_user && session->rights.is_read_only);
	assert_int_equal(session->rights.tls_policy, OPTIONS_TLS_ALL);
	assert_int_equal(session->rights.idle_timeout_s, 77);
	/* his agent ends: so does the session */
	fd_close(&fixture.auth_fd);
	expect(&fixture,
	       "421 Your files cannot be reached any more; please log in again.\r\n");
	expect_end(&fixture);
	tear_down(&fixture);
}

/* SECURITY.md A4: not a moment earlier, and nothing is answered meanwhile. */
static void
a_refusal_takes_its_time(void **state)
{
	const struct login_message refused = {.type = LOGIN_REFUSED,
	                                      .refusal = LOGIN_INCORRECT};
	struct fixture fixture;
	uint64_t begun_ms;

	(void)state;
	set_up(&fixture);
	begun_ms = clock_monotonic_ms();
	begin_try(&fixture);
	hear_secret(&fixture, LOGIN_TRY, "secret");
	judge(&fixture, &refused);
	say(&fixture, "NOOP\r\n");
	expect(&fixture, "530 Login incorrect.\r\n");
	assert_true(clock_monotonic_ms() - begun_ms >= LOGIN_REFUSAL_MS);
	expect(&fixture, "200 Done.\r\n");
	tear_down(&fixture);
}

/* What may go wrong instead of a verdict. */
enum mishap {
	MISHAP_TOO_MANY,
	MISHAP_UNAVAILABLE,
	MISHAP_NEEDS_TLS,
	MISHAP_END,
	MISHAP_GARBAGE,
	MISHAP_END_WHILE_ASKED,
	MISHAP_NO_HOME,
	MISHAP_END_AS_AGENT,
	MISHAP_COUNT,
};

static void
refuse(struct fixture *fixture, enum login_refusal refusal)
{
	const struct login_message message = {
	    .type = LOGIN_REFUSED, .refusal = refusal, .text = ""};

	judge(fixture, &message);
}

static void
happen(struct fixture *fixture, enum mishap mishap)
{
	const struct login_message ask = {.type = LOGIN_ASK, .text = ""};

	switch (mishap) {
	case MISHAP_TOO_MANY: refuse(fixture, LOGIN_TOO_MANY); return;
	case MISHAP_UNAVAILABLE: refuse(fixture, LOGIN_UNAVAILABLE); return;
	case MISHAP_NEEDS_TLS: refuse(fixture, LOGIN_NEEDS_TLS); return;
	case MISHAP_GARBAGE:
		assert_int_equal(channel_send(fixture->auth_fd, "\xff", 1, -1), 0);
		return;
	case MISHAP_END_WHILE_ASKED:
		judge(fixture, &ask);
		expect(fixture, "332 Answer by ACCT.\r\n");
		break;
	case MISHAP_NO_HOME:
		accept_user(fixture, "");
		be_agent(fixture, IPC_DENIED);
		return;
	case MISHAP_END_AS_AGENT: accept_user(fixture, ""); break;
	case MISHAP_END:
	case MISHAP_COUNT: break;
	}
	fd_close(&fixture->auth_fd);
}

static void
mishaps_are_told(void **state)
{
	static const char unavailable[] =
	    "421 Logins are not possible now; try again later.\r\n";
	static const char no_home[] = "530 Your home directory cannot be used.\r\n";
	static const struct {
		const char *reply;
		bool is_end;
	} wanted[MISHAP_COUNT] = {
	    [MISHAP_TOO_MANY] = {"530 You have too many sessions; end one first.\r\n",
	                         false},
	    [MISHAP_UNAVAILABLE] = {unavailable, true},
	    [MISHAP_NEEDS_TLS] = {"530 TLS is required for you: use AUTH TLS first.\r\n",
	                          false},
	    [MISHAP_END] = {unavailable, true},
	    [MISHAP_GARBAGE] = {unavailable, true},
	    [MISHAP_END_WHILE_ASKED] = {unavailable, true},
	    [MISHAP_NO_HOME] = {no_home, false},
	    [MISHAP_END_AS_AGENT] = {no_home, false},
	};

	(void)state;
	for (unsigned i = 0; i < MISHAP_COUNT; i++) {
		struct fixture fixture;

		set_up(&fixture);
		begin_try(&fixture);
		hear_secret(&fixture, LOGIN_TRY, "secret");
		happen(&fixture, (enum mishap)i);
		expect(&fixture, wanted[i].reply);
		if (wanted[i].is_end) {
			expect_end(&fixture);
		} else {
			/* nothing of the user is left */
			const struct session *session =
			    worker_find(fixture.worker, SESSION_ID);

			assert_int_equal(session->state, SESSION_GREETED);
			assert_false(session->rights.is_user);
			assert_string_equal(session_cwd(session), "/");
			say(&fixture, "PWD\r\n");
			expect(&fixture, "530 Please log in with USER and PASS.\r\n");
		}
		tear_down(&fixture);
	}
}

/* The master gives no authenticator. */
static void
a_master_may_say_no(void **state)
{
	struct mw_message answer = {
	    .type = MW_LOGIN_ANSWER, .session = SESSION_ID, .result = IPC_DENIED};
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	fixture.options.logins.tries = 2;
	for (int i = 0; i < 2; i++) {
		say(&fixture, "USER alice\r\nPASS secret\r\n");
		expect(&fixture, "331 Password required.\r\n");
		assert_int_equal(hear_master(&fixture).type, MW_LOGIN);
		tell_worker(&fixture, &answer, -1);
		expect(&fixture, i == 0 ? "530 Login incorrect.\r\n"
		                        : "421 Login incorrect. Too many tries.\r\n");
	}
	expect_end(&fixture);
	tear_down(&fixture);
	set_up(&fixture);
	answer.result = IPC_BUSY;
	say(&fixture, "USER alice\r\nPASS secret\r\n");
	expect(&fixture, "331 Password required.\r\n");
	assert_int_equal(hear_master(&fixture).type, MW_LOGIN);
	tell_worker(&fixture, &answer, -1);
	expect(&fixture, "421 Too many logins at once; try again later.\r\n");
	expect_end(&fixture);
	tear_down(&fixture);
}

/* USER behind 332 begins anew: the authenticator finds its channel closed. */
static void
another_name_ends_the_try(void **state)
{
	const struct login_message ask = {.type = LOGIN_ASK, .text = ""};
	struct fixture fixture;
	char byte;

	(void)state;
	set_up(&fixture);
	begin_try(&fixture);
	hear_secret(&fixture, LOGIN_TRY, "secret");
	judge(&fixture, &ask);
	expect(&fixture, "332 Answer by ACCT.\r\n");
	say(&fixture, "USER bob\r\nACCT 1\r\n");
	expect(&fixture, "331 Password required.\r\n503 PASS is expected now.\r\n");
	assert_true(wait_for(&fixture, fixture.auth_fd));
	assert_int_equal(channel_recv_plain(fixture.auth_fd, &byte, 1, 0), 0);
	tear_down(&fixture);
}

/* An answer that comes when nobody waits for it any more changes nothing. */
static void
late_answers_are_dropped(void **state)
{
	const struct mw_message late = {
	    .type = MW_LOGIN_ANSWER, .session = SESSION_ID, .result = IPC_OK};
	struct fixture fixture;
	int channel[2];
	char byte;

	(void)state;
	set_up(&fixture);
	assert_int_equal(channel_pair(channel), 0);
	tell_worker(&fixture, &late, channel[0]);
	fd_close(&channel[0]);
	assert_true(wait_for(&fixture, channel[1]));
	assert_int_equal(channel_recv_plain(channel[1], &byte, 1, 0), 0);
	fd_close(&channel[1]);
	say(&fixture, "NOOP\r\n");
	expect(&fixture, "200 Done.\r\n");
	tear_down(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_module_may_ask_again),
	    cmocka_unit_test(a_refusal_takes_its_time),
	    cmocka_unit_test(mishaps_are_told),
	    cmocka_unit_test(a_master_may_say_no),
	    cmocka_unit_test(another_name_ends_the_try),
	    cmocka_unit_test(late_answers_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
