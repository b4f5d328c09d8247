/*
 * Long because one connection's life, from its handshake to its end, is one contract.
 * stream: TLS on one connection that does not block: of commands, or of data.
 * Runs in: deftpd-worker, the server's side always (RFC 4217 7). Input: hostile.
 * Source: RFC 8446; SSL_read(3), SSL_write(3), BIO_meth_new(3); PERF.md, retr-tls.
 * Not here: what a client must do to be believed; see ftpd/worker/data_tls.h.
 *
 * Records are gathered and leave in large sends; they are received many at once. A
 * descriptor is the caller's, before and after.
 */
#ifndef FTPD_TLS_STREAM_H
#define FTPD_TLS_STREAM_H

#include "common/base.h"

struct tls_context;
struct tls_stream;

enum {
	TLS_BINDING_BYTES = 16,
	/* what a data connection gathers before it sends, at most */
	TLS_GATHER_BYTES = 256 * 1024,
	/* so many key updates or empty handshake messages, and the client is cut off */
	TLS_KEY_UPDATES_MAX = 100,
	TLS_DESCRIPTION_MAX = 128,
	TLS_NAMES_MAX_BYTES = 4096, /* LOGIN_NAMES_MAX */
	TLS_DIGEST_BYTES = 32,
};

/* Random; only connections with the same one resume one another. Zero: none yet. */
struct tls_binding {
	uint8_t bytes[TLS_BINDING_BYTES];
};

/* The certificate that a client has brought, by its SHA-256. All zero: none. */
struct tls_client {
	bool has_certificate;
	uint8_t digest[TLS_DIGEST_BYTES];
};

enum tls_side {
	TLS_CONTROL, /* gets tickets, when tls_stream_offer_ticket() says so */
	TLS_DATA,    /* never gets one; may use those of its control connection */
};

enum tls_progress {
	TLS_READY,
	TLS_WANTS_READ,
	TLS_WANTS_WRITE,
	TLS_FAILED, /* see tls_stream_failure() */
};

/* Who encrypts what is sent. */
enum tls_kernel {
	TLS_KERNEL_USED,
	TLS_KERNEL_OFF,      /* tls.kernel = off */
	TLS_KERNEL_UNASKED,  /* commands, or an upload */
	TLS_KERNEL_MISSING,  /* the kernel has no TLS */
	TLS_KERNEL_NOT_THIS, /* not for this version and cipher */
};

/*
 * Returns: 0 and a random binding; -EIO.
 */
int tls_binding_make(struct tls_binding *ret_binding);

/*
 * Begin TLS on a connection.
 * In:      host: number of the section host that the client has named before (HOST); 0:
 *          SNI decides. fd: non-blocking.
 * Returns: 0 and *ret_stream; -ENOMEM.
 * Owner:   the caller frees it by tls_stream_free(), and closes fd.
 */
int tls_stream_new(struct tls_context *context, enum tls_side side,
                   const struct tls_binding *binding, uint16_t host, int fd,
                   struct tls_stream **ret_stream);

/*
 * Before the handshake of a connection for a download: let the kernel encrypt what is
 * sent, if it can.
 */
void tls_stream_ask_kernel(struct tls_stream *stream);

/* Without a word to the client. NULL is allowed. */
void tls_stream_free(struct tls_stream *stream);

/*
 * Go on with the handshake. Everything it has to say has been sent when it is ready.
 * Returns: see enum tls_progress.
 */
enum tls_progress tls_stream_handshake(struct tls_stream *stream);

/*
 * Receive, as recv(2).
 * Returns: bytes; 0 when the client has ended with close_notify; -EAGAIN: wait for what
 *          tls_stream_wants() says; -ENODATA: the connection ended between two records,
 *          without close_notify; -EBADMSG: it ended within one, or what came is no TLS;
 *          -ECONNRESET and the like. How it ended is told again by each further call.
 */
ssize_t tls_stream_read(struct tls_stream *stream, void *bytes, size_t cap);

/*
 * Ask whether tls_stream_read() would give something without the descriptor having more.
 * Returns: true if so: the loop would not tell.
 */
bool tls_stream_has_input(const struct tls_stream *stream);

