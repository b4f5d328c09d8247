/*
 * cmd_stat: the listing that STAT sends over the control connection, for those who own
 * the session.
 * Runs in: deftpd-worker.
 */
#ifndef FTPD_WORKER_CMD_STAT_H
#define FTPD_WORKER_CMD_STAT_H

#include "common/base.h"

struct session;

/* Drop the listing with its session; harmless without one. */
void cmd_stat_drop(struct session *session);

/* The client has taken replies: there may be room for more of the listing. */
void cmd_stat_resume(struct session *session);

#endif
