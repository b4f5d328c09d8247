/*
 * dates: moments in certificates.
 * Runs in: deftpd-worker. Pure.
 * Source: RFC 5280 4.1.2.5.
 */
#ifndef FTPD_TLS_DATES_H
#define FTPD_TLS_DATES_H

#include <openssl/asn1.h>

#include "common/base.h"

enum {
	TLS_DATE_MAX = 32,
};

/*
 * Returns: seconds since the epoch; 0 for what is no date.
 */
int64_t tls_date(const ASN1_TIME *date);

/*
 * Write a date for people: "2026-11-23 18:00:00 UTC".
 * Returns: text.
 */
const char *tls_date_text(int64_t date, char text[TLS_DATE_MAX]);

#endif
