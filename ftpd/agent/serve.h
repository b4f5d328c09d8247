/*
 * serve: the agent's loop: questions from the channel, and listings and copies that are
 * running.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: the worker.
 * Source: DESIGN.md section 3, rules 3 and 5; ftpd/ipc/PROTOCOL.md.
 * Not here: what a question means; see answer.h.
 */
#ifndef FTPD_AGENT_SERVE_H
#define FTPD_AGENT_SERVE_H

#include "ftpd/agent/rulebook.h"
#include "ftpd/agent/viewer.h"
#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

enum {
	SERVE_MAX_LISTINGS = 16, /* running at a time; one more is answered IPC_BUSY */
	SERVE_MAX_COPIES = 2,    /* likewise */
};

/*
 * Send the answer to AGENT_READY, which nobody asks.
 * Returns: false if the channel has ended already.
 */
bool serve_tell_ready(int channel_fd, enum ipc_result result);

/*
 * Answer questions until the channel ends. Uploads that have not ended then were cut.
 * Returns: the exit status: AGENT_EXIT_DONE at end of file, AGENT_EXIT_PROTOCOL when the
 *          worker broke the wire format or asks without taking the answers.
 */
enum agent_exit serve_run(int channel_fd, struct rulebook *book,
                          const struct viewer *viewer);

#endif
