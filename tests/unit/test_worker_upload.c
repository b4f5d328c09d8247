/*
 * Long because every way in which an upload can end is in it, and all need the same
 * house. test_worker_upload: STOR, APPE, STOU and ALLO from the command to the last
 * reply: what the client, the agent and the file see, and in which order. The agent, the
 * client and the master are this program.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/worker/offload.h"
#include "ftpd/worker/pace.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	UPLOAD = 17, /* the number that our agent gives */
};

struct fixture {
	struct worker *worker;
	struct options options;
	struct session *session;
	int master_fd;
	int agent_fd;
	int client_fd;
	int data_fd; /* the client's end */
	int file_fd; /* a second look at what the agent has opened */
};

static void
turn(struct fixture *fixture)
{
	for (int i = 0; i < 8; i++) {
		assert_int_equal(loop_turn(&fixture->worker->loop, 0), 0);
	}
}

static void
say(struct fixture *fixture, const char *line)
{
	assert_int_equal(send(fixture->client_fd, line, strlen(line), MSG_NOSIGNAL),
	                 strlen(line));
	turn(fixture);
}

/* The next replies begin so, and there are no others; "" for none at all. */
static void
assert_replies(struct fixture *fixture, const char *const *beginnings, size_t count)
{
	char text[2048] = "";
	ssize_t len = recv(fixture->client_fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	const char *at = text;

	assert_true(len < (ssize_t)sizeof(text) - 1);
	for (size_t i = 0; i < count; i++) {
		const char *end = strstr(at, "\r\n");

		if (end == NULL ||
		    strncmp(at, beginnings[i], strlen(beginnings[i])) != 0) {
			fail_msg("\"%s\" has no \"%s\" there", text, beginnings[i]);
			return;
		}
		at = end + 2;
	}
	assert_string_equal(at, "");
}

static void
assert_reply(struct fixture *fixture, const char *beginning)
{
	assert_replies(fixture, &beginning, 1);
}

static void
assert_silence(struct fixture *fixture)
{
	static const char *const none[] = {""};

	assert_replies(fixture, none, 0);
}

/* The question is taken, and its fields are checked by the caller. */
static struct agent_question
take_question(struct fixture *fixture, enum agent_verb verb, const char *path)
{
	static uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_question question = {.verb = AGENT_VERB_COUNT};
	ssize_t len =
	    channel_recv_plain(fixture->agent_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	assert_true(len > 0);
	assert_true(agent_question_decode(bytes, (size_t)len, &question));
	assert_int_equal(question.verb, verb);
	assert_int_equal(question.path_len, strlen(path));
	assert_memory_equal(question.path, path, question.path_len);
	return question;
}

static void
assert_not_asked(struct fixture *fixture)
{
	uint8_t byte;

	assert_int_equal(channel_recv_plain(fixture->agent_fd, &byte, 1, MSG_DONTWAIT),
	                 -EAGAIN);
}

static void
answer(struct fixture *fixture, const struct agent_answer *text, int fd)
{
	uint8_t bytes[AGENT_ANSWER_MAX];
	size_t len = agent_answer_encode(text, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(channel_send(fixture->agent_fd, bytes, len, fd), 0);
	turn(fixture);
}

static void
answer_plainly(struct fixture *fixture, enum ipc_result result)
{
	struct agent_answer text = {.result = result, .denied_call = -1};

	answer(fixture, &text, -1);
}

/* As after PASV and the client's connect. */
static void
connect_data(struct fixture *fixture)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	fixture->session->data.mode = DATA_PASSIVE;
	fixture->session->data.connection_fd = ends[0];
	session_set_transfer_state(fixture->session, TRANSFER_ARMED);
	fd_close(&fixture->data_fd);
	fixture->data_fd = ends[1];
}

/* The agent opens a file in memory, the client is told to send. */
static void
open_file(struct fixture *fixture, const struct agent_answer *opened)
{
	struct agent_answer text = *opened;
	int fd = memfd_create("upload", MFD_CLOEXEC);

	assert_true(fd >= 0);
	text.result = IPC_OK;
	text.denied_call = -1;
	text.device = 1;
	if (text.limit_bytes == 0) {
		text.limit_bytes = UINT64_MAX;
	}
	answer(fixture, &text, fd);
	fd_close(&fixture->file_fd);
	fixture->file_fd = fd;
}

static void
begin_upload(struct fixture *fixture, uint32_t upload, uint64_t limit)
{
	struct agent_answer opened = {.upload = upload, .limit_bytes = limit};

	connect_data(fixture);
	say(fixture, "STOR x\r\n");
	(void)take_question(fixture, AGENT_OPEN_WRITE, "/x");
	open_file(fixture, &opened);
	assert_reply(fixture, "125 ");
}

static void
send_data(struct fixture *fixture, const char *text, bool is_all)
{
	assert_int_equal(send(fixture->data_fd, text, strlen(text), MSG_NOSIGNAL),
	                 strlen(text));
	if (is_all) {
		assert_int_equal(shutdown(fixture->data_fd, SHUT_WR), 0);
	}
	turn(fixture);
}

static void
assert_file(struct fixture *fixture, const char *text)
{
	char got[256];

	assert_int_equal(pread(fixture->file_fd, got, sizeof(got), 0), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static bool
is_data_closed(struct fixture *fixture)
{
	char byte;

	return recv(fixture->data_fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void
begin_session(struct fixture *fixture)
{
	struct mw_message assign = {.type = MW_ASSIGN, .session = 1};
	struct agent_answer ready = {.result = IPC_OK, .denied_call = -1};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	session_begin(fixture->worker, &assign, ends[0]);
	fixture->client_fd = ends[1];
	fixture->session = worker_find(fixture->worker, 1);
	assert_non_null(fixture->session);
	assert_reply(fixture, "220 ");
	fixture->session->state = SESSION_LOGGED_IN;
	fixture->session->is_ascii = false;
	fixture->session->rights.is_user = true;
	fixture->session->name = strdup("user");
	assert_int_equal(channel_pair(ends), 0);
	agent_pool_add(fixture->worker, ends[0], fixture->session);
	fixture->agent_fd = ends[1];
	answer(fixture, &ready, -1);
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int ends[2];

	assert_non_null(fixture);
	options_set_defaults(&fixture->options);
	fixture->data_fd = -1;
	fixture->file_fd = -1;
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
	begin_session(fixture);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (worker_find(fixture->worker, 1) != NULL) {
		session_end(fixture->session, MW_END_CLOSED);
	}
	session_free_ended(fixture->worker);
	fd_close(&fixture->agent_fd);
	turn(fixture);
	if (fixture->worker->upload_buffer != NULL) {
		(void)munmap(fixture->worker->upload_buffer, PUMP_SHARED_BYTES);
	}
	fd_close(&fixture->client_fd);
	fd_close(&fixture->data_fd);
	fd_close(&fixture->file_fd);
	fd_close(&fixture->master_fd);
	fd_close(&fixture->worker->master.source.fd);
	fd_close(&fixture->worker->loop.epoll_fd);
	fd_close(&fixture->worker->bulk.epoll_fd);
	free(fixture->worker);
	free(fixture);
	return 0;
}

/* Nothing to be confirmed: one question for the whole file. */
static void
a_plain_upload_takes_one_question(void **state)
{
	struct fixture *fixture = *state;

	begin_upload(fixture, 0, 0);
	send_data(fixture, "hello", true);
	assert_reply(fixture, "226 ");
	assert_true(is_data_closed(fixture));
	assert_not_asked(fixture);
	assert_file(fixture, "hello");
}

/* Data connection closed, then the agent's word, and only then 226. */
static void
the_agent_decides_what_is_told(void **state)
{
	static const struct {
		enum ipc_result result;
		const char *reply;
	} cases[] = {
	    {IPC_OK, "226 "},        {IPC_NO_SPACE, "452 "},    {IPC_OVER_QUOTA, "552 "},
	    {IPC_TOO_LARGE, "552 "}, {IPC_LOCAL_ERROR, "451 "}, {IPC_NOT_FOUND, "550 "},
	    {IPC_READ_ONLY, "550 "}, {IPC_BUSY, "450 "},        {IPC_DENIED, "550 "},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		begin_upload(fixture, UPLOAD, 0);
		send_data(fixture, "hello", true);
		assert_true(is_data_closed(fixture));
		assert_silence(fixture);
		assert_int_equal(take_question(fixture, AGENT_COMMIT, "/x").upload,
		                 UPLOAD);
		answer_plainly(fixture, cases[i].result);
		assert_reply(fixture, cases[i].reply);
		assert_not_asked(fixture);
	}
}

/* SECURITY.md F12 and F14: what cannot be stored ends with its code, and a discard. */
static void
a_failed_upload_is_discarded(void **state)
{
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 4);
	send_data(fixture, "hello", false);
	assert_reply(fixture, "552 ");
	assert_int_equal(take_question(fixture, AGENT_DISCARD, "/x").upload, UPLOAD);
	assert_file(fixture, "hell");
	answer_plainly(fixture, IPC_OK);
	assert_silence(fixture);
}

static void
the_users_own_limit_holds_too(void **state)
{
	struct fixture *fixture = *state;

	fixture->session->rights.max_file_bytes = 3;
	begin_upload(fixture, 0, 4);
	send_data(fixture, "hel", false);
	assert_silence(fixture);
	send_data(fixture, "l", false);
	assert_reply(fixture, "552 ");
	assert_file(fixture, "hel");
}

/* D9 and RFC 959 4.1.3: 426 for the transfer, 226 for ABOR. */
static void
an_aborted_upload_is_discarded(void **state)
{
	static const char *const replies[] = {"426 ", "226 "};
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 0);
	send_data(fixture, "half", false);
	say(fixture, "ABOR\r\n");
	assert_replies(fixture, replies, 2);
	assert_true(is_data_closed(fixture));
	assert_int_equal(take_question(fixture, AGENT_DISCARD, "/x").upload, UPLOAD);
}

/* It is with the agent already: the truth about it comes first. */
static void
abor_may_come_too_late(void **state)
{
	static const char *const replies[] = {"226 ", "226 "};
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 0);
	send_data(fixture, "hello", true);
	(void)take_question(fixture, AGENT_COMMIT, "/x");
	say(fixture, "ABOR\r\n");
	assert_silence(fixture);
	answer_plainly(fixture, IPC_OK);
	assert_replies(fixture, replies, 2);
	assert_not_asked(fixture);
}

/* All that comes behind an ABOR waits as it does: each is answered, and in order. */
static void
abors_that_come_too_late_are_all_answered(void **state)
{
	static const char *const replies[] = {"226 ", "226 ", "226 ", "200 "};
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 0);
	send_data(fixture, "hello", true);
	(void)take_question(fixture, AGENT_COMMIT, "/x");
	say(fixture, "ABOR\r\nABOR\r\nNOOP\r\n");
	assert_silence(fixture);
	answer_plainly(fixture, IPC_OK);
	assert_replies(fixture, replies, 4);
}

/* SECURITY.md D12: a reset is no end of file, and never 226. */
static void
a_reset_upload_is_discarded(void **state)
{
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 0);
	/* AF_UNIX resets when the closing side has not read everything. */
	assert_int_equal(send(fixture->session->data.connection_fd, "x", 1, 0), 1);
	fd_close(&fixture->data_fd);
	turn(fixture);
	assert_reply(fixture, "426 ");
	(void)take_question(fixture, AGENT_DISCARD, "/x");
}

static void
a_client_that_vanishes_leaves_a_cut_upload(void **state)
{
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 0);
	send_data(fixture, "half", false);
	fd_close(&fixture->client_fd);
	turn(fixture);
	assert_null(worker_find(fixture->worker, 1));
	assert_int_equal(take_question(fixture, AGENT_DISCARD, "/x").upload, UPLOAD);
}

