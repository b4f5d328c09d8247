/*
 * test_recorder_visit: who may speak of which session, and when it is forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/recorder/visit.h"
#include "common/base.h"

static struct visit_table *
new_table(void)
{
	struct visit_table *table = malloc(sizeof(*table));

	assert_non_null(table);
	visit_table_init(table);
	return table;
}

static void
end_table(struct visit_table *table)
{
	visit_table_end(table);
	assert_int_equal(table->count, 0);
	free(table);
}

static struct visit *
begin(struct visit_table *table, uint32_t session, uint32_t worker)
{
	struct record record = {
	    .session = session, .worker = worker, .user = "", .text = ""};

	record.peer.family = ADDR_IPV4;
	record.peer.bytes[3] = (uint8_t)session;
	return visit_begin(table, &record, 1000);
}

static void
a_worker_speaks_of_its_own_sessions(void **state)
{
	struct visit_table *table = new_table();
	struct visit *visit = begin(table, 7, 3);

	(void)state;
	assert_ptr_equal(visit_find(table, 7), visit);
	assert_null(visit_find(table, 8));
	assert_true(visit_belongs_to(visit, 3));
	assert_false(visit_belongs_to(visit, 4));
	assert_false(visit_belongs_to(visit, 0));
	assert_int_equal(visit->peer.bytes[3], 7);
	assert_int_equal(visit->begun_s, 1000);
	visit_end(table, visit);
	assert_null(visit_find(table, 7));
	end_table(table);
}

static void
the_former_worker_speaks_until_it_is_settled(void **state)
{
	struct visit_table *table = new_table();
	struct visit *visit = begin(table, 7, 3);

	(void)state;
	assert_true(TAILQ_EMPTY(&table->unsettled));
	assert_ptr_equal(begin(table, 7, 4), visit);
	assert_ptr_equal(TAILQ_FIRST(&table->unsettled), visit);
	assert_true(visit_belongs_to(visit, 3));
	assert_true(visit_belongs_to(visit, 4));
	visit_settle(table, visit);
	assert_true(TAILQ_EMPTY(&table->unsettled));
	assert_false(visit_belongs_to(visit, 3));
	assert_true(visit_belongs_to(visit, 4));
	assert_int_equal(table->count, 1);
	end_table(table);
}

static void
the_masters_end_waits_for_the_workers_words(void **state)
{
	struct visit_table *table = new_table();
	struct visit *visit = begin(table, 7, 3);

	(void)state;
	visit_mark_over(table, visit);
	visit_mark_over(table, visit);
	assert_true(visit->is_over);
	assert_true(visit_belongs_to(visit, 3));
	assert_ptr_equal(TAILQ_FIRST(&table->unsettled), visit);
	visit_end(table, visit);
	assert_true(TAILQ_EMPTY(&table->unsettled));
	end_table(table);
}

static void
names_are_kept_and_replaced(void **state)
{
	struct visit_table *table = new_table();
	struct visit *visit = begin(table, 7, 3);
	char many[RECORD_USER_MAX + 9];
	struct record login = {
	    .user = "anonymous", .user_len = 9, .text = "a@b", .text_len = 3};

	(void)state;
	visit_set_names(visit, &login);
	assert_int_equal(visit->user_len, 9);
	assert_memory_equal(visit->user, "anonymous", 9);
	assert_memory_equal(visit->given, "a@b", 3);
	memset(many, 'x', sizeof(many));
	login = (struct record){.user = "", .text = many, .text_len = sizeof(many)};
	visit_set_names(visit, &login);
	assert_int_equal(visit->user_len, 0);
	assert_int_equal(visit->given_len, RECORD_USER_MAX);
	end_table(table);
}

static void
the_table_is_bounded(void **state)
{
	struct visit_table *table = new_table();

	(void)state;
	for (uint32_t i = 1; i <= VISIT_MAX + 5; i++) {
		assert_non_null(begin(table, i, 1));
	}
	assert_int_equal(table->count, VISIT_MAX);
	for (uint32_t i = 1; i <= 5; i++) {
		assert_null(visit_find(table, i));
	}
	assert_non_null(visit_find(table, 6));
	assert_non_null(visit_find(table, VISIT_MAX + 5));
	end_table(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_worker_speaks_of_its_own_sessions),
	    cmocka_unit_test(the_former_worker_speaks_until_it_is_settled),
	    cmocka_unit_test(the_masters_end_waits_for_the_workers_words),
	    cmocka_unit_test(names_are_kept_and_replaced),
	    cmocka_unit_test(the_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
