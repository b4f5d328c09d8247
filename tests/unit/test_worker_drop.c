/*
 * test_worker_drop: MW_DROP ends a session that nobody has logged in to, and no other.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

#define DROPPED "421 Too many clients are connecting; please try again.\r\n"

enum {
	SESSION_ID = 7,
	TURNS = 10,
};

struct fixture {
	struct worker worker;
	struct options options;
	int client_fd;
	int master_fd;
};

static void
turn(struct fixture *fixture)
{
	for (int i = 0; i < TURNS; i++) {
		assert_int_equal(loop_turn(&fixture->worker.loop, 1), 0);
		session_free_ended(&fixture->worker);
	}
}

/* The next message to the master. Returns: false if there is none. */
static bool
hear_master(struct fixture *fixture, struct mw_message *ret_message)
{
	uint8_t bytes[256];
	ssize_t len =
	    channel_recv_plain(fixture->master_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return len > 0 && mw_decode(bytes, (size_t)len, ret_message);
}

/* All that the server has said, and whether it has closed. */
static void
expect(struct fixture *fixture, const char *wanted, bool is_end)
{
	char got[1024];
	size_t len = 0;
	ssize_t more;

	turn(fixture);
	while ((more = recv(fixture->client_fd, got + len, sizeof(got) - 1 - len,
	                    MSG_DONTWAIT)) > 0) {
		len += (size_t)more;
	}
	got[len] = '\0';
	assert_string_equal(got, wanted);
	/* an orderly end: 0, and no reset */
	assert_int_equal(more, is_end ? 0 : -1);
}

static void
drop(struct fixture *fixture, uint32_t id)
{
	const struct mw_message message = {.type = MW_DROP, .session = id};
	uint8_t bytes[256];
	size_t len = mw_encode(&message, bytes, sizeof(bytes));

	assert_int_equal(channel_send(fixture->master_fd, bytes, len, -1), 0);
}

static void
say(struct fixture *fixture, const char *lines)
{
	size_t len = strlen(lines);

	assert_int_equal(send(fixture->client_fd, lines, len, 0), len);
}

static void
begin(struct fixture *fixture)
{
	const struct mw_message assign = {.type = MW_ASSIGN, .session = SESSION_ID};
	struct mw_message message = {.type = MW_COUNT};
	int control[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control),
	    0);
	fixture->client_fd = control[1];
	session_begin(&fixture->worker, &assign, control[0]);
	expect(fixture, "220 FTP server ready.\r\n", false);
	assert_false(hear_master(fixture, &message));
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct worker *worker = &fixture->worker;
	struct mw_message message = {.type = MW_COUNT};
	int channel[2];

	assert_non_null(fixture);
	options_set_defaults(&fixture->options);
	worker->kind = WORKER_PRIVATE;
	worker->options = &fixture->options;
	worker->recorder.fd = -1;
	timer_wheel_init(&worker->wheel, clock_monotonic_ms());
	agent_pool_init(worker);
	assert_int_equal(loop_init(&worker->loop), 0);
	worker->loop.now_ms = clock_monotonic_ms();
	assert_int_equal(channel_pair(channel), 0);
	assert_int_equal(master_client_start(worker, channel[0]), 0);
	fixture->master_fd = channel[1];
	turn(fixture);
	assert_true(hear_master(fixture, &message));
	assert_int_equal(message.type, MW_READY);
	*state = fixture;
	begin(fixture);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct worker *worker = &fixture->worker;
	struct session *session = worker_find(worker, SESSION_ID);
	int fd = worker->master.source.fd;

	if (session != NULL) {
		session_end(session, MW_END_CLOSED);
	}
	session_free_ended(worker);
	loop_forget(&worker->loop, &worker->master.source);
	fd_close(&fd);
	fd_close(&worker->loop.epoll_fd);
	fd_close(&fixture->client_fd);
	fd_close(&fixture->master_fd);
	free(fixture);
	return 0;
}

