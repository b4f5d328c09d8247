/*
 * datetime: seconds since the epoch as UTC date and time, both ways, without time zone.
 * Runs in: deftpd-worker, deftpd-agent.
 */
#include "ftpd/proto/datetime.h"

#include "ftpd/proto/letters.h"
#include "common/base.h"

enum {
	DAY_SECONDS = 86400,
	ERA_YEARS = 400,
	ERA_DAYS = 146097,   /* of 400 years */
	EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
};

static const int64_t first_second = -62167219200; /* 0000-01-01 00:00:00 */
static const int64_t last_second = 253402300799;  /* 9999-12-31 23:59:59 */

/*
 * Years are counted from March, so that the leap day is a year's last; months of 153 days
 * in five then follow by a straight line. Eras of 400 years repeat.
 */
struct datetime
datetime_from_epoch(int64_t epoch_s)
{
	struct datetime datetime;
	uint64_t since; /* 0000-03-01 less one era, so that nothing is negative */
	unsigned second_of_day;
	unsigned day_of_era;
	unsigned year_of_era;
	unsigned day_of_year;
	unsigned month_from_march;

	epoch_s = epoch_s < first_second ? first_second : epoch_s;
	epoch_s = epoch_s > last_second ? last_second : epoch_s;
	since = (uint64_t)(epoch_s + (int64_t)(EPOCH_DAYS + ERA_DAYS) * DAY_SECONDS);
	second_of_day = (unsigned)(since % DAY_SECONDS);
	since /= DAY_SECONDS;
	day_of_era = (unsigned)(since % ERA_DAYS);
	year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
	    365;
	day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month_from_march = (5 * day_of_year + 2) / 153;
	datetime.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	datetime.month =
	    month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	datetime.year = (unsigned)(since / ERA_DAYS) * ERA_YEARS + year_of_era -
	                ERA_YEARS + (datetime.month <= 2 ? 1 : 0);
	datetime.hour = second_of_day / 3600;
	datetime.minute = second_of_day / 60 % 60;
	datetime.second = second_of_day % 60;
	return datetime;
}

static unsigned
month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap ? 1U : 0U);
}

bool
datetime_to_epoch(const struct datetime *datetime, int64_t *ret_epoch_s)
{
	unsigned year;
	unsigned month_from_march;
	unsigned year_of_era;
	int64_t days;

	if (datetime->year > 9999 || datetime->month < 1 || datetime->month > 12 ||
	    datetime->day < 1 ||
	    datetime->day > month_days(datetime->year, datetime->month) ||
	    datetime->hour > 23 || datetime->minute > 59 || datetime->second > 60) {
		return false;
	}
	year = datetime->year + ERA_YEARS - (datetime->month <= 2 ? 1 : 0);
	month_from_march =
	    datetime->month > 2 ? datetime->month - 3 : datetime->month + 9;
	year_of_era = year % ERA_YEARS;
	days = (int64_t)(year / ERA_YEARS) * ERA_DAYS + year_of_era * 365 +
	       year_of_era / 4 - year_of_era / 100 + (153 * month_from_march + 2) / 5 +
	       datetime->day - 1 - EPOCH_DAYS - ERA_DAYS;
	*ret_epoch_s = days * DAY_SECONDS + datetime->hour * 3600 +
	               datetime->minute * 60 + datetime->second;
	return true;
}

static void
put_digits(char *text, unsigned value, unsigned count)
{
	for (unsigned i = count; i > 0; i--) {
		text[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
datetime_format(int64_t epoch_s, char text[DATETIME_TEXT_BYTES])
{
	struct datetime datetime = datetime_from_epoch(epoch_s);

	put_digits(text, datetime.year, 4);
	put_digits(text + 4, datetime.month, 2);
	put_digits(text + 6, datetime.day, 2);
	put_digits(text + 8, datetime.hour, 2);
	put_digits(text + 10, datetime.minute, 2);
	put_digits(text + 12, datetime.second, 2);
}

static unsigned
get_digits(const char *text, unsigned count)
{
	unsigned value = 0;

	for (unsigned i = 0; i < count; i++) {
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	return value;
}

bool
datetime_parse(const char *text, size_t len, int64_t *ret_epoch_s)
{
	struct datetime datetime;

	if (len < DATETIME_TEXT_BYTES || len == DATETIME_TEXT_BYTES + 1) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		bool is_point = i == DATETIME_TEXT_BYTES && text[i] == '.';

		if (!letter_is_digit(text[i]) && !is_point) {
			return false;
		}
	}
	if (len > DATETIME_TEXT_BYTES && text[DATETIME_TEXT_BYTES] != '.') {
		return false;
	}
	datetime.year = get_digits(text, 4);
	datetime.month = get_digits(text + 4, 2);
	datetime.day = get_digits(text + 6, 2);
	datetime.hour = get_digits(text + 8, 2);
	datetime.minute = get_digits(text + 10, 2);
	datetime.second = get_digits(text + 12, 2);
	return datetime_to_epoch(&datetime, ret_epoch_s);
}

const char *
datetime_month_name(unsigned month)
{
	static const char *const names[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	return names[(month - 1) % 12];
}
