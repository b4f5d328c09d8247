/*
 * assign: which worker gets which client, who waits for one, and the end of a session.
 * Runs in: master.
 * Source: DESIGN.md section 2.
 * Not here: who is let in; see accept.h.
 */
#ifndef FTPD_MASTER_ASSIGN_H
#define FTPD_MASTER_ASSIGN_H

#include "ftpd/master/master.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

/*
 * Give the client to a worker, or let it wait for one.
 * In:      fd: the client's socket; owned from now on.
 */
void assign_session(struct master *master, struct session *session, int fd);

/* A worker has become ready: give it those who wait. */
void assign_waiting(struct master *master);

/* Another generation serves now: everyone who waits may want another kind of worker. */
void assign_again(struct master *master);

/* Send those who wait away: nobody will serve them. */
void assign_refuse_waiting(struct master *master);

/* A shared worker has room again: listening goes on. */
void assign_uncrowd(struct master *master);

/* The session is over: it leaves every list and counts no more. */
void assign_end_session(struct master *master, struct session *session);

#endif
