/*
 * test_site: what stands behind SITE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/site.h"

#include "common/base.h"

enum {
	Y2020 = 1577836800, /* 2020-01-01 00:00:00 UTC */
};

static void
rows_are_whole(void **state)
{
	(void)state;
	for (unsigned id = 0; id < SITE_COUNT; id++) {
		const struct site_command *row = site_row((enum site_id)id);

		assert_non_null(row->name);
		assert_int_equal(site_find(row->name, strlen(row->name)), id);
		assert_in_range(strlen(row->syntax), 1, 60);
		assert_in_range(strlen(row->help), 1, 60);
		/* all but HELP change something, or lead to a change */
		assert_int_equal(row->is_writing, id != SITE_HELP);
	}
	assert_int_equal(site_find("chmod", 5), SITE_CHMOD);
	assert_int_equal(site_find("CHMO", 4), SITE_COUNT);
	assert_int_equal(site_find("", 0), SITE_COUNT);
}

static void
lines_are_judged(void **state)
{
	static const struct {
		const char *text;
		enum site_result result;
		struct site_request wanted; /* its texts are terminated here */
		const char *why;
	} cases[] = {
	    {"HELP", SITE_OK, {.id = SITE_HELP, .path = ""}, "of all"},
	    {"help chmod", SITE_OK, {.id = SITE_HELP, .path = "chmod"}, "of one"},
	    {"CHMOD 644 a b",
	     SITE_OK,
	     {.id = SITE_CHMOD, .mode = 0644, .path = "a b"},
	     "octal"},
	    {"CHMOD 0777 a",
	     SITE_OK,
	     {.id = SITE_CHMOD, .mode = 0777, .path = "a"},
	     "all bits"},
	    {"CHMOD 4755 a", SITE_SYNTAX, {.id = SITE_CHMOD}, "set-user-id"},
	    {"CHMOD u+x a", SITE_SYNTAX, {.id = SITE_CHMOD}, "letters"},
	    {"CHMOD 644", SITE_SYNTAX, {.id = SITE_CHMOD}, "no path"},
	    {"CHMOD 644 ", SITE_SYNTAX, {.id = SITE_CHMOD}, "an empty path"},
	    {"CHMOD", SITE_SYNTAX, {.id = SITE_CHMOD}, "nothing"},
	    {"UMASK", SITE_OK, {.id = SITE_UMASK, .path = ""}, "a question"},
	    {"UMASK 027", SITE_OK, {.id = SITE_UMASK, .mode = 027, .path = ""}, "set"},
	    {"UMASK 1000", SITE_SYNTAX, {.id = SITE_UMASK}, "no permission bit"},
	    {"UTIME 202001010000 a",
	     SITE_OK,
	     {.id = SITE_UTIME, .time_s = Y2020, .path = "a"},
	     "minutes"},
	    {"UTIME 20200101000059 a b",
	     SITE_OK,
	     {.id = SITE_UTIME, .time_s = Y2020 + 59, .path = "a b"},
	     "seconds"},
	    {"UTIME a b 20190101000000 20200101000000 20180101000000 UTC",
	     SITE_OK,
	     {.id = SITE_UTIME, .time_s = Y2020, .path = "a b"},
	     "three times: the second"},
	    {"UTIME a 20190101000000 20200101000000 20180101000000 utc",
	     SITE_OK,
	     {.id = SITE_UTIME, .time_s = Y2020, .path = "a"},
	     "lower case"},
	    {"UTIME 202013010000 a", SITE_SYNTAX, {.id = SITE_UTIME}, "no such month"},
	    {"UTIME 2020010100 a", SITE_SYNTAX, {.id = SITE_UTIME}, "ten digits"},
	    {"UTIME a 20200101000000 UTC",
	     SITE_SYNTAX,
	     {.id = SITE_UTIME},
	     "one time behind"},
	    {"UTIME 202001010000", SITE_SYNTAX, {.id = SITE_UTIME}, "no path"},
	    {"SYMLINK t l m",
	     SITE_OK,
	     {.id = SITE_SYMLINK, .target = "t", .path = "l m"},
	     "the target ends at the first space"},
	    {"SYMLINK t", SITE_SYNTAX, {.id = SITE_SYMLINK}, "no path"},
	    {"CPFR a b",
	     SITE_OK,
	     {.id = SITE_CPFR, .path = "a b"},
	     "a space in the name"},
	    {"CPTO", SITE_SYNTAX, {.id = SITE_CPTO}, "no path"},
	    {"EXEC ls", SITE_UNKNOWN, {.id = SITE_COUNT}, "CVE-1999-0997 and its like"},
	    {"", SITE_UNKNOWN, {.id = SITE_COUNT}, "nothing"},
	    {" HELP", SITE_UNKNOWN, {.id = SITE_COUNT}, "two spaces"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct site_request *wanted = &cases[i].wanted;
		struct site_request site = {.time_s = 4711};
		enum site_result result =
		    site_parse(cases[i].text, strlen(cases[i].text), &site);

		if (result != cases[i].result || site.id != wanted->id) {
			fail_msg("%s", cases[i].why);
		}
		if (result != SITE_OK) {
			assert_int_equal(site.time_s, 4711);
			continue;
		}
		assert_int_equal(site.mode, wanted->mode);
		assert_int_equal(site.time_s, wanted->time_s);
		assert_int_equal(site.path_len, strlen(wanted->path));
		assert_memory_equal(site.path, wanted->path, site.path_len);
		if (wanted->target != NULL) {
			assert_int_equal(site.target_len, strlen(wanted->target));
			assert_memory_equal(site.target, wanted->target, site.target_len);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_whole),
	    cmocka_unit_test(lines_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
