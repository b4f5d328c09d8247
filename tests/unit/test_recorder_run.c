/*
 * test_recorder_run: a whole recorder, without its confinement, is spoken to as the
 * master and as workers would, well and badly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/recorder/recorder.h"
#include "common/base.h"

enum {
	PATIENCE_MS = 5000,
	SETTLED_US = 200000,
	LOG_MAX = 65536,
};

/* A recorder in a child process, and our ends. */
struct fixture {
	pid_t pid;
	int master_fd;
	int events_fd;    /* what it writes to standard error */
	int transfers_fd; /* its transfer log */
	char log[LOG_MAX];
};

static void
receive(int fd, enum record_type wanted)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct record record;
	ssize_t len;

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	len = channel_recv_plain(fd, bytes, sizeof(bytes), 0);
	assert_true(len > 0);
	assert_true(record_decode(bytes, (size_t)len, &record));
	assert_int_equal(record.type, wanted);
}

static void
send_record(int fd, struct record record, int passed_fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len;

	record.user = record.user != NULL ? record.user : "";
	record.text = record.text != NULL ? record.text : "";
	record.user_len = strlen(record.user);
	record.text_len = strlen(record.text);
	len = record_encode(&record, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(channel_send(fd, bytes, len, passed_fd), 0);
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int ends[2];

	assert_non_null(fixture);
	assert_int_equal(channel_pair(ends), 0);
	fixture->events_fd = memfd_create("events", MFD_CLOEXEC);
	fixture->transfers_fd = memfd_create("transfers", MFD_CLOEXEC);
	fixture->pid = fork();
	if (fixture->pid == 0) {
		struct recorder *recorder = recorder_new();

		(void)close(ends[0]);
		(void)signal(SIGPIPE, SIG_IGN);
		if (recorder == NULL || dup2(fixture->events_fd, STDERR_FILENO) < 0) {
			_exit(99);
		}
		_exit(recorder_run(recorder, ends[1], 0, -1));
	}
	assert_int_equal(close(ends[1]), 0);
	fixture->master_fd = ends[0];
	receive(fixture->master_fd, RECORD_READY);
	send_record(fixture->master_fd, (struct record){.type = RECORD_TRANSFER_LOG},
	            fixture->transfers_fd);
	receive(fixture->master_fd, RECORD_TAKEN);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->pid > 0) {
		(void)kill(fixture->pid, SIGKILL);
		(void)waitpid(fixture->pid, NULL, 0);
	}
	fd_close(&fixture->master_fd);
	fd_close(&fixture->events_fd);
	fd_close(&fixture->transfers_fd);
	free(fixture);
	return 0;
}

/* The master ends; returns what the log has then. */
static const char *
end_and_read(struct fixture *fixture, int log_fd)
{
	int status = -1;
	ssize_t len;

	if (fixture->pid > 0) {
		fd_close(&fixture->master_fd);
		assert_int_equal(waitpid(fixture->pid, &status, 0), fixture->pid);
		assert_int_equal(status, 0);
		fixture->pid = 0;
	}
	len = pread(log_fd, fixture->log, sizeof(fixture->log) - 1, 0);
	assert_true(len >= 0);
	fixture->log[len] = '\0';
	return fixture->log;
}

static int
add_worker(struct fixture *fixture, uint32_t worker)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	send_record(fixture->master_fd,
	            (struct record){.type = RECORD_WORKER, .worker = worker}, ends[1]);
	receive(fixture->master_fd, RECORD_TAKEN);
	assert_int_equal(close(ends[1]), 0);
	return ends[0];
}

static void
begin_session(struct fixture *fixture, uint32_t session, uint32_t worker, uint8_t last)
{
	struct record record = {
	    .type = RECORD_SESSION_BEGIN, .session = session, .worker = worker};

	record.peer = (struct addr){.family = ADDR_IPV4, .bytes = {192, 0, 2, last}};
	send_record(fixture->master_fd, record, -1);
}