static void
a_stalled_upload_is_cut(void **state)
{
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 0);
	transfer_abort(fixture->session, "the data connection stalled");
	assert_reply(fixture, "426 ");
	(void)take_question(fixture, AGENT_DISCARD, "/x");
}

/* Nobody is there to be told of the cut; the session ends in its own turn. */
static void
a_dead_agent_is_told_nothing(void **state)
{
	static const char *const replies[] = {"552 ", "421 "};
	struct fixture *fixture = *state;

	begin_upload(fixture, UPLOAD, 3);
	fd_close(&fixture->agent_fd);
	assert_int_equal(send(fixture->data_fd, "hello", 5, MSG_NOSIGNAL), 5);
	transfer_continue(fixture->session); /* before the loop sees the agent's end */
	assert_non_null(worker_find(fixture->worker, 1));
	turn(fixture);
	assert_replies(fixture, replies, 2);
	assert_null(worker_find(fixture->worker, 1));
}

/* The control connection is answered while data moves. */
static void
stat_tells_of_a_running_upload(void **state)
{
	struct fixture *fixture = *state;

	begin_upload(fixture, 0, 0);
	send_data(fixture, "hello", false);
	say(fixture, "STAT\r\n");
	assert_reply(fixture, "211 Transferring: 5 octets received");
	send_data(fixture, "", true);
	assert_reply(fixture, "226 ");
}

