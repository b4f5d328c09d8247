/*
 * cmd_site: the copy that SITE CPTO has begun, for those who own the session.
 * Runs in: deftpd-worker.
 */
#ifndef FTPD_WORKER_CMD_SITE_H
#define FTPD_WORKER_CMD_SITE_H

#include "common/base.h"

struct session;

/* ABOR: cancel the copy and reply for it. Harmless without one. */
void cmd_site_cancel(struct session *session);

/* STAT: tell how far it has come. There must be one. */
void cmd_site_tell(struct session *session);

/* Drop the copy with its session, or because it stalls; harmless without one. */
void cmd_site_drop(struct session *session);

#endif
