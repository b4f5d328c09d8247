/*
 * dates: moments in certificates.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/tls/dates.h"

#include <time.h>

#include "common/base.h"

int64_t
tls_date(const ASN1_TIME *date)
{
	struct tm parts = {0};

	if (date == NULL || ASN1_TIME_to_tm(date, &parts) != 1) {
		return 0;
	}
	return timegm(&parts);
}

const char *
tls_date_text(int64_t date, char text[TLS_DATE_MAX])
{
	struct tm parts = {0};
	time_t seconds = (time_t)date;

	if (gmtime_r(&seconds, &parts) == NULL ||
	    /* not strftime: it asks for the locale and the time zone */
	    snprintf(text, TLS_DATE_MAX, "%04d-%02d-%02d %02d:%02d:%02d UTC",
	             parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
	             parts.tm_min, parts.tm_sec) >= TLS_DATE_MAX) {
		(void)snprintf(text, TLS_DATE_MAX, "no date");
	}
	return text;
}
