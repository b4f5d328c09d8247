/*
 * test_secret: memory for passwords is kept out of core dumps, and what is wiped is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/secret.h"
#include "common/base.h"

/* The flags of the mapping that begins at the address, as the kernel prints them. */
static void
mapping_flags(const void *address, char *flags, int cap)
{
	char line[256];
	FILE *maps = fopen("/proc/self/smaps", "re");
	bool is_in = false;

	flags[0] = '\0';
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		char *end;
		uintmax_t first = strtoumax(line, &end, 16);

		if (*end == '-') {
			uintmax_t last = strtoumax(end + 1, NULL, 16);

			is_in = first <= (uintptr_t)address && (uintptr_t)address < last;
		} else if (is_in && strncmp(line, "VmFlags:", 8) == 0) {
			(void)snprintf(flags, (size_t)cap, "%s", line + 8);
		}
	}
	assert_int_equal(fclose(maps), 0);
}

static void
secrets_are_not_dumped(void **state)
{
	enum { LEN = 3 * 4096 + 1 };
	char *secret = secret_alloc(LEN);
	char flags[256];

	(void)state;
	assert_non_null(secret);
	for (size_t i = 0; i < LEN; i++) {
		assert_int_equal(secret[i], 0);
	}
	memset(secret, 'x', LEN);
	mapping_flags(secret, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	mapping_flags(secret + LEN - 1, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	secret_free(secret, LEN);
	secret_free(NULL, LEN);
}

static void
wiped_is_wiped(void **state)
{
	char bytes[64];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	secret_wipe(bytes + 1, sizeof(bytes) - 2);
	assert_int_equal(bytes[0], 'x');
	assert_int_equal(bytes[sizeof(bytes) - 1], 'x');
	for (size_t i = 1; i < sizeof(bytes) - 1; i++) {
		assert_int_equal(bytes[i], 0);
	}
}

struct equal_case {
	const char *a;
	size_t a_len;
	const char *b;
	size_t b_len;
	bool is_equal;
};

static const struct equal_case equals[] = {
    {"", 0, "", 0, true},         {"abc", 3, "abc", 3, true},
    {"a\0c", 3, "a\0c", 3, true}, {"abc", 3, "abd", 3, false},
    {"xbc", 3, "abc", 3, false},  {"a\0c", 3, "a\0d", 3, false},
    {"abc", 3, "abcd", 4, false}, {"abcd", 4, "abc", 3, false},
    {"abc", 3, "", 0, false},     {"", 0, "abc", 3, false},
    {"\0", 1, "", 0, false},
};

static void
comparison_sees_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(equals); i++) {
		const struct equal_case *row = &equals[i];

		assert_int_equal(secret_equal(row->a, row->a_len, row->b, row->b_len),
		                 row->is_equal);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_not_dumped),
	    cmocka_unit_test(wiped_is_wiped),
	    cmocka_unit_test(comparison_sees_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
