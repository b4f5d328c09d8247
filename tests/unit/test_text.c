/*
 * test_text: nothing foreign gets into a line unescaped, and nothing is cut in the
 * middle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "common/base.h"

struct escape_case {
	const char *in;
	size_t len; /* 0: strlen(in) */
	unsigned escape;
	const char *out;
	const char *why;
};

static const struct escape_case escapes[] = {
    {"/pub/file", 0, TEXT_ESCAPE_LINE, "/pub/file", "plain text stays"},
    {"", 0, TEXT_ESCAPE_LINE, "", "nothing stays nothing"},
    {"a\nb", 0, TEXT_ESCAPE_LINE, "a\\x0ab", "a line feed would forge a line"},
    {"a\rb", 0, TEXT_ESCAPE_LINE, "a\\x0db", "a carriage return would overwrite one"},
    {"\x1b[2J", 0, TEXT_ESCAPE_LINE, "\\x1b[2J", "a terminal would obey"},
    {"a\0b", 3, TEXT_ESCAPE_LINE, "a\\x00b", "NUL would end the text"},
    {"\x7f\t", 0, TEXT_ESCAPE_LINE, "\\x7f\\x09", "DEL and tab are controls"},
    {"a\\x0a", 0, TEXT_ESCAPE_LINE, "a\\x5cx0a", "an escape cannot be forged"},
    {"\x9b"
     "1m",
     0, TEXT_ESCAPE_LINE, "\\x9b1m", "an 8-bit control sequence introducer"},
    {"\xc2\x9b", 0, TEXT_ESCAPE_LINE, "\\xc2\\x9b", "the same in UTF-8"},
    {"\xc2\xa0", 0, TEXT_ESCAPE_LINE, "\xc2\xa0",
     "the first character after the C1 controls"},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 0, TEXT_ESCAPE_LINE,
     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "two, three and four bytes of UTF-8"},
    {"\xe4", 0, TEXT_ESCAPE_LINE, "\\xe4", "Latin-1"},
    {"\xe2\x82", 0, TEXT_ESCAPE_LINE, "\\xe2\\x82", "a sequence that ends too early"},
    {"\xe2\x82z", 0, TEXT_ESCAPE_LINE, "\\xe2\\x82z",
     "the same before another character"},
    {"\xc0\x8a", 0, TEXT_ESCAPE_LINE, "\\xc0\\x8a", "a line feed in two bytes"},
    {"\xe0\x80\x8a", 0, TEXT_ESCAPE_LINE, "\\xe0\\x80\\x8a",
     "a line feed in three bytes"},
    {"\xf0\x80\x80\x8a", 0, TEXT_ESCAPE_LINE, "\\xf0\\x80\\x80\\x8a", "and in four"},
    {"\xed\xa0\x80", 0, TEXT_ESCAPE_LINE, "\\xed\\xa0\\x80", "half of a surrogate pair"},
    {"\xf4\x8f\xbf\xbf", 0, TEXT_ESCAPE_LINE, "\xf4\x8f\xbf\xbf", "the last character"},
    {"\xf4\x90\x80\x80", 0, TEXT_ESCAPE_LINE, "\\xf4\\x90\\x80\\x80", "one beyond it"},
    {"\xfe\xff", 0, TEXT_ESCAPE_LINE, "\\xfe\\xff", "bytes that UTF-8 never has"},
    {"\xe2\x80\xae"
     "gpj.exe",
     0, TEXT_ESCAPE_LINE, "\\xe2\\x80\\xaegpj.exe", "right-to-left override"},
    {"\xe2\x81\xa6\xe2\x80\xa8\xef\xbb\xbf\xd8\x9c", 0, TEXT_ESCAPE_LINE,
     "\\xe2\\x81\\xa6\\xe2\\x80\\xa8\\xef\\xbb\\xbf\\xd8\\x9c",
     "isolate, line separator, byte order mark, Arabic letter mark"},
    {"say \"x\" a=b: c", 0, TEXT_ESCAPE_LINE, "say \"x\" a=b: c",
     "a message may have these"},
    {"say \"x\" a=b: c", 0, TEXT_ESCAPE_QUOTED, "say \\x22x\\x22 a=b: c",
     "the quotation ends where it seems to"},
    {"x: user=root", 0, TEXT_ESCAPE_WORD, "x\\x3a\\x20user\\x3droot",
     "one word stays one"},
    {"a b\"c_", 0, TEXT_ESCAPE_UNDERSCORE, "a_b\"c_", "fields are separated by blanks"},
};

static void
foreign_text_is_made_harmless(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(escapes); i++) {
		const struct escape_case *row = &escapes[i];
		size_t len = row->len > 0 ? row->len : strlen(row->in);
		char bytes[128];
		struct text text;

		text_init(&text, bytes, sizeof(bytes));
		text_add_escaped(&text, row->in, len, row->escape);
		if (strcmp(bytes, row->out) != 0) {
			print_error("%s: \"%s\"\n", row->why, bytes);
		}
		assert_string_equal(bytes, row->out);
		assert_int_equal(text.len, strlen(bytes));
		assert_false(text.is_cut);
	}
}

static void
every_byte_comes_out_printable(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char in = (char)byte;
		char bytes[8];
		struct text text;

		text_init(&text, bytes, sizeof(bytes));
		text_add_escaped(&text, &in, 1, TEXT_ESCAPE_LINE);
		assert_true(text.len == 1 || text.len == TEXT_ESCAPED_SIZE);
		for (size_t i = 0; i < text.len; i++) {
			assert_in_range((uint8_t)bytes[i], 0x20, 0x7e);
		}
	}
}

struct cut_case {
	const char *in;
	size_t cap;
	const char *out;
	bool is_cut;
};

static const struct cut_case cuts[] = {
    {"abc", 4, "abc", false},  {"abc", 3, "ab", true}, {"a\n", 6, "a\\x0a", false},
    {"a\n", 5, "a", true},     {"a\nb", 5, "a", true}, {"\xc3\xa4", 3, "\xc3\xa4", false},
    {"\xc3\xa4", 2, "", true}, {"x", 1, "", true},     {"\xc2\x9b", 8, "\\xc2", true},
};

static void
what_does_not_fit_is_left_out_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
		char bytes[16];
		struct text text;

		memset(bytes, '#', sizeof(bytes));
		text_init(&text, bytes, cuts[i].cap);
		text_add_escaped(&text, cuts[i].in, strlen(cuts[i].in), TEXT_ESCAPE_LINE);
		assert_string_equal(bytes, cuts[i].out);
		assert_int_equal(text.is_cut, cuts[i].is_cut);
		assert_int_equal(bytes[cuts[i].cap], '#');
	}
}

static void
printf_is_cut_at_the_end(void **state)
{
	char bytes[8];
	struct text text;

	(void)state;
	text_init(&text, bytes, sizeof(bytes));
	text_add(&text, "%d-%s", 12, "ab");
	assert_string_equal(bytes, "12-ab");
	assert_false(text.is_cut);
	text_add(&text, "%s", "cdefg");
	assert_string_equal(bytes, "12-abcd");
	assert_true(text.is_cut);
	text_add_bytes(&text, "x", 1);
	assert_string_equal(bytes, "12-abcd");
	assert_int_equal(text.len, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(foreign_text_is_made_harmless),
	    cmocka_unit_test(every_byte_comes_out_printable),
	    cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	    cmocka_unit_test(printf_is_cut_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
