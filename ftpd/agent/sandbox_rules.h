/*
 * sandbox_rules: the system calls that remain to an agent, one that only reads, or one
 * that writes, too.
 * Runs in: filter_gen, when the agent is built; tests.
 * Source: SECURITY.md 3.4, column "agent".
 * Not here: loading a filter; see sandbox.h.
 */
#ifndef FTPD_AGENT_SANDBOX_RULES_H
#define FTPD_AGENT_SANDBOX_RULES_H

#include "common/sandbox.h"
#include "common/base.h"

enum {
	AGENT_SANDBOX_RULES_MAX = 64,
};

/*
 * Copy the rules.
 * Returns: their number.
 */
size_t agent_sandbox_rules(bool may_write,
                           struct sandbox_rule rules[AGENT_SANDBOX_RULES_MAX]);

#endif
