/*
 * test_worker_pump: what one slice does, in both directions, with files that are short,
 * long, cut behind our back, not allowed to grow, or text, and with a connection that is
 * full, empty or gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/* A transfer between a file in memory and one end of a socket pair. */
struct fixture {
	struct worker *worker;
	struct options options;
	struct session session;
	struct transfer transfer;
	int ends[2];
};

static void
set_up(struct fixture *fixture, const void *bytes, size_t len, enum transfer_way way)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->worker = calloc(1, sizeof(*fixture->worker));
	assert_non_null(fixture->worker);
	fixture->worker->options = &fixture->options;
	fixture->session.worker = fixture->worker;
	fixture->transfer.session = &fixture->session;
	fixture->transfer.way = way;
	fixture->transfer.end = len;
	fixture->transfer.place.limit = UINT64_MAX;
	fixture->transfer.is_quick = true;
	fixture->transfer.file_fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(write(fixture->transfer.file_fd, bytes, len), len);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fixture->ends), 0);
	fixture->session.data.connection_fd = fixture->ends[0];
}

static void
tear_down(struct fixture *fixture)
{
	fd_close(&fixture->transfer.file_fd);
	fd_close(&fixture->ends[0]);
	fd_close(&fixture->ends[1]);
	free(fixture->transfer.buffer);
	rate_end(&fixture->session);
	if (fixture->worker->upload_buffer != NULL) {
		(void)munmap(fixture->worker->upload_buffer, PUMP_SHARED_BYTES);
	}
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
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_int_equal(take(&fixture, got, sizeof(got)), 4);
	assert_memory_equal(got, "ello", 4);
	assert_int_equal(fixture.transfer.moved, 4);
	tear_down(&fixture);
}

static void
an_empty_file_is_done_at_once(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_FROM_FILE);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	tear_down(&fixture);
	set_up(&fixture, "", 0, TRANSFER_FROM_ASCII);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	tear_down(&fixture);
}

/* SECURITY.md F16: neither an endless loop nor a 226. */
static void
a_file_made_shorter_is_broken(void **state)
{
	static const enum transfer_way sources[] = {TRANSFER_FROM_FILE,
	                                            TRANSFER_FROM_ASCII};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
		struct fixture fixture;

		set_up(&fixture, "hello", 5, sources[i]);
		assert_int_equal(ftruncate(fixture.transfer.file_fd, 0), 0);
		assert_int_equal(pump_slice(&fixture.transfer), PUMP_FILE_BROKEN);
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
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
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
		result = pump_slice(&fixture.transfer);
		assert_true(result == PUMP_CONNECTION_BUSY || result == PUMP_MORE ||
		            result == PUMP_DONE);
		if (result == PUMP_CONNECTION_BUSY) {
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
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_CONNECTION_BROKEN);
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
		assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
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
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_PIPE_EMPTY);
	assert_int_equal(write(ends[1], "line\r\n", 6), 6);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_MORE);
	assert_int_equal(take(&fixture, got, sizeof(got)), 6);
	fd_close(&ends[1]);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	tear_down(&fixture);
}

/* As the client of an upload: these bytes, and perhaps the end. */
static void
upload(struct fixture *fixture, const char *bytes, size_t len, bool is_all)
{
	assert_int_equal(send(fixture->ends[1], bytes, len, 0), len);
	if (is_all) {
		assert_int_equal(shutdown(fixture->ends[1], SHUT_WR), 0);
	}
}

static void
assert_file(struct fixture *fixture, const char *bytes, size_t len)
{
	char got[256];

	assert_in_range(len, 0, sizeof(got) - 1);
	assert_int_equal(pread(fixture->transfer.file_fd, got, sizeof(got), 0), len);
	assert_memory_equal(got, bytes, len);
}

static void
an_upload_ends_with_the_connection(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_TO_FILE);
	upload(&fixture, "hel", 3, false);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_CONNECTION_BUSY);
	upload(&fixture, "lo", 2, true);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_true(fixture.transfer.is_at_end);
	assert_int_equal(fixture.transfer.moved, 5);
	assert_file(&fixture, "hello", 5);
	tear_down(&fixture);
}

/* REST and APPE: what is before the place stays. */
static void
an_upload_begins_at_its_place(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "hello", 5, TRANSFER_TO_FILE);
	fixture.transfer.place.offset = 4;
	upload(&fixture, "p me", 4, true);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_file(&fixture, "hellp me", 8);
	assert_int_equal(fixture.transfer.place.offset, 8);
	tear_down(&fixture);
}