/*
 * Ask whether the beginning of a record has come, and not yet its end.
 * Returns: true if so.
 */
bool tls_stream_is_within_record(const struct tls_stream *stream);

/*
 * Encrypt and gather, and send when much is there.
 * Returns: how many bytes were taken, perhaps not all; -EAGAIN: none, flush first; other
 *          negative errno: broken.
 */
ssize_t tls_stream_write(struct tls_stream *stream, const void *bytes, size_t len);

/*
 * Send what is gathered.
 * Returns: 0 when nothing is left; -EAGAIN: wait for EPOLLOUT; other negative errno.
 */
int tls_stream_flush(struct tls_stream *stream);

/*
 * Ask whether anything waits to be flushed.
 * Returns: true if so.
 */
bool tls_stream_has_output(const struct tls_stream *stream);

/*
 * Send from a file, encrypted by the kernel; only if tls_stream_kernel() is
 * TLS_KERNEL_USED.
 * Returns: as sendfile(2), or negative errno: -EIO if the file could not be read.
 */
ssize_t tls_stream_send_file(struct tls_stream *stream, int file_fd, uint64_t offset,
                             size_t len);

/*
 * End our side: close_notify. What was written goes first, and its memory is given back.
 * Returns: as tls_stream_flush(); never 0 where TLS has failed before.
 */
int tls_stream_close(struct tls_stream *stream);

/*
 * Returns: EPOLLIN, EPOLLOUT or both: what to wait for after -EAGAIN, or in the
 *          handshake; EPOLLIN at first, as the client begins.
 */
uint32_t tls_stream_wants(const struct tls_stream *stream);

/*
 * A control connection: let the next bytes written be preceded by a fresh ticket, for a
 * data connection that is about to come. Does nothing in TLS 1.2, where one session
 * serves all.
 */
void tls_stream_offer_ticket(struct tls_stream *stream);

/*
 * Ask whether the handshake has resumed a session of the same binding.
 * Returns: true if so.
 */
bool tls_stream_has_resumed(const struct tls_stream *stream);

/*
 * Returns: the number of the host that was chosen by SNI or given; 0: none.
 */
uint16_t tls_stream_host(const struct tls_stream *stream);

/*
 * Returns: what the client has named in SNI, terminated; "" if nothing. Valid as long as
 *          the stream.
 */
const char *tls_stream_server_name(const struct tls_stream *stream);

/*
 * List the alternative names of the client's certificate: DNS names, e-mail addresses,
 * URIs, each ended by LF; one with a NUL, another control character or a byte beyond
 * ASCII is left out (SECURITY.md A13), and what does not fit, too.
 * Returns: bytes in names; 0 if it has brought no certificate, or one without such names.
 */
size_t tls_stream_client_names(const struct tls_stream *stream,
                               char names[TLS_NAMES_MAX_BYTES]);

/*
 * Ask whether the client has brought a certificate, which was checked then.
 * Returns: true if so.
 */
bool tls_stream_has_client_certificate(const struct tls_stream *stream);

/*
 * Keep who the client is, for its data connections. All zero if it has brought no
 * certificate.
 */
void tls_stream_client(const struct tls_stream *stream, struct tls_client *ret_client);

/*
 * Ask whether a data connection is this client's, as far as certificates tell: it has
 * resumed, or brought the same one, or the client has none.
 * Returns: true if so.
 */
bool tls_stream_is_client(const struct tls_stream *stream,
                          const struct tls_client *client);

/*
 * Write version and cipher: "TLS 1.3, TLS_AES_256_GCM_SHA384".
 * Returns: length of text, which is terminated.
 */
size_t tls_stream_describe(const struct tls_stream *stream,
                           char text[TLS_DESCRIPTION_MAX]);

/*
 * Returns: who encrypts what is sent, since the handshake.
 */
enum tls_kernel tls_stream_kernel(const struct tls_stream *stream);

/*
 * Returns: words for that: "by the kernel", "not by the kernel: it has no TLS".
 */
const char *tls_kernel_text(enum tls_kernel kernel);

/*
 * Returns: why it failed, for a log line: "no shared cipher"; static or valid as long as
 *          the stream. May hold a client's bytes.
 */
const char *tls_stream_failure(const struct tls_stream *stream);

#endif
