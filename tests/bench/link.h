/*
 * link: TLS on one connection of the benchmark's two programs, whether it blocks or not.
 * Runs in: ftpload and bare (test). Input: each other's, and servers under test.
 * Source: RFC 8446; PERF: all servers are measured with TLS 1.3 and AES-256-GCM.
 * Not here: what is said; see client.c and bare.c.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	/* what a data connection gathers before it sends */
	LINK_GATHER_BYTES = 256 * 1024
};

/*
 * Make the context of all clients: one version, one cipher, every certificate is taken.
 * Returns: the context; the program ends if there is none.
 */
SSL_CTX *link_client_context(void);

/*
 * Make the context of a server.
 * In:      pem: path of a file with the certificate and its key.
 * Returns: the context; the program ends if there is none.
 */
SSL_CTX *link_server_context(const char *pem);

/*
 * Begin TLS on a connection.
 * In:      session: to be resumed, or NULL. is_data: gathers, and sends no tickets.
 * Returns: the link; the program ends without memory.
 * Owner:   the caller frees it by SSL_free() and closes fd.
 */
SSL *link_new(SSL_CTX *context, int fd, SSL_SESSION *session, bool is_data);

/*
 * Go on with the handshake.
 * Returns: 0 when it is over; -EAGAIN; -EPROTO.
 */
int link_handshake(SSL *link);

/*
 * Receive as much as there is room for, or as there is.
 * Returns: bytes; 0: the other side has ended; -EAGAIN; -EPROTO.
 */
ssize_t link_recv(SSL *link, void *bytes, size_t cap);

/*
 * Encrypt and gather. What was given has to be given again after -EAGAIN.
 * Returns: bytes taken; -EAGAIN; -EPROTO.
 */
ssize_t link_send(SSL *link, const void *bytes, size_t len);

/*
 * Send what was gathered.
 * Returns: 0; -EAGAIN; -EPROTO.
 */
int link_flush(SSL *link);

/*
 * Send close_notify, behind what was gathered; once.
 * Returns: 0; -EAGAIN: link_flush() goes on; -EPROTO.
 */
int link_end(SSL *link);

#endif
