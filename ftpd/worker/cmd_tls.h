/*
 * cmd_tls: TLS on the control connection and what it means for data: AUTH, PBSZ, PROT,
 * CCC and REIN.
 * Runs in: deftpd-worker; in a shared one nobody gets further than a refusal.
 * Source: RFC 4217; RFC 2228 3 and 5.1; RFC 7151 3.2.2; SECURITY.md T1 and T2.
 * Not here: the bytes (secure.h); TLS of data connections (data_tls.h).
 */
#ifndef FTPD_WORKER_CMD_TLS_H
#define FTPD_WORKER_CMD_TLS_H

#include "ftpd/proto/request.h"
#include "common/base.h"

struct session;

enum {
	CMD_TLS_TEXT_MAX = 512,
};

/* 234 or 431 follows, in cmd_tls_change(). */
void cmd_auth(struct session *session, const struct request *request);

/* How data is protected; both only within TLS, and PROT only behind PBSZ. */
void cmd_pbsz(struct session *session, const struct request *request);
void cmd_prot(struct session *session, const struct request *request);

/* 200 follows if CCC is accepted, in cmd_tls_change(). */
void cmd_ccc(struct session *session, const struct request *request);

/*
 * AUTH, CCC or REIN has been accepted: reply, or end the session if something has come
 * behind it that would be carried out under another sender's name (SECURITY.md T1).
 */
void cmd_tls_change(struct session *session, bool is_followed);

/* The handshake is done. */
void cmd_tls_begun(struct session *session);

/*
 * REIN: TLS ends, and nothing of it is known any more (RFC 4217 13). In clear 220 is
 * replied here; in TLS, and where that comes first, it follows in cmd_tls_change().
 */
void cmd_tls_restart(struct session *session);

/*
 * Let a ticket go with the next reply, if data is encrypted: the connection that is about
 * to come may need one to resume by, and clients use each one once. Tickets go over the
 * control connection only.
 */
void cmd_tls_offer_ticket(struct session *session);

/*
 * Describe the protection of commands: "TLS 1.3, TLS_AES_256_GCM_SHA384". Names in it
 * are the client's.
 * Returns: the length of text, which is not terminated.
 */
size_t cmd_tls_describe(const struct session *session, char text[CMD_TLS_TEXT_MAX]);

#endif
