/*
 * login: a user's try: the master is asked for an authenticator, which gets name and
 * password and becomes the user's agent.
 * Runs in: deftpd-worker, private. Source: ftpd/ipc/login.h; RFC 959 5.4; SECURITY.md A4
 *          and A15.
 * Not here: the commands; see cmd_login.c.
 */
#ifndef FTPD_WORKER_LOGIN_H
#define FTPD_WORKER_LOGIN_H

#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

struct session;

enum {
	/*
	 * A refusal is told so long after PASS, whatever has happened meanwhile: the time
	 * tells nothing.
	 */
	LOGIN_REFUSAL_MS = 1000,
};

/*
 * Begin a try with the session's name. The secret is copied into memory of its own and
 * wiped as soon as it is sent. The reply is given when there is a verdict.
 */
void login_begin(struct session *session, const char *secret, size_t secret_len);

/*
 * Ask whether a module waits for ACCT.
 * Returns: true between 332 and ACCT.
 */
bool login_is_asking(const struct session *session);

/* The client's answer to 332. */
void login_answer(struct session *session, const char *secret, size_t secret_len);

/* The master's answer: a channel to an authenticator, or none. fd is owned from here. */
void login_channel(struct session *session, const struct mw_message *answer, int fd);

/* The agent that the authenticator has become is ready, or could not become so. */
void login_agent_ready(struct session *session, const struct agent_answer *answer);

/* The agent of a logged-in user has ended: so must the session. */
void login_agent_lost(struct session *session);

/* The timer: a refusal is due, or patience is at an end. */
void login_handle_timer(struct session *session);

/*
 * Returns: when login_handle_timer() is to be called, or UINT64_MAX.
 */
uint64_t login_deadline_ms(const struct session *session);

/* Forget the try, if there is one; secrets are wiped. */
void login_drop(struct session *session);

#endif
