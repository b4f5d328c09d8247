/*
 * test_path: client paths stay absolute, normalised and below "/".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/path.h"

#include "common/base.h"

static void
paths_are_resolved(void **state)
{
	static const struct {
		const char *cwd;
		const char *arg;
		const char *wanted;
		const char *why;
	} cases[] = {
	    {"/", "a", "/a", "below the root"},
	    {"/a", "b", "/a/b", "below a directory"},
	    {"/a", "/b", "/b", "absolute"},
	    {"/a/b", "", "/a/b", "nothing is where we are"},
	    {"/", "", "/", "also at the root"},
	    {"/a/b", ".", "/a/b", "one dot"},
	    {"/a/b", "..", "/a", "two dots"},
	    {"/a", "..", "/", "up to the root"},
	    {"/", "..", "/", "not above it"},
	    {"/a/b", "../../../../x", "/x", "never above it"},
	    {"/", "/../../etc/passwd", "/etc/passwd", "as an absolute path, too"},
	    {"/", "a/../b", "/b", "inside of a path"},
	    {"/", "a/b/..", "/a", "at its end"},
	    {"/", "//a///b//", "/a/b", "many slashes"},
	    {"/", "a/./b/.", "/a/b", "dots between"},
	    {"/", "a/", "/a", "a slash at the end"},
	    {"/", "...", "/...", "three dots are a name"},
	    {"/", ".a", "/.a", "a hidden name"},
	    {"/", "a..", "/a..", "dots behind"},
	    {"/", "..a/x", "/..a/x", "dots before"},
	    {"/", " a / b ", "/ a / b ", "spaces are names"},
	    {"/", "~root", "/~root", "no user is looked up (SECURITY.md G4)"},
	    {"/", "~{", "/~{", "nor expanded"},
	    {"/", "\"", "/\"", "no quotes"},
	    {"/", "a\\b", "/a\\b", "no escapes"},
	    {"/", "a\r\n", "/a\r\n",
	     "line ends are names here; replies take care of them"},
	    {"/", "\xff\xfe", "/\xff\xfe", "bytes"},
	    {"/", "-x", "/-x", "a dash"},
	    {"/a", "*/../*/../x", "/a/x", "no patterns"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char path[PATH_MAX_BYTES];
		enum path_result result = path_resolve(
		    cases[i].cwd, cases[i].arg, strlen(cases[i].arg), path, sizeof(path));

		if (result != PATH_OK || strcmp(path, cases[i].wanted) != 0) {
			fail_msg("%s + \"%s\": %s", cases[i].cwd, cases[i].arg,
			         cases[i].why);
		}
	}
}

/* A path of exactly len bytes: "/" and components of 200 bytes. Returns: what the caller frees. */
static char *
path_of_length(size_t len)
{
	char *path = malloc(len + 1);

	assert_non_null(path);
	for (size_t i = 0; i < len; i++) {
		path[i] = i % 201 == 0 ? '/' : 'a';
	}
	if (len > 1 && path[len - 1] == '/') {
		path[len - 2] = '/'; /* no name may end in a slash */
		path[len - 1] = 'b';
		path[len - 3] = 'a';
	}
	path[len] = '\0';
	return path;
}

static void
lengths_are_limits(void **state)
{
	(void)state;
	/* SECURITY.md P9: refused, never cut. */
	for (size_t len = 4090; len <= 4100; len++) {
		char *text = path_of_length(len);
		char path[PATH_MAX_BYTES] = "untouched";
		enum path_result result =
		    path_resolve("/", text, len, path, sizeof(path));

		assert_int_equal(result, len < PATH_MAX_BYTES ? PATH_OK : PATH_TOO_LONG);
		assert_true(result != PATH_OK || strcmp(path, text) == 0);
		free(text);
	}
	for (size_t len = 253; len <= 258; len++) {
		char name[300];
		char path[PATH_MAX_BYTES];

		memset(name, 'n', sizeof(name));
		assert_int_equal(path_resolve("/", name, len, path, sizeof(path)),
		                 len <= PATH_COMPONENT_MAX ? PATH_OK : PATH_TOO_LONG);
		assert_int_equal(path_resolve("/a/b", name, len, path, sizeof(path)),
		                 len <= PATH_COMPONENT_MAX ? PATH_OK : PATH_TOO_LONG);
	}
}