static void
no_data_connection_discards(void **state)
{
	struct agent_answer opened = {.upload = UPLOAD};
	struct fixture *fixture = *state;

	connect_data(fixture);
	say(fixture, "STOR x\r\n");
	(void)take_question(fixture, AGENT_OPEN_WRITE, "/x");
	/* it was not the client's: gone again */
	fd_close(&fixture->session->data.connection_fd);
	fixture->session->data.listener_fd = socket(AF_INET, SOCK_STREAM, 0);
	open_file(fixture, &opened);
	assert_reply(fixture, "150 ");
	transfer_not_connected(fixture->session);
	assert_reply(fixture, "425 ");
	assert_int_equal(take_question(fixture, AGENT_DISCARD, "/x").upload, UPLOAD);
}

static void
what_cannot_be_opened_is_refused(void **state)
{
	static const struct {
		enum ipc_result result;
		const char *reply;
	} cases[] = {
	    {IPC_NOT_FOUND, "550 "},   {IPC_DENIED, "550 "},     {IPC_NOT_A_FILE, "553 "},
	    {IPC_EXISTS, "553 "},      {IPC_BAD_NAME, "553 "},   {IPC_BAD_OFFSET, "554 "},
	    {IPC_NO_SPACE, "452 "},    {IPC_OVER_QUOTA, "552 "}, {IPC_TOO_LARGE, "552 "},
	    {IPC_LOCAL_ERROR, "451 "}, {IPC_BUSY, "450 "},       {IPC_READ_ONLY, "550 "},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		connect_data(fixture);
		say(fixture, "STOR x\r\n");
		(void)take_question(fixture, AGENT_OPEN_WRITE, "/x");
		answer_plainly(fixture, cases[i].result);
		assert_reply(fixture, cases[i].reply);
		assert_true(is_data_closed(fixture));
	}
}

