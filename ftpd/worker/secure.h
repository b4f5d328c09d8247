/*
 * secure: the bytes of the control connection, in clear or in TLS.
 * Runs in: deftpd-worker; in a shared one they are in clear always. Input: hostile.
 * Source: RFC 4217 4 (AUTH), 5 (CCC), 7 and 13 (REIN); RFC 8446 6.1 (close_notify).
 * Not here: who may begin TLS when (cmd_tls.c), lines and replies (control.h), TLS itself
 * (ftpd/tls/stream.h).
 *
 * AUTH: secure_prepare() -> 234 in clear -> secure_advance() -> secure_handshake().
 * CCC: secure_begin_clearing() -> 200 in TLS -> secure_advance(), which ends our side ->
 * secure_receive() passes over the client's close_notify, and all is clear. REIN is the
 * same with a 220; where TLS comes first, secure_handshake() follows.
 */
#ifndef FTPD_WORKER_SECURE_H
#define FTPD_WORKER_SECURE_H

#include <sys/types.h>

#include "ftpd/tls/stream.h"
#include "common/base.h"

struct session;
struct worker;

enum {
	/*
	 * Records that may come behind CCC or REIN: alerts, and what TLS 1.3 had on its
	 * way. More of them end the session.
	 */
	SECURE_SKIP_MAX = 8,
};

/*
 * Ask whether clients may begin TLS here.
 * Returns: true if there are certificates and tls.policy is not off.
 */
bool secure_is_offered(const struct worker *worker);

/*
 * Ask whether commands come in TLS.
 * Returns: true from the accepted handshake to CCC or the end.
 */
bool secure_is_on(const struct session *session);

/*
 * Ask whether the connection is about to change between clear and TLS, so that no line
 * may be taken.
 * Returns: true from the acceptance of AUTH, CCC or REIN to the handshake, or to our
 *          close_notify.
 */
bool secure_is_changing(const struct session *session);

/*
 * AUTH is accepted, or TLS begins at once: make what the handshake needs. All that was
 * known of TLS before is forgotten.
 * Returns: 0 or negative errno.
 */
int secure_prepare(struct session *session);

/*
 * CCC or REIN is accepted.
 * In:      is_anew: REIN: when TLS has ended, nothing of it is known any more. Where it
 *          begins a connection, it begins at once again.
 */
void secure_begin_clearing(struct session *session, bool is_anew);

/* REIN in clear: forget what CCC has left of TLS. */
void secure_forget(struct session *session);

/*
 * Go on with a change that had to wait until the client had taken all replies.
 */
void secure_advance(struct session *session);

/*
 * Go on with the handshake.
 * Returns: see enum tls_progress.
 */
enum tls_progress secure_handshake(struct session *session);

/*
 * Receive what is there, in clear form. In a session that peeks it stays in the socket.
 * Returns: bytes; 0 at the end of what the client sends; -EAGAIN; another negative errno:
 *          the connection is broken.
 */
ssize_t secure_receive(struct session *session, uint8_t *bytes, size_t cap);

/*
 * Ask whether secure_receive() would give something that the loop does not tell of.
 * Returns: true if so.
 */
bool secure_has_input(const struct session *session);

/*
 * Ask whether something has come behind what was read last, be it the beginning of a
 * record.
 * Returns: true if so.
 */
bool secure_is_followed(const struct session *session);

/*
 * Send. What TLS has taken may still wait for secure_flush(). A broken connection takes
 * all and loses it; the loop reports it.
 * Returns: how many bytes were taken, perhaps none.
 */
size_t secure_send(struct session *session, const char *bytes, size_t len);

/* Send what TLS has kept, as far as the client takes it. */
void secure_flush(struct session *session);

/*
 * Ask whether TLS has kept something.
 * Returns: true if so.
 */
bool secure_has_output(const struct session *session);

/*
 * The last reply is sent: end our side.
 * Returns: true when close_notify has left, or cannot.
 */
bool secure_finish(struct session *session);

/*
 * The session ends: say so in TLS, if it has not been said, and free all. The descriptor
 * is closed next.
 */
void secure_end(struct session *session);

#endif
