/*
 * wire: what lies between OpenSSL and the socket of one connection: records that leave
 * are gathered, those that come are counted.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: BIO_meth_new(3); RFC 8446 5.1 (the header of a record); PERF.md, retr-tls.
 * Not here: what is in a record.
 *
 * OpenSSL is never told that the connection has ended or broken, only that nothing more
 * has come: by its rules, a session whose connection ends without close_notify may not be
 * resumed, and one cut upload would cost a client all its next ones. The stream asks
 * here.
 */
#ifndef FTPD_TLS_WIRE_H
#define FTPD_TLS_WIRE_H

#include <openssl/bio.h>

#include "common/base.h"

enum {
	WIRE_HEADER_BYTES = 5,
	/* a handshake's longest flight and what is gathered fit by far */
	WIRE_OUT_MAX = 1024 * 1024,
};

struct wire {
	int fd;
	bool is_frugal; /* holds no memory when nothing waits */
	BIO_METHOD *method;
	/* Records that wait to be sent: bytes[start] up to bytes[end]. */
	uint8_t *bytes;
	size_t cap;
	size_t start;
	size_t end;
	/* What has come. */
	uint8_t header[WIRE_HEADER_BYTES];
	uint8_t header_len;
	uint16_t body_left;
	uint64_t records; /* that have come whole */
	bool is_drained;  /* nothing is asked for again before wire_wake() */
	bool has_ended;   /* the client has sent FIN */
	bool is_stopped;  /* nothing more is taken from the client */
	int read_error;   /* negative errno, for good */
	int write_error;
};

/*
 * Make a BIO that reads and writes through the wire.
 * In:      wire: fd and is_frugal are set, the rest is zero; outlives the BIO.
 * Returns: the BIO, or NULL.
 */
BIO *wire_bio(struct wire *wire);

/* Free what it holds, when the BIO is gone. */
void wire_clear(struct wire *wire);

/* Let the next read ask the socket again. */
void wire_wake(struct wire *wire);

/*
 * Make room, so that what is written next need not be moved.
 * Returns: true if so many bytes fit; false: send first, or there is no memory.
 */
bool wire_reserve(struct wire *wire, size_t len);

/*
 * Send what waits.
 * Returns: 0 when nothing is left; -EAGAIN; another negative errno, for good.
 */
int wire_flush(struct wire *wire);

/*
 * Ask whether anything waits to be sent.
 * Returns: true if so.
 */
bool wire_has_output(const struct wire *wire);

/*
 * Ask whether what has come ends within a record.
 * Returns: true if so.
 */
bool wire_is_within_record(const struct wire *wire);

#endif
