/*
 * test_master_limit_table: sessions of users are counted by name, compared with a plain
 * count kept beside it, and nothing is left of those who are gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/master/limit_table.h"
#include "common/base.h"

enum {
	USERS = 2000, /* more than buckets */
	ROUNDS = 20000,
};

static int
set_up(void **state)
{
	struct limit_table *table = calloc(1, sizeof(*table));

	assert_non_null(table);
	table->seed = 7;
	*state = table;
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
test_names(void **state)
{
	struct limit_table *table = *state;
	struct limit_row *anna = limit_hold(table, "anna", 4);
	struct limit_row *ann = limit_hold(table, "ann", 3);
	struct limit_row *upper = limit_hold(table, "Anna", 4);
	struct limit_row *binary = limit_hold(table, "an\0a", 4);

	assert_non_null(anna);
	assert_ptr_not_equal(anna, ann);
	assert_ptr_not_equal(anna, upper);
	assert_ptr_not_equal(anna, binary);
	assert_ptr_equal(anna, limit_hold(table, "anna", 4));
	assert_int_equal(limit_count(table, "anna", 4), 2);
	assert_int_equal(limit_count(table, "ann", 3), 1);
	assert_int_equal(limit_count(table, "bert", 4), 0);
	limit_release(table, anna);
	assert_int_equal(limit_count(table, "anna", 4), 1);
	limit_release(table, anna);
	limit_release(table, ann);
	limit_release(table, upper);
	limit_release(table, binary);
	assert_int_equal(limit_count(table, "anna", 4), 0);
	assert_int_equal(table->count, 0);
}

static void
test_longest_name(void **state)
{
	struct limit_table *table = *state;
	uint8_t name[LIMIT_KEY_MAX];
	struct limit_row *row;

	memset(name, 'x', sizeof(name));
	row = limit_hold(table, name, sizeof(name));
	assert_non_null(row);
	assert_int_equal(limit_count(table, name, sizeof(name)), 1);
	assert_int_equal(limit_count(table, name, sizeof(name) - 1), 0);
	limit_release(table, row);
}

/* Coming and going in an order that is the same in each run. */
static void
test_against_plain_count(void **state)
{
	struct limit_table *table = *state;
	static struct limit_row *rows[USERS];
	static unsigned expected[USERS];
	uint32_t random = 1;

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t user;

		random = random * 1664525 + 1013904223;
		user = (random >> 8) % USERS;
		if ((random >> 28) < 9) {
			rows[user] = limit_hold(table, &user, sizeof(user));
			assert_non_null(rows[user]);
			expected[user]++;
		} else if (expected[user] > 0) {
			limit_release(table, rows[user]);
			expected[user]--;
		}
		assert_int_equal(limit_count(table, &user, sizeof(user)), expected[user]);
	}
	for (uint32_t user = 0; user < USERS; user++) {
		assert_int_equal(limit_count(table, &user, sizeof(user)), expected[user]);
		while (expected[user]-- > 0) {
			limit_release(table, rows[user]);
		}
	}
	assert_int_equal(table->count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_longest_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_against_plain_count, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
