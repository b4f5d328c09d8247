/*
 * handover: gives a client who brings a password or wants TLS back to the master, before
 * a byte of either is read.
 * Runs in: deftpd-worker, in shared workers, before login.
 * Source: DESIGN.md section 2, "Moving to a private worker".
 */
#ifndef FTPD_WORKER_HANDOVER_H
#define FTPD_WORKER_HANDOVER_H

#include "common/base.h"

struct session;

enum handover_decision {
	HANDOVER_WAIT,    /* the line has not ended */
	HANDOVER_TAKE,    /* the line may be read here */
	HANDOVER_PRIVATE, /* it must stay in the socket */
};

/*
 * Look at bytes that are still in the socket. session->text must be there.
 * Out:     ret_used: how many bytes the line has, all of them with HANDOVER_WAIT.
 * Returns: see enum handover_decision.
 */
enum handover_decision handover_decide(struct session *session, const uint8_t *bytes,
                                       size_t len, size_t *ret_used);

/*
 * Let the loop wake us only when so many bytes are in the socket: peeking leaves what was
 * seen there.
 */
void handover_wait_for(struct session *session, size_t bytes);

/*
 * Give the connection back. The session ends here without being closed, once the client
 * has taken all replies.
 */
void handover_start(struct session *session);

/*
 * Ask whether a name means the anonymous user.
 * Returns: true for "anonymous" and "ftp", in either case (RFC 1635).
 */
bool handover_is_anonymous(const char *name, size_t len);

#endif
