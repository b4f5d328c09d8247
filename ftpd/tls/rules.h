/*
 * rules: how TLS is spoken, whoever the certificates are of: versions, ciphers,
 * resumption, and what is refused in the first message.
 * Runs in: deftpd-worker.
 * Source: RFC 9325; SECURITY.md T3, T6, T7, T10; openssl-ciphers(1).
 */
#ifndef FTPD_TLS_RULES_H
#define FTPD_TLS_RULES_H

#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

/*
 * Set everything but certificates.
 * Returns: 0; -EINVAL after a mistake in the options was told; -ENOMEM.
 */
int tls_rules_apply(struct tls_site *site, struct teller *teller);

#endif
