/*
 * serve: one authenticator's life: it waits for a try, decides it, and becomes the user's
 * agent or ends.
 * Runs in: deftpd-auth. Input: the worker is hostile.
 * Source: ftpd/ipc/master_auth.h; SECURITY.md A7, A15 and A18: one try, one process.
 * Not here: who may try when; that is the master's.
 */
#ifndef FTPD_AUTH_SERVE_H
#define FTPD_AUTH_SERVE_H

#include "ftpd/auth/auth.h"
#include "ftpd/auth/link.h"
#include "ftpd/auth/pam.h"
#include "ftpd/auth/source.h"
#include "ftpd/auth/talk.h"
#include "common/base.h"

/* The one try of this process. */
struct login_try {
	const struct auth *auth;
	struct link link;
	enum link_event broken; /* what ended a conversation with the client */
	struct addr peer;
	uint64_t number; /* of the name that was sent; 0: none yet */
	char user[LOGIN_USER_MAX + 1];
	char host[LOGIN_HOST_MAX + 1];
	bool is_secure;                  /* the worker says so */
	char names[LOGIN_NAMES_MAX + 1]; /* of the client's certificate, likewise */
	char *password;                  /* TALK_SECRET_BYTES of secret memory each */
	char *code;
	struct candidate candidate;
	struct policy policy;         /* from here on: set when he may log in */
	char root[OPTIONS_TEXT_MAX];  /* host path */
	char start[OPTIONS_TEXT_MAX]; /* client path */
	struct talk talk;
	struct pam pam;
};

/*
 * Serve one try.
 * In:      master_fd: owned from here.
 * Returns: the exit status, unless it has become the agent.
 */
int serve_run(const struct auth *auth, int master_fd);

#endif
