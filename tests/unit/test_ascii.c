/*
 * test_ascii: line ends of TYPE A, in one piece and in many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/ascii.h"

#include "common/base.h"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
	const char *in;
	size_t in_len;
	const char *out;
	size_t out_len;
	const char *why;
} cases[] = {
    {BYTES(""), BYTES(""), "nothing"},
    {BYTES("x"), BYTES("x"), "one byte"},
    {BYTES("\n"), BYTES("\r\n"), "one LF"},
    {BYTES("a\nb\n"), BYTES("a\r\nb\r\n"), "lines of Unix"},
    {BYTES("a\r\nb\r\n"), BYTES("a\r\nb\r\n"), "lines of Windows stay"},
    {BYTES("\n\n\n\n"), BYTES("\r\n\r\n\r\n\r\n"), "only LF"},
    {BYTES("\r\r\r"), BYTES("\r\r\r"), "only CR"},
    {BYTES("\r\n\n\r\n"), BYTES("\r\n\r\n\r\n"), "mixed"},
    {BYTES("\r\r\n"), BYTES("\r\r\n"), "CR before CRLF"},
    {BYTES("a\r"), BYTES("a\r"), "CR at the end"},
    {BYTES("\n\r"), BYTES("\r\n\r"), "the wrong way round"},
    {BYTES("\0\n\xff\n"), BYTES("\0\r\n\xff\r\n"), "other bytes"},
    {BYTES("no end"), BYTES("no end"), "no line end is added"},
};

static size_t
convert(const char *in, size_t in_len, size_t piece, uint64_t skip, char *out)
{
	struct ascii ascii = {0};
	struct ascii counting = {0};
	size_t out_len = 0;

	for (size_t at = 0; at < in_len; at += piece) {
		size_t len = in_len - at < piece ? in_len - at : piece;
		char made[256];
		size_t made_len =
		    ascii_convert(&ascii, (const uint8_t *)in + at, len, made);
		size_t left_out = ascii_skip(&skip, made_len);

		assert_int_equal(ascii_count(&counting, (const uint8_t *)in + at, len),
		                 made_len);
		memcpy(out + out_len, made + left_out, made_len - left_out);
		out_len += made_len - left_out;
	}
	return out_len;
}

static void
texts_are_converted(void **state)
{
	(void)state;
	/* SECURITY.md P17: each case over each edge of a piece. */
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t piece = 1; piece <= cases[i].in_len + 1; piece++) {
			char out[256];
			size_t len = convert(cases[i].in, cases[i].in_len, piece, 0, out);

			if (len != cases[i].out_len ||
			    memcmp(out, cases[i].out, len) != 0) {
				fail_msg("%s, in pieces of %zu", cases[i].why, piece);
			}
		}
	}
}

static void
offsets_count_converted_octets(void **state)
{
	(void)state;
	/* RFC 3659 5.3: REST in TYPE A, also into the middle of a line's end. */
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t skip = 0; skip <= cases[i].out_len + 1; skip++) {
			size_t left =
			    skip < cases[i].out_len ? cases[i].out_len - skip : 0;

			for (size_t piece = 1; piece <= cases[i].in_len + 1; piece++) {
				char out[256];

				assert_int_equal(convert(cases[i].in, cases[i].in_len,
				                         piece, skip, out),
				                 left);
				assert_memory_equal(
				    out, cases[i].out + cases[i].out_len - left, left);
			}
		}
	}
}

static void
skip_is_lowered_by_what_it_takes(void **state)
{
	uint64_t skip = UINT64_MAX;

	(void)state;
	assert_int_equal(ascii_skip(&skip, 10), 10);
	assert_true(skip == UINT64_MAX - 10);
	skip = 3;
	assert_int_equal(ascii_skip(&skip, 10), 3);
	assert_int_equal(skip, 0);
	assert_int_equal(ascii_skip(&skip, 10), 0);
}

static const struct {
	const char *in;
	size_t in_len;
	const char *out;
	size_t out_len;
	const char *why;
} received[] = {
    {BYTES(""), BYTES(""), "nothing"},
    {BYTES("a\r\nb\r\n"), BYTES("a\nb\n"), "lines"},
    {BYTES("a\nb\n"), BYTES("a\nb\n"), "lines that are wrong already stay"},
    {BYTES("\r\n\r\n\r\n"), BYTES("\n\n\n"), "empty lines"},
    {BYTES("\r\r\r"), BYTES("\r\r\r"), "only CR"},
    {BYTES("\r\r\n"), BYTES("\r\n"), "CR before CRLF"},
    {BYTES("a\r"), BYTES("a\r"), "CR at the end"},
    {BYTES("a\rb"), BYTES("a\rb"), "CR inside"},
    {BYTES("\n\r"), BYTES("\n\r"), "the wrong way round"},
    {BYTES("\0\r\n\xff\r\n"), BYTES("\0\n\xff\n"), "other bytes"},
    {BYTES("no end"), BYTES("no end"), "no line end is added"},
};

/* As an upload does it: each piece in its place, behind room for one byte. */
static size_t
restore(const char *in, size_t in_len, size_t piece, char *out)
{
	struct ascii ascii = {0};
	size_t out_len = 0;

	for (size_t at = 0; at < in_len; at += piece) {
		size_t len = in_len - at < piece ? in_len - at : piece;
		char *room = malloc(len + 1); /* exactly, for the sanitizer's sake */
		size_t made_len;

		assert_non_null(room);
		memcpy(room + 1, in + at, len);
		made_len = ascii_restore(&ascii, (const uint8_t *)room + 1, len, room);
		memcpy(out + out_len, room, made_len);
		out_len += made_len;
		free(room);
	}
	if (ascii_restore_end(&ascii)) {
		out[out_len++] = '\r';
	}
	assert_false(ascii_restore_end(&ascii));
	return out_len;
}

static void
received_texts_are_restored(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(received); i++) {
		for (size_t piece = 1; piece <= received[i].in_len + 1; piece++) {
			char out[256];
			size_t len =
			    restore(received[i].in, received[i].in_len, piece, out);

			if (len != received[i].out_len ||
			    memcmp(out, received[i].out, len) != 0) {
				fail_msg("%s, in pieces of %zu", received[i].why, piece);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_converted),
	    cmocka_unit_test(offsets_count_converted_octets),
	    cmocka_unit_test(skip_is_lowered_by_what_it_takes),
	    cmocka_unit_test(received_texts_are_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
