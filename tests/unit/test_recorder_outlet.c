/*
 * test_recorder_outlet: the ring keeps order and refuses what does not fit; an outlet
 * never blocks its caller, counts what it loses, and moves to another descriptor while
 * the old one is stuck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "ftpd/recorder/outlet.h"
#include "ftpd/recorder/ring.h"
#include "common/base.h"

enum {
	PATIENCE_MS = 5000,
};

static void
ring_wraps_and_keeps_order(void **state)
{
	char memory[64];
	struct ring ring;
	unsigned put = 0;
	unsigned taken = 0;

	(void)state;
	ring_init(&ring, memory, sizeof(memory));
	/* Pieces of changing length, so that each place of the memory is once the end. */
	while (taken < 1000) {
		char piece[16];
		uint8_t kind;
		size_t len;

		while (put < taken + 2) {
			memset(piece, (int)(put % 100), sizeof(piece));
			assert_true(ring_put(&ring, (uint8_t)(put % 7), piece, put % 16));
			put++;
		}
		assert_true(ring_peek(&ring, &kind, &len));
		assert_int_equal(kind, taken % 7);
		assert_int_equal(len, taken % 16);
		ring_take(&ring, piece);
		for (size_t i = 0; i < len; i++) {
			assert_int_equal(piece[i], taken % 100);
		}
		taken++;
	}
}

static void
ring_refuses_what_does_not_fit(void **state)
{
	char memory[32];
	char piece[32] = {0};
	struct ring ring;
	uint8_t kind;
	size_t len;
	size_t largest = 0;

	(void)state;
	ring_init(&ring, memory, sizeof(memory));
	assert_false(ring_peek(&ring, &kind, &len));
	assert_false(ring_put(&ring, 1, piece, sizeof(piece)));
	while (largest < sizeof(piece) && ring_put(&ring, 1, piece, largest)) {
		ring_take(&ring, piece);
		largest++;
	}
	assert_in_range(largest, 2, sizeof(piece) - 1);
	assert_true(ring_put(&ring, 1, piece, largest - 1));
	assert_int_equal(ring.used, ring.cap);
	assert_false(ring_put(&ring, 1, piece, 0));
	ring_take(&ring, piece);
	assert_int_equal(ring.used, 0);
}

static size_t
read_all(int fd, char *bytes, size_t cap)
{
	ssize_t len = pread(fd, bytes, cap - 1, 0);

	assert_true(len >= 0);
	bytes[len] = '\0';
	return (size_t)len;
}

static void
put_text(struct outlet *outlet, const char *text)
{
	outlet_put(outlet, OUTLET_LINE, text, strlen(text));
}

static void
lines_arrive_in_order(void **state)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	int file_fd = memfd_create("log", MFD_CLOEXEC);
	size_t expected = 0;
	char *bytes;

	(void)state;
	assert_int_equal(outlet_start(outlet, dup(file_fd), -1), 0);
	for (unsigned i = 0; i < 20000; i++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "line %u\n", i);
		put_text(outlet, line);
		expected += strlen(line);
	}
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	bytes = malloc(expected + 2);
	assert_int_equal(read_all(file_fd, bytes, expected + 2), expected);
	for (unsigned i = 0, at = 0; i < 20000; i++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "line %u\n", i);
		assert_memory_equal(bytes + at, line, strlen(line));
		at += (unsigned)strlen(line);
	}
	free(bytes);
}

