/*
 * filter: the agent's two system call filters as programs, made by gen/filter_gen.c when
 * the agent is built: at each start that would take longer than all the rest.
 * Runs in: deftpd-agent.
 * Not here: the rules; see sandbox_rules.h.
 */
#ifndef FTPD_AGENT_FILTER_H
#define FTPD_AGENT_FILTER_H

#include <linux/filter.h>

#include "common/base.h"

/*
 * Get the program for an agent that only reads, or for one that writes.
 * Returns: its instructions, constant.
 */
const struct sock_filter *agent_filter(bool may_write, unsigned short *ret_count);

#endif
