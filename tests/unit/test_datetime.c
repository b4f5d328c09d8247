/*
 * test_datetime: seconds and dates, both ways, compared with known dates and with gmtime.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "ftpd/proto/datetime.h"

#include "common/base.h"

static void
known_times_are_printed(void **state)
{
	static const struct {
		int64_t epoch_s;
		const char *text;
		const char *why;
	} cases[] = {
	    {0, "19700101000000", "the epoch"},
	    {-1, "19691231235959", "the second before (SECURITY.md P10)"},
	    {951782400, "20000229000000", "a leap day of a century that has one"},
	    {4107542400, "21000301000000",
	     "the day after 28 February of one that has none"},
	    {1709251199, "20240229235959", "a leap day's last second"},
	    {2147483647, "20380119031407", "the end of 31 bits"},
	    {4294967296, "21060207062816", "the end of 32 bits"},
	    {8589934592, "22420316125632", "2^33"},
	    {-62135596800, "00010101000000", "year 1"},
	    {-62167219200, "00000101000000", "year 0"},
	    {-62167219201, "00000101000000", "earlier is shown as the first second"},
	    {INT64_MIN, "00000101000000", "much earlier, too"},
	    {253402300799, "99991231235959", "the last second"},
	    {253402300800, "99991231235959", "later is shown as the last second"},
	    {INT64_MAX, "99991231235959", "much later, too"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[DATETIME_TEXT_BYTES + 1] = "";

		datetime_format(cases[i].epoch_s, text);
		if (strcmp(text, cases[i].text) != 0) {
			fail_msg("%s: %s, not %s", cases[i].why, text, cases[i].text);
		}
	}
}

static void
every_day_agrees_with_gmtime(void **state)
{
	(void)state;
	for (int64_t day = -719528; day <= 2932896; day++) {
		int64_t epoch_s = day * 86400 + (day & 0xffff);
		time_t time = (time_t)epoch_s;
		struct datetime datetime = datetime_from_epoch(epoch_s);
		struct tm tm;
		int64_t back;

		assert_non_null(gmtime_r(&time, &tm));
		if ((int)datetime.year != tm.tm_year + 1900 ||
		    (int)datetime.month != tm.tm_mon + 1 ||
		    (int)datetime.day != tm.tm_mday || (int)datetime.hour != tm.tm_hour ||
		    (int)datetime.minute != tm.tm_min ||
		    (int)datetime.second != tm.tm_sec) {
			fail_msg("day %lld", (long long)day);
		}
		if (!datetime_to_epoch(&datetime, &back) || back != epoch_s) {
			fail_msg("back from day %lld", (long long)day);
		}
	}
}

static void
times_are_parsed(void **state)
{
	static const struct {
		const char *text;
		bool is_time;
		int64_t epoch_s;
		const char *why;
	} cases[] = {
	    {"19700101000000", true, 0, "the epoch"},
	    {"20240229235959", true, 1709251199, "a leap day"},
	    {"20240229235959.123", true, 1709251199, "a fraction"},
	    {"20161231235960", true, 1483228800, "a leap second"},
	    {"00000101000000", true, -62167219200, "year 0"},
	    {"20230229000000", false, 0, "no leap year"},
	    {"21000229000000", false, 0, "no leap year either"},
	    {"20230431000000", false, 0, "no 31 April"},
	    {"20231301000000", false, 0, "month 13"},
	    {"20230001000000", false, 0, "month 0"},
	    {"20230100000000", false, 0, "day 0"},
	    {"20230101240000", false, 0, "hour 24"},
	    {"20230101006000", false, 0, "minute 60"},
	    {"20230101000061", false, 0, "second 61"},
	    {"2023010100000", false, 0, "too short"},
	    {"202301010000000", false, 0, "too long"},
	    {"20230101000000.", false, 0, "a point and no fraction"},
	    {"20230101000000.1.2", false, 0, "two points"},
	    {"20230101000000x1", false, 0, "no point"},
	    {"2023 101000000", false, 0, "a space"},
	    {"-0230101000000", false, 0, "a sign"},
	    {"", false, 0, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int64_t epoch_s = 4711;
		bool is_time =
		    datetime_parse(cases[i].text, strlen(cases[i].text), &epoch_s);

		if (is_time != cases[i].is_time ||
		    epoch_s != (is_time ? cases[i].epoch_s : 4711)) {
			fail_msg("%s: %s", cases[i].text, cases[i].why);
		}
	}
}

static void
months_have_names(void **state)
{
	(void)state;
	assert_string_equal(datetime_month_name(1), "Jan");
	assert_string_equal(datetime_month_name(12), "Dec");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_times_are_printed),
	    cmocka_unit_test(every_day_agrees_with_gmtime),
	    cmocka_unit_test(times_are_parsed),
	    cmocka_unit_test(months_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
