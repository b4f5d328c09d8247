/*
 * self_signed: a certificate that nobody vouches for, for a first try.
 * Runs in: deftpd-worker, started by the master for it (ftpd/ipc/tls_report.h).
 * Source: RFC 5280; RFC 6125 (names are alternative names).
 */
#ifndef FTPD_TLS_SELF_SIGNED_H
#define FTPD_TLS_SELF_SIGNED_H

#include "common/base.h"

enum {
	SELF_SIGNED_PEM_MAX = 8 * 1024,
	SELF_SIGNED_DAYS = 365,
	SELF_SIGNED_NAMES_MAX = 64,
};

struct self_signed {
	char certificate[SELF_SIGNED_PEM_MAX]; /* PEM, terminated */
	char key[SELF_SIGNED_PEM_MAX];         /* PEM, PKCS #8; the caller wipes it */
};

/*
 * Make a key (ECDSA, P-256) and its certificate.
 * In:      names: host names and addresses, at least one; the first is the subject, too.
 *          now: seconds since the epoch.
 * Returns: 0; -EINVAL for a name that is neither; -EIO.
 */
int self_signed_make(const char *const *names, size_t count, int64_t now,
                     struct self_signed *ret_pair);

#endif