static void
rest_tells_where_to_go_on(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question;
	struct agent_answer opened = {.offset = 2};

	say(fixture, "REST 2\r\n");
	assert_reply(fixture, "350 ");
	connect_data(fixture);
	say(fixture, "STOR x\r\n");
	question = take_question(fixture, AGENT_OPEN_WRITE, "/x");
	assert_int_equal(question.how, AGENT_OPEN_STORE);
	assert_int_equal(question.offset, 2);
	open_file(fixture, &opened);
	assert_reply(fixture, "125 ");
	send_data(fixture, "llo", true);
	assert_reply(fixture, "226 ");
	assert_int_equal(lseek(fixture->file_fd, 0, SEEK_END), 5);
}

/* The marker counts converted octets, which nobody can find in a file unread. */
static void
rest_is_refused_for_text(void **state)
{
	struct fixture *fixture = *state;

	fixture->session->is_ascii = true;
	say(fixture, "REST 2\r\n");
	assert_reply(fixture, "350 ");
	connect_data(fixture);
	say(fixture, "STOR x\r\n");
	assert_reply(fixture, "554 ");
	assert_not_asked(fixture);
	assert_true(is_data_closed(fixture));
}

static void
appe_is_held_against_rest(void **state)
{
	static const struct {
		const char *rest;
		const char *reply;
	} cases[] = {
	    {"REST 5\r\n", "125 "}, {"REST 4\r\n", "554 "}, {"REST 6\r\n", "554 "}};
	struct fixture *fixture = *state;
	struct agent_answer opened = {.offset = 5, .upload = UPLOAD};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		say(fixture, cases[i].rest);
		assert_reply(fixture, "350 ");
		connect_data(fixture);
		say(fixture, "APPE x\r\n");
		assert_int_equal(take_question(fixture, AGENT_OPEN_WRITE, "/x").how,
		                 AGENT_OPEN_APPEND);
		open_file(fixture, &opened);
		assert_reply(fixture, cases[i].reply);
		if (i == 0) {
			send_data(fixture, "", true);
			(void)take_question(fixture, AGENT_COMMIT, "/x");
			answer_plainly(fixture, IPC_OK);
			assert_reply(fixture, "226 ");
		} else {
			(void)take_question(fixture, AGENT_DISCARD, "/x");
			answer_plainly(fixture, IPC_OK);
		}
	}
}

