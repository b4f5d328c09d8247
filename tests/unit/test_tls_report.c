/*
 * test_tls_report: every message about certificates survives the wire, and nothing else
 * is taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ftpd/ipc/tls_report.h"
#include "common/base.h"

enum {
	CAP = 16384,
	PLACE_LEN = 1 + 2 + 2,
	TEXT_LEN = 9,
};

struct type_case {
	enum tls_report_type type;
	size_t len; /* on the wire */
	bool has_place;
	bool has_expiry;
	bool has_text;
};

static const struct type_case types[] = {
    {TLS_REPORT_MISTAKE, 1 + PLACE_LEN + 2 + TEXT_LEN, true, false, true},
    {TLS_REPORT_WARNING, 1 + PLACE_LEN + 2 + TEXT_LEN, true, false, true},
    {TLS_REPORT_FACT, 1 + PLACE_LEN + 8 + 8 + 2 + TEXT_LEN, true, true, true},
    {TLS_REPORT_CERTIFICATE, 1 + 2 + TEXT_LEN, false, false, true},
    {TLS_REPORT_KEY, 1 + 2 + TEXT_LEN, false, false, true},
    {TLS_REPORT_END, 1, false, false, false},
};

static const struct tls_report full = {
    .kind = TLS_FILE_KIND_COUNT - 1,
    .host = 0xfedc,
    .index = 0x1234,
    .begins = INT64_C(0x1020304050607080),
    .expires = -INT64_C(0x0123456789abcdef),
    .text = "why\nnot\0\xff",
    .text_len = TEXT_LEN,
};

static void
reports_come_back(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_COUNT(types), TLS_REPORT_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		struct tls_report report = full;
		struct tls_report back;
		uint8_t bytes[CAP];
		size_t len;

		report.type = types[i].type;
		len = tls_report_encode(&report, bytes, sizeof(bytes));
		assert_int_equal(len, types[i].len);
		assert_true(tls_report_decode(bytes, len, &back));
		assert_int_equal(back.type, i);
		assert_int_equal(back.kind, types[i].has_place ? full.kind : 0);
		assert_int_equal(back.host, types[i].has_place ? full.host : 0);
		assert_int_equal(back.index, types[i].has_place ? full.index : 0);
		assert_true(back.begins == (types[i].has_expiry ? full.begins : 0));
		assert_true(back.expires == (types[i].has_expiry ? full.expires : 0));
		assert_int_equal(back.text_len, types[i].has_text ? TEXT_LEN : 0);
		assert_memory_equal(back.text, full.text, back.text_len);
		/* Neither shorter nor longer, and into no smaller buffer. */
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t small[CAP];

			assert_false(tls_report_decode(bytes, cut, &back));
			assert_int_equal(tls_report_encode(&report, small, cut), 0);
		}
		bytes[len] = 0;
		assert_false(tls_report_decode(bytes, len + 1, &back));
	}
}

static void
unknown_types_and_kinds_are_refused(void **state)
{
	struct tls_report report = full;
	struct tls_report back = {.type = TLS_REPORT_COUNT};
	uint8_t bytes[CAP];
	size_t len;

	(void)state;
	report.type = TLS_REPORT_COUNT;
	assert_int_equal(tls_report_encode(&report, bytes, sizeof(bytes)), 0);
	report.type = TLS_REPORT_MISTAKE;
	report.kind = TLS_FILE_KIND_COUNT;
	len = tls_report_encode(&report, bytes, sizeof(bytes));
	assert_int_not_equal(len, 0);
	assert_false(tls_report_decode(bytes, len, &back));
	bytes[0] = TLS_REPORT_COUNT;
	assert_false(tls_report_decode(bytes, 1, &back));
	assert_int_equal(back.type, TLS_REPORT_COUNT); /* untouched */
}

static void
texts_keep_to_their_limit(void **state)
{
	static char longest[TLS_REPORT_TEXT_MAX + 1];
	struct tls_report report = {.type = TLS_REPORT_KEY, .text = longest};
	struct tls_report back;
	uint8_t bytes[CAP];
	size_t len;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	report.text_len = TLS_REPORT_TEXT_MAX;
	len = tls_report_encode(&report, bytes, sizeof(bytes));
	assert_true(tls_report_decode(bytes, len, &back));
	assert_int_equal(back.text_len, TLS_REPORT_TEXT_MAX);
	report.text_len++;
	assert_int_equal(tls_report_encode(&report, bytes, sizeof(bytes)), 0);
	/* The same, made by hand. */
	bytes[1] = (TLS_REPORT_TEXT_MAX + 1) >> 8;
	bytes[2] = (TLS_REPORT_TEXT_MAX + 1) & 0xff;
	assert_false(tls_report_decode(bytes, len + 1, &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reports_come_back),
	    cmocka_unit_test(unknown_types_and_kinds_are_refused),
	    cmocka_unit_test(texts_keep_to_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
