/*
 * test_mff: the facts that MFF sets, and how the reply names them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/mff.h"

#include "common/base.h"

static void
arguments_are_judged(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
		const char *facts;
		const char *path;
		const char *why;
	} cases[] = {
	    {"Modify=20200131235959; a", ARG_OK, "Modify=20200131235959;", "a",
	     "the draft"},
	    {"modify=20200131235959; a b", ARG_OK, "Modify=20200131235959;", "a b",
	     "any case, a space in the name"},
	    {"UNIX.mode=644; a", ARG_OK, "UNIX.mode=0644;", "a", "three digits"},
	    {"unix.MODE=0;Modify=19700101000000; a", ARG_OK,
	     "Modify=19700101000000;UNIX.mode=0000;", "a", "both, in either order"},
	    {"UNIX.mode=0777;  a", ARG_OK, "UNIX.mode=0777;", " a",
	     "the second space is the name's"},
	    {"Modify=20200131235959.123; a", ARG_OK, "Modify=20200131235959;", "a",
	     "a fraction"},
	    {"UNIX.mode=4755; a", ARG_SYNTAX, NULL, NULL, "set-user-id"},
	    {"UNIX.mode=1777; a", ARG_SYNTAX, NULL, NULL, "sticky"},
	    {"UNIX.mode=00644; a", ARG_SYNTAX, NULL, NULL, "five digits"},
	    {"UNIX.mode=8; a", ARG_SYNTAX, NULL, NULL, "no octal digit"},
	    {"UNIX.mode=; a", ARG_SYNTAX, NULL, NULL, "no digit"},
	    {"UNIX.mode=-1; a", ARG_SYNTAX, NULL, NULL, "a sign"},
	    {"Modify=20200230000000; a", ARG_SYNTAX, NULL, NULL, "no such day"},
	    {"Modify=20200131235959;Modify=20200131235959; a", ARG_SYNTAX, NULL, NULL,
	     "twice"},
	    {"Modify=20200131235959 a", ARG_SYNTAX, NULL, NULL, "no semicolon"},
	    {"Modify=20200131235959;", ARG_SYNTAX, NULL, NULL, "no path"},
	    {"Modify=20200131235959; ", ARG_SYNTAX, NULL, NULL, "an empty path"},
	    {"Modify; a", ARG_SYNTAX, NULL, NULL, "no value"},
	    {"=1; a", ARG_SYNTAX, NULL, NULL, "no name"},
	    {"; a", ARG_SYNTAX, NULL, NULL, "an empty fact"},
	    {" a", ARG_SYNTAX, NULL, NULL, "no fact"},
	    {"", ARG_SYNTAX, NULL, NULL, "nothing"},
	    {"Create=20200131235959; a", ARG_UNSUPPORTED, NULL, NULL, "not to be set"},
	    {"UNIX.owner=0; a", ARG_UNSUPPORTED, NULL, NULL, "not for a user"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct mff mff = {.mode = 4711};
		const char *path = NULL;
		size_t path_len = 0;
		char text[MFF_TEXT_MAX];
		size_t len;

		if (mff_parse(cases[i].text, strlen(cases[i].text), &mff, &path,
		              &path_len) != cases[i].result) {
			fail_msg("%s", cases[i].why);
		}
		if (cases[i].result != ARG_OK) {
			assert_int_equal(mff.mode, 4711);
			assert_null(path);
			continue;
		}
		len = mff_format(&mff, text, sizeof(text));
		assert_int_equal(len, strlen(cases[i].facts));
		assert_memory_equal(text, cases[i].facts, len);
		assert_int_equal(path_len, strlen(cases[i].path));
		assert_memory_equal(path, cases[i].path, path_len);
	}
}

static void
nothing_is_written_of_nothing(void **state)
{
	struct mff mff = {.has_time = false};
	char text[MFF_TEXT_MAX];

	(void)state;
	assert_int_equal(mff_format(&mff, text, sizeof(text)), 0);
	mff.has_mode = true;
	assert_int_equal(mff_format(&mff, text, 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arguments_are_judged),
	    cmocka_unit_test(nothing_is_written_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
