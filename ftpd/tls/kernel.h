/*
 * kernel: whether the kernel encrypts what a connection sends, and how it is made to.
 * Runs in: deftpd-worker.
 * Source: Documentation/networking/tls.rst of the kernel; SSL_OP_ENABLE_KTLS in
 * SSL_CTX_set_options(3); SECURITY.md T12.
 * Not here: receiving, which is never the kernel's: a client's key update would stop it.
 * Nor is it asked for uploads: what it saves is the way of a file's bytes, and it could
 * not take the new keys with which we answer a client's key update.
 *
 * A connection is chosen by three questions: do the options allow it, has the kernel TLS
 * at all, does OpenSSL get this version and cipher into it. Each no leads back to the
 * gathering wire, which then never knows that anything was tried.
 */
#ifndef FTPD_TLS_KERNEL_H
#define FTPD_TLS_KERNEL_H

#include "ftpd/tls/stream_internal.h"
#include "common/base.h"

/*
 * After the handshake: see what has come of it, and go back to the wire if nothing.
 */
void kernel_settle(struct tls_stream *stream);

/*
 * Send; only with TLS_KERNEL_USED.
 * Returns: as tls_stream_write().
 */
ssize_t kernel_write(struct tls_stream *stream, const void *bytes, size_t len);

#endif
