/*
 * test_worker_pump_tls: what one slice does through a stream: files, listings and text
 * that are sent, uploads that end well, without a word, or broken; with a connection that
 * is full, and bytes that are in the stream already.
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

#include "common/fd.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	BIG_BYTES = 3 * 1024 * 1024 + 17,
	PIECE_BYTES = 32 * 1024,
};

/* A transfer between a file in memory and a client that speaks TLS. */
struct fixture {
	struct worker *worker;
	struct options options;
	struct session session;
	struct transfer transfer;
	struct duo duo;
};

static int
begin(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	duo_lab(lab, "");
	*state = lab;
	return 0;
}

static int
end(void **state)
{
	lab_end(*state);
	free(*state);
	return 0;
}

static void
set_up(struct fixture *fixture, struct lab *lab, const void *bytes, size_t len,
       enum transfer_way way)
{
	memset(fixture, 0, sizeof(*fixture));
	duo_open(&fixture->duo, lab, &(struct duo_order){.side = TLS_DATA});
	fixture->worker = calloc(1, sizeof(*fixture->worker));
	assert_non_null(fixture->worker);
	fixture->worker->options = &fixture->options;
	fixture->session.worker = fixture->worker;
	fixture->session.data.connection_fd = fixture->duo.server_fd;
	fixture->session.data.stream = fixture->duo.stream;
	fixture->transfer.session = &fixture->session;
	fixture->transfer.way = way;
	fixture->transfer.end = len;
	fixture->transfer.place.limit = UINT64_MAX;
	fixture->transfer.is_quick = true;
	fixture->transfer.file_fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(write(fixture->transfer.file_fd, bytes, len), len);
}

static void
tear_down(struct fixture *fixture)
{
	fd_close(&fixture->transfer.file_fd);
	duo_end(&fixture->duo);
	free(fixture->transfer.buffer);
	rate_end(&fixture->session);
	if (fixture->worker->upload_buffer != NULL) {
		(void)munmap(fixture->worker->upload_buffer, PUMP_SHARED_BYTES);
	}
	free(fixture->worker);
}

static char *
make_bytes(size_t len)
{
	char *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (char)(i * 2654435761U >> 13);
	}
	return bytes;
}

static void
assert_hears(struct fixture *fixture, const char *text)
{
	char got[256];

	assert_int_equal(duo_hear(&fixture->duo, got, sizeof(got)), strlen(text));
	assert_string_equal(got, text);
}

static bool
has_heard_the_end(struct fixture *fixture)
{
	return (SSL_get_shutdown(fixture->duo.client) & SSL_RECEIVED_SHUTDOWN) != 0;
}

/* Its bytes wait for the end, so that one packet holds both. */
static void
a_short_file_leaves_with_its_end(void **state)
{
	static const struct {
		enum transfer_way way;
		const char *file;
		uint64_t offset;
		const char *sent;
	} cases[] = {
	    {TRANSFER_FROM_FILE, "hello", 0, "hello"},
	    {TRANSFER_FROM_FILE, "hello", 1, "ello"},
	    {TRANSFER_FROM_FILE, "", 0, ""},
	    {TRANSFER_FROM_ASCII, "a\nb\n", 0, "a\r\nb\r\n"},
	    {TRANSFER_FROM_ASCII, "", 0, ""},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture fixture;

		set_up(&fixture, *state, cases[i].file, strlen(cases[i].file),
		       cases[i].way);
		fixture.transfer.offset = cases[i].offset;
		assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
		assert_int_equal(fixture.transfer.moved, strlen(cases[i].sent));
		assert_hears(&fixture, "");
		/* the same again, however often it is asked */
		assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
		assert_int_equal(tls_stream_close(fixture.duo.stream), 0);
		assert_hears(&fixture, cases[i].sent);
		assert_true(has_heard_the_end(&fixture));
		tear_down(&fixture);
	}
}

static void
a_file_made_shorter_is_broken(void **state)
{
	struct fixture fixture;

	set_up(&fixture, *state, "hello", 5, TRANSFER_FROM_FILE);
	assert_int_equal(ftruncate(fixture.transfer.file_fd, 0), 0);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_FILE_BROKEN);
	assert_int_equal(fixture.transfer.error, -EIO);
	tear_down(&fixture);
}

