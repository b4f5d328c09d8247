/*
 * test_tools_passwd_edit: an edit changes one user, and not one byte of anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/tools/passwd/edit.h"
#include "common/base.h"

#define NEW_LINE "new:h:7:8::/n:/usr/sbin/nologin\n"

static char room[4 * PASSWD_LINE_MAX];

struct add_case {
	const char *before;
	const char *after; /* NULL: the user exists */
	const char *why;
};

static const struct add_case adds[] = {
    {"", NEW_LINE, "an empty file"},
    {"\n", "\n" NEW_LINE, "an empty line"},
    {"# x\n", "# x\n" NEW_LINE, "behind a comment"},
    {"bob:x:1:1::/:", "bob:x:1:1::/:\n" NEW_LINE, "a last line without its end"},
    {"bad\r\n", "bad\r\n" NEW_LINE, "a wrong line stays"},
    {"new:x:1:1::/:\n", NULL, "there already"},
    {"new", NULL, "a wrong line of his"},
    {" new\t:x", NULL, "another wrong line of his"},
    {"# new:x:1:1::/:\n", "# new:x:1:1::/:\n" NEW_LINE, "in a comment is not there"},
    {"newer:x:1:1::/:\n", "newer:x:1:1::/:\n" NEW_LINE, "a longer name"},
};

static void
a_user_is_added_at_the_end(void **state)
{
	const struct passwd_user user = {
	    .name = "new", .hash = "h", .uid = 7, .gid = 8, .home = "/n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(adds); i++) {
		const struct add_case *row = &adds[i];
		struct text out;
		enum edit_result result;

		text_init(&out, room, sizeof(room));
		result = edit_add(row->before, strlen(row->before), &user, &out);
		if (result != (row->after != NULL ? EDIT_DONE : EDIT_EXISTS)) {
			print_error("%s\n", row->why);
		}
		assert_int_equal(result, row->after != NULL ? EDIT_DONE : EDIT_EXISTS);
		if (row->after != NULL) {
			assert_string_equal(out.bytes, row->after);
		}
	}
}

struct set_case {
	const char *before;
	const char *hash;
	const char *home;
	uint32_t uid; /* 0: stays */
	enum edit_result result;
	const char *after;
	const char *why;
};

static const struct set_case sets[] = {
    {"bob:x:1:2:c:/:/s\n", "H", NULL, 0, EDIT_DONE, "bob:H:1:2:c:/:/s\n", "the hash"},
    {"bob:x:1:2:c:/:/s", "H", NULL, 0, EDIT_DONE, "bob:H:1:2:c:/:/s", "no line end"},
    {"bob::1:2:c:/:/s\n", "H", NULL, 0, EDIT_DONE, "bob:H:1:2:c:/:/s\n", "none before"},
    {"bob:x:1:2:c:/:/s\n", NULL, "/n", 9, EDIT_DONE, "bob:x:9:2:c:/n:/s\n", "others"},
    {"#\n\nbob:x:1:2::/:\nbob:y:1:2::/:\n", "H", NULL, 0, EDIT_DONE,
     "#\n\nbob:H:1:2::/:\nbob:y:1:2::/:\n", "the first of two"},
    {"a b\nbob:x:1:2::/:\nrest", "H", NULL, 0, EDIT_DONE, "a b\nbob:H:1:2::/:\nrest",
     "what is not understood stays"},
    {"bob:x:1:2::/\n", "H", NULL, 0, EDIT_WRONG, NULL, "his line is wrong"},
    {"bob\nbob:x:1:2::/:\n", "H", NULL, 0, EDIT_WRONG, NULL, "the wrong one is first"},
    {"", "H", NULL, 0, EDIT_UNKNOWN, NULL, "nobody"},
    {"bobby:x:1:2::/:\n", "H", NULL, 0, EDIT_UNKNOWN, NULL, "a longer name"},
};

