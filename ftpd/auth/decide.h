/*
 * decide: whether a name and a password may log in, and what then applies.
 * Runs in: deftpd-auth. Input: name and password are hostile.
 * Source: SECURITY.md A4 to A6 and A25.
 * Not here: how often; that is the master's. Telling anybody; see serve.h.
 *
 * Whoever may not log in, for whatever reason, costs one hash, as a wrong password does.
 */
#ifndef FTPD_AUTH_DECIDE_H
#define FTPD_AUTH_DECIDE_H

#include "ftpd/auth/serve.h"
#include "common/base.h"

struct verdict {
	bool is_right;
	enum ma_reason reason;      /* the rest: unless is_right */
	enum login_refusal refusal; /* all that the client learns */
	char text[MA_TEXT_MAX + 1]; /* details for the log */
};

/*
 * Decide. The password is wiped afterwards.
 * In:      login: user, host, password, names, is_secure and peer are set.
 * Out:     login: candidate, and with is_right policy, root, start; pam when PAM was
 *          asked; broken if the conversation was.
 */
void decide(struct login_try *login, struct verdict *ret_verdict);

#endif
