/*
 * test_line: what bytes of a control connection become as lines, whole and in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/line.h"

#include "common/base.h"

#define BYTES(text) (text), sizeof(text) - 1

struct line_case {
	const char *in;
	size_t in_len;
	/*
	 * Results in order: R ready, B bad, L too long; the lines that are ready, each
	 * ended by "|".
	 */
	const char *results;
	const char *lines;
	const char *why;
};

static const struct line_case cases[] = {
    {BYTES("USER ftp\r\n"), "R", "USER ftp|", "the usual line"},
    {BYTES("NOOP\n"), "R", "NOOP|", "LF alone ends a line"},
    {BYTES("A\r\nB\nC\r\n"), "RRR", "A|B|C|", "several in one packet"},
    {BYTES("\r\n\n"), "RR", "||", "empty lines are lines"},
    {BYTES("NOOP"), "", "", "no end, no line"},
    {BYTES("A\rB\r\nC\r\n"), "BR", "C|", "CR inside is refused, the next line is not"},
    {BYTES("A\r\r\n"), "B", "", "only one CR belongs to the end"},
    {BYTES("A\r\0\r\n"), "B", "", "Telnet's CR NUL is no line's end"},
    {BYTES("USER ftp\0x\r\nNOOP\r\n"), "BR", "NOOP|", "NUL (SECURITY.md P15)"},
    {BYTES("\0\n"), "B", "", "NUL alone"},
    {BYTES(" a \t\x1b\x7f\r\n"), "R", " a \t\x1b\x7f|", "other control bytes are data"},
    {BYTES("\xff\xf4\xff\xf2"
           "ABOR\r\n"),
     "R", "ABOR|", "IP and Synch before ABOR"},
    {BYTES("AB\xff\xf4"
           "OR\r\n"),
     "R", "ABOR|", "a command inside of a word"},
    {BYTES("CWD \xff\xff\r\n"), "R", "CWD \xff|", "IAC IAC is byte 255"},
    {BYTES("CWD \xff"
           "a\r\n"),
     "R",
     "CWD \xff"
     "a|",
     "a single 255 before a letter is data"},
    {BYTES("CWD \xff\r\n"), "R", "CWD \xff|", "a single 255 does not swallow the end"},
    {BYTES("CWD \xff\n"), "R", "CWD \xff|", "nor an LF"},
    {BYTES("\xff\xff\xff\xff\xff\xf1\r\n"), "R", "\xff\xff|", "pairs, then a command"},
    {BYTES("\xff\xfd\x0a"
           "A\r\n"),
     "R", "A|", "an option may be any byte, LF too"},
    {BYTES("\xff\xfb\x01\xff\xfc\x02\xff\xfe\x03"
           "A\r\n"),
     "R", "A|", "WILL, WONT, DONT"},
    {BYTES("\xff\xfa\x18\nx\xff\xf0"
           "A\r\n"),
     "R", "A|", "LF in a subnegotiation"},
    {BYTES("\xff\xfa\xff\xff\xff\xf0"
           "A\r\n"),
     "R", "A|", "IAC IAC in a subnegotiation"},
    {BYTES("A\r\xff\xf1\n"), "R", "A|", "a command between CR and LF"},
    {BYTES("A\r\xff\xff\n"), "B", "", "a data byte between CR and LF"},
    {BYTES("\xff\xf1\xff\xf2"), "", "", "commands without a line"},
};

/* Feed all input in pieces, note results and lines. */
static void
feed(const uint8_t *in, size_t in_len, size_t piece, char *results, char *lines)
{
	static char text[LINE_MAX_BYTES];
	struct line line = {0};
	size_t at = 0;

	while (at < in_len) {
		size_t len = in_len - at < piece ? in_len - at : piece;
		size_t used;

		switch (line_feed(&line, text, in + at, len, &used)) {
		case LINE_MORE: assert_int_equal(used, len); break;
		case LINE_READY:
			*results++ = 'R';
			memcpy(lines, text, line.len);
			lines += line.len;
			*lines++ = '|';
			break;
		case LINE_TOO_LONG: *results++ = 'L'; break;
		case LINE_BAD: *results++ = 'B'; break;
		}
		at += used;
	}
	*results = '\0';
	*lines = '\0';
}

static void
bytes_become_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t piece = 1; piece <= 64; piece += piece == 1 ? 1 : 31) {
			char results[64];
			char lines[128];

			feed((const uint8_t *)cases[i].in, cases[i].in_len, piece,
			     results, lines);
			if (strcmp(results, cases[i].results) != 0 ||
			    strcmp(lines, cases[i].lines) != 0) {
				fail_msg("%s, in pieces of %zu: %s %s", cases[i].why,
				         piece, results, lines);
			}
		}
	}
}

/* Put bytes that are no text in their place. */
static void
put_bytes(uint8_t *to, const void *bytes, size_t len)
{
	memcpy(to, bytes, len);
}

/* In: count bytes x, then tail. */
static void
expect_long(size_t count, const char *tail, const char *wanted)
{
	size_t tail_len = strlen(tail);
	uint8_t *in = malloc(count + tail_len);
	char *lines = malloc(count + tail_len + 64);
	char results[64];

	assert_non_null(in);
	assert_non_null(lines);
	memset(in, 'x', count);
	put_bytes(in + count, tail, tail_len);
	for (size_t piece = 1; piece < count + tail_len; piece = piece * 7 + 1) {
		feed(in, count + tail_len, piece, results, lines);
		assert_string_equal(results, wanted);
	}
	free(in);
	free(lines);
}

