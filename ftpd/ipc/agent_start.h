/*
 * agent_start: how an agent is started and how it ends.
 * Runs in: master (starts it), agent.
 * Source: DESIGN.md section 3, rule 6.
 * Not here: what an agent is asked; see agent.h.
 */
#ifndef FTPD_IPC_AGENT_START_H
#define FTPD_IPC_AGENT_START_H

#include "ftpd/ipc/message.h"
#include "common/base.h"

/*
 * How an agent is to confine itself: sent once by the master as the first message of the
 * agent's start channel, with the root directory path. The agent reads it before it
 * becomes anybody.
 */
struct agent_start {
	uint32_t uid; /* ignored when the agent does not run as root */
	uint32_t gid;
	bool has_sandbox; /* false: sandbox = off */
	const char *root; /* absolute host path */
	size_t root_len;
};

/*
 * Encode the start record.
 * Returns: length, 0 if it does not fit.
 */
size_t agent_start_encode(const struct agent_start *start, uint8_t *bytes, size_t cap);

/*
 * Decode the start record to the last byte.
 * Returns: true and *ret_start, whose root points into bytes.
 */
bool agent_start_decode(const uint8_t *bytes, size_t len, struct agent_start *ret_start);

/* Exit status of an agent that could not start, for the master's log line. */
enum agent_exit {
	AGENT_EXIT_DONE = 0,      /* end of file on the channel */
	AGENT_EXIT_START = 10,    /* no or bad start record */
	AGENT_EXIT_ROOT = 11,     /* the root directory cannot be opened */
	AGENT_EXIT_BECOME = 12,   /* the user could not be become */
	AGENT_EXIT_SANDBOX = 13,  /* Landlock or the filter failed */
	AGENT_EXIT_PROTOCOL = 14, /* the worker broke the wire format */
};

#endif
