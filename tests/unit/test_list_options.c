/*
 * test_list_options: options of ls and the path behind them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/list_options.h"

#include "common/base.h"

static void
options_and_path_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		unsigned flags;
		const char *path;
		const char *why;
	} cases[] = {
	    {"", 0, "", "nothing"},
	    {"dir", 0, "dir", "only a path"},
	    {"-a", LIST_HIDDEN, "", "only an option"},
	    {"-A x", LIST_HIDDEN, "x", "-A is -a here"},
	    {"-la dir", LIST_LONG | LIST_HIDDEN, "dir", "letters together"},
	    {"-l -a -t dir", LIST_LONG | LIST_HIDDEN | LIST_BY_TIME, "dir", "or apart"},
	    {"-tr", LIST_BY_TIME | LIST_REVERSE, "", "newest last"},
	    {"-tS", LIST_BY_SIZE, "", "the last order counts"},
	    {"-S -t", LIST_BY_TIME, "", "also over words"},
	    {"-RFd x", LIST_RECURSIVE | LIST_CLASSIFY | LIST_DIRECTORY, "x",
	     "the others"},
	    {"-l1", 0, "", "-1 takes -l back"},
	    {"-1l", LIST_LONG, "", "and the other way round"},
	    {"-h", 0, "", "known and without effect"},
	    {"-Zqw\xff%n x", 0, "x", "unknown letters are ignored"},
	    {"--version", 0, "", "long options are ignored (SECURITY.md G6)"},
	    {"--color=auto -a x", LIST_HIDDEN, "x", "others behind them count"},
	    {"-w 1000000000", 0, "1000000000", "no option has a value"},
	    {"-- -x", 0, "-x", "a path with a dash"},
	    {"-a -- -l", LIST_HIDDEN, "-l", "behind options"},
	    {"--", 0, "", "and nothing behind it"},
	    {"-- ", 0, "", "or a space"},
	    {"-- -- x", 0, "-- x", "only one of them"},
	    {"./-x", 0, "./-x", "the other way to a dash"},
	    {"-", 0, "-", "a dash alone is a path"},
	    {"- x", 0, "- x", "also with more behind it"},
	    {"-a -", LIST_HIDDEN, "-", "also behind options"},
	    {"dir -a", 0, "dir -a", "options come first or not at all"},
	    {" -a", 0, " -a", "a leading space begins a path"},
	    {"-a  x", LIST_HIDDEN, " x", "one space separates"},
	    {"-a x ", LIST_HIDDEN, "x ", "trailing spaces are the name's"},
	    {"-a ", LIST_HIDDEN, "", "an empty path is none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct list_options options =
		    list_options_parse(cases[i].text, strlen(cases[i].text));

		if (options.flags != cases[i].flags ||
		    options.path_len != strlen(cases[i].path) ||
		    memcmp(options.path, cases[i].path, options.path_len) != 0) {
			fail_msg("\"%s\": %s", cases[i].text, cases[i].why);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_and_path_are_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
