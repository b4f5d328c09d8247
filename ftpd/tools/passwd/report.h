/*
 * report: what is in a password file: who, and which lines are wrong.
 * Runs in: deftp-passwd.
 * Source: deftp-passwd(8); SECURITY.md A6.
 * Not here: changing it; see command.h.
 */
#ifndef FTPD_TOOLS_PASSWD_REPORT_H
#define FTPD_TOOLS_PASSWD_REPORT_H

#include "ftpd/tools/passwd/request.h"
#include "common/base.h"

/*
 * Print a line for each user.
 * Returns: STATUS_OK; STATUS_REFUSED if there are wrong lines, which are told.
 */
int report_list(const struct request *request);

/*
 * Print each mistake as FILE:LINE: what is wrong; the remedy.
 * Returns: STATUS_OK if there is none, else STATUS_REFUSED.
 */
int report_verify(const struct request *request);

#endif
