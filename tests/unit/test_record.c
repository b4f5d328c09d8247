/*
 * test_record: records survive the wire; a sender whose channel is full drops, counts,
 * and says so first of all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "ftpd/ipc/record.h"
#include "common/base.h"

static const struct record full = {
    .type = RECORD_TRANSFER,
    .worker = 0xfedcba98,
    .session = 0x12345678,
    .peer = {.family = ADDR_IPV6, .bytes = {0x20, 0x01, [15] = 9}, .port = 1, .scope = 2},
    .local = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}, .port = 21},
    .level = RECORD_DEBUG,
    .flags = RECORD_FLAG_ALL,
    .value = UINT64_MAX,
    .duration_us = UINT64_C(0xfedcba9876543210),
    .user = "a\0b",
    .user_len = 3,
    .text = "/pub/\xff\n",
    .text_len = 7,
};

static void
records_come_back(void **state)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = record_encode(&full, bytes, sizeof(bytes));
	struct record back;

	(void)state;
	assert_true(len > 0);
	assert_true(record_decode(bytes, len, &back));
	assert_int_equal(back.type, full.type);
	assert_int_equal(back.worker, full.worker);
	assert_int_equal(back.session, full.session);
	assert_memory_equal(&back.peer, &full.peer, sizeof(full.peer));
	assert_memory_equal(&back.local, &full.local, sizeof(full.local));
	assert_int_equal(back.level, full.level);
	assert_int_equal(back.flags, full.flags);
	assert_true(back.value == full.value);
	assert_true(back.duration_us == full.duration_us);
	assert_int_equal(back.user_len, 3);
	assert_memory_equal(back.user, "a\0b", 3);
	assert_int_equal(back.text_len, 7);
	assert_memory_equal(back.text, full.text, 7);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t small[128];

		assert_false(record_decode(bytes, cut, &back));
		assert_int_equal(record_encode(&full, small, cut), 0);
	}
	bytes[len] = 0;
	assert_false(record_decode(bytes, len + 1, &back));
}

struct limit_case {
	enum record_type type;
	enum record_level level;
	unsigned flags;
	size_t user_len;
	size_t text_len;
	bool is_right;
};

static const struct limit_case limits[] = {
    {RECORD_WORKER, RECORD_ERROR, 0, 0, 0, true},
    {RECORD_COUNT - 1, RECORD_LEVEL_COUNT - 1, RECORD_FLAG_ALL, RECORD_USER_MAX,
     IPC_PATH_MAX, true},
    {RECORD_COUNT, RECORD_ERROR, 0, 0, 0, false},
    {RECORD_WORKER, RECORD_LEVEL_COUNT, 0, 0, 0, false},
    {RECORD_WORKER, RECORD_ERROR, RECORD_FLAG_ALL + 1, 0, 0, false},
    {RECORD_WORKER, RECORD_ERROR, 0, RECORD_USER_MAX + 1, 0, false},
    {RECORD_WORKER, RECORD_ERROR, 0, 0, IPC_PATH_MAX + 1, false},
};

static void
limits_are_kept(void **state)
{
	static const char many[IPC_PATH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		struct record record = {.type = limits[i].type,
		                        .level = limits[i].level,
		                        .flags = limits[i].flags,
		                        .user = many,
		                        .user_len = limits[i].user_len,
		                        .text = many,
		                        .text_len = limits[i].text_len};
		uint8_t bytes[IPC_MESSAGE_MAX];
		size_t len = record_encode(&record, bytes, sizeof(bytes));

		assert_true(len > 0);
		assert_int_equal(record_decode(bytes, len, &record), limits[i].is_right);
	}
}

static void
receive(int fd, struct record *ret_record, uint8_t bytes[IPC_MESSAGE_MAX])
{
	ssize_t len = channel_recv_plain(fd, bytes, IPC_MESSAGE_MAX, MSG_DONTWAIT);

	assert_true(len > 0);
	assert_true(record_decode(bytes, (size_t)len, ret_record));
}

static void
a_full_channel_keeps_then_drops_and_counts(void **state)
{
	struct record event = {
	    .type = RECORD_EVENT, .user = "", .text = "event", .text_len = 5};
	struct record_sender sender = {.fd = -1};
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct record back;
	uint64_t sent = 0;
	uint64_t received = 0;
	int ends[2];

	(void)state;
	record_send(&sender, &event); /* nobody listens: nothing is lost either */
	assert_true(sender.dropped == 0 && sender.backlog == NULL);
	assert_true(record_flush(&sender));
	assert_int_equal(channel_pair(ends), 0);
	sender.fd = ends[0];
	while (sender.dropped < 10) {
		event.value = sent;
		record_send(&sender, &event);
		assert_true(++sent < 1000000);
	}
	sent -= 10;
	assert_false(record_flush(&sender));
	/*
	 * The reader wakes up: everything that was kept comes in order, then the loss,
	 * then what is new.
	 */
	for (;;) {
		while (received < sent &&
		       channel_recv_plain(ends[1], bytes, 0, MSG_DONTWAIT | MSG_PEEK) !=
		           -EAGAIN) {
			receive(ends[1], &back, bytes);
			assert_int_equal(back.type, RECORD_EVENT);
			assert_true(back.value == received++);
		}
		if (received == sent) {
			break;
		}
		(void)record_flush(&sender);
	}
	assert_true(sent > RECORD_BACKLOG_BYTES / 128);
	event.value = 7;
	record_send(&sender, &event);
	assert_true(sender.dropped == 0 && sender.backlog == NULL);
	receive(ends[1], &back, bytes);
	assert_int_equal(back.type, RECORD_DROPPED);
	assert_true(back.value == 10);
	receive(ends[1], &back, bytes);
	assert_int_equal(back.type, RECORD_EVENT);
	assert_true(back.value == 7);
	fd_close(&ends[1]);
	record_send(&sender, &event); /* no signal */
	/*
	 * Another recorder takes the place of the one that is gone, and gets what was
	 * kept.
	 */
	fd_close(&ends[0]);
	assert_int_equal(channel_pair(ends), 0);
	sender.fd = ends[0];
	assert_true(record_flush(&sender));
	receive(ends[1], &back, bytes);
	assert_true(back.value == 7);
	assert_null(sender.backlog);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

