/*
 * signals: what the kernel and the administrator tell, as events of the loop.
 * Runs in: master.
 * Source: signalfd(2).
 */
#ifndef FTPD_MASTER_SIGNALS_H
#define FTPD_MASTER_SIGNALS_H

#include "ftpd/master/master.h"
#include "common/base.h"

/*
 * Block the signals and watch for them: SIGCHLD, SIGHUP (reload), SIGTERM and SIGINT
 * (stop; the second time without waiting). Become the parent of orphans, so that their
 * ends are told here.
 * Returns: 0 or negative errno.
 */
int signals_begin(struct master *master);

#endif
