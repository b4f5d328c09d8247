/*
 * session_record: tells the recorder which worker has which session. The recorder
 * believes a worker only about its own sessions, so these records are never dropped: what
 * its channel does not take now is sent later, and all again to a new recorder.
 * Runs in: master.
 * Source: RECORD_SESSION_BEGIN in ftpd/ipc/record.h.
 * Not here: the recorder's channel; see recorder_link.h.
 */
#ifndef FTPD_MASTER_SESSION_RECORD_H
#define FTPD_MASTER_SESSION_RECORD_H

#include "ftpd/master/master.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

/* A worker gets the session. */
void session_record_begin(struct master *master, struct session *session);

/* The session is over, and its worker could not say so. */
void session_record_end(struct master *master, struct session *session);

/* The session ends: what has not been told of it goes behind what waits already. */
void session_record_forget(struct master *master, struct session *session);

/* A new recorder knows of no session. */
void session_record_all(struct master *master);

/* Tell what is still untold, as far as the channel takes it. */
void session_record_pump(struct master *master);

#endif
