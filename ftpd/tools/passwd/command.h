/*
 * command: add, set, del, list and verify.
 * Runs in: deftp-passwd.
 * Source: deftp-passwd(8).
 * Not here: list and verify without a name, which only read; see report.h.
 */
#ifndef FTPD_TOOLS_PASSWD_COMMAND_H
#define FTPD_TOOLS_PASSWD_COMMAND_H

#include "ftpd/tools/passwd/request.h"
#include "common/base.h"

/* Each does what its verb says and tells about it. Returns: STATUS_OK, STATUS_REFUSED. */
int command_add(const struct request *request);
int command_set(const struct request *request);
int command_delete(const struct request *request);
int command_verify_user(const struct request *request);

#endif
