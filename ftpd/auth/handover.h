/*
 * handover: the authenticator becomes the user's agent, by exec; with a PAM session a
 * keeper stays, who closes it when the agent has ended, however that was.
 * Runs in: deftpd-auth.
 * Source: DESIGN.md section 2, "Login of a user"; section 3, rule 7.
 * Not here: what an agent does.
 */
#ifndef FTPD_AUTH_HANDOVER_H
#define FTPD_AUTH_HANDOVER_H

#include "ftpd/auth/serve.h"
#include "common/base.h"

/*
 * Establish the credentials, open the session if there is to be one, and seal the agent's
 * start record.
 * In:      login: decided, right and admitted.
 * Out:     ret_start_fd: the record. ret_text: with false, for the log.
 * Returns: true; with false login->pam is to be finished.
 */
bool handover_prepare(struct login_try *login, int *ret_start_fd,
                      char ret_text[MA_TEXT_MAX + 1]);

/*
 * Become the agent, or fork it and stay as keeper. The channel to the master ends.
 * In:      start_fd: owned from here.
 * Returns: the keeper's exit status, which is the agent's, see enum agent_exit;
 *          AGENT_NOT_EXECUTED if it cannot be.
 */
int handover_run(struct login_try *login, int start_fd);

#endif
