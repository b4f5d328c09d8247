/*
 * data_passive: listening sockets for passive data connections.
 * Runs in: master, at a worker's question.
 * Source: RFC 959 4.1.2 PASV; RFC 2428 3.
 * Not here: accepting, which the worker does; which port is tried, see passive_plan.h.
 */
#ifndef FTPD_MASTER_DATA_PASSIVE_H
#define FTPD_MASTER_DATA_PASSIVE_H

#include "ftpd/ipc/message.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

enum {
	/*
	 * A worker keeps its listener and so asks once, or again when it had to close it.
	 * A session that asks more often than this is told IPC_BUSY.
	 */
	DATA_PASSIVE_ASKS_MAX = 1000,
	/*
	 * A worker takes connections only when the transfer command has come, and many
	 * clients connect before that: strangers who wait must leave them a place. The
	 * kernel's own limit, net.core.somaxconn, is the same; a queue costs nothing as
	 * long as it is empty.
	 */
	DATA_PASSIVE_BACKLOG = 4096,
};

/*
 * Make a listener on the address of the control connection.
 * Returns: IPC_OK with *ret_fd (the caller's, non-blocking) and *ret_announced; IPC_BUSY
 *          when no port is free; IPC_LOCAL_ERROR.
 */
enum ipc_result data_passive_listen(struct session *session,
                                    const struct generation *generation,
                                    struct addr *ret_announced, int *ret_fd);

#endif
