/*
 * test_worker_handover: which lines a shared worker reads, and which stay in the socket
 * for a private one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/worker/handover.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

struct expectation {
	const char *bytes;
	enum handover_decision decision;
	size_t used;
	const char *why;
};

static void
decides_by_the_first_line_alone(void **state)
{
	static const struct expectation cases[] = {
	    {"", HANDOVER_WAIT, 0, "nothing came"},
	    {"USER bo", HANDOVER_WAIT, 7, "no line end: it may become anything"},
	    {"USER bob\r\n", HANDOVER_PRIVATE, 10, "another user"},
	    {"user BOB\n", HANDOVER_PRIVATE, 9, "in lower case, LF alone"},
	    {"USER anonymous\r\n", HANDOVER_TAKE, 16, "anonymous"},
	    {"USER Anonymous\r\n", HANDOVER_TAKE, 16, "in any case"},
	    {"USER ftp\r\n", HANDOVER_TAKE, 10, "its other name"},
	    {"USER ftpx\r\n", HANDOVER_PRIVATE, 11, "only begins like it"},
	    {"USER anonymous \r\n", HANDOVER_PRIVATE, 17, "a space is part of a name"},
	    {"USER\r\n", HANDOVER_TAKE, 6, "no name: 501 is said here"},
	    {"AUTH TLS\r\n", HANDOVER_PRIVATE, 10, "no TLS byte enters a shared worker"},
	    {"HOST a.example\r\n", HANDOVER_PRIVATE, 16, "a shared worker has no hosts"},
	    {"HOST a..b\r\n", HANDOVER_TAKE, 11, "no host's name: 501 is said here"},
	    {"AUTH TLS\r\nUSER bob\r\n", HANDOVER_PRIVATE, 10,
	     "what follows does not matter"},
	    {"NOOP\r\nUSER bob\r\n", HANDOVER_TAKE, 6, "the first line only"},
	    {"\xff\xf4USER bob\r\n", HANDOVER_PRIVATE, 12, "behind Telnet noise"},
	    {"PASS secret\r\n", HANDOVER_TAKE, 13,
	     "without USER it is nobody's password"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[LINE_MAX_BYTES];
		struct session session = {.text = text};
		size_t used = 0;
		enum handover_decision decision =
		    handover_decide(&session, (const uint8_t *)cases[i].bytes,
		                    strlen(cases[i].bytes), &used);

		if (decision != cases[i].decision || used != cases[i].used) {
			fail_msg("%s: decided %d, used %zu", cases[i].why, (int)decision,
			         used);
		}
		assert_true(line_is_empty(&session.line)); /* looking takes nothing */
	}
}

/* A line whose first part was read already cannot be handed over whole: it is noise. */
static void
takes_the_rest_of_a_line_that_was_begun(void **state)
{
	static const uint8_t rest[] = "bob\r\n";
	char text[LINE_MAX_BYTES];
	struct session session = {.text = text};
	size_t used;

	(void)state;
	assert_int_equal(
	    line_feed(&session.line, text, (const uint8_t *)"USER ", 5, &used),
	    LINE_MORE);
	assert_int_equal(handover_decide(&session, rest, sizeof(rest) - 1, &used),
	                 HANDOVER_TAKE);
}

static struct session *
begin_session(struct worker *worker, int *ret_client_fd)
{
	struct mw_message assign = {.type = MW_ASSIGN, .session = 1};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	session_begin(worker, &assign, ends[0]);
	*ret_client_fd = ends[1];
	return worker_find(worker, 1);
}

static void
say(struct worker *worker, int client_fd, const char *line)
{
	assert_int_equal(send(client_fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	assert_int_equal(loop_turn(&worker->loop, 0), 0);
}

/*
 * The line stays in the socket until the client has taken all replies, which may be
 * never: meanwhile the worker must not be woken by it.
 */
static void
sleeps_while_replies_are_not_taken(void **state)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct options options;
	struct session *session;
	struct epoll_event event;
	char bytes[4096];
	int master[2];
	int client_fd;

	(void)state;
	assert_non_null(worker);
	options_set_defaults(&options);
	worker->kind = WORKER_SHARED;
	worker->options = &options;
	worker->recorder.fd = -1;
	timer_wheel_init(&worker->wheel, clock_monotonic_ms());
	agent_pool_init(worker);
	assert_int_equal(loop_init(&worker->loop), 0);
	assert_int_equal(channel_pair(master), 0);
	assert_int_equal(master_client_start(worker, master[0]), 0);
	session = begin_session(worker, &client_fd);
	assert_non_null(session);
	while (session->output_len == 0) {
		say(worker, client_fd, "HELP\r\n");
	}
	say(worker, client_fd, "USER bob\r\n");
	assert_int_equal(worker->session_count, 1);
	assert_int_equal(epoll_wait(worker->loop.epoll_fd, &event, 1, 0), 0);
	while (worker->session_count > 0) { /* once they are taken, it is handed over */
		assert_true(recv(client_fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 ||
		            errno == EAGAIN);
		assert_int_equal(loop_turn(&worker->loop, 0), 0);
	}
	session_free_ended(worker);
	(void)close(client_fd);
	(void)close(master[0]);
	(void)close(master[1]);
	(void)close(worker->loop.epoll_fd);
	free(worker);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decides_by_the_first_line_alone),
	    cmocka_unit_test(takes_the_rest_of_a_line_that_was_begun),
	    cmocka_unit_test(sleeps_while_replies_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
