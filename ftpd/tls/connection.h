/*
 * connection: OpenSSL's end of one connection, ready for its handshake; who the client
 * says it wants to speak to.
 * Runs in: deftpd-worker. Input: names in SNI and ALPN are hostile.
 * Source: RFC 6066 3 (SNI); RFC 7301 (ALPN); SECURITY.md T3, T5.
 * Not here: moving bytes (stream.h); the contexts themselves (context_internal.h).
 */
#ifndef FTPD_TLS_CONNECTION_H
#define FTPD_TLS_CONNECTION_H

#include <openssl/ssl.h>

#include "ftpd/tls/context.h"
#include "ftpd/tls/stream.h"
#include "common/base.h"

enum {
	TLS_FAILURE_MAX = 512,
};

/*
 * What the handshake is told, and what it learns. It lives as long as the connection, is
 * the SSL's application data (SSL_get_app_data), and does not move.
 */
struct tls_hello {
	enum tls_side side;
	/*
	 * number of the section host: as given by HOST; 0: SNI decides, and puts it here
	 */
	uint16_t host;
	char server_name[OPTIONS_HOST_MAX]; /* of SNI; "": none */
	/* why we have refused the client: "" or words for a log; may hold its bytes */
	char failure[TLS_FAILURE_MAX];
};

/*
 * Make the server's end: with the certificates of the host that was given, resumable only
 * by connections of the same binding; a data connection gets no tickets and is itself
 * nothing that can be resumed. The caller adds BIOs, modes and buffers.
 * In:      hello: side and host are set, the rest is zero.
 * Returns: 0 and *ret_ssl; -ENOMEM.
 * Owner:   the caller frees it by SSL_free().
 */
int tls_connection_new(struct tls_context *context, const struct tls_binding *binding,
                       struct tls_hello *hello, SSL **ret_ssl);

#endif