static void
small_buffers_are_kept(void **state)
{
	char *path;

	(void)state;
	for (size_t cap = 0; cap <= 8; cap++) {
		path = malloc(cap > 0 ? cap : 1);
		assert_non_null(path);
		/* "/abc/d" and its end take seven. */
		assert_int_equal(path_resolve("/abc", "d", 1, path, cap),
		                 cap >= 7 ? PATH_OK : PATH_TOO_LONG);
		assert_int_equal(path_resolve("/", ".", 1, path, cap),
		                 cap >= 2 ? PATH_OK : PATH_TOO_LONG);
		free(path);
	}
}

static void
nul_is_refused(void **state)
{
	char path[PATH_MAX_BYTES];

	(void)state;
	/* SECURITY.md P15 */
	assert_int_equal(path_resolve("/", "a\0b", 3, path, sizeof(path)), PATH_BAD);
	assert_int_equal(path_resolve("/", "\0", 1, path, sizeof(path)), PATH_BAD);
	assert_int_equal(path_resolve("/", "a/..\0", 5, path, sizeof(path)), PATH_BAD);
}

static void
paths_are_taken_apart(void **state)
{
	static const struct {
		const char *path;
		size_t parent_len;
		const char *base;
	} cases[] = {
	    {"/", 1, "/"},
	    {"/a", 1, "a"},
	    {"/a/b", 2, "b"},
	    {"/ab/cd/e", 6, "e"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		size_t len = strlen(cases[i].path);
		size_t base_len;
		const char *base = path_base(cases[i].path, len, &base_len);

		assert_int_equal(path_parent_len(cases[i].path, len),
		                 cases[i].parent_len);
		assert_int_equal(base_len, strlen(cases[i].base));
		assert_memory_equal(base, cases[i].base, base_len);
	}
}

static void
patterns_are_cut_off(void **state)
{
	static const struct {
		const char *arg;
		bool is_pattern;
		size_t dir_len;
		const char *why;
	} cases[] = {
	    {"*", true, 0, "all"},
	    {"*.c", true, 0, "a suffix"},
	    {"dir/*.c", true, 4, "in a directory"},
	    {"/a/b/x?", true, 5, "in an absolute one"},
	    {"dir", false, 0, "a name"},
	    {"", false, 0, "nothing"},
	    {"*/x", false, 0, "only the last component may be one"},
	    {"*/", false, 0, "a slash makes it a name"},
	    {"[x]/", false, 0, "so a directory [x] is reachable"},
	    {"[x]", true, 0, "a class"},
	    {"[x", false, 0, "no end, no class"},
	    {"a\\*b", false, 0, "an escaped star is none"},
	    {"a\\\\*b", true, 0, "an escaped backslash before a star"},
	    {"{a,b}", false, 0, "no braces (SECURITY.md G2)"},
	    {"~", false, 0, "no tilde (SECURITY.md G4)"},
	};
	char longest[PATH_COMPONENT_MAX + 1];
	size_t dir_len;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool is_pattern;

		dir_len = 99;
		is_pattern =
		    path_split_pattern(cases[i].arg, strlen(cases[i].arg), &dir_len);
		if (is_pattern != cases[i].is_pattern ||
		    dir_len != (is_pattern ? cases[i].dir_len : 99)) {
			fail_msg("\"%s\": %s", cases[i].arg, cases[i].why);
		}
	}
	memset(longest, '*', sizeof(longest));
	assert_true(path_split_pattern(longest, PATH_COMPONENT_MAX, &dir_len));
	assert_false(path_split_pattern(longest, PATH_COMPONENT_MAX + 1, &dir_len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_are_resolved),
	    cmocka_unit_test(lengths_are_limits),
	    cmocka_unit_test(small_buffers_are_kept),
	    cmocka_unit_test(nul_is_refused),
	    cmocka_unit_test(paths_are_taken_apart),
	    cmocka_unit_test(patterns_are_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
