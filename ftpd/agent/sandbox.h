/*
 * sandbox: the system calls that remain to an agent that only reads.
 * Runs in: deftpd-agent, at the end of its start-up.
 * Source: SECURITY.md 3.4, column "agent".
 * Not here: how a filter is made and loaded; see common/sandbox.h.
 */
#ifndef FTPD_AGENT_SANDBOX_H
#define FTPD_AGENT_SANDBOX_H

#include "common/base.h"

/*
 * Load the filter. It cannot be taken back.
 * Returns: 0 or negative errno.
 */
int agent_sandbox_enter(void);

#endif
