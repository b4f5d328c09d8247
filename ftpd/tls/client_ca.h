/*
 * client_ca: who vouches for clients, and whose certificates are revoked.
 * Runs in: deftpd-worker. Input: files of the administrator; a client's certificate is
 * hostile.
 * Source: RFC 5280 6; X509_STORE_add_cert(3), SSL_CTX_set_verify(3).
 * Not here: what a certificate is worth at a login; see ftpd/auth.
 */
#ifndef FTPD_TLS_CLIENT_CA_H
#define FTPD_TLS_CLIENT_CA_H

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "ftpd/tls/context.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

/*
 * Read tls.client_ca and tls.client_crl.
 * Out:     ret_store: NULL when clients are asked for no certificate.
 * Returns: 0; -EINVAL after a mistake was told; -ENOMEM.
 * Owner:   the caller frees it by X509_STORE_free().
 */
int tls_client_ca_read(const struct tls_setup *setup, struct teller *teller,
                       X509_STORE **ret_store);

/*
 * Ask clients for certificates.
 * Returns: 0 or -ENOMEM.
 */
int tls_client_ca_use(SSL_CTX *ctx, const struct tls_setup *setup, X509_STORE *store);

/* Tell what is questionable: dates of the certificates and the lists. */
void tls_client_ca_check(X509_STORE *store, int64_t now, struct teller *teller);

#endif
