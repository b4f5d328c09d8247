/*
 * test_reply: replies are one line each, whatever is in their text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/reply.h"

#include "common/base.h"

#define BYTES(text) (text), sizeof(text) - 1

static void
texts_are_made_harmless(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *wanted;
		const char *why;
	} cases[] = {
	    {BYTES("Done."), "226 Done.\r\n", "the usual"},
	    {BYTES(""), "226 \r\n", "nothing to say"},
	    {BYTES("a\r\n226 fake\r\n"), "226 a??226 fake??\r\n", "SECURITY.md P22"},
	    {BYTES("a\0b"), "226 a?b\r\n", "NUL"},
	    {BYTES("\t\x01\x1b[31m\x7f"), "226 ???[31m?\r\n", "control characters"},
	    {BYTES("\xff"), "226 \xff\xff\r\n", "IAC IAC"},
	    {BYTES("a\xff\xff"
	           "b"),
	     "226 a\xff\xff\xff\xff"
	     "b\r\n",
	     "twice two"},
	    {BYTES("\xc3\xa4\x80\xfe"), "226 \xc3\xa4\x80\xfe\r\n",
	     "UTF-8 and other bytes"},
	    {BYTES("%s%n%x"), "226 %s%n%x\r\n", "no formats (P7)"},
	    {BYTES("%{u} ${u} {u}"), "226 %{u} ${u} {u}\r\n", "no templates (P24)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char line[128];
		size_t len = reply_format(line, sizeof(line), REPLY_TRANSFER_COMPLETE,
		                          cases[i].text, cases[i].len);

		if (len != strlen(cases[i].wanted) ||
		    memcmp(line, cases[i].wanted, len) != 0) {
			fail_msg("%s", cases[i].why);
		}
	}
}

static void
replies_of_several_lines_are_those_of_rfc_959(void **state)
{
	char text[256];
	size_t len = reply_format_first(text, sizeof(text), REPLY_STATUS, "Features:", 9);

	(void)state;
	len += reply_format_middle(text + len, sizeof(text) - len, "UTF8", 4);
	len += reply_format_middle(text + len, sizeof(text) - len, "211 not the end", 15);
	len += reply_format(text + len, sizeof(text) - len, REPLY_STATUS, "End", 3);
	text[len] = '\0';
	/*
	 * No line inside looks like the last one: all begin with a space (RFC 959 4.2).
	 */
	assert_string_equal(text,
	                    "211-Features:\r\n UTF8\r\n 211 not the end\r\n211 End\r\n");
}

static void
long_texts_are_cut_whole(void **state)
{
	char text[300];

	(void)state;
	for (unsigned byte = 'a'; byte <= 0xff; byte += 0xff - 'a') {
		memset(text, (int)byte, sizeof(text));
		for (size_t cap = 8; cap < 64; cap++) {
			char *line = malloc(cap);
			size_t len;

			assert_non_null(line);
			len = reply_format(line, cap, REPLY_OK, text, sizeof(text));
			assert_in_range(len, cap - 1, cap);
			assert_memory_equal(line + len - 2, "\r\n", 2);
			/* Never half of a doubled byte. */
			assert_true(byte != 0xff || len % 2 == 0);
			free(line);
		}
	}
}

static void
paths_are_quoted(void **state)
{
	static const struct {
		const char *path;
		const char *wanted;
	} cases[] = {
	    {"/", "\"/\""},           {"/a b", "\"/a b\""}, {"/a\"b", "\"/a\"\"b\""},
	    {"\"\"", "\"\"\"\"\"\""}, {"", "\"\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char quoted[64];
		size_t len = reply_quote(quoted, sizeof(quoted), cases[i].path,
		                         strlen(cases[i].path));

		assert_int_equal(len, strlen(cases[i].wanted));
		assert_memory_equal(quoted, cases[i].wanted, len);
	}
}

static void
longest_path_fits(void **state)
{
	/*
	 * SECURITY.md P2 and P8: quotes are doubled by 257, bytes 255 by Telnet; no byte
	 * is both.
	 */
	static const char bytes[] = {'"', '\xff', 'a'};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		char path[4095];
		char quoted[2 * sizeof(path) + 2];
		char line[REPLY_LINE_MAX];
		size_t quoted_len;
		size_t len;

		memset(path, bytes[i], sizeof(path));
		quoted_len = reply_quote(quoted, sizeof(quoted), path, sizeof(path));
		len = reply_format(line, sizeof(line), REPLY_PATH, quoted, quoted_len);
		assert_int_equal(len,
		                 4 + 2 + (bytes[i] == 'a' ? 1 : 2) * sizeof(path) + 2);
		assert_memory_equal(line + len - 3, "\"\r\n", 3);
	}
}

static void
small_quotes_stay_quotes(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 12; cap++) {
		char *quoted = malloc(cap > 0 ? cap : 1);
		size_t len;

		assert_non_null(quoted);
		len = reply_quote(quoted, cap, "\"\"\"\"", 4);
		assert_true(len <= cap);
		/* An even number of marks: none is cut in two. */
		assert_int_equal(len, cap < 2 ? 0 : cap > 10 ? 10 : cap - cap % 2);
		free(quoted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_made_harmless),
	    cmocka_unit_test(replies_of_several_lines_are_those_of_rfc_959),
	    cmocka_unit_test(long_texts_are_cut_whole),
	    cmocka_unit_test(paths_are_quoted),
	    cmocka_unit_test(longest_path_fits),
	    cmocka_unit_test(small_quotes_stay_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
