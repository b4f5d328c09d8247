/*
 * test_master_penalty: what failures cost, how they are forgotten, and that the table
 * neither grows nor can be washed out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ftpd/master/penalty.h"
#include "common/base.h"

enum {
	SEED = 4711,
	NOW_MS = 1000000,
	CROWD = 10 * PENALTY_CAPACITY,
};

static const struct penalty_rule rule = {.free = 3, .max_ms = 10000};

static uint64_t
delay_after(unsigned failures, const struct penalty_rule *how, uint64_t later_ms)
{
	struct penalty_table table;
	uint64_t delay_ms;

	penalty_init(&table, 64, SEED);
	for (unsigned i = 0; i < failures; i++) {
		penalty_add(&table, 1, NOW_MS);
	}
	assert_int_equal(penalty_delay(&table, how, 2, NOW_MS), 0);
	delay_ms = penalty_delay(&table, how, 1, NOW_MS + later_ms);
	penalty_end(&table);
	return delay_ms;
}

struct delay_case {
	unsigned failures;
	uint64_t later_ms;
	uint64_t delay_ms;
	const char *why;
};

static void
test_delays(void **state)
{
	static const struct delay_case cases[] = {
	    {0, 0, 0, "nothing has happened"},
	    {1, 0, 0, "everybody mistypes"},
	    {3, 0, 0, "the last one that is free"},
	    {4, 0, 250, "the first that costs"},
	    {5, 0, 500, "doubled"},
	    {6, 0, 1000, "and again"},
	    {9, 0, 8000, "below the limit"},
	    {10, 0, 10000, "the limit"},
	    {60, 0, 10000, "far beyond it"},
	    {100000, 0, 10000, "a night of guessing"},
	    {100000, PENALTY_HALF_LIFE_MS, 10000, "is not forgotten at once"},
	    {8, PENALTY_HALF_LIFE_MS, 250, "half of eight is four"},
	    {8, 2 * PENALTY_HALF_LIFE_MS, 0, "half of that is free"},
	    {100000, 6 * (uint64_t)PENALTY_HALF_LIFE_MS, 0, "forgotten in half an hour"},
	    {100000, 1000 * (uint64_t)PENALTY_HALF_LIFE_MS, 0, "much later"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(delay_after(cases[i].failures, &rule, cases[i].later_ms),
		                 cases[i].delay_ms);
	}
}

static void
test_limits_of_rules(void **state)
{
	static const struct penalty_rule none = {.free = 3, .max_ms = 0};
	static const struct penalty_rule strict = {.free = 0, .max_ms = UINT64_MAX};

	(void)state;
	assert_int_equal(delay_after(1000, &none, 0), 0);
	assert_int_equal(delay_after(1, &strict, 0), 250);
	/* The score has a limit, and so has the doubling. */
	assert_true(delay_after(1000000, &strict, 0) <= UINT64_C(250) << 31);
}

/* Between two half-lives it only ever falls. */
static void
test_decay_is_steady(void **state)
{
	struct penalty_table table;
	uint64_t before_ms = UINT64_MAX;
	uint64_t step_ms = PENALTY_HALF_LIFE_MS / 100;

	(void)state;
	penalty_init(&table, 64, SEED);
	for (int i = 0; i < 20; i++) {
		penalty_add(&table, 1, NOW_MS);
	}
	for (uint64_t later_ms = 0; later_ms < 8 * (uint64_t)PENALTY_HALF_LIFE_MS;
	     later_ms += step_ms) {
		uint64_t delay_ms = penalty_delay(&table, &rule, 1, NOW_MS + later_ms);

		assert_true(delay_ms <= before_ms);
		before_ms = delay_ms;
	}
	assert_int_equal(before_ms, 0);
	/* A clock that was read a moment earlier does no harm. */
	assert_true(penalty_delay(&table, &rule, 1, NOW_MS - 5) > 0);
	penalty_end(&table);
}

/* R19: tables of no, one and few rows. */
static void
test_small_tables(void **state)
{
	static const size_t capacities[] = {0, 1, 7, 8, 9, 63};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(capacities); i++) {
		struct penalty_table table;
		unsigned penalised = 0;

		penalty_init(&table, capacities[i], SEED);
		for (uint64_t key = 0; key < 1000; key++) {
			for (int failure = 0; failure < 5; failure++) {
				penalty_add(&table, key, NOW_MS + key);
			}
		}
		for (uint64_t key = 0; key < 1000; key++) {
			penalised += penalty_delay(&table, &rule, key, NOW_MS + 1000) > 0;
		}
		assert_true(penalised <= capacities[i]);
		assert_int_equal(penalised > 0, capacities[i] > 0);
		penalty_end(&table);
	}
}

/* One who guesses all night is not forgotten because a crowd fails once each. */
static void
test_crowd_does_not_wash_out(void **state)
{
	struct penalty_table table;

	(void)state;
	penalty_init(&table, PENALTY_CAPACITY, SEED);
	for (int i = 0; i < 20; i++) {
		penalty_add(&table, 1, NOW_MS);
	}
	for (uint64_t key = 2; key < CROWD; key++) {
		penalty_add(&table, key, NOW_MS + 1);
	}
	assert_int_equal(penalty_delay(&table, &rule, 1, NOW_MS + 2), rule.max_ms);
	/* Nor do they harm somebody who has done nothing. */
	assert_int_equal(penalty_delay(&table, &rule, 0, NOW_MS + 2), 0);
	penalty_end(&table);
}

struct key_case {
	const char *first;
	const char *second;
	bool is_one;
	const char *why;
};

static uint64_t
key_of(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, strlen(text), &addr));
	addr.port = 4321;
	return penalty_address_key(&addr);
}

static void
test_address_keys(void **state)
{
	static const struct key_case cases[] = {
	    {"192.0.2.1", "192.0.2.1", true, "the same"},
	    {"192.0.2.1", "192.0.2.2", false, "IPv4 counts whole"},
	    {"2001:db8::1", "2001:db8::ffff:0:0:2", true, "one /64 (R18)"},
	    {"2001:db8::1", "2001:db8:0:1::1", false, "the next /64"},
	    {"32.1.13.184", "2001:db8:0:1::1", false, "the same bytes in another family"},
	    {"32.1.13.184", "2001:db8::1", false, "the same bytes in another family"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(key_of(cases[i].first) == key_of(cases[i].second),
		                 cases[i].is_one);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_delays),
	    cmocka_unit_test(test_limits_of_rules),
	    cmocka_unit_test(test_decay_is_steady),
	    cmocka_unit_test(test_small_tables),
	    cmocka_unit_test(test_crowd_does_not_wash_out),
	    cmocka_unit_test(test_address_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
