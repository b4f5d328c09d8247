/*
 * master_auth: what the master and an authenticator say to each other. One authenticator
 * serves one try in its life.
 * Runs in: master, deftpd-auth. The master believes the authenticator, which is root, but
 * not the texts that came from a client.
 * Source: DESIGN.md section 2, "Login of a user"; SECURITY.md A16 and A19.
 * Not here: what the session says; see login.h.
 *
 *      authenticator  READY ----> master
 *                <-- TRY   [fd] the channel to the session's worker
 *                    TAKEN ---->
 *                    ASKING --->  0 or more: a person is being asked; is_asking tells
 *                    REFUSED -->  the end; or
 *                    ACCEPTED ->
 *                <-- GO    is_admitted: the user may have one more session
 *
 *      After GO with is_admitted the authenticator becomes the agent and its channel to
 *      the master ends; with a PAM session it stays as keeper, but closes the channel.
 *      REFUSED may still come then: when the credentials or the session of PAM fail, or
 *      the worker speaks out of turn.
 */
#ifndef FTPD_IPC_MASTER_AUTH_H
#define FTPD_IPC_MASTER_AUTH_H

#include "common/addr.h"
#include "ftpd/ipc/message.h"
#include "common/base.h"

enum ma_type {
	/* master */
	MA_TRY, /* [fd] session, peer */
	MA_GO,  /* is_admitted */
	/* authenticator */
	MA_READY,
	MA_TAKEN, /* the descriptor of TRY has arrived */
	MA_ASKING,
	MA_REFUSED,  /* reason, number, user, text */
	MA_ACCEPTED, /* number, user, max_sessions, rates, text */
	MA_COUNT,
};

/* Why a login was refused: for the log, never for the client. */
enum ma_reason {
	MA_WRONG_PASSWORD,
	MA_UNKNOWN_USER,
	MA_LOCKED,  /* no valid hash; the account is locked or expired */
	MA_DENIED,  /* by a list, ftpusers, the shell, min_uid, or login = no */
	MA_NO_HOME, /* the root directory cannot be used */
	/* the client's certificate does not name the user (tls.client_login = match) */
	MA_CERTIFICATE,
	/* all was right, but the user's tls_policy wants TLS and there is none */
	MA_NEEDS_TLS,
	MA_GONE,     /* the session ended before the verdict */
	MA_PROTOCOL, /* the worker broke the wire format */
	MA_FAULT,    /* PAM, the password file or the system failed */
	MA_REASON_COUNT,
};

enum {
	MA_USER_MAX = 255,
	MA_TEXT_MAX = 255,
};

/* One message. Only the fields named for its type travel. Texts are not terminated. */
struct ma_message {
	enum ma_type type;
	uint32_t session;
	struct addr peer;
	bool is_admitted;
	bool is_asking;
	enum ma_reason reason;
	/*
	 * login_user_number() of the name that the worker sent; 0 when none came. It must
	 * be the one of MW_LOGIN.
	 */
	uint64_t number;
	uint32_t max_sessions;   /* of this user, 0: no limit */
	uint64_t user_rate_down; /* shared by the user's sessions; 0: no limit */
	uint64_t user_rate_up;
	const char *user; /* ACCEPTED: the account's own name */
	size_t user_len;
	/* for the log: REFUSED: details; ACCEPTED: the directory, cut if it is long */
	const char *text;
	size_t text_len;
};

/*
 * Encode.
 * Returns: length, 0 if it does not fit.
 */
size_t ma_encode(const struct ma_message *message, uint8_t *bytes, size_t cap);

/*
 * Decode to the last byte.
 * Returns: true and *ret_message, whose texts point into bytes; false if the bytes are
 *          no such message.
 */
bool ma_decode(const uint8_t *bytes, size_t len, struct ma_message *ret_message);

/*
 * Ask whether a message of this type comes from the authenticator.
 * Returns: true for MA_READY and those behind it.
 */
bool ma_is_from_auth(enum ma_type type);

#endif