/* The size that SIZE has told is passed on for that path alone. */
static void
appe_knows_what_size_has_told(void **state)
{
	static const struct {
		const char *line;
		const char *path;
		bool has_told_size;
	} cases[] = {{"APPE x\r\n", "/x", true}, {"APPE y\r\n", "/y", false}};
	struct fixture *fixture = *state;
	struct agent_question question;

	fixture->session->told_path = strdup("/x");
	fixture->session->told_size = 99;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		connect_data(fixture);
		say(fixture, cases[i].line);
		question = take_question(fixture, AGENT_OPEN_WRITE, cases[i].path);
		assert_int_equal(question.has_told_size, cases[i].has_told_size);
		assert_int_equal(question.told_size, cases[i].has_told_size ? 99 : 0);
		answer_plainly(fixture, IPC_DENIED);
		assert_reply(fixture, "550 ");
	}
}

/* RFC 1123 4.1.2.9 */
static void
stou_tells_the_name(void **state)
{
	static const struct {
		const char *line;
		const char *wish;
	} cases[] = {{"STOU\r\n", "/upload"}, {"STOU a\r\n", "/a"}};
	struct fixture *fixture = *state;
	struct agent_answer opened = {
	    .name = "/dir/a.1", .name_len = 8, .upload = UPLOAD};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		connect_data(fixture);
		say(fixture, cases[i].line);
		assert_int_equal(
		    take_question(fixture, AGENT_OPEN_WRITE, cases[i].wish).how,
		    AGENT_OPEN_UNIQUE);
		open_file(fixture, &opened);
		assert_reply(fixture, "125 FILE: /dir/a.1\r\n");
		send_data(fixture, "hello", true);
		(void)take_question(fixture, AGENT_COMMIT, "/dir/a.1");
		answer_plainly(fixture, IPC_OK);
		assert_reply(fixture, "226 Transfer complete. FILE: /dir/a.1\r\n");
	}
}

static void
allo_tells_the_truth(void **state)
{
	static const struct {
		const char *line;
		enum ipc_result result;
		const char *reply;
	} cases[] = {
	    {"ALLO 1000\r\n", IPC_OK, "200 "},
	    {"ALLO 1001\r\n", IPC_OK, "452 "},
	    {"ALLO 10 R 5\r\n", IPC_OK, "200 "},
	    {"ALLO 10\r\n", IPC_OVER_QUOTA, "552 "},
	    {"ALLO 10\r\n", IPC_NO_SPACE, "452 "},
	    {"ALLO 10\r\n", IPC_LOCAL_ERROR, "202 "},
	};
	struct fixture *fixture = *state;
	struct agent_answer space = {.size_bytes = 1000, .denied_call = -1};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		say(fixture, cases[i].line);
		(void)take_question(fixture, AGENT_SPACE, "/");
		space.result = cases[i].result;
		answer(fixture, &space, -1);
		assert_reply(fixture, cases[i].reply);
	}
	fixture->session->rights.max_file_bytes = 999;
	say(fixture, "ALLO 1000\r\n");
	assert_reply(fixture, "552 ");
	assert_not_asked(fixture);
}

