/*
 * test_worker_pump: what one slice does with files that are short, long, cut behind our
 * back, or text, and with a connection that is full or gone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/* A transfer from a file in memory to one end of a socket pair. */
struct fixture {
	struct worker *worker;
	struct session session;
	struct transfer transfer;
	int ends[2];
};

static void
set_up(struct fixture *fixture, const void *bytes, size_t len, enum transfer_source from)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->worker = calloc(1, sizeof(*fixture->worker));
	assert_non_null(fixture->worker);
	fixture->session.worker = fixture->worker;
	fixture->transfer.session = &fixture->session;
	fixture->transfer.from = from;
	fixture->transfer.end = len;
	fixture->transfer.is_in_memory = true;
	fixture->transfer.file_fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(write(fixture->transfer.file_fd, bytes, len), len);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fixture->ends), 0);
}

static void
tear_down(struct fixture *fixture)
{
	fd_close(&fixture->transfer.file_fd);
	fd_close(&fixture->ends[0]);
	fd_close(&fixture->ends[1]);
	free(fixture->transfer.buffer);
	free(fixture->worker);
}

static size_t
take(struct fixture *fixture, char *bytes, size_t cap)
{
	ssize_t len = recv(fixture->ends[1], bytes, cap, 0);

	return len > 0 ? (size_t)len : 0;
}

static void
a_short_file_takes_one_slice(void **state)
{
	struct fixture fixture;
	char got[16];

	(void)state;
	set_up(&fixture, "hello", 5, TRANSFER_FROM_FILE);
	fixture.transfer.offset = 1; /* REST 1 */
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]), PUMP_DONE);
	assert_int_equal(take(&fixture, got, sizeof(got)), 4);
	assert_memory_equal(got, "ello", 4);
	assert_int_equal(fixture.transfer.sent, 4);
	tear_down(&fixture);
}

static void
an_empty_file_is_done_at_once(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_FROM_FILE);
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]), PUMP_DONE);
	tear_down(&fixture);
	set_up(&fixture, "", 0, TRANSFER_FROM_ASCII);
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]), PUMP_DONE);
	tear_down(&fixture);
}

/* SECURITY.md F16: neither an endless loop nor a 226. */
static void
a_file_made_shorter_is_broken(void **state)
{
	static const enum transfer_source sources[] = {TRANSFER_FROM_FILE,
	                                               TRANSFER_FROM_ASCII};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
		struct fixture fixture;

		set_up(&fixture, "hello", 5, sources[i]);
		assert_int_equal(ftruncate(fixture.transfer.file_fd, 0), 0);
		assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]),
		                 PUMP_SOURCE_BROKEN);
		tear_down(&fixture);
	}
}

/* What grows while it is sent ends where SIZE said. */
static void
a_file_that_grows_ends_where_it_was(void **state)
{
	struct fixture fixture;
	char got[16];

	(void)state;
	set_up(&fixture, "hello", 5, TRANSFER_FROM_FILE);
	assert_int_equal(write(fixture.transfer.file_fd, " world", 6), 6);
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]), PUMP_DONE);
	assert_int_equal(take(&fixture, got, sizeof(got)), 5);
	tear_down(&fixture);
}

static void
a_full_connection_is_waited_for(void **state)
{
	enum { BYTES = 4 * 1024 * 1024 };
	struct fixture fixture;
	char *bytes = calloc(1, BYTES);
	enum pump_result result;
	size_t got = 0;

	(void)state;
	assert_non_null(bytes);
	set_up(&fixture, bytes, BYTES, TRANSFER_FROM_FILE);
	do {
		result = pump_slice(&fixture.transfer, fixture.ends[0]);
		assert_true(result == PUMP_SINK_FULL || result == PUMP_MORE ||
		            result == PUMP_DONE);
		if (result == PUMP_SINK_FULL) {
			got += take(&fixture, bytes, BYTES);
		}
	} while (result != PUMP_DONE);
	for (size_t len; (len = take(&fixture, bytes, BYTES)) > 0;) {
		got += len;
	}
	assert_int_equal(got, BYTES);
	tear_down(&fixture);
	free(bytes);
}

static void
a_connection_that_is_gone_is_broken(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "a\nb\n", 4, TRANSFER_FROM_ASCII);
	fd_close(&fixture.ends[1]);
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]),
	                 PUMP_SINK_BROKEN);
	tear_down(&fixture);
}

/* RFC 3659 5.3: REST counts the octets of the converted text. */
static void
text_is_converted_and_skipped_in_octets(void **state)
{
	static const struct {
		const char *file;
		uint64_t skip;
		const char *sent;
	} cases[] = {
	    {"a\nb\n", 0, "a\r\nb\r\n"}, {"a\nb\n", 2, "\nb\r\n"}, {"a\nb\n", 3, "b\r\n"},
	    {"a\r\nb", 0, "a\r\nb"},     {"a\nb\n", 99, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture fixture;
		char got[32];

		set_up(&fixture, cases[i].file, strlen(cases[i].file),
		       TRANSFER_FROM_ASCII);
		fixture.transfer.skip = cases[i].skip;
		assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]),
		                 PUMP_DONE);
		assert_int_equal(take(&fixture, got, sizeof(got)), strlen(cases[i].sent));
		assert_memory_equal(got, cases[i].sent, strlen(cases[i].sent));
		tear_down(&fixture);
	}
}

static void
a_pipe_is_empty_or_at_its_end(void **state)
{
	struct fixture fixture;
	int ends[2];
	char got[16];

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_FROM_PIPE);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	fd_close(&fixture.transfer.file_fd);
	fixture.transfer.file_fd = ends[0];
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]),
	                 PUMP_SOURCE_EMPTY);
	assert_int_equal(write(ends[1], "line\r\n", 6), 6);
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]), PUMP_MORE);
	assert_int_equal(take(&fixture, got, sizeof(got)), 6);
	fd_close(&ends[1]);
	assert_int_equal(pump_slice(&fixture.transfer, fixture.ends[0]), PUMP_DONE);
	tear_down(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_short_file_takes_one_slice),
	    cmocka_unit_test(an_empty_file_is_done_at_once),
	    cmocka_unit_test(a_file_made_shorter_is_broken),
	    cmocka_unit_test(a_file_that_grows_ends_where_it_was),
	    cmocka_unit_test(a_full_connection_is_waited_for),
	    cmocka_unit_test(a_connection_that_is_gone_is_broken),
	    cmocka_unit_test(text_is_converted_and_skipped_in_octets),
	    cmocka_unit_test(a_pipe_is_empty_or_at_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
