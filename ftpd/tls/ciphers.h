/*
 * ciphers: which ciphers are spoken.
 * Runs in: deftpd-worker.
 * Source: RFC 9325 4.2; openssl-ciphers(1).
 */
#ifndef FTPD_TLS_CIPHERS_H
#define FTPD_TLS_CIPHERS_H

#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

/*
 * Set the ciphers: as tls.ciphers and tls.ciphersuites say; else as the system's policy
 * says, and of TLS 1.2 only those with authenticated encryption and forward secrecy.
 * Returns: 0; -EINVAL after a mistake was told; -ENOMEM.
 */
int tls_ciphers_apply(struct tls_site *site, struct teller *teller);

/* Tell what whoever has set tls.ciphers may not have meant to allow. */
void tls_ciphers_check(const struct tls_site *site, struct teller *teller);

#endif
