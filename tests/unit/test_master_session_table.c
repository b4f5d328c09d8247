/*
 * test_master_session_table: numbers of sessions: nobody finds a session by one of the
 * past.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ftpd/master/session_table.h"
#include "common/base.h"

enum {
	MANY = 3 * SESSION_CHUNK + 7,
};

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct session_table));
	return *state == NULL;
}

static int
tear_down(void **state)
{
	session_table_end(*state);
	free(*state);
	return 0;
}

static struct session *
add(struct session_table *table)
{
	struct session *session = session_table_add(table);

	assert_non_null(session);
	session->state = SESSION_WAITING;
	return session;
}

static void
test_add_finds_it(void **state)
{
	struct session *session = add(*state);

	assert_int_not_equal(session->id, 0);
	assert_int_equal(session->fd, -1);
	assert_ptr_equal(session_table_find(*state, session->id), session);
}

static void
test_unknown_numbers(void **state)
{
	static const uint32_t unknown[] = {0, 2, 4096, 4097, 0x7fffffff, UINT32_MAX};
	struct session *session = add(*state);

	assert_int_equal(session->id, 1);
	for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) {
		assert_null(session_table_find(*state, unknown[i]));
	}
}

static void
test_removed_is_not_found(void **state)
{
	struct session *session = add(*state);
	uint32_t old_id = session->id;

	session_table_remove(*state, session);
	assert_null(session_table_find(*state, old_id));
	/* The slot's next session has another number, and the old one stays invalid. */
	assert_ptr_equal(add(*state), session);
	assert_int_not_equal(session->id, old_id);
	assert_null(session_table_find(*state, old_id));
}

/*
 * The generation wraps within its bits and never makes number 0 or the slot's neighbour.
 */
static void
test_generations_wrap(void **state)
{
	struct session *session = add(*state);
	uint32_t first_id = session->id;
	unsigned distinct = 1;

	for (int i = 0; i < 2 * SESSION_GENERATIONS; i++) {
		session_table_remove(*state, session);
		session = add(*state);
		assert_int_not_equal(session->id, 0);
		assert_in_range(session->id, 1, SESSION_GENERATIONS - 1);
		assert_ptr_equal(session_table_find(*state, session->id), session);
		if (session->id == first_id) {
			break;
		}
		distinct++;
	}
	assert_int_equal(distinct, SESSION_GENERATIONS - 1);
}

static void
test_many_do_not_move(void **state)
{
	struct session_table *table = *state;
	struct session *sessions[MANY];
	uint32_t ids[MANY];

	for (size_t i = 0; i < MANY; i++) {
		sessions[i] = add(table);
		ids[i] = sessions[i]->id;
	}
	assert_int_equal(table->count, MANY);
	for (size_t i = 0; i < MANY; i += 2) {
		session_table_remove(table, sessions[i]);
	}
	for (size_t i = 0; i < MANY; i++) {
		assert_ptr_equal(session_table_find(table, ids[i]),
		                 i % 2 == 0 ? NULL : sessions[i]);
	}
	assert_int_equal(table->count, MANY / 2);
}

/* What an earlier session left must not be seen by the next one in its slot. */
static void
test_slot_is_clean(void **state)
{
	struct session *session = add(*state);

	session->wants_private = true;
	session->is_handed_over = true;
	session->passive_asks = 9;
	session->cookie = 7;
	session_table_remove(*state, session);
	session = add(*state);
	assert_false(session->wants_private);
	assert_false(session->is_handed_over);
	assert_int_equal(session->passive_asks, 0);
	assert_int_equal(session->cookie, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_add_finds_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_unknown_numbers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_removed_is_not_found, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_generations_wrap, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many_do_not_move, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_slot_is_clean, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
