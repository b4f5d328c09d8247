/*
 * auth: what every authenticator inherits from its forkserver.
 * Runs in: deftpd-auth.
 * Not here: what belongs to one login; see serve.h.
 */
#ifndef FTPD_AUTH_AUTH_H
#define FTPD_AUTH_AUTH_H

#include "ftpd/auth/password.h"
#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/message.h"
#include "common/base.h"

/* Made once, before the first child; the children only read it. */
struct auth {
	struct options options;
	struct overrides overrides;
	struct password_dummy dummy;
	char agent_path[IPC_PATH_MAX]; /* of deftpd-agent */
	int null_fd;                   /* /dev/null, for the standard streams */
};

#endif
