/*
 * sandbox: the system calls that remain to an agent: one that only reads, or one that
 * writes, too.
 * Runs in: deftpd-agent, at the end of its start-up.
 * Source: SECURITY.md 3.4, column "agent".
 * Not here: how a filter is made and loaded; see common/sandbox.h.
 */
#ifndef FTPD_AGENT_SANDBOX_H
#define FTPD_AGENT_SANDBOX_H

#include "common/base.h"

/*
 * Load the filter of an agent that only reads, or of one that writes. It cannot be taken
 * back.
 * In:      max_file_bytes: that no file written by this process may pass; UINT64_MAX for
 *          no limit. A worker is told its limit, and checked.
 * Returns: 0 or negative errno.
 */
int agent_sandbox_enter(bool may_write, uint64_t max_file_bytes);

#endif
