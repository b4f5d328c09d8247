/*
 * explain: deftpd --explain: what applies to one user, and which line decides it.
 * Runs in: master, offline: it asks no running server and reads no password.
 * Source:  deftpd(8).
 * Not here: deciding; see ftpd/conf/policy.h. Who the user is; see explain_who.h.
 */
#ifndef FTPD_MASTER_EXPLAIN_H
#define FTPD_MASTER_EXPLAIN_H

#include "ftpd/conf/conf.h"
#include "common/base.h"

/*
 * Print what applies.
 * In:      who: USER or USER@ADDRESS.
 * Returns: exit status: 0, or 1 if the configuration has a mistake or there is no such
 *          user.
 */
int explain(const struct conf *conf, const char *who);

#endif
