/*
 * ocsp: what a certificate's issuer has said lately of its being valid, shown to clients
 * that ask.
 * Runs in: deftpd-worker. Input: files of the administrator.
 * Source: RFC 6960; RFC 6066 8; SSL_set_tlsext_status_ocsp_resp(3).
 */
#ifndef FTPD_TLS_OCSP_H
#define FTPD_TLS_OCSP_H

#include <openssl/ssl.h>

#include "ftpd/tls/pair.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

/*
 * Read the response that belongs to a pair, if there is one, and prove that it does.
 * In:      pair: with certificate and chain; gets the response.
 * Returns: 0; -EINVAL after a mistake was told; -ENOMEM.
 */
int tls_ocsp_read(const struct tls_file *file, struct teller *teller,
                  struct tls_pair *pair);

/*
 * For SSL_CTX_set_tlsext_status_cb(). In: arg: struct tls_site.
 * Returns: SSL_TLSEXT_ERR_OK or SSL_TLSEXT_ERR_NOACK.
 */
int tls_ocsp_staple(SSL *ssl, void *arg);

#endif
