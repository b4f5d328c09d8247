/*
 * admit: whether a user may log in at all, by the lists and limits of the configuration.
 * Runs in: deftpd-auth. Source: deftpd.conf(5), logins; SECURITY.md A25.
 * Not here: his password; see decide.h. The rules themselves; see ftpd/conf/policy.h.
 */
#ifndef FTPD_AUTH_ADMIT_H
#define FTPD_AUTH_ADMIT_H

#include "ftpd/auth/serve.h"
#include "common/base.h"

/*
 * Find what applies to login->candidate, and whether he may log in.
 * Out:     login->policy. With false: ret_reason, ret_text for the log.
 * Returns: true if he may.
 */
bool admit(struct login_try *login, enum ma_reason *ret_reason,
           char ret_text[MA_TEXT_MAX + 1]);

#endif
