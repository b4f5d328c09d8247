/*
 * failure: why TLS on a connection has failed, in words for a log.
 * Runs in: deftpd-worker. Input: alerts and records are hostile.
 * Source: ERR_get_error(3); RFC 8446 6 (alerts).
 * Not here: who asks for it; see tls_stream_failure().
 */
#ifndef FTPD_TLS_FAILURE_H
#define FTPD_TLS_FAILURE_H

#include "ftpd/tls/stream_internal.h"
#include "common/base.h"

/*
 * Note why it has failed. What was noted first, stays: who refused knows best.
 */
void failure_explain(struct tls_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Note what OpenSSL has to say, and empty its queue of errors. */
void failure_of_openssl(struct tls_stream *stream);

#endif
