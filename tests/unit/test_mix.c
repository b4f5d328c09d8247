/*
 * test_mix: numbers that differ in one bit are spread over the whole of the result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mix.h"
#include "common/base.h"

enum {
	BITS = 64,
	NUMBERS = 1000,
	BUCKETS = 64,
};

static unsigned
count_ones(uint64_t value)
{
	unsigned count = 0;

	for (; value != 0; value &= value - 1) {
		count++;
	}
	return count;
}

static void
one_bit_changes_half_of_them(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < BITS; bit++) {
		unsigned changed = 0;

		for (uint64_t number = 0; number < NUMBERS; number++) {
			changed += count_ones(mix_bits(number) ^
			                      mix_bits(number ^ UINT64_C(1) << bit));
		}
		assert_in_range(changed, 31 * NUMBERS, 33 * NUMBERS);
	}
}

/* Addresses of one network follow one another, or have the same low bits. */
static void
rows_are_filled_evenly(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift + 10 < BITS; shift++) {
		unsigned counts[BUCKETS] = {0};

		for (uint64_t number = 0; number < NUMBERS; number++) {
			counts[mix_bits(number << shift) % BUCKETS]++;
		}
		for (size_t i = 0; i < BUCKETS; i++) {
			assert_in_range(counts[i], 1, 4 * NUMBERS / BUCKETS);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_bit_changes_half_of_them),
	    cmocka_unit_test(rows_are_filled_evenly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
