/*
 * check_internal: the parts of a check.
 * Runs in: deftpd-worker, started by the master to check.
 */
#ifndef FTPD_TLS_CHECK_INTERNAL_H
#define FTPD_TLS_CHECK_INTERNAL_H

#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

/* Tell what a pair's certificate is, and what is wrong with its dates and names. */
void check_certificate(const struct tls_site *site, const struct tls_pair *pair,
                       int64_t now, struct teller *teller);

/* Tell what is wrong with the chain behind it: order, signatures, what is missing. */
void check_chain(const struct tls_site *site, const struct tls_pair *pair, int64_t now,
                 struct teller *teller);

/*
 * Begin TLS as a client that wants this pair's kind of key; tell if that is impossible.
 */
void check_handshake(const struct tls_site *site, const struct tls_pair *pair,
                     struct teller *teller);

#endif
