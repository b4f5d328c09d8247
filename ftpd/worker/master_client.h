/*
 * master_client: the worker's channel to the master.
 * Runs in: deftpd-worker.
 * Source: ftpd/ipc/PROTOCOL.md.
 * Not here: what an answer means for a session; see data.c and handover.c.
 */
#ifndef FTPD_WORKER_MASTER_CLIENT_H
#define FTPD_WORKER_MASTER_CLIENT_H

#include "common/loop.h"
#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

struct worker;
struct master_letter;

struct master_client {
	struct loop_source source;
	struct worker *worker;
	/* messages that the channel could not take yet, or that wait for TAKEN_BACK */
	struct master_letter *first;
	struct master_letter **last;
	bool has_fd_in_flight;
};

/*
 * Watch the channel and say READY.
 * Returns: 0 or negative errno.
 */
int master_client_start(struct worker *worker, int master_fd);

/*
 * Send a message; it waits in memory while the channel is full. passed_fd (-1: none) is
 * closed when it has been sent.
 */
void master_send(struct worker *worker, const struct mw_message *message, int passed_fd);

#endif
