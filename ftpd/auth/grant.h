/*
 * grant: what a policy means to the worker and to the agent, in their terms.
 * Runs in: deftpd-auth.
 * Source: ftpd/ipc/login.h, ftpd/ipc/agent_start.h; deftpd.conf(5), "directory".
 * Not here: what applies to whom; see ftpd/conf/policy.h.
 */
#ifndef FTPD_AUTH_GRANT_H
#define FTPD_AUTH_GRANT_H

#include "ftpd/auth/serve.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

/*
 * Translate for the worker.
 * In:      login: decided and right.
 * Out:     ret_grant: points into login.
 */
void grant_for_worker(const struct login_try *login, struct login_grant *ret_grant);

/*
 * Translate for the agent.
 * In:      login: as above.
 * Out:     ret_start: points into login and the overrides.
 * Returns: false if there are more directory sections than an agent takes.
 */
bool grant_for_agent(const struct login_try *login, struct agent_start *ret_start);

#endif
