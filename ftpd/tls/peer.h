/*
 * peer: the names in a client's certificate.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 5280 4.2.1.6 (alternative names); SECURITY.md A13.
 */
#ifndef FTPD_TLS_PEER_H
#define FTPD_TLS_PEER_H

#include <openssl/x509.h>

#include "ftpd/tls/stream.h"
#include "common/base.h"

/*
 * As tls_stream_client_names(), of any certificate.
 * Returns: bytes in names.
 */
size_t tls_peer_names(const X509 *certificate, char names[TLS_NAMES_MAX_BYTES]);

#endif
