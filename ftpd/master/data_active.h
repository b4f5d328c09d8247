/*
 * data_active: outgoing data connections, to the client's own address and nowhere else.
 * Runs in: master, at a worker's question. Input: the target that the worker names;
 * hostile.
 * Source: RFC 959 4.1.2 PORT; RFC 2577 3; DESIGN.md section 3, rule 8.
 * Not here: waiting until the connection stands, which the worker does.
 */
#ifndef FTPD_MASTER_DATA_ACTIVE_H
#define FTPD_MASTER_DATA_ACTIVE_H

#include "ftpd/conf/options.h"
#include "ftpd/ipc/message.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

enum {
	/* Below it live services that could be harmed by a stranger's bytes. */
	DATA_ACTIVE_PORT_MIN = 1024,
};

/*
 * Begin to connect to session->target.
 * In:      may_use_low_ports: active_port may be bound although it is below 1024.
 * Returns: IPC_OK with *ret_fd (the caller's, non-blocking, connecting); IPC_DENIED for
 *          another host or a low port; IPC_UNREACHABLE.
 */
enum ipc_result data_active_connect(const struct session *session,
                                    const struct options *options, bool may_use_low_ports,
                                    int *ret_fd);

/*
 * Find out whether this process may bind the port.
 * Returns: true if it may, or if nobody can tell.
 */
bool data_active_may_bind(uint16_t port);

#endif
