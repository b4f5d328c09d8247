/*
 * data_tls: TLS on the data connection: the handshake, whose connection it is, and when
 * an upload is whole.
 * Runs in: deftpd-worker, the server's side always. Distrusts: whoever connects.
 * Source: RFC 4217 7 and 10; RFC 8446 6.1 (close_notify); SECURITY.md D4, T4, T5, T8.
 * Not here: the bytes (pump.c); the end of a download (linger.c); tickets, which only
 * control connections give.
 */
#ifndef FTPD_WORKER_DATA_TLS_H
#define FTPD_WORKER_DATA_TLS_H

#include "ftpd/conf/options.h"
#include "common/base.h"

struct session;

enum {
	/*
	 * Handshakes that fail, and connections that do not resume, in one wait; then
	 * 522. A handshake costs more than a connection.
	 */
	DATA_TLS_FAILED_MAX = 3,
	DATA_TLS_UNRESUMED_MAX = 16,
	/*
	 * Where a stranger came first the client's own connection comes at once, if it
	 * comes: a client whose connection was taken for a stranger's waits for our
	 * reply.
	 */
	DATA_TLS_WAIT_S = 5,
	DATA_TLS_TEXT_MAX = 224,
};

enum data_tls_verdict {
	DATA_TLS_SERVED,
	DATA_TLS_UNPROVEN, /* served, on the word of its address alone */
	DATA_TLS_STRANGER, /* closed; the client's own may still come */
	DATA_TLS_REFUSED,  /* 522 */
};

/*
 * Decide what a connection is worth after its handshake.
 * In:      rule: tls.resume. is_passive: the client could connect again. has_before: the
 *          client has resumed on an earlier connection of this session. has_now: on this.
 *          is_other: it brought not the certificate of the control connection.
 * Returns: see enum data_tls_verdict.
 */
enum data_tls_verdict data_tls_judge(enum options_tls_resume rule, bool is_passive,
                                     bool has_before, bool has_now, bool is_other);

/*
 * Decide whether an upload that ended without close_notify was cut.
 * In:      rule: tls.strict_close. has_before: the client has ended an earlier data
 *          connection of this session with it.
 * Returns: true if it is not to be kept as whole.
 */
bool data_tls_is_cut(enum options_tls_close rule, bool has_before);

/*
 * Begin the handshake on data.connection_fd. transfer_connected(),
 * transfer_not_connected() or data_drop_stranger() is called later.
 */
void data_tls_start(struct session *session);

/*
 * Returns: how long the data connection is waited for: timeout_s, or less when one has
 *          been found to be a stranger's.
 */
uint32_t data_tls_wait_s(const struct session *session, uint32_t timeout_s);

/*
 * Ask why the transfer got no connection that could be used.
 * Returns: the text of 522; NULL if TLS is not the reason.
 */
const char *data_tls_complaint(const struct session *session);

/*
 * Describe what protects the connection, to be put behind a sentence: "; TLS 1.3, ...".
 * Returns: text, which is terminated; empty without TLS.
 */
const char *data_tls_describe(const struct session *session,
                              char text[DATA_TLS_TEXT_MAX]);

/*
 * The client has ended an upload by close_notify, or (has_notified false) by closing the
 * connection alone. What is learned of the client is kept, and told to the log once.
 * Returns: true if the upload is whole.
 */
bool data_tls_take_end(struct session *session, bool has_notified);

#endif