/* A client that takes little at a time: nothing is lost and nothing comes twice. */
static void
a_full_connection_is_waited_for(void **state)
{
	char *bytes = make_bytes(BIG_BYTES);
	char *got = malloc(BIG_BYTES + 2);
	enum pump_result result = PUMP_MORE;
	struct fixture fixture;
	unsigned waits = 0;
	size_t at = 0;

	assert_non_null(got);
	set_up(&fixture, *state, bytes, BIG_BYTES, TRANSFER_FROM_FILE);
	while (result != PUMP_DONE) {
		result = pump_slice(&fixture.transfer);
		assert_true(result == PUMP_CONNECTION_BUSY || result == PUMP_MORE ||
		            result == PUMP_DONE);
		if (result == PUMP_CONNECTION_BUSY) {
			waits++;
			at += duo_hear(&fixture.duo, got + at, BIG_BYTES + 2 - at);
		}
	}
	while (tls_stream_close(fixture.duo.stream) == -EAGAIN) {
		at += duo_hear(&fixture.duo, got + at, BIG_BYTES + 2 - at);
	}
	at += duo_hear(&fixture.duo, got + at, BIG_BYTES + 2 - at);
	assert_true(waits > 0);
	assert_int_equal(at, BIG_BYTES);
	assert_memory_equal(got, bytes, BIG_BYTES);
	assert_true(has_heard_the_end(&fixture));
	assert_int_equal(fixture.transfer.moved, BIG_BYTES);
	tear_down(&fixture);
	free(bytes);
	free(got);
}

/* What is gathered must not lie about while the pump waits for something else. */
static void
nothing_is_held_back_by_a_wait(void **state)
{
	static const char bytes[1000];
	struct fixture fixture;
	char got[2000];
	int ends[2];

	set_up(&fixture, *state, bytes, sizeof(bytes), TRANSFER_FROM_FILE);
	fixture.session.rights.rate_down = 200;
	while (pump_slice(&fixture.transfer) == PUMP_MORE) {
	}
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_PACED);
	assert_int_equal(fixture.transfer.moved, 200 * RATE_BURST_MS / 1000);
	assert_int_equal(duo_hear(&fixture.duo, got, sizeof(got)),
	                 fixture.transfer.moved);
	tear_down(&fixture);

	set_up(&fixture, *state, "", 0, TRANSFER_FROM_PIPE);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	fd_close(&fixture.transfer.file_fd);
	fixture.transfer.file_fd = ends[0];
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_PIPE_EMPTY);
	assert_int_equal(write(ends[1], "line\r\n", 6), 6);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_MORE);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_PIPE_EMPTY);
	assert_hears(&fixture, "line\r\n");
	fd_close(&ends[1]);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	tear_down(&fixture);
}

/*
 * A file system that cannot tell: a thread reads ahead, and that far nobody asks again.
 */
static void
what_a_thread_has_read_is_not_asked_for(void **state)
{
	struct fixture fixture;

	set_up(&fixture, *state, "hello", 5, TRANSFER_FROM_FILE);
	fixture.transfer.is_quick = false;
	fixture.transfer.fetched_end = pump_fetch_end(0, 5);
	assert_int_equal(fixture.transfer.fetched_end, 5);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_int_equal(tls_stream_close(fixture.duo.stream), 0);
	assert_hears(&fixture, "hello");
	tear_down(&fixture);
	assert_int_equal(pump_fetch_end(7, UINT64_MAX), 7 + TRANSFER_SLICE_BYTES);
}

static void
assert_file(struct fixture *fixture, const char *bytes, size_t len)
{
	char *got = malloc(len + 1);

	assert_non_null(got);
	assert_int_equal(pread(fixture->transfer.file_fd, got, len + 1, 0), len);
	assert_memory_equal(got, bytes, len);
	free(got);
}

/* How a client may end an upload; SECURITY.md T4 and D12. */
static void
end_by_notify(struct duo *duo)
{
	(void)SSL_shutdown(duo->client);
	(void)duo_send(duo, SIZE_MAX);
}

static void
end_by_notify_and_close(struct duo *duo)
{
	end_by_notify(duo);
	fd_close(&duo->client_fd);
}

static void
end_by_fin(struct duo *duo)
{
	assert_int_equal(shutdown(duo->client_fd, SHUT_WR), 0);
}

static void
end_within_record(struct duo *duo)
{
	assert_int_equal(SSL_write(duo->client, "more", 4), 4);
	(void)duo_send(duo, 9);
	end_by_fin(duo);
}

static void
end_by_reset(struct duo *duo)
{
	/* AF_UNIX resets when the closing side has not read everything. */
	assert_int_equal(send(duo->server_fd, "x", 1, 0), 1);
	fd_close(&duo->client_fd);
}

