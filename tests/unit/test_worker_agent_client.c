/*
 * test_worker_agent_client: who is asked what, in which order, and what becomes of
 * questions and uploads whose session or agent has ended. The agents are this program.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/worker/agent_client.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	CLIENTS = 3,
	AGENTS = 2,
};

struct fixture {
	struct worker *worker;
	struct options options;
	int master_fd;
	struct session *sessions[CLIENTS];
	int client_fds[CLIENTS];
	int agent_fds[AGENTS];
};

static void
turn(struct fixture *fixture)
{
	for (int i = 0; i < 4; i++) {
		assert_int_equal(loop_turn(&fixture->worker->loop, 0), 0);
	}
}

/* Read away what the client was told, so that the next reply stands alone. */
static void
assert_replied(struct fixture *fixture, size_t client, const char *beginning)
{
	char text[512] = "";
	ssize_t len =
	    recv(fixture->client_fds[client], text, sizeof(text) - 1, MSG_DONTWAIT);

	if (beginning == NULL) {
		assert_int_equal(len, -1);
		return;
	}
	assert_true(len > 0);
	if (strncmp(text, beginning, strlen(beginning)) != 0) {
		fail_msg("\"%s\" instead of \"%s\"", text, beginning);
	}
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int ends[2];

	assert_non_null(fixture);
	options_set_defaults(&fixture->options);
	fixture->worker = calloc(1, sizeof(*fixture->worker));
	assert_non_null(fixture->worker);
	fixture->worker->kind = WORKER_PRIVATE;
	fixture->worker->options = &fixture->options;
	fixture->worker->recorder.fd = -1;
	timer_wheel_init(&fixture->worker->wheel, clock_monotonic_ms());
	agent_pool_init(fixture->worker);
	assert_int_equal(loop_init(&fixture->worker->loop), 0);
	assert_int_equal(loop_init(&fixture->worker->bulk), 0);
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(master_client_start(fixture->worker, ends[0]), 0);
	fixture->master_fd = ends[1];
	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct mw_message assign = {.type = MW_ASSIGN, .session = i + 1};

		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
		session_begin(fixture->worker, &assign, ends[0]);
		fixture->client_fds[i] = ends[1];
		fixture->sessions[i] = worker_find(fixture->worker, i + 1);
		assert_non_null(fixture->sessions[i]);
		assert_replied(fixture, i, "220 ");
		fixture->sessions[i]->command = CMD_ALLO;
		fixture->sessions[i]->wanted_bytes = i + 1;
	}
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct session *session = worker_find(fixture->worker, (uint32_t)i + 1);

		if (session != NULL) {
			session_end(session, MW_END_CLOSED);
		}
		fd_close(&fixture->client_fds[i]);
	}
	session_free_ended(fixture->worker);
	for (size_t i = 0; i < AGENTS; i++) {
		if (fixture->agent_fds[i] > 0) {
			fd_close(&fixture->agent_fds[i]);
		}
	}
	turn(fixture); /* the agents' ends are noticed and their places freed */
	fd_close(&fixture->master_fd);
	fd_close(&fixture->worker->master.source.fd);
	fd_close(&fixture->worker->loop.epoll_fd);
	fd_close(&fixture->worker->bulk.epoll_fd);
	free(fixture->worker);
	free(fixture);
	return 0;
}

static void
answer(struct fixture *fixture, size_t agent, const struct agent_answer *text, int fd)
{
	uint8_t bytes[AGENT_ANSWER_MAX];
	size_t len = agent_answer_encode(text, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(channel_send(fixture->agent_fds[agent], bytes, len, fd), 0);
	turn(fixture);
}

static const struct agent_answer yes = {
    .result = IPC_OK, .size_bytes = 1000, .denied_call = -1};

static void
add_agent(struct fixture *fixture, size_t agent, struct session *owner, bool is_ready)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	fixture->agent_fds[agent] = ends[1];
	agent_pool_add(fixture->worker, ends[0], owner);
	if (is_ready) {
		answer(fixture, agent, &yes, -1);
	}
}

static void
ask_space(struct fixture *fixture, size_t client)
{
	struct agent_question question = {
	    .verb = AGENT_SPACE, .path = "/", .path_len = 1};

	agent_ask(fixture->sessions[client], &question);
}

