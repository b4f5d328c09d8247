/*
 * pam: asks PAM whether a local user may log in, and keeps his PAM session.
 * Runs in: deftpd-auth: authenticator and keeper. PAM modules are code of others in this
 * process: they may write, fork, change signals or exit.
 * Source: pam(3), pam_authenticate(3), pam_acct_mgmt(3), pam_setcred(3),
 *         pam_open_session(3), pam_fail_delay(3); SECURITY.md A5 and A19.
 * Not here: the conversation; see talk.h. How long a module may take: the master's clock.
 */
#ifndef FTPD_AUTH_PAM_H
#define FTPD_AUTH_PAM_H

#include <sys/types.h>

#include "common/account.h"
#include "common/addr.h"
#include "ftpd/auth/talk.h"
#include "ftpd/ipc/master_auth.h"
#include "common/base.h"

/* Which configuration of PAM, and for whom. */
struct pam_place {
	/* the user has proved by a certificate who he is: no password is asked for */
	bool is_proven;
	const char *service;
	const char *directory; /* of the services' files; NULL: the system's */
	struct addr peer;
};

struct pam {
	pam_handle_t *handle; /* NULL: not begun */
	int last;             /* what the last call said, as pam_end(3) wants it */
	pid_t pid;            /* of the process that began: a module may fork */
	bool has_credentials;
	bool has_session;
};

enum pam_result {
	PAM_IS_RIGHT,
	PAM_IS_WRONG,   /* the password, or the answer to a question */
	PAM_IS_UNKNOWN, /* PAM does not know the user */
	PAM_IS_CLOSED,  /* the account is expired, locked, or may not log in now */
	PAM_IS_FAULT,   /* a module or its configuration failed */
	PAM_RESULT_COUNT,
};

/*
 * Authenticate, unless that is done, and ask whether the account may log in.
 * In:      talk: initialised; stays until pam_finish().
 * Out:     ret_text: with all but PAM_IS_RIGHT: what PAM says, for the log.
 * Returns: the result. pam_finish() is due in every case.
 */
enum pam_result pam_check(struct pam *pam, const struct pam_place *place,
                          const char *user, struct talk *talk,
                          char ret_text[MA_TEXT_MAX + 1]);

/*
 * Ask for the name that the user has after pam_check(): a module may map it.
 * Returns: the name, owned by PAM; NULL if there is none.
 */
const char *pam_user(const struct pam *pam);

/*
 * Establish the credentials and, if has_session, open the session. As root this process
 * takes on the account's groups first, because modules add to them.
 * Out:     account: its groups are replaced by what the modules have made of them.
 *          ret_text: with false, for the log.
 * Returns: true. What was done is undone by pam_finish().
 */
bool pam_begin_session(struct pam *pam, struct account *account, bool has_session,
                       char ret_text[MA_TEXT_MAX + 1]);

/* Close the session, delete the credentials, end; each if it was begun. */
void pam_finish(struct pam *pam);

#endif
