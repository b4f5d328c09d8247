/*
 * worker_obey: what the master does when a worker says something; everything out of phase
 * ends that worker.
 * Runs in: master. Input: hostile, already well-formed.
 * Source: DESIGN.md section 3, rules 3, 5 and 8; ftpd/ipc/PROTOCOL.md.
 * Not here: making data sockets; see data_passive.h and data_active.h.
 */
#ifndef FTPD_MASTER_WORKER_OBEY_H
#define FTPD_MASTER_WORKER_OBEY_H

#include "ftpd/ipc/master_worker.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

/*
 * Act on one message. The worker may be GONE afterwards.
 * In:      fd: the descriptor that came with it, or -1; owned from now on. -1 with
 *          HAND_BACK: it was lost at our own limit, and with it the client.
 */
void worker_obey(struct worker *worker, const struct mw_message *message, int fd);

#endif