static void
assert_asked(struct fixture *fixture, size_t agent, enum agent_verb verb, uint32_t upload,
             const char *path)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_question question;
	ssize_t len = channel_recv_plain(fixture->agent_fds[agent], bytes, sizeof(bytes),
	                                 MSG_DONTWAIT);

	assert_true(len > 0);
	assert_true(agent_question_decode(bytes, (size_t)len, &question));
	assert_int_equal(question.verb, verb);
	assert_int_equal(question.upload, upload);
	assert_int_equal(question.path_len, strlen(path));
	assert_memory_equal(question.path, path, question.path_len);
}

static void
assert_not_asked(struct fixture *fixture, size_t agent)
{
	uint8_t byte;

	assert_int_equal(
	    channel_recv_plain(fixture->agent_fds[agent], &byte, 1, MSG_DONTWAIT),
	    -EAGAIN);
}

static void
nothing_is_asked_before_it_is_ready(void **state)
{
	struct fixture *fixture = *state;

	add_agent(fixture, 0, NULL, false);
	ask_space(fixture, 0);
	turn(fixture);
	assert_not_asked(fixture, 0);
	answer(fixture, 0, &yes, -1);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	answer(fixture, 0, &yes, -1);
	assert_replied(fixture, 0, "200 ");
}

static void
a_users_agent_answers_him_alone(void **state)
{
	struct fixture *fixture = *state;

	fixture->sessions[0]->rights.is_user = true;
	add_agent(fixture, 0, fixture->sessions[0], true);
	ask_space(fixture, 1);
	assert_not_asked(fixture, 0);
	ask_space(fixture, 0);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	answer(fixture, 0, &yes, -1);
	assert_replied(fixture, 0, "200 ");
	assert_not_asked(fixture, 0);
	add_agent(fixture, 1, NULL, true);
	assert_asked(fixture, 1, AGENT_SPACE, 0, "/");
	answer(fixture, 1, &yes, -1);
	assert_replied(fixture, 1, "200 ");
}

static void
a_lost_agent_takes_its_user_along(void **state)
{
	struct fixture *fixture = *state;

	fixture->sessions[0]->rights.is_user = true;
	add_agent(fixture, 0, fixture->sessions[0], true);
	ask_space(fixture, 0);
	fd_close(&fixture->agent_fds[0]);
	turn(fixture);
	assert_replied(fixture, 0, "202 "); /* the question is answered first */
	assert_null(worker_find(fixture->worker, 1));
	assert_non_null(worker_find(fixture->worker, 2));
}

static void
a_released_agent_ends_without_a_word(void **state)
{
	struct fixture *fixture = *state;
	uint8_t byte;

	fixture->sessions[0]->rights.is_user = true;
	add_agent(fixture, 0, fixture->sessions[0], true);
	agent_release(fixture->sessions[0]);
	turn(fixture);
	assert_int_equal(
	    channel_recv_plain(fixture->agent_fds[0], &byte, 1, MSG_DONTWAIT), 0);
	assert_replied(fixture, 0, NULL);
	assert_non_null(worker_find(fixture->worker, 1));
	ask_space(fixture, 0); /* nobody can answer, and nobody waits for it */
	assert_replied(fixture, 0, "202 ");
}

/* An upload ends at the agent where it began, also while that one is busy. */
static void
the_same_agent_is_asked_again(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question commit = {
	    .verb = AGENT_COMMIT, .upload = 7, .path = "/x", .path_len = 2};
	uint32_t serial;

	add_agent(fixture, 0, NULL, true);
	ask_space(fixture, 0);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	answer(fixture, 0, &yes, -1);
	serial = fixture->sessions[0]->agent_serial;
	ask_space(fixture, 1);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	add_agent(fixture, 1, NULL, true);
	agent_ask_same(fixture->sessions[0], serial, &commit);
	ask_space(fixture, 2); /* passes the one that waits for a certain agent */
	assert_asked(fixture, 1, AGENT_SPACE, 0, "/");
	assert_not_asked(fixture, 0);
	answer(fixture, 0, &yes, -1);
	assert_asked(fixture, 0, AGENT_COMMIT, 7, "/x");
	fd_close(&fixture->agent_fds[0]);
	turn(fixture);
	assert_false(fixture->sessions[0]->is_asking);
	agent_ask_same(fixture->sessions[0], serial, &commit);
	assert_false(fixture->sessions[0]->is_asking); /* answered: it is gone */
}

