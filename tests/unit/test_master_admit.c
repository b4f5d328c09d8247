/*
 * test_master_admit: how many sessions an address may have, compared with a plain count
 * kept beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ftpd/master/admit.h"
#include "common/base.h"

enum {
	NO_LIMIT = 1000000,
	ADDRESSES = 300,
	ROUNDS = 20000,
};

static int
set_up(void **state)
{
	struct admit_table *table = calloc(1, sizeof(*table));

	assert_non_null(table);
	admit_init(table, 42);
	*state = table;
	return 0;
}

static int
tear_down(void **state)
{
	admit_end(*state);
	free(*state);
	return 0;
}

static struct addr
parse(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, strlen(text), &addr));
	addr.port = 4321;
	return addr;
}

static void
test_limit_of_all(void **state)
{
	const struct admit_limits limits = {.sessions = 2};
	const struct admit_limits both = {.sessions = 2, .sessions_per_address = 1};
	struct addr a = parse("192.0.2.1");
	struct addr b = parse("2001:db8::1");

	assert_int_equal(admit_add(*state, &limits, &a), ADMIT_OK);
	assert_int_equal(admit_add(*state, &limits, &b), ADMIT_OK);
	assert_int_equal(admit_add(*state, &limits, &a), ADMIT_FULL);
	/* the limit that is the client's own fault is named first */
	assert_int_equal(admit_add(*state, &both, &a), ADMIT_ADDRESS_FULL);
	assert_int_equal(admit_count(*state, &a), 1);
	admit_remove(*state, &b);
	assert_int_equal(admit_add(*state, &limits, &a), ADMIT_OK);
}

struct pair {
	const char *first;
	const char *second;
	bool is_one; /* they share a limit */
	const char *why;
};

static void
test_limit_of_address(void **state)
{
	static const struct pair pairs[] = {
	    {"192.0.2.1", "192.0.2.1", true, "the same"},
	    {"192.0.2.1", "192.0.2.2", false, "IPv4 counts whole"},
	    {"2001:db8::1", "2001:db8::ffff:0:0:2", true, "one /64"},
	    {"2001:db8::1", "2001:db8:0:1::1", false, "the next /64"},
	    {"192.0.2.1", "::192.0.2.1", false, "families differ"},
	};
	const struct admit_limits limits = {.sessions = NO_LIMIT,
	                                    .sessions_per_address = 1};

	for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
		struct addr first = parse(pairs[i].first);
		struct addr second = parse(pairs[i].second);

		assert_int_equal(admit_add(*state, &limits, &first), ADMIT_OK);
		assert_int_equal(admit_add(*state, &limits, &second),
		                 pairs[i].is_one ? ADMIT_ADDRESS_FULL : ADMIT_OK);
		admit_remove(*state, &first);
		if (!pairs[i].is_one) {
			admit_remove(*state, &second);
		}
		assert_int_equal(admit_count(*state, &first), 0);
		assert_int_equal(admit_count(*state, &second), 0);
	}
}

static void
test_no_limit_of_address(void **state)
{
	const struct admit_limits limits = {.sessions = NO_LIMIT};
	struct addr addr = parse("192.0.2.1");

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(admit_add(*state, &limits, &addr), ADMIT_OK);
	}
	assert_int_equal(admit_count(*state, &addr), 1000);
}

static struct addr
numbered(unsigned number)
{
	struct addr addr = {.family = number % 2 == 0 ? ADDR_IPV4 : ADDR_IPV6};

	addr.bytes[0] = 10;
	addr.bytes[2] = (uint8_t)(number >> 8);
	addr.bytes[3] = (uint8_t)number;
	return addr;
}

/*
 * Coming and going in an order that is the same in each run; rows move when others leave.
 */
static void
test_against_plain_count(void **state)
{
	const struct admit_limits limits = {.sessions = NO_LIMIT,
	                                    .sessions_per_address = 5};
	unsigned expected[ADDRESSES] = {0};
	uint32_t random = 1;

	for (int round = 0; round < ROUNDS; round++) {
		struct addr addr;
		unsigned number;

		random = random * 1664525 + 1013904223;
		number = (random >> 8) % ADDRESSES;
		addr = numbered(number);
		/*
		 * In the second half more leave than come, so that the table empties
		 * again.
		 */
		if ((random >> 28) < (round < ROUNDS / 2 ? 10U : 4U)) {
			enum admit_result result = admit_add(*state, &limits, &addr);

			assert_int_equal(
			    result, expected[number] < 5 ? ADMIT_OK : ADMIT_ADDRESS_FULL);
			expected[number] += result == ADMIT_OK;
		} else if (expected[number] > 0) {
			admit_remove(*state, &addr);
			expected[number]--;
		}
	}
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct addr addr = numbered(i);

		assert_int_equal(admit_count(*state, &addr), expected[i]);
	}
}

/*
 * A removal too many, which would be a mistake elsewhere, must not make the count run
 * below zero.
 */
static void
test_remove_unknown(void **state)
{
	const struct admit_limits limits = {.sessions = 1};
	struct addr a = parse("192.0.2.1");
	struct addr b = parse("192.0.2.2");

	admit_remove(*state, &a);
	assert_int_equal(admit_add(*state, &limits, &a), ADMIT_OK);
	admit_remove(*state, &b);
	assert_int_equal(admit_add(*state, &limits, &b), ADMIT_FULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_limit_of_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_limit_of_address, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_limit_of_address, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_against_plain_count, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_remove_unknown, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