static void
send_transfer(int fd, uint32_t session, const char *path)
{
	send_record(fd,
	            (struct record){.type = RECORD_TRANSFER,
	                            .session = session,
	                            .flags = RECORD_IS_COMPLETE | RECORD_IS_ANONYMOUS,
	                            .value = 42,
	                            .duration_us = 1500000,
	                            .user = "anonymous",
	                            .text = path},
	            -1);
}

/* The recorder closes a channel that lied; the sender sees the end. */
static void
assert_closed(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
}

static size_t
count(const char *text, const char *part)
{
	size_t found = 0;

	for (; (text = strstr(text, part)) != NULL; text++) {
		found++;
	}
	return found;
}

static void
a_session_is_logged(void **state)
{
	struct fixture *fixture = *state;
	int worker_fd = add_worker(fixture, 3);
	const char *log;

	begin_session(fixture, 7, 3, 1);
	send_record(worker_fd,
	            (struct record){.type = RECORD_LOGIN,
	                            .session = 7,
	                            .user = "anonymous",
	                            .text = "me@example.com"},
	            -1);
	send_transfer(worker_fd, 7, "/pub/a b\n");
	send_record(worker_fd,
	            (struct record){.type = RECORD_EVENT,
	                            .session = 7,
	                            .level = RECORD_WARNING,
	                            .text = "odd\x1b"},
	            -1);
	send_record(worker_fd,
	            (struct record){
			.type = RECORD_EVENT, .level = RECORD_DEBUG, .text = "hidden"},
	            -1);
	send_record(worker_fd, (struct record){.type = RECORD_SESSION_END, .session = 7},
	            -1);
	fd_close(&worker_fd);
	log = end_and_read(fixture, fixture->events_fd);
	assert_non_null(
	    strstr(log, "Z info session=7 peer=192.0.2.1 user=anonymous: logged in, gave "
	                "\"me@example.com\" as password\n"));
	assert_non_null(strstr(log,
	                       "Z info session=7 peer=192.0.2.1 user=anonymous: sent "
	                       "\"/pub/a b\\x0a\" (42 bytes in 1.500 s)\n"));
	assert_non_null(
	    strstr(log, "Z warning session=7 peer=192.0.2.1 user=anonymous: odd\\x1b\n"));
	assert_non_null(strstr(log, ": session ended after "));
	assert_null(strstr(log, "hidden"));
	assert_int_equal(count(log, "\n"), 4);
	log = end_and_read(fixture, fixture->transfers_fd);
	assert_int_equal(count(log, "\n"), 1);
	assert_non_null(strstr(
	    log, " 2 192.0.2.1 42 /pub/a_b\\x0a b _ o a me@example.com ftp 0 * c\n"));
}

static void
words_before_a_move_or_an_end_count(void **state)
{
	struct fixture *fixture = *state;
	int shared_fd = add_worker(fixture, 3);
	int private_fd = add_worker(fixture, 4);
	const char *log;

	/* Stopped, so that it finds everything at once, the master's words first. */
	begin_session(fixture, 7, 3, 1);
	begin_session(fixture, 8, 3, 2);
	assert_int_equal(kill(fixture->pid, SIGSTOP), 0);
	send_transfer(shared_fd, 7, "/before");
	send_transfer(shared_fd, 8, "/last");
	begin_session(fixture, 7, 4, 1);
	send_record(fixture->master_fd,
	            (struct record){.type = RECORD_SESSION_END, .session = 8}, -1);
	send_transfer(private_fd, 7, "/after");
	begin_session(fixture, 9, 4, 3);
	send_transfer(private_fd, 9, "/new");
	assert_int_equal(kill(fixture->pid, SIGCONT), 0);
	log = end_and_read(fixture, fixture->transfers_fd);
	assert_non_null(strstr(log, "192.0.2.1 42 /before "));
	assert_non_null(strstr(log, "192.0.2.2 42 /last "));
	assert_non_null(strstr(log, "192.0.2.1 42 /after "));
	assert_non_null(strstr(log, "192.0.2.3 42 /new "));
	log = end_and_read(fixture, fixture->events_fd);
	assert_non_null(strstr(log, "session=8 peer=192.0.2.2: session ended after "));
	fd_close(&shared_fd);
	fd_close(&private_fd);
}