static void
assert_dropped(struct fixture *fixture)
{
	struct mw_message message = {.type = MW_COUNT};

	drop(fixture, SESSION_ID);
	expect(fixture, DROPPED, true);
	assert_true(hear_master(fixture, &message));
	assert_int_equal(message.type, MW_ENDED);
	assert_int_equal(message.session, SESSION_ID);
	assert_int_equal(message.end, MW_END_DROPPED);
	/* once more, when it has ended: nothing */
	drop(fixture, SESSION_ID);
	turn(fixture);
	assert_false(hear_master(fixture, &message));
	assert_false(fixture->worker.is_over);
}

static void
a_greeted_client_leaves(void **state)
{
	assert_dropped(*state);
}

/* Half a line that will never end does not turn the end into a reset. */
static void
a_slow_client_leaves(void **state)
{
	say(*state, "NOO");
	assert_dropped(*state);
}

static void
a_named_client_leaves(void **state)
{
	say(*state, "USER alice\r\n");
	expect(*state, "331 Password required.\r\n", false);
	assert_dropped(*state);
}

/* Nobody waits until a client takes the line that tells him. */
static void
a_client_that_does_not_read_leaves(void **state)
{
	struct fixture *fixture = *state;
	struct session *session;
	struct mw_message message = {.type = MW_COUNT};

	/* more replies than the socket holds */
	for (int i = 0; i < 4000; i++) {
		if (send(fixture->client_fd, "NOOP\r\nNOOP\r\n", 12, MSG_DONTWAIT) < 0) {
			break;
		}
		assert_int_equal(loop_turn(&fixture->worker.loop, 0), 0);
		session = worker_find(&fixture->worker, SESSION_ID);
		if (session == NULL || session->output_len > 0) {
			break;
		}
	}
	session = worker_find(&fixture->worker, SESSION_ID);
	assert_non_null(session);
	assert_true(session->output_len > 0);
	drop(fixture, SESSION_ID);
	turn(fixture);
	assert_null(worker_find(&fixture->worker, SESSION_ID));
	assert_true(hear_master(fixture, &message));
	assert_int_equal(message.end, MW_END_DROPPED);
}

static void
a_password_under_way_stays(void **state)
{
	struct fixture *fixture = *state;
	struct mw_message message = {.type = MW_COUNT};

	say(fixture, "USER alice\r\nPASS secret\r\n");
	expect(fixture, "331 Password required.\r\n", false);
	assert_true(hear_master(fixture, &message));
	assert_int_equal(message.type, MW_LOGIN);
	drop(fixture, SESSION_ID);
	expect(fixture, "", false);
	assert_false(hear_master(fixture, &message));
	assert_non_null(worker_find(&fixture->worker, SESSION_ID));
}

static void
who_has_logged_in_stays(void **state)
{
	struct fixture *fixture = *state;
	struct session *session = worker_find(&fixture->worker, SESSION_ID);
	struct mw_message message = {.type = MW_COUNT};

	session_set_state(session, SESSION_NAMED);
	session_set_state(session, SESSION_LOGGED_IN);
	drop(fixture, SESSION_ID);
	say(fixture, "NOOP\r\n");
	expect(fixture, "200 Done.\r\n", false);
	assert_false(hear_master(fixture, &message));
}

static void
a_number_of_nobody_is_ignored(void **state)
{
	struct fixture *fixture = *state;
	struct mw_message message = {.type = MW_COUNT};

	drop(fixture, SESSION_ID + 1);
	expect(fixture, "", false);
	assert_false(hear_master(fixture, &message));
	assert_false(fixture->worker.is_over);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_greeted_client_leaves, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_slow_client_leaves, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_named_client_leaves, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_client_that_does_not_read_leaves, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(a_password_under_way_stays, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(who_has_logged_in_stays, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_number_of_nobody_is_ignored, set_up,
	                                    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
