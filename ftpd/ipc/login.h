/*
 * login: a private worker's try to log a user in, and the authenticator's verdict.
 * Runs in: worker (asks), deftpd-auth (answers; distrusts the worker).
 * Source: DESIGN.md section 2, "Login of a user"; RFC 959 5.4 (ACCT after PASS).
 * Not here: who may try when; see master_auth.h. What follows LOGIN_ACCEPTED on the same
 * channel; see agent.h.
 *
 * One channel serves one try:
 *
 *      worker  TRY --------> authenticator
 *                 <-- ASK    a module wants another answer: 332, the client sends ACCT
 *              ACCOUNT ---->
 *                 <-- REFUSED, and the channel ends; or
 *                 <-- ACCEPTED, and the authenticator becomes the user's agent, whose
 *                     first message is AGENT_READY.
 */
#ifndef FTPD_IPC_LOGIN_H
#define FTPD_IPC_LOGIN_H

#include "ftpd/ipc/message.h"
#include "common/base.h"

enum login_type {
	/* worker */
	LOGIN_TRY,     /* user, secret, host, is_secure, names */
	LOGIN_ACCOUNT, /* secret: the answer to LOGIN_ASK */
	/* authenticator */
	LOGIN_ASK,      /* text: what the module asks, lines ended by LF */
	LOGIN_REFUSED,  /* refusal */
	LOGIN_ACCEPTED, /* user, grant, text: what modules said, lines ended by LF */
	LOGIN_COUNT,
};

/* All that a client may learn of a refusal. Why it is, is told to the master. */
enum login_refusal {
	/* unknown, locked, expired, denied or a wrong password: 530, always alike */
	LOGIN_INCORRECT,
	LOGIN_TOO_MANY,    /* the user has max_sessions sessions: 530 */
	LOGIN_UNAVAILABLE, /* a fault of ours: 421 */
	/* the password was right, but this user's tls_policy wants TLS: 530 */
	LOGIN_NEEDS_TLS,
	LOGIN_REFUSAL_COUNT,
};

enum {
	LOGIN_USER_MAX = 255,
	/* a longer password is wrong; crypt(3) takes 511 bytes */
	LOGIN_SECRET_MAX = 511,
	LOGIN_HOST_MAX = 255,
	LOGIN_TEXT_MAX = 2048,
	LOGIN_NAMES_MAX = 4096,
};

/* What the session may do, as far as the worker has to know. */
struct login_grant {
	/* writing commands are refused before the agent is asked */
	bool is_read_only;
	/* the master is told when data begins and ceases to move */
	bool has_shared_rate;
	uint32_t idle_timeout_s;
	uint64_t rate_down; /* bytes per second of this session, 0: no limit */
	uint64_t rate_up;
	uint64_t max_file_bytes; /* of an upload, 0: no limit */
	uint64_t min_free_bytes; /* of the file system that an upload goes to */
	uint8_t tls_policy;      /* enum options_tls_policy */
	const char *start;       /* the first current directory, a client path */
	size_t start_len;
};

/* One message. Only the fields named for its type travel. Texts are not terminated. */
struct login_message {
	enum login_type type;
	const char *user;
	size_t user_len;
	const char *secret;
	size_t secret_len;
	const char *host; /* named by HOST, or empty */
	size_t host_len;
	bool is_secure; /* the control connection has TLS */
	/*
	 * alternative names of the client's certificate, which was checked: DNS names,
	 * e-mail addresses and URIs, each ended by LF, without control characters; empty:
	 * it has brought none. The worker's word.
	 */
	const char *names;
	size_t names_len;
	const char *text;
	size_t text_len;
	enum login_refusal refusal;
	struct login_grant grant;
};

/*
 * Encode.
 * Returns: length, 0 if it does not fit.
 */
size_t login_encode(const struct login_message *message, uint8_t *bytes, size_t cap);

/*
 * Decode to the last byte. A user name is not empty and has no NUL, nor have host and
 * secret; start begins with "/".
 * Returns: true and *ret_message, whose texts point into bytes; false if the bytes are
 *          no such message.
 */
bool login_decode(const uint8_t *bytes, size_t len, struct login_message *ret_message);

/*
 * The number by which the master knows a user's name before anybody has checked it. Names
 * with the same number share penalties, nothing else.
 * Returns: the number, never 0.
 */
uint64_t login_user_number(const char *user, size_t len);

#endif