static void
a_question_for_a_lost_agent_fails(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question same = {.verb = AGENT_SPACE, .path = "/", .path_len = 1};

	add_agent(fixture, 0, NULL, true);
	ask_space(fixture, 0);
	agent_ask_same(fixture->sessions[1], 1, &same);
	ask_space(fixture, 2);
	fd_close(&fixture->agent_fds[0]);
	turn(fixture);
	assert_replied(fixture, 0, "202 ");
	assert_replied(fixture, 1, "202 ");
	assert_replied(fixture, 2, NULL); /* for any agent: the next one */
	assert_true(fixture->sessions[2]->is_asking);
}

static void
a_cut_upload_is_told_before_the_next_question(void **state)
{
	struct fixture *fixture = *state;

	add_agent(fixture, 0, NULL, true);
	ask_space(fixture, 0);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	ask_space(fixture, 1);
	agent_discard(fixture->worker, 1, 5, "/cut");
	agent_discard(fixture->worker, 99, 5, "/of another");
	answer(fixture, 0, &yes, -1);
	assert_asked(fixture, 0, AGENT_DISCARD, 5, "/cut");
	assert_not_asked(fixture, 0);
	answer(fixture, 0, &yes, -1);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	answer(fixture, 0, &yes, -1);
	assert_replied(fixture, 0, "200 ");
	assert_replied(fixture, 1, "200 ");
}

/* Aborted while the agent opens: what it has begun is not left behind. */
static void
an_unwanted_upload_is_discarded(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question open = {
	    .verb = AGENT_OPEN_WRITE, .path = "/new", .path_len = 4};
	struct agent_answer opened = yes;
	int file_fds[2];

	add_agent(fixture, 0, NULL, true);
	fixture->sessions[0]->path = strdup("/new");
	agent_ask(fixture->sessions[0], &open);
	assert_asked(fixture, 0, AGENT_OPEN_WRITE, 0, "/new");
	agent_forget(fixture->sessions[0]);
	assert_false(fixture->sessions[0]->is_asking);
	opened.upload = 3;
	assert_int_equal(channel_pair(file_fds), 0); /* any descriptor will do */
	answer(fixture, 0, &opened, file_fds[0]);
	assert_asked(fixture, 0, AGENT_DISCARD, 3, "/new");
	fd_close(&file_fds[0]);
	/* the worker has closed its copy, too */
	assert_int_equal(channel_recv_plain(file_fds[1], &(uint8_t){0}, 1, MSG_DONTWAIT),
	                 0);
	fd_close(&file_fds[1]);
}

/* All bytes had come before the client went away: the file is whole. */
static void
a_waiting_commit_survives_its_session(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question commit = {
	    .verb = AGENT_COMMIT, .upload = 7, .path = "/x", .path_len = 2};

	add_agent(fixture, 0, NULL, true);
	ask_space(fixture, 1);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	agent_ask_same(fixture->sessions[0], 1, &commit);
	session_end(fixture->sessions[0], MW_END_CLOSED);
	answer(fixture, 0, &yes, -1);
	assert_asked(fixture, 0, AGENT_COMMIT, 7, "/x");
}

/* The rules of trust hold in both directions. */
static void
a_strange_answer_ends_the_agent(void **state)
{
	struct fixture *fixture = *state;
	int pair[2];
	uint8_t byte;

	assert_int_equal(channel_pair(pair), 0);
	add_agent(fixture, 0, NULL, true);
	ask_space(fixture, 0);
	assert_asked(fixture, 0, AGENT_SPACE, 0, "/");
	answer(fixture, 0, &yes, pair[0]); /* a descriptor that nobody asked for */
	assert_replied(fixture, 0, "202 ");
	assert_int_equal(
	    channel_recv_plain(fixture->agent_fds[0], &byte, 1, MSG_DONTWAIT), 0);
	add_agent(fixture, 1, NULL, true);
	answer(fixture, 1, &yes, -1); /* an answer to no question */
	assert_int_equal(
	    channel_recv_plain(fixture->agent_fds[1], &byte, 1, MSG_DONTWAIT), 0);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_asked_before_it_is_ready),
	    TEST(a_users_agent_answers_him_alone),
	    TEST(a_lost_agent_takes_its_user_along),
	    TEST(a_released_agent_ends_without_a_word),
	    TEST(the_same_agent_is_asked_again),
	    TEST(a_question_for_a_lost_agent_fails),
	    TEST(a_cut_upload_is_told_before_the_next_question),
	    TEST(an_unwanted_upload_is_discarded),
	    TEST(a_waiting_commit_survives_its_session),
	    TEST(a_strange_answer_ends_the_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
