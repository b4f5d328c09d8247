/*
 * worker_end: how a worker ends: its channel, its sessions, its process.
 * Runs in: master.
 * Not here: who takes its place; see pool.h and renew.h.
 */
#ifndef FTPD_MASTER_WORKER_END_H
#define FTPD_MASTER_WORKER_END_H

#include <sys/types.h>

#include "ftpd/master/worker_link.h"
#include "common/base.h"

/* Its process is known, or (pid 0) could not be made. */
void worker_forked(struct worker *worker, pid_t pid);

/* Kill its process, if that is known; else it is killed when it is. */
void worker_kill(struct worker *worker);

/*
 * Its channel is at its end. Clients that had not reached it get another worker, its
 * sessions are over. The object stays in master->gone until its process has been waited
 * for. Harmless when it is GONE.
 */
void worker_gone(struct worker *worker);

/* Free the workers of which nothing is left. */
void worker_sweep(struct master *master);

#endif