static void
stopped_reader_blocks_nobody(void **state)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	struct outlet_loss loss = {0};
	char line[100];
	int ends[2];
	int file_fd = memfd_create("log", MFD_CLOEXEC);
	uint64_t begun_ms;
	uint64_t arrived = 0;
	const unsigned put = 2 * OUTLET_RING_BYTES / sizeof(line);
	static char bytes[2 * OUTLET_RING_BYTES];
	size_t len;
	size_t piped;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(outlet_start(outlet, ends[1], -1), 0);
	begun_ms = clock_monotonic_ms();
	for (unsigned i = 0; i < put; i++) {
		outlet_put(outlet, OUTLET_LINE, line, sizeof(line));
	}
	assert_true(clock_monotonic_ms() - begun_ms < PATIENCE_MS);
	assert_false(outlet_flush(outlet, 50));
	/* Lines are missing, but there is no room yet to say so. */
	assert_false(outlet_take_loss(outlet, &loss));
	/*
	 * Another log takes what waits, the line included of which the pipe has the
	 * beginning.
	 */
	outlet_replace(outlet, dup(file_fd));
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_true(outlet_take_loss(outlet, &loss));
	assert_int_equal(loss.error, 0);
	assert_false(outlet_take_loss(outlet, &loss));
	len = read_all(file_fd, bytes, sizeof(bytes));
	assert_int_equal(len % sizeof(line), 0);
	for (size_t at = 0; at < len; at += sizeof(line)) {
		assert_memory_equal(bytes + at, line, sizeof(line));
	}
	arrived = len / sizeof(line);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	piped = (size_t)read(ends[0], bytes, sizeof(bytes));
	arrived += piped / sizeof(line);
	assert_int_equal(arrived + loss.count, put);
	/* The old descriptor is closed: the reader sees the end. */
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 0);
}

static void
failed_writes_are_counted_and_told(void **state)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	int full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int file_fd = memfd_create("log", MFD_CLOEXEC);
	struct outlet_loss loss;
	char bytes[16];

	(void)state;
	assert_true(full_fd >= 0);
	assert_int_equal(outlet_start(outlet, full_fd, -1), 0);
	put_text(outlet, "a\n");
	put_text(outlet, "b\n");
	put_text(outlet, "c\n");
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_int_equal(outlet_last_error(outlet), ENOSPC);
	assert_false(outlet_take_loss(outlet, &loss));
	outlet_replace(outlet, dup(file_fd));
	put_text(outlet, "d\n");
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_int_equal(outlet_last_error(outlet), 0);
	assert_true(outlet_take_loss(outlet, &loss));
	assert_int_equal(loss.count, 3);
	assert_int_equal(loss.error, ENOSPC);
	(void)read_all(file_fd, bytes, sizeof(bytes));
	assert_string_equal(bytes, "d\n");
}

static void
a_gone_reader_ends_nothing(void **state)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(outlet_start(outlet, ends[1], -1), 0);
	put_text(outlet, "a\n");
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_int_equal(outlet_last_error(outlet), EPIPE);
}

static void
without_descriptor_nothing_is_kept(void **state)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	struct outlet_loss loss;

	(void)state;
	assert_int_equal(outlet_start(outlet, -1, -1), 0);
	put_text(outlet, "a\n");
	outlet_put(outlet, OUTLET_JOURNAL, "A=a\n", 4);
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_false(outlet_take_loss(outlet, &loss));
}

static void
datagrams_and_lines_go_their_ways(void **state)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	int file_fd = memfd_create("log", MFD_CLOEXEC);
	int ends[2];
	char bytes[32];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_int_equal(outlet_start(outlet, dup(file_fd), ends[1]), 0);
	outlet_put(outlet, OUTLET_JOURNAL, "A=1\n", 4);
	outlet_put(outlet, OUTLET_JOURNAL, "A=2\n", 4);
	put_text(outlet, "a\n");
	outlet_put(outlet, OUTLET_JOURNAL, "A=3\n", 4);
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 4);
	assert_memory_equal(bytes, "A=1\n", 4);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 4);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 4);
	assert_memory_equal(bytes, "A=3\n", 4);
	(void)read_all(file_fd, bytes, sizeof(bytes));
	assert_string_equal(bytes, "a\n");
	assert_int_equal(close(ends[0]), 0);
	outlet_put(outlet, OUTLET_JOURNAL, "A=4\n", 4);
	assert_true(outlet_flush(outlet, PATIENCE_MS));
	assert_int_equal(outlet_last_error(outlet), ECONNREFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ring_wraps_and_keeps_order),
	    cmocka_unit_test(ring_refuses_what_does_not_fit),
	    cmocka_unit_test(lines_arrive_in_order),
	    cmocka_unit_test(stopped_reader_blocks_nobody),
	    cmocka_unit_test(failed_writes_are_counted_and_told),
	    cmocka_unit_test(a_gone_reader_ends_nothing),
	    cmocka_unit_test(without_descriptor_nothing_is_kept),
	    cmocka_unit_test(datagrams_and_lines_go_their_ways),
	};

	/* as the recorder does; valid signal and action */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