static void
long_lines_are_refused_once(void **state)
{
	(void)state;
	expect_long(LINE_MAX_BYTES - 1, "\r\nNOOP\r\n", "RR");
	expect_long(LINE_MAX_BYTES, "\r\nNOOP\r\n", "RR"); /* the end does not count */
	expect_long(LINE_MAX_BYTES + 1, "\r\nNOOP\r\n", "LR");
	/* SECURITY.md P4: what lies behind the limit is no command. */
	expect_long(LINE_MAX_BYTES, "DELE victim\r\nNOOP\r\n", "LR");
	expect_long(LINE_MAX_BYTES + 1, "\rx\r\nNOOP\r\n", "LR"); /* long and bad: long */
	expect_long(1000000, "\nNOOP\n", "LR");
}

static void
many_iac_are_taken(void **state)
{
	size_t counts[] = {1, 2, 3, 70, 4351, 4352, 4353, 8704, 8705, 70000};

	(void)state;
	/* SECURITY.md P1. Two make one data byte; a single one is kept before CR. */
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		uint8_t *in = malloc(counts[i] + 2);
		char *lines = malloc(LINE_MAX_BYTES + 8);
		char results[8];
		size_t stored = (counts[i] + 1) / 2;

		assert_non_null(in);
		assert_non_null(lines);
		memset(in, 0xff, counts[i]);
		put_bytes(in + counts[i], "\r\n", 2);
		feed(in, counts[i] + 2, 4096, results, lines);
		assert_string_equal(results, stored <= LINE_MAX_BYTES ? "R" : "L");
		assert_int_equal(strlen(lines),
		                 stored <= LINE_MAX_BYTES ? stored + 1 : 0);
		free(in);
		free(lines);
	}
}

static void
subnegotiation_is_bounded(void **state)
{
	static char text[LINE_MAX_BYTES];
	uint8_t in[2 + LINE_SUBNEGOTIATION_MAX + 16] = {0xff, 0xfa};
	struct line line = {0};
	size_t used;

	(void)state;
	memset(in + 2, 'x', sizeof(in) - 2);
	/* As much as is allowed, and its end. */
	put_bytes(in + 2 + LINE_SUBNEGOTIATION_MAX - 1,
	          "\xff\xf0"
	          "A\r\n",
	          5);
	assert_int_equal(line_feed(&line, text, in, sizeof(in), &used), LINE_READY);
	assert_int_equal(line.len, 1);
	/* One byte more is too much. */
	memset(in + 2, 'x', LINE_SUBNEGOTIATION_MAX);
	put_bytes(in + 2 + LINE_SUBNEGOTIATION_MAX,
	          "\xff\xf0"
	          "A\r\n",
	          5);
	assert_int_equal(line_feed(&line, text, in, sizeof(in), &used), LINE_BAD);
	/* Without an end it gives the line back, which is bad then. */
	memset(in + 2, 'x', sizeof(in) - 2);
	in[sizeof(in) - 1] = '\n';
	assert_int_equal(line_feed(&line, text, in, sizeof(in), &used), LINE_BAD);
	assert_int_equal(used, sizeof(in));
}

static void
copies_can_look_ahead(void **state)
{
	static char text[LINE_MAX_BYTES];
	static char other[LINE_MAX_BYTES];
	struct line line = {0};
	struct line copy;
	size_t used;

	(void)state;
	assert_true(sizeof(struct line) <= 16);
	assert_true(line_is_empty(&line));
	assert_int_equal(line_feed(&line, text, (const uint8_t *)"USER \xff", 6, &used),
	                 LINE_MORE);
	assert_false(line_is_empty(&line));
	copy = line;
	memcpy(other, text, line.len);
	assert_int_equal(line_feed(&copy, other,
	                           (const uint8_t *)"\xf1"
	                                            "x\r\n",
	                           4, &used),
	                 LINE_READY);
	assert_memory_equal(other, "USER x", 6);
	assert_true(line_is_empty(&copy));
	/* The original has not moved. */
	assert_int_equal(line_feed(&line, text, (const uint8_t *)"\xff\r\n", 3, &used),
	                 LINE_READY);
	assert_int_equal(line.len, 6);
	assert_memory_equal(text, "USER \xff", 6);
}

static void
pending_is_seen(void **state)
{
	static char text[LINE_MAX_BYTES];
	const char *pending[] = {"x",        "\r",       "\xff",
	                         "\xff\xfd", "\xff\xfa", "\xff\xfa\xff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(pending); i++) {
		struct line line = {0};
		size_t used;

		(void)line_feed(&line, text, (const uint8_t *)pending[i],
		                strlen(pending[i]),
		                &used); /* LINE_MORE, as tested above */
		assert_false(line_is_empty(&line));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_become_lines),
	    cmocka_unit_test(long_lines_are_refused_once),
	    cmocka_unit_test(many_iac_are_taken),
	    cmocka_unit_test(subnegotiation_is_bounded),
	    cmocka_unit_test(copies_can_look_ahead),
	    cmocka_unit_test(pending_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
