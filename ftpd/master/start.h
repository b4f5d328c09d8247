/*
 * start: the order of everything between the command line and the first client, and the
 * life after it.
 * Runs in: master.
 * Not here: the command line itself; see main.c.
 */
#ifndef FTPD_MASTER_START_H
#define FTPD_MASTER_START_H

#include "ftpd/master/master.h"
#include "common/base.h"

/*
 * Run the daemon until it is told to stop.
 * Returns: exit status: 0 after an orderly stop, 1 if it could not start.
 */
int start_run(const struct invocation *invocation);

#endif
