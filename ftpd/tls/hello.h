/*
 * hello: what a client says in its first message of whom it wants to speak to, and in
 * which protocol.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 6066 3; RFC 7301 3.2; RFC 7151 3.2.2; SECURITY.md T3.
 */
#ifndef FTPD_TLS_HELLO_H
#define FTPD_TLS_HELLO_H

#include <openssl/ssl.h>

#include "common/base.h"

/*
 * For SSL_CTX_set_tlsext_servername_callback(): take the host that is named, or refuse.
 * In:      arg: struct tls_context.
 * Returns: SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_NOACK, or SSL_TLSEXT_ERR_ALERT_FATAL.
 */
int tls_hello_choose_host(SSL *ssl, int *ret_alert, void *arg);

/*
 * For SSL_CTX_set_alpn_select_cb(): "ftp" for commands, that or "ftp-data" for data.
 * Returns: SSL_TLSEXT_ERR_OK; SSL_TLSEXT_ERR_ALERT_FATAL when the client speaks only
 *          something else.
 */
int tls_hello_choose_protocol(SSL *ssl, const unsigned char **ret_protocol,
                              unsigned char *ret_len, const unsigned char *offered,
                              unsigned int offered_len, void *unused);

#endif