static void
forgeries_close_the_channel(void **state)
{
	static const enum record_type masters[] = {
	    RECORD_WORKER,        RECORD_TRANSFER_LOG, RECORD_EVENT_LOG,
	    RECORD_SESSION_BEGIN, RECORD_READY,        RECORD_TAKEN,
	};
	struct fixture *fixture = *state;
	uint32_t worker = 10;
	int fd;
	const char *log;

	begin_session(fixture, 7, 3, 1);
	for (size_t i = 0; i < ARRAY_COUNT(masters); i++) {
		fd = add_worker(fixture, worker++);
		send_record(
		    fd, (struct record){.type = masters[i], .session = 7, .worker = 1},
		    -1);
		assert_closed(fd);
		fd_close(&fd);
	}
	fd = add_worker(fixture, worker++);
	assert_int_equal(channel_send(fd, "\0\0\0", 3, -1), 0);
	assert_closed(fd);
	fd_close(&fd);
	fd = add_worker(fixture, worker++);
	send_record(fd, (struct record){.type = RECORD_EVENT, .text = "x"},
	            STDERR_FILENO);
	assert_closed(fd);
	fd_close(&fd);
	fd = add_worker(fixture, worker++);
	send_transfer(fd, 7, "/forged");
	assert_closed(fd);
	fd_close(&fd);
	log = end_and_read(fixture, fixture->transfers_fd);
	assert_string_equal(log, "");
	log = end_and_read(fixture, fixture->events_fd);
	assert_int_equal(count(log, "its records are not read any more"),
	                 ARRAY_COUNT(masters) + 3);
	assert_null(strstr(log, "forged"));
}

static void
a_former_worker_is_not_believed_after_its_channel_was_empty(void **state)
{
	struct fixture *fixture = *state;
	int shared_fd = add_worker(fixture, 3);
	int private_fd = add_worker(fixture, 4);
	const char *log;

	begin_session(fixture, 7, 3, 1);
	begin_session(fixture, 7, 4, 1);
	/*
	 * The answer shows that the words before it have been read; what follows from
	 * them takes no time.
	 */
	fd_close(&private_fd);
	private_fd = add_worker(fixture, 5);
	(void)usleep(SETTLED_US);
	send_transfer(shared_fd, 7, "/late");
	/* of the sessions that it has, it is */
	begin_session(fixture, 8, 3, 2);
	send_transfer(shared_fd, 8, "/own");
	fd_close(&shared_fd);
	fd_close(&private_fd);
	log = end_and_read(fixture, fixture->transfers_fd);
	assert_null(strstr(log, "/late"));
	assert_non_null(strstr(log, "/own"));
}

/* Channels wait for one another in the master: sessions may be faster. */
static void
a_channel_may_come_after_its_sessions_have_moved(void **state)
{
	struct fixture *fixture = *state;
	int fd;
	const char *log;

	begin_session(fixture, 7, 3, 1);
	begin_session(fixture, 7, 4, 1);
	fd = add_worker(fixture, 9); /* shows that it has been heard */
	(void)usleep(SETTLED_US);
	fd_close(&fd);
	fd = add_worker(fixture, 3);
	send_record(
	    fd, (struct record){.type = RECORD_LOGIN, .session = 7, .user = "late"}, -1);
	begin_session(fixture, 8, 3, 2);
	send_transfer(fd, 8, "/own");
	fd_close(&fd);
	assert_non_null(
	    strstr(end_and_read(fixture, fixture->transfers_fd), "192.0.2.2 42 /own "));
	log = end_and_read(fixture, fixture->events_fd);
	assert_null(strstr(log, "not read any more"));
	assert_null(strstr(log, "late"));
}