/* A reset is not the end of a file. */
static void
a_reset_upload_is_broken(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_TO_FILE);
	upload(&fixture, "half", 4, false);
	/* AF_UNIX resets when the closing side has not read everything. */
	assert_int_equal(send(fixture.ends[0], "x", 1, 0), 1);
	fd_close(&fixture.ends[1]);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_CONNECTION_BROKEN);
	assert_false(fixture.transfer.is_at_end);
	tear_down(&fixture);
}

/* SECURITY.md F12: to the byte, and what fits is there. */
static void
a_limit_holds_to_the_byte(void **state)
{
	static const struct {
		uint64_t limit;
		enum pump_result result;
		const char *file;
	} cases[] = {
	    {0, PUMP_FILE_BROKEN, ""},     {1, PUMP_FILE_BROKEN, "h"},
	    {4, PUMP_FILE_BROKEN, "hell"}, {5, PUMP_DONE, "hello"},
	    {6, PUMP_DONE, "hello"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture fixture;

		set_up(&fixture, "", 0, TRANSFER_TO_FILE);
		fixture.transfer.place.limit = cases[i].limit;
		upload(&fixture, "hello", 5, true);
		assert_int_equal(pump_slice(&fixture.transfer), cases[i].result);
		assert_int_equal(fixture.transfer.error,
		                 cases[i].result == PUMP_DONE ? 0 : -EFBIG);
		assert_file(&fixture, cases[i].file, strlen(cases[i].file));
		tear_down(&fixture);
	}
}

/* What is at its limit already takes no byte, and an empty upload is none. */
static void
nothing_fits_above_the_limit(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "hello", 5, TRANSFER_TO_FILE);
	fixture.transfer.place.offset = 5;
	fixture.transfer.place.limit = 3;
	upload(&fixture, "", 0, true);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	tear_down(&fixture);
}

/* The kernel writes a part of it first, and fails then. */
static void
a_short_write_is_no_success(void **state)
{
	struct rlimit old;
	struct rlimit low = {.rlim_cur = 3};
	struct fixture fixture;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	set_up(&fixture, "", 0, TRANSFER_TO_FILE);
	upload(&fixture, "hello", 5, true);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_FILE_BROKEN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(fixture.transfer.error, -EFBIG);
	assert_int_equal(fixture.transfer.place.offset, 3);
	assert_file(&fixture, "hel", 3);
	tear_down(&fixture);
}

static void
a_file_that_cannot_be_written_is_broken(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_TO_FILE);
	fd_close(&fixture.transfer.file_fd);
	fixture.transfer.file_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	upload(&fixture, "hello", 5, true);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_FILE_BROKEN);
	assert_int_equal(fixture.transfer.error, -ENOSPC);
	tear_down(&fixture);
}

/* Looked at when check_at is reached, not for each slice. */
static void
space_is_left_for_others(void **state)
{
	struct transfer_place place = {
	    .limit = UINT64_MAX, .min_free_bytes = UINT64_MAX, .check_at = 4};
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pump_store(fd, "hello", 5, &place), 0);
	assert_int_equal(pump_store(fd, "hello", 5, &place), -ENOSPC);
	assert_int_equal(place.offset, 5);
	place.min_free_bytes = 1;
	place.check_at = 0;
	assert_int_equal(pump_store(fd, "hello", 5, &place), 0);
	assert_int_equal(place.check_at, 5 + PUMP_SPACE_CHECK_BYTES);
	fd_close(&fd);
}

static void
a_large_upload_arrives_whole(void **state)
{
	enum { BYTES = 3 * 1024 * 1024 };
	struct fixture fixture;
	char *sent = malloc(BYTES);
	char *got = malloc(BYTES);
	enum pump_result result = PUMP_MORE;
	size_t at = 0;

	(void)state;
	assert_non_null(sent);
	assert_non_null(got);
	for (size_t i = 0; i < BYTES; i++) {
		sent[i] = (char)(i * 2654435761U >> 13);
	}
	set_up(&fixture, "", 0, TRANSFER_TO_FILE);
	while (result != PUMP_DONE) {
		while (at < BYTES) {
			ssize_t len = send(fixture.ends[1], sent + at, BYTES - at, 0);

			if (len < 0) {
				break;
			}
			at += (size_t)len;
		}
		if (at == BYTES) {
			(void)shutdown(fixture.ends[1], SHUT_WR);
		}
		result = pump_slice(&fixture.transfer);
		assert_true(result == PUMP_DONE || result == PUMP_MORE ||
		            result == PUMP_CONNECTION_BUSY);
	}
	assert_int_equal(pread(fixture.transfer.file_fd, got, BYTES, 0), BYTES);
	assert_memory_equal(got, sent, BYTES);
	tear_down(&fixture);
	free(sent);
	free(got);
}

