/*
 * tls_harness: a stream and its client, who can be made to say anything, both in one
 * thread: what goes over the socket is moved by hand.
 */
#ifndef TESTS_UNIT_TLS_HARNESS_H
#define TESTS_UNIT_TLS_HARNESS_H

#include <openssl/ssl.h>

#include "ftpd/tls/stream.h"
#include "tests/unit/tls_lab.h"
#include "common/base.h"

/* Both versions of TLS, which nearly every case is tried with. */
extern const int duo_versions[2];

struct duo_order {
	int version; /* the client's only one; 0: TLS 1.3 */
	enum tls_side side;
	uint8_t binding; /* 0: 1 */
	uint16_t host;
	SSL_SESSION *session; /* to resume */
	bool has_no_tickets;  /* TLS 1.2: session ids only */
	bool is_upload;       /* of data: the kernel is not asked */
	bool is_tcp;          /* over the loopback device, not a pair of local sockets */
	/* two that are connected already: the server's, the client's */
	const int *sockets;
	const char *ciphers; /* of TLS 1.2 */
	const char *server_name;
	const struct forged *own; /* certificate */
};

struct duo {
	struct tls_stream *stream;
	int server_fd;
	int client_fd;
	SSL_CTX *ctx;
	SSL *client;
	BIO *from_server;  /* what the client is going to read */
	BIO *to_server;    /* what it has written, and is not yet sent */
	SSL_SESSION *kept; /* the last that came */
	unsigned kept_count;
	int alert; /* the last that the server has sent; -1: none */
};

/* Make both ends, before the handshake. A test that cannot fails. */
void duo_begin(struct duo *duo, struct lab *lab, const struct duo_order *order);

/* Connect two sockets that do not block: the server's, the client's. */
void duo_connect(bool is_tcp, int ret_fds[2]);

/* Close and free both. */
void duo_end(struct duo *duo);

/* A lab whose server speaks to everybody; more: further lines of section tls. */
void duo_lab(struct lab *lab, const char *more);

/*
 * Send what the client has written, or so many bytes of it; take what the server has
 * sent.
 * Returns: bytes.
 */
size_t duo_send(struct duo *duo, size_t max);
size_t duo_receive(struct duo *duo);

/*
 * Let both shake hands, as far as they get.
 * Returns: what the stream said last.
 */
enum tls_progress duo_shake(struct duo *duo);

/* As duo_begin and duo_shake; a test whose handshake fails, fails. */
void duo_open(struct duo *duo, struct lab *lab, const struct duo_order *order);

/* Let the client write text, and send it. */
void duo_say(struct duo *duo, const char *text);

/*
 * Let the client read: everything that has been sent.
 * Returns: bytes in text, which is terminated; 0 also after close_notify.
 */
size_t duo_hear(struct duo *duo, char *text, size_t cap);

/*
 * Let the stream read, and again as long as the descriptor has more for it.
 * Returns: as tls_stream_read().
 */
ssize_t duo_read(struct duo *duo, void *bytes, size_t cap);

/*
 * The same, up to the end.
 * Returns: what the stream said last, when it was no success; *ret_len: bytes.
 */
ssize_t duo_read_all(struct duo *duo, void *bytes, size_t cap, size_t *ret_len);

#endif