static void
unknown_sessions_get_no_address(void **state)
{
	struct fixture *fixture = *state;
	int fd = add_worker(fixture, 3);
	const char *log;

	send_transfer(fd, 99, "/x");
	send_record(
	    fd, (struct record){.type = RECORD_LOGIN, .session = 99, .user = "root"}, -1);
	send_record(fd, (struct record){.type = RECORD_SESSION_END, .session = 99}, -1);
	send_record(
	    fd, (struct record){.type = RECORD_DENIED_CALL, .value = 0, .text = "worker"},
	    -1);
	send_record(fd, (struct record){.type = RECORD_DENIED_CALL, .value = UINT64_MAX},
	            -1);
	send_record(fd, (struct record){.type = RECORD_DROPPED, .value = 5}, -1);
	fd_close(&fd);
	log = end_and_read(fixture, fixture->transfers_fd);
	assert_string_equal(log, "");
	log = end_and_read(fixture, fixture->events_fd);
	assert_non_null(
	    strstr(log, " warning: worker 3: of session 99, which is unknown: sent "
	                "\"/x\" (42 bytes in 1.500 s)\n"));
	assert_non_null(
	    strstr(log, " error: denied to worker (worker 3): system call read (0)\n"));
	assert_non_null(strstr(log, ": system call unknown (-1)\n"));
	assert_non_null(strstr(log, " worker 3 had to drop 5 records"));
	assert_null(strstr(log, "root"));
}

static void
logs_are_replaced(void **state)
{
	struct fixture *fixture = *state;
	int fd = add_worker(fixture, 3);
	int other_fd = memfd_create("other", MFD_CLOEXEC);
	struct record event = {
	    .type = RECORD_EVENT, .level = RECORD_ERROR, .text = "one"};
	const char *log;

	/* No journal was given: standard error, and a line that says so. */
	send_record(fixture->master_fd, (struct record){.type = RECORD_EVENT_LOG}, -1);
	send_record(fixture->master_fd, event, -1);
	/* What waits goes to the new log: let it be written first. */
	for (int i = 0; i < PATIENCE_MS && lseek(fixture->events_fd, 0, SEEK_END) == 0;
	     i++) {
		(void)usleep(1000);
	}
	(void)usleep(SETTLED_US);
	send_record(fixture->master_fd, (struct record){.type = RECORD_EVENT_LOG},
	            other_fd);
	receive(fixture->master_fd, RECORD_TAKEN);
	event.text = "two";
	send_record(fixture->master_fd, event, -1);
	fd_close(&fd);
	log = end_and_read(fixture, other_fd);
	assert_non_null(strstr(log, "Z error: two\n"));
	log = end_and_read(fixture, fixture->events_fd);
	assert_non_null(strstr(log, "journal does not listen"));
	assert_null(strstr(log, "two"));
	fd_close(&other_fd);
}

static void
a_broken_master_ends_it(void **state)
{
	struct fixture *fixture = *state;
	int status = -1;

	send_record(fixture->master_fd,
	            (struct record){.type = RECORD_LOGIN, .session = 1}, -1);
	assert_int_equal(waitpid(fixture->pid, &status, 0), fixture->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	fixture->pid = 0;
	assert_non_null(
	    strstr(end_and_read(fixture, fixture->events_fd), "broke the wire format"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_session_is_logged, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(words_before_a_move_or_an_end_count, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(forgeries_close_the_channel, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(
		a_former_worker_is_not_believed_after_its_channel_was_empty, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_channel_may_come_after_its_sessions_have_moved, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(unknown_sessions_get_no_address, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(logs_are_replaced, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_broken_master_ends_it, set_up, tear_down),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* valid signal and action */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