/* A waiting upload is not asked again and again, and a new limit holds at once. */
static void
a_paced_upload_waits_and_is_woken(void **state)
{
	struct fixture *fixture = *state;
	struct session *session = fixture->session;
	uint64_t due_ms;

	session->rights.rate_up = 10;
	begin_upload(fixture, 0, 0);
	send_data(fixture, "1234567890", true);
	assert_int_equal(session->transfer->moved, 5); /* a burst of half a second */
	assert_non_null(fixture->worker->paced);
	due_ms = session->transfer->due_ms;
	assert_true(due_ms > fixture->worker->loop.now_ms);
	assert_true(pace_sleep_ms(fixture->worker, -1) > 0);
	fixture->worker->loop.now_ms = due_ms - 1;
	pace_run(fixture->worker);
	assert_int_equal(session->transfer->moved, 5);
	fixture->worker->loop.now_ms = due_ms;
	pace_run(fixture->worker);
	assert_int_equal(session->transfer->moved, 6);
	session->rights.rate_up = 0;
	rate_changed(session);
	fixture->worker->loop.now_ms += PACE_MS;
	pace_run(fixture->worker);
	assert_reply(fixture, "226 ");
	assert_null(fixture->worker->paced);
	assert_int_equal(pace_sleep_ms(fixture->worker, 77), 77);
	assert_file(fixture, "1234567890");
}

/* Where writing may wait, threads write and close, and errors come back from there. */
static void
a_remote_file_is_written_by_threads(void **state)
{
	static const struct {
		uint64_t limit;
		const char *reply;
		const char *file;
	} cases[] = {{0, "226 ", "hello"}, {4, "552 ", "hell"}, {5, "226 ", "hello"}};
	struct fixture *fixture = *state;

	assert_int_equal(offload_init(fixture->worker), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		fixture->worker->last_device = 1; /* as open_file says */
		fixture->worker->last_storage = STORAGE_REMOTE;
		begin_upload(fixture, 0, cases[i].limit);
		send_data(fixture, "hello", true);
		while (fixture->session->transfer != NULL) {
			assert_int_equal(loop_turn(&fixture->worker->loop, 5000), 0);
		}
		assert_reply(fixture, cases[i].reply);
		assert_file(fixture, cases[i].file);
	}
	fixture->worker->last_device = 1;
	begin_upload(fixture, UPLOAD, 0);
	send_data(fixture, "hello", false);
	say(fixture, "ABOR\r\n"); /* a thread may be writing, or not */
	while (channel_recv_plain(fixture->agent_fd, &(char){0}, 1,
	                          MSG_DONTWAIT | MSG_PEEK) == -EAGAIN) {
		assert_int_equal(loop_turn(&fixture->worker->loop, 5000), 0);
	}
	assert_int_equal(take_question(fixture, AGENT_DISCARD, "/x").upload, UPLOAD);
}

static void
tell_share(struct fixture *fixture, uint64_t rate_up)
{
	struct mw_message share = {.type = MW_SHARE, .session = 1, .rate_up = rate_up};
	uint8_t bytes[128];

	assert_int_equal(channel_send(fixture->master_fd, bytes,
	                              mw_encode(&share, bytes, sizeof(bytes)), -1),
	                 0);
	turn(fixture);
	pace_run(fixture->worker);
	turn(fixture);
}

/* How often the master has been told that data move, and that they do not. */
static unsigned
count_told(struct fixture *fixture)
{
	uint8_t bytes[128];
	struct mw_message message;
	ssize_t len;
	unsigned told = 0;

	while ((len = channel_recv_plain(fixture->master_fd, bytes, sizeof(bytes),
	                                 MSG_DONTWAIT)) > 0) {
		assert_true(mw_decode(bytes, (size_t)len, &message));
		if (message.type == MW_MOVING) {
			assert_true(message.is_upload);
			assert_int_equal(message.is_moving, told % 2 == 0);
			told++;
		}
	}
	return told;
}

