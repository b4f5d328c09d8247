/*
 * stream_internal: what a stream is made of, for the files of this room.
 * Runs in: deftpd-worker.
 */
#ifndef FTPD_TLS_STREAM_INTERNAL_H
#define FTPD_TLS_STREAM_INTERNAL_H

#include <openssl/ssl.h>

#include "ftpd/tls/connection.h"
#include "ftpd/tls/stream.h"
#include "ftpd/tls/wire.h"
#include "common/base.h"

enum {
	/* RFC 8446 5.5: the keys of AES-GCM last for 2^24.5 records */
	TLS_KEY_LASTS_RECORDS = 1 << 24,
};

struct tls_stream {
	struct tls_hello hello;
	struct wire wire;
	SSL *ssl;
	struct tls_context *context;
	enum tls_kernel kernel;
	bool is_open;          /* the handshake is over */
	bool is_closed;        /* our close_notify is on its way */
	bool offers_ticket;    /* in front of what is written next */
	bool has_large_buffer; /* what comes is read in large pieces */
	uint32_t wants;        /* see tls_stream_wants() */
	int error;             /* negative errno: TLS itself has failed, for good */
	unsigned noise;        /* messages that bring nothing; see TLS_KEY_UPDATES_MAX */
	size_t calm;           /* bytes that have come since it was counted from zero */
	unsigned sealed;       /* records that were sent by the present key */
	uint64_t records;      /* that OpenSSL has begun to take */
};

#endif