static void
a_user_is_changed_where_he_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sets); i++) {
		const struct set_case *row = &sets[i];
		const struct edit_change change = {.hash = row->hash,
		                                   .home = row->home,
		                                   .uid =
		                                       row->uid > 0 ? &row->uid : NULL};
		struct edit_cursor cursor = {.text = row->before,
		                             .len = strlen(row->before)};
		const char *mistake = NULL;
		struct text out;

		text_init(&out, room, sizeof(room));
		assert_int_equal(edit_set(&cursor, "bob", &change, &out, &mistake),
		                 row->result);
		assert_int_equal(mistake != NULL, row->result == EDIT_WRONG);
		if (row->after != NULL) {
			assert_string_equal(out.bytes, row->after);
		}
	}
}

/* Without the NUL at its end. */
static void
put(char *at, const char *text)
{
	while (*text != '\0') {
		*at++ = *text++;
	}
}

static void
no_line_grows_too_long(void **state)
{
	static char text[PASSWD_LINE_MAX + 1];
	const struct edit_change change = {.hash = "longer"};
	struct edit_cursor cursor = {.text = text};
	const char *mistake;
	struct text out;
	int len;

	(void)state;
	memset(text, 'c', PASSWD_LINE_MAX);
	put(text, "bob:x:1:2:");
	put(text + PASSWD_LINE_MAX - 3, ":/:");
	cursor.len = PASSWD_LINE_MAX;
	text_init(&out, room, sizeof(room));
	assert_int_equal(edit_set(&cursor, "bob", &change, &out, &mistake),
	                 EDIT_TOO_LONG);
	/* As long as it was, it may be. */
	len = snprintf(text, sizeof(text), "bob:123456:1:2:");
	text[len] = 'c';
	cursor = (struct edit_cursor){.text = text, .len = PASSWD_LINE_MAX};
	text_init(&out, room, sizeof(room));
	assert_int_equal(edit_set(&cursor, "bob", &change, &out, &mistake), EDIT_DONE);
	assert_int_equal(out.len, PASSWD_LINE_MAX);
}

struct delete_case {
	const char *before;
	unsigned count;
	const char *after;
};

static const struct delete_case deletes[] = {
    {"", 0, ""},
    {"ann:x:1:1::/:", 0, "ann:x:1:1::/:"},
    {"bob:x:1:1::/:\n", 1, ""},
    {"bob:x:1:1::/:", 1, ""},
    {"#\nbob:x:1:1::/:\n#\n", 1, "#\n#\n"},
    {"ann\nbob\n", 1, "ann\n"},
    {"bob:1\nann:x\n bob:2\nbob", 3, "ann:x\n"},
    {"#bob:x:1:1::/:\nbobby:x\n", 0, "#bob:x:1:1::/:\nbobby:x\n"},
};

static void
every_line_of_a_user_goes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(deletes); i++) {
		const struct delete_case *row = &deletes[i];
		struct text out;

		text_init(&out, room, sizeof(room));
		assert_int_equal(
		    edit_delete(row->before, strlen(row->before), "bob", &out),
		    row->count);
		assert_string_equal(out.bytes, row->after);
	}
}

static void
lines_have_numbers(void **state)
{
	static const char text[] = "a\n\nb\0c\nlast";
	static const size_t lens[] = {1, 0, 3, 4};
	struct edit_cursor cursor = {.text = text, .len = sizeof(text) - 1};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(lens); i++) {
		assert_true(edit_next(&cursor));
		assert_int_equal(cursor.number, i + 1);
		assert_int_equal(cursor.line_len, lens[i]);
	}
	assert_false(edit_next(&cursor));
	assert_false(edit_next(&cursor));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_user_is_added_at_the_end),
	    cmocka_unit_test(a_user_is_changed_where_he_is),
	    cmocka_unit_test(no_line_grows_too_long),
	    cmocka_unit_test(every_line_of_a_user_goes),
	    cmocka_unit_test(lines_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
