/*
 * check: whether certificates, keys and what belongs to them may be used.
 * Runs in: deftpd-worker, started by the master to check (ftpd/ipc/tls_report.h).
 * Input: files of the administrator.
 * Source: RFC 5280; deftpd.conf(5), section tls.
 */
#ifndef FTPD_TLS_CHECK_H
#define FTPD_TLS_CHECK_H

#include "ftpd/tls/context.h"
#include "common/base.h"

enum {
	CHECK_WARN_DAYS = 14, /* before a certificate expires */
};

/*
 * Check everything: that files are what they should be, keys fit, the chain is in order
 * and whole, dates, strength, names of hosts, OCSP responses, client_ca and its lists,
 * ciphers; and that a client could begin TLS with each pair, in memory. Each mistake,
 * each warning and the facts of each certificate are told.
 * In:      now: seconds since the epoch.
 * Returns: true if no mistake was found. A certificate that has expired, or is not yet
 *          valid, is a warning, as the clock may be wrong; whoever renews one looks at
 *          the facts.
 */
bool tls_check(const struct tls_setup *setup, int64_t now, tls_tell *tell,
               void *listener);

#endif