/*
 * Records of all lengths, read in spurts, so that the backlog is moved to its beginning
 * many times.
 */
static void
the_backlog_keeps_order(void **state)
{
	static char text[IPC_PATH_MAX];
	struct record_sender sender = {.fd = -1};
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct record back;
	uint64_t sent = 0;
	uint64_t received = 0;
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	sender.fd = ends[0];
	while (received < 20000) {
		for (int i = 0; i < 300 && sent < 20000; i++, sent++) {
			struct record record = {.type = RECORD_EVENT,
			                        .value = sent,
			                        .user = "",
			                        .text = text,
			                        .text_len = sent * 37 % 1024};

			record_send(&sender, &record);
		}
		for (int i = 0; i < 290 && received < sent; i++) {
			(void)record_flush(&sender);
			receive(ends[1], &back, bytes);
			assert_true(back.value == received);
			assert_int_equal(back.text_len, received * 37 % 1024);
			received++;
		}
	}
	assert_true(sender.dropped == 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void
results_name_errors(void **state)
{
	static const struct {
		int error;
		enum ipc_result result;
	} rows[] = {
	    {0, IPC_OK},
	    {-ENOENT, IPC_NOT_FOUND},
	    {-ELOOP, IPC_NOT_FOUND},
	    {-ENAMETOOLONG, IPC_NOT_FOUND},
	    {-EACCES, IPC_DENIED},
	    {-EPERM, IPC_DENIED},
	    {-EXDEV, IPC_CROSSES},
	    {-ENOSPC, IPC_NO_SPACE},
	    {-EDQUOT, IPC_OVER_QUOTA},
	    {-EFBIG, IPC_TOO_LARGE},
	    {-EROFS, IPC_READ_ONLY},
	    {-EEXIST, IPC_EXISTS},
	    {-ENOTEMPTY, IPC_NOT_EMPTY},
	    {-ENOTDIR, IPC_NOT_A_DIRECTORY},
	    {-EISDIR, IPC_NOT_A_FILE},
	    {-ENXIO, IPC_NOT_A_FILE},
	    {-EAGAIN, IPC_BUSY},
	    {-EIO, IPC_LOCAL_ERROR},
	    {-EMFILE, IPC_LOCAL_ERROR},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_int_equal(ipc_result_from_errno(rows[i].error), rows[i].result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_come_back),
	    cmocka_unit_test(limits_are_kept),
	    cmocka_unit_test(a_full_channel_keeps_then_drops_and_counts),
	    cmocka_unit_test(the_backlog_keeps_order),
	    cmocka_unit_test(results_name_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
