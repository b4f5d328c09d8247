/*
 * start: reads the start record that this process was given.
 * Runs in: deftpd-agent, first of all, still as who started it.
 * Source: ftpd/ipc/agent_start.h; SECURITY.md 3.3.
 * Not here: what is done with it; see become.h.
 */
#ifndef FTPD_AGENT_START_H
#define FTPD_AGENT_START_H

#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

/*
 * Read the sealed memory file at IPC_OPTIONS_FD and close it.
 * Out:     ret_start: its texts point into memory that stays as long as the process; the
 *          root is terminated.
 * Returns: true if there is a well-formed record in a file that nobody can change.
 */
bool start_read(struct agent_start *ret_start);

#endif