static void
let_it_come_to_its_end(struct fixture *fixture)
{
	while (fixture->session->transfer != NULL) {
		assert_int_equal(loop_turn(&fixture->worker->loop, 1), 0);
		pace_run(fixture->worker);
	}
}

/*
 * Not a byte before the share is known, and no burst then: whoever connects again and
 * again would live on bursts. Later transfers begin with the share of before.
 */
static void
the_master_says_how_fast_sharers_move(void **state)
{
	struct fixture *fixture = *state;

	fixture->session->rights.has_shared_rate = true;
	begin_upload(fixture, 0, 0);
	send_data(fixture, "hello", true);
	assert_silence(fixture);
	assert_int_equal(fixture->session->transfer->moved, 0);
	assert_int_equal(count_told(fixture), 1);
	tell_share(fixture, 1000);
	assert_silence(fixture);
	assert_int_equal(fixture->session->transfer->moved, 0);
	let_it_come_to_its_end(fixture);
	assert_reply(fixture, "226 ");
	assert_int_equal(fixture->session->rights.share_up, 1000);
	assert_true(rate_is_share_known(fixture->session, true));
	begin_upload(fixture, 0, 0);
	send_data(fixture, "hello", true);
	let_it_come_to_its_end(fixture);
	assert_reply(fixture, "226 ");
}

/*
 * A file's part is there for SIZE alone. An agent that gives it to RETR all the same does
 * not fill the worker's table of descriptors.
 */
static void
a_part_is_not_fetched(void **state)
{
	struct fixture *fixture = *state;
	struct agent_answer opened = {
	    .result = IPC_OK, .is_part = true, .denied_call = -1};
	char byte;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	connect_data(fixture);
	say(fixture, "RETR x\r\n");
	(void)take_question(fixture, AGENT_OPEN_READ, "/x");
	answer(fixture, &opened, ends[1]);
	assert_reply(fixture, "550 ");
	fd_close(&ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody has it any more */
	fd_close(&ends[0]);
}

/* A master that has nothing to say holds nobody up for long, and once only. */
static void
a_share_is_not_waited_for_in_vain(void **state)
{
	struct fixture *fixture = *state;

	fixture->session->rights.has_shared_rate = true;
	begin_upload(fixture, 0, 0);
	send_data(fixture, "hello", true);
	assert_silence(fixture);
	let_it_come_to_its_end(fixture);
	assert_reply(fixture, "226 ");
	assert_int_equal(count_told(fixture), 2);
	begin_upload(fixture, 0, 0);
	send_data(fixture, "hello", true);
	assert_reply(fixture, "226 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_plain_upload_takes_one_question),
	    TEST(the_agent_decides_what_is_told),
	    TEST(a_failed_upload_is_discarded),
	    TEST(the_users_own_limit_holds_too),
	    TEST(an_aborted_upload_is_discarded),
	    TEST(abor_may_come_too_late),
	    TEST(abors_that_come_too_late_are_all_answered),
	    TEST(a_reset_upload_is_discarded),
	    TEST(a_client_that_vanishes_leaves_a_cut_upload),
	    TEST(a_stalled_upload_is_cut),
	    TEST(a_dead_agent_is_told_nothing),
	    TEST(stat_tells_of_a_running_upload),
	    TEST(no_data_connection_discards),
	    TEST(what_cannot_be_opened_is_refused),
	    TEST(rest_tells_where_to_go_on),
	    TEST(rest_is_refused_for_text),
	    TEST(appe_is_held_against_rest),
	    TEST(appe_knows_what_size_has_told),
	    TEST(stou_tells_the_name),
	    TEST(allo_tells_the_truth),
	    TEST(a_paced_upload_waits_and_is_woken),
	    TEST(a_remote_file_is_written_by_threads),
	    TEST(the_master_says_how_fast_sharers_move),
	    TEST(a_share_is_not_waited_for_in_vain),
	    TEST(a_part_is_not_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
