/*
 * test_wildcard: what patterns match, and what they may cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/wildcard.h"

#include "common/base.h"

static void
patterns_match(void **state)
{
	static const struct {
		const char *pattern;
		const char *name;
		bool is_match;
		const char *why;
	} cases[] = {
	    {"*", "abc", true, "anything"},
	    {"*", "", true, "also nothing"},
	    {"*", ".hidden", true, "dots are the lister's business"},
	    {"", "", true, "nothing matches nothing"},
	    {"", "a", false, "and no more"},
	    {"abc", "abc", true, "letters"},
	    {"abc", "ABC", false, "case counts"},
	    {"abc", "abcd", false, "the whole name"},
	    {"abc", "ab", false, "the whole pattern"},
	    {"a*c", "abbc", true, "a star between"},
	    {"a*c", "ac", true, "a star for nothing"},
	    {"*.c", "a.c.c", true, "the star gives back"},
	    {"*ab*ab*b", "aabaabab", true, "several stars"},
	    {"a**b", "axb", true, "stars in a row"},
	    {"a?c", "abc", true, "one byte"},
	    {"a?c", "ac", false, "not none"},
	    {"?", "\xc3\xa4", false, "a letter of two bytes"},
	    {"??", "\xc3\xa4", true, "takes two"},
	    {"[abc]x", "bx", true, "a class"},
	    {"[abc]x", "dx", false, "not in the class"},
	    {"[a-c]", "b", true, "a range"},
	    {"[a-c]", "d", false, "not in the range"},
	    {"[z-a]", "m", false, "an empty range"},
	    {"[!a-c]", "d", true, "negated"},
	    {"[^a-c]", "b", false, "negated the other way"},
	    {"[]a]", "]", true, "a bracket in front is itself"},
	    {"[!]a]", "b", true, "also negated"},
	    {"[a-]", "-", true, "a dash at the end is itself"},
	    {"[-a]", "-", true, "or in front"},
	    {"[\\]]", "]", true, "escaped in a class"},
	    {"[\\a-\\c]", "b", true, "escaped ends of a range"},
	    {"[\x80-\xff]", "\xe4", true, "high bytes are not negative"},
	    {"[a", "[a", true, "without an end it is itself"},
	    {"[", "[", true, "alone, too"},
	    {"[^", "[^", true, "negated without anything"},
	    {"[a-", "[a-", true, "a range without an end"},
	    {"[!]", "[!]", true, "a class that never ends"},
	    {"x[a-", "xa", false, "and matches nothing else"},
	    {"\\*", "*", true, "escaped"},
	    {"\\*", "a", false, "escaped is only itself"},
	    {"a\\", "a\\", true, "a backslash at the end is itself"},
	    {"{a,b}", "a", false, "no braces"},
	    {"{a,b}", "{a,b}", true, "they are letters"},
	    {"~", "~", true, "so is the tilde"},
	    {"%s%n", "%s%n", true, "no formats"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (wildcard_match(cases[i].pattern, strlen(cases[i].pattern),
		                   cases[i].name,
		                   strlen(cases[i].name)) != cases[i].is_match) {
			fail_msg("%s on %s: %s", cases[i].pattern, cases[i].name,
			         cases[i].why);
		}
	}
	assert_true(wildcard_match("a?b", 3, "a\0b", 3)); /* NUL is a byte here */
	assert_false(wildcard_match("a", 1, "a\0b", 3));
}

static void
cost_is_bounded(void **state)
{
	static const char *const pieces[] = {"*a",    "*",     "[",       "*[",
	                                     "[a-z]", "*[!b]", "a*[b-a]", "\\a*",
	                                     "*?",    "[^",    "{{*},"};
	char name[255];
	char pattern[4096];

	(void)state;
	pattern[0] = '*';
	/* SECURITY.md G1 and G3: no pattern costs more than the header says. */
	for (size_t i = 0; i < 2 * ARRAY_COUNT(pieces); i++) {
		const char *piece = pieces[i / 2];

		/*
		 * The second name makes each "[" without an end match and the next be
		 * tried.
		 */
		memset(name, i % 2 == 0 ? 'a' : '[', sizeof(name));
		for (size_t count = 1; count <= 600; count = count * 3 + 1) {
			size_t piece_len = strlen(piece);
			size_t len = 1; /* the first star begins again at each byte */
			uint64_t steps;

			for (size_t j = 0; j < count && len + piece_len < sizeof(pattern);
			     j++) {
				for (size_t k = 0; k < piece_len; k++) {
					pattern[len++] = piece[k];
				}
			}
			pattern[len++] = 'b';
			(void)wildcard_match_counted(pattern, len, name, sizeof(name),
			                             &steps);
			assert_true(steps <= (sizeof(name) + 1) * (len + 1) + len);
		}
	}
}

static void
cost_grows_with_the_name_only(void **state)
{
	char name[255];
	char pattern[121];
	uint64_t steps;

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t stars = 1; stars <= 60; stars++) {
		for (size_t i = 0; i < stars; i++) {
			pattern[2 * i] = '*';
			pattern[2 * i + 1] = 'a';
		}
		pattern[2 * stars] = 'b';
		assert_false(wildcard_match_counted(pattern, 2 * stars + 1, name,
		                                    sizeof(name), &steps));
		/*
		 * Only the last star is tried again: each star adds its own two steps,
		 * once.
		 */
		assert_true(steps <= 2 * stars + 3 * sizeof(name));
	}
}

static void
patterns_are_told_from_names(void **state)
{
	static const struct {
		const char *text;
		bool is_pattern;
	} cases[] = {
	    {"", false},      {"a", false},     {"*", true},     {"a?", true},
	    {"[a]", true},    {"[a", false},    {"a]", false},   {"[]", false},
	    {"[]]", true},    {"\\*", false},   {"\\\\*", true}, {"\\[a]", false},
	    {"{a}", false},   {"~", false},     {"a\\", false},  {"[\\]", false},
	    {"[[[[a]", true}, {"[a\\]*", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (wildcard_is_pattern(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].is_pattern) {
			fail_msg("%s", cases[i].text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns_match),
	    cmocka_unit_test(cost_is_bounded),
	    cmocka_unit_test(cost_grows_with_the_name_only),
	    cmocka_unit_test(patterns_are_told_from_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