/* Where writing may wait, the loop only receives; a thread writes. */
static void
a_slow_file_is_left_to_a_thread(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "", 0, TRANSFER_TO_FILE);
	fixture.transfer.is_quick = false;
	upload(&fixture, "hello", 5, true);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_WOULD_BLOCK);
	assert_file(&fixture, "", 0);
	assert_int_equal(fixture.transfer.buffer_len, 5);
	assert_int_equal(pump_store(fixture.transfer.file_fd, fixture.transfer.buffer, 5,
	                            &fixture.transfer.place),
	                 0);
	fixture.transfer.buffer_len = 0;
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_file(&fixture, "hello", 5);
	fixture.transfer.error = -EDQUOT; /* as a thread may find */
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_FILE_BROKEN);
	tear_down(&fixture);
}

static void
received_text_is_converted(void **state)
{
	static const struct {
		const char *pieces[3];
		const char *file;
	} cases[] = {
	    {{"a\r\nb\r\n", "", ""}, "a\nb\n"}, {{"a\r", "\nb", "\r\n"}, "a\nb\n"},
	    {{"a\r", "b", ""}, "a\rb"},         {{"a", "b", "\r"}, "ab\r"},
	    {{"\r", "\r", "\n"}, "\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture fixture;

		set_up(&fixture, "", 0, TRANSFER_TO_ASCII);
		for (size_t piece = 0; piece < ARRAY_COUNT(cases[i].pieces); piece++) {
			const char *text = cases[i].pieces[piece];

			upload(&fixture, text, strlen(text), false);
			assert_int_equal(pump_slice(&fixture.transfer),
			                 PUMP_CONNECTION_BUSY);
		}
		upload(&fixture, "", 0, true);
		assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
		assert_file(&fixture, cases[i].file, strlen(cases[i].file));
		tear_down(&fixture);
	}
}

/* Both ways: what the bucket holds, and no more until time passes. */
static void
a_slice_keeps_to_the_rate(void **state)
{
	static const enum transfer_way ways[] = {TRANSFER_FROM_FILE, TRANSFER_FROM_ASCII,
	                                         TRANSFER_TO_FILE, TRANSFER_TO_ASCII};
	static const char bytes[1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		struct fixture fixture;
		enum pump_result result = PUMP_MORE;

		set_up(&fixture, bytes, sizeof(bytes), ways[i]);
		fixture.session.rights.rate_down = 200;
		fixture.session.rights.rate_up = 200;
		if (transfer_is_upload(&fixture.transfer)) {
			upload(&fixture, bytes, sizeof(bytes), true);
		}
		while (result == PUMP_MORE) {
			result = pump_slice(&fixture.transfer);
		}
		assert_int_equal(result, PUMP_PACED);
		assert_int_equal(fixture.transfer.moved, 200 * RATE_BURST_MS / 1000);
		fixture.worker->loop.now_ms += 100;
		(void)pump_slice(&fixture.transfer);
		assert_int_equal(fixture.transfer.moved,
		                 200 * (RATE_BURST_MS + 100) / 1000);
		tear_down(&fixture);
	}
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
	    cmocka_unit_test(an_upload_ends_with_the_connection),
	    cmocka_unit_test(an_upload_begins_at_its_place),
	    cmocka_unit_test(a_reset_upload_is_broken),
	    cmocka_unit_test(a_limit_holds_to_the_byte),
	    cmocka_unit_test(nothing_fits_above_the_limit),
	    cmocka_unit_test(a_short_write_is_no_success),
	    cmocka_unit_test(a_file_that_cannot_be_written_is_broken),
	    cmocka_unit_test(space_is_left_for_others),
	    cmocka_unit_test(a_large_upload_arrives_whole),
	    cmocka_unit_test(a_slow_file_is_left_to_a_thread),
	    cmocka_unit_test(received_text_is_converted),
	    cmocka_unit_test(a_slice_keeps_to_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
