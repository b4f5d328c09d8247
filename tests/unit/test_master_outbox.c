/*
 * test_master_outbox: one descriptor on its way at a time, and no message overtakes
 * another.
 * Source: ftpd/ipc/PROTOCOL.md, "Descriptors".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>

#include "common/fd.h"
#include "ftpd/master/outbox.h"
#include "common/base.h"

static int
set_up(void **state)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	assert_non_null(outbox);
	outbox_init(outbox);
	*state = outbox;
	return 0;
}

static int
tear_down(void **state)
{
	struct mw_message message;
	int fd;

	while (outbox_pop(*state, &message, &fd)) {
		fd_close(&fd);
	}
	free(*state);
	return 0;
}

static int
open_something(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
push(struct outbox *outbox, uint32_t session, int fd)
{
	const struct mw_message message = {.type = fd >= 0 ? MW_ASSIGN : MW_TAKEN_BACK,
	                                   .session = session};

	assert_int_equal(outbox_push(outbox, &message, fd), 0);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
test_empty(void **state)
{
	assert_null(outbox_next(*state));
	assert_false(outbox_taken(*state));
}

static void
test_in_order(void **state)
{
	for (uint32_t i = 1; i <= 3; i++) {
		push(*state, i, -1);
	}
	for (uint32_t i = 1; i <= 3; i++) {
		const struct outbox_entry *entry = outbox_next(*state);

		assert_non_null(entry);
		assert_int_equal(entry->message.session, i);
		outbox_sent(*state);
	}
	assert_null(outbox_next(*state));
}

static void
test_one_descriptor_at_a_time(void **state)
{
	int first = open_something();
	int second = open_something();

	push(*state, 1, first);
	push(*state, 2, second);
	assert_int_equal(outbox_next(*state)->message.session, 1);
	outbox_sent(*state);
	assert_false(is_open(first)); /* it is on its way: our copy is not needed */
	assert_true(is_open(second));
	assert_null(outbox_next(*state));
	assert_true(outbox_taken(*state));
	assert_int_equal(outbox_next(*state)->message.session, 2);
	outbox_sent(*state);
	assert_true(outbox_taken(*state));
	assert_false(outbox_taken(*state)); /* a TAKEN too many is the worker's mistake */
}

static void
test_plain_message_does_not_overtake(void **state)
{
	push(*state, 1, open_something());
	push(*state, 2, open_something());
	push(*state, 3, -1);
	outbox_sent(*state);
	assert_null(outbox_next(*state)); /* 2 waits, and 3 behind it */
	assert_true(outbox_taken(*state));
	outbox_sent(*state);
	/* Nothing keeps a message without descriptor back once it is first. */
	assert_int_equal(outbox_next(*state)->message.session, 3);
}

static void
test_answer_counts_as_well(void **state)
{
	push(*state, 1, open_something());
	outbox_mark_in_flight(*state);
	assert_null(outbox_next(*state));
	assert_true(outbox_taken(*state));
	assert_non_null(outbox_next(*state));
}

static void
test_limit(void **state)
{
	const struct mw_message message = {.type = MW_TAKEN_BACK};
	struct mw_message taken;
	int fd;

	for (uint32_t i = 0; i < OUTBOX_MAX; i++) {
		push(*state, i, -1);
	}
	assert_int_equal(outbox_push(*state, &message, -1), -ENOBUFS);
	assert_true(outbox_pop(*state, &taken, &fd));
	assert_int_equal(outbox_push(*state, &message, -1), 0);
}

static void
test_pop_returns_descriptor(void **state)
{
	struct mw_message message;
	int given = open_something();
	int fd;

	push(*state, 7, given);
	assert_true(outbox_pop(*state, &message, &fd));
	assert_int_equal(message.session, 7);
	assert_int_equal(fd, given);
	assert_true(is_open(fd));
	assert_false(((struct outbox *)*state)->is_in_flight);
	fd_close(&fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_in_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_one_descriptor_at_a_time, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(test_plain_message_does_not_overtake, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(test_answer_counts_as_well, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_pop_returns_descriptor, set_up,
	                                    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
