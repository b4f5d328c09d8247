/*
 * datetime: seconds since the epoch as UTC date and time, both ways, without time zone.
 * Runs in: deftpd-worker, deftpd-agent.
 * Source: the proleptic Gregorian calendar; RFC 3659 2.3 (time-val); for counting years
 *         from March, H. Hinnant, "chrono-compatible low-level date algorithms".
 * Not here: local time; FTP's times are UTC, and LIST shows the same.
 *
 * Years are 0 to 9999. Earlier times are shown as 0000-01-01 00:00:00, later ones as
 * 9999-12-31 23:59:59: a wrong time stamp on disk must not break the four columns of a
 * year.
 */
#ifndef FTPD_PROTO_DATETIME_H
#define FTPD_PROTO_DATETIME_H

#include "common/base.h"

enum {
	DATETIME_TEXT_BYTES = 14, /* YYYYMMDDHHMMSS */
};

struct datetime {
	unsigned year;   /* 0 to 9999 */
	unsigned month;  /* 1 to 12 */
	unsigned day;    /* 1 to 31 */
	unsigned hour;   /* 0 to 23 */
	unsigned minute; /* 0 to 59 */
	unsigned second; /* 0 to 59 */
};

/*
 * Turn seconds into date and time; clamped as said above.
 * Returns: the time.
 */
struct datetime datetime_from_epoch(int64_t epoch_s);

/*
 * Turn date and time into seconds.
 * Returns: true and *ret_epoch_s; false if there is no such date. Second 60 is taken as
 *          the next minute's first
 *          (RFC 3659 allows leap seconds).
 */
bool datetime_to_epoch(const struct datetime *datetime, int64_t *ret_epoch_s);

/*
 * Print as RFC 3659 time-val without fraction: YYYYMMDDHHMMSS. Not terminated.
 */
void datetime_format(int64_t epoch_s, char text[DATETIME_TEXT_BYTES]);

/*
 * Parse an RFC 3659 time-val: YYYYMMDDHHMMSS, and a fraction (one "." and digits), which
 * is checked and dropped.
 * Returns: true and *ret_epoch_s; false if it is none.
 */
bool datetime_parse(const char *text, size_t len, int64_t *ret_epoch_s);

/*
 * Returns: the English abbreviation of month 1 to 12: "Jan".
 */
const char *datetime_month_name(unsigned month);

#endif
