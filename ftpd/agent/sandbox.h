/*
 * sandbox: the confinement of an agent to its system calls.
 * Runs in: deftpd-agent, at the end of its start-up.
 * Not here: which calls; see sandbox_rules.h. How a filter is loaded; see
 * common/sandbox.h.
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