static void
end_by_rubbish(struct duo *duo)
{
	assert_int_equal(send(duo->client_fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
}

static void
an_upload_ends_in_one_of_many_ways(void **state)
{
	static const struct {
		void (*end)(struct duo *duo);
		enum pump_result result;
		bool is_unnotified;
	} cases[] = {
	    {end_by_notify, PUMP_DONE, false},
	    {end_by_notify_and_close, PUMP_DONE, false},
	    {end_by_fin, PUMP_DONE, true},
	    {end_within_record, PUMP_CONNECTION_BROKEN, false},
	    {end_by_reset, PUMP_CONNECTION_BROKEN, false},
	    {end_by_rubbish, PUMP_CONNECTION_BROKEN, false},
	};

	for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
		bool is_quick = i % 2 == 0;
		struct fixture fixture;

		set_up(&fixture, *state, "", 0, TRANSFER_TO_FILE);
		fixture.transfer.is_quick = is_quick;
		duo_say(&fixture.duo, "hello");
		cases[i / 2].end(&fixture.duo);
		if (!is_quick) {
			assert_int_equal(pump_slice(&fixture.transfer), PUMP_WOULD_BLOCK);
			assert_int_equal(fixture.transfer.buffer_len, 5);
			assert_int_equal(pump_store(fixture.transfer.file_fd,
			                            fixture.transfer.buffer, 5,
			                            &fixture.transfer.place),
			                 0);
			fixture.transfer.buffer_len = 0;
		}
		assert_int_equal(pump_slice(&fixture.transfer), cases[i / 2].result);
		/* whatever came before the end is there */
		assert_file(&fixture, "hello", 5);
		assert_int_equal(fixture.transfer.is_unnotified,
		                 cases[i / 2].is_unnotified);
		assert_int_equal(fixture.transfer.is_at_end,
		                 cases[i / 2].result == PUMP_DONE);
		tear_down(&fixture);
	}
}

static void
received_text_is_converted(void **state)
{
	struct fixture fixture;

	set_up(&fixture, *state, "", 0, TRANSFER_TO_ASCII);
	duo_say(&fixture.duo, "a\r\nb\r");
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_CONNECTION_BUSY);
	duo_say(&fixture.duo, "\nc\r");
	end_by_notify(&fixture.duo);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_file(&fixture, "a\nb\nc\r", 6);
	tear_down(&fixture);
}

/*
 * Whenever the pump wants to wait for the connection, there is nothing left in the stream
 * that the loop would not tell of, or the stream says so.
 */
static void
a_large_upload_does_not_stall(void **state)
{
	char *bytes = make_bytes(BIG_BYTES);
	enum pump_result result = PUMP_MORE;
	struct fixture fixture;
	size_t at = 0;

	set_up(&fixture, *state, "", 0, TRANSFER_TO_FILE);
	while (result != PUMP_DONE) {
		uint64_t before = fixture.transfer.moved;

		if (at < BIG_BYTES && BIO_pending(fixture.duo.to_server) == 0) {
			size_t len =
			    BIG_BYTES - at < PIECE_BYTES ? BIG_BYTES - at : PIECE_BYTES;

			assert_int_equal(
			    SSL_write(fixture.duo.client, bytes + at, (int)len), len);
			at += len;
			if (at == BIG_BYTES) {
				(void)SSL_shutdown(fixture.duo.client);
			}
		}
		/* in pieces that end within records */
		(void)duo_send(&fixture.duo, 20 * 1000);
		result = pump_slice(&fixture.transfer);
		assert_true(result == PUMP_DONE || result == PUMP_MORE ||
		            result == PUMP_CONNECTION_BUSY);
		if (result == PUMP_CONNECTION_BUSY) {
			assert_false(tls_stream_has_input(fixture.duo.stream));
			assert_true(fixture.transfer.moved > before ||
			            BIO_pending(fixture.duo.to_server) > 0);
		}
	}
	assert_file(&fixture, bytes, BIG_BYTES);
	tear_down(&fixture);
	free(bytes);
}

/* A rate leaves the rest of a record in the stream: it is there after the wait. */
static void
a_paced_upload_goes_on(void **state)
{
	static char bytes[1001];
	struct fixture fixture;

	memset(bytes, 'x', sizeof(bytes) - 1);
	set_up(&fixture, *state, "", 0, TRANSFER_TO_FILE);
	fixture.session.rights.rate_up = 200;
	duo_say(&fixture.duo, bytes);
	end_by_notify(&fixture.duo);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_PACED);
	assert_int_equal(fixture.transfer.moved, 200 * RATE_BURST_MS / 1000);
	assert_true(tls_stream_has_input(fixture.duo.stream));
	fixture.worker->loop.now_ms += 100;
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_PACED);
	assert_int_equal(fixture.transfer.moved, 200 * (RATE_BURST_MS + 100) / 1000);
	fixture.session.rights.rate_up = 0;
	rate_changed(&fixture.session);
	assert_int_equal(pump_slice(&fixture.transfer), PUMP_DONE);
	assert_file(&fixture, bytes, sizeof(bytes) - 1);
	tear_down(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_short_file_leaves_with_its_end),
	    cmocka_unit_test(a_file_made_shorter_is_broken),
	    cmocka_unit_test(a_full_connection_is_waited_for),
	    cmocka_unit_test(nothing_is_held_back_by_a_wait),
	    cmocka_unit_test(what_a_thread_has_read_is_not_asked_for),
	    cmocka_unit_test(an_upload_ends_in_one_of_many_ways),
	    cmocka_unit_test(received_text_is_converted),
	    cmocka_unit_test(a_large_upload_does_not_stall),
	    cmocka_unit_test(a_paced_upload_goes_on),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
