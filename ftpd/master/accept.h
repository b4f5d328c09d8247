/*
 * accept: takes clients from the listeners, admits them or not, and passes them on.
 * Runs in: master. Input: connections; not a byte of theirs is read.
 * Source: DESIGN.md section 2.
 * Not here: the limits (admit.h) and which worker a client gets (assign.h).
 */
#ifndef FTPD_MASTER_ACCEPT_H
#define FTPD_MASTER_ACCEPT_H

#include "ftpd/master/master.h"
#include "common/base.h"

/* The handler of a listener's source. */
void accept_handle(struct loop_source *source, uint32_t events);

/* Let clients wait in the kernel's queue. */
void accept_pause(struct master *master);

/* Take clients again, unless something else still speaks against it. */
void accept_resume(struct master *master);

/*
 * Returns: true if clients are taken at present.
 */
bool accept_is_open(const struct master *master);

/*
 * Make a session for a connection. The descriptor stays the caller's.
 * Returns: the session, which no worker has yet, with its addresses and cookie; NULL when
 *          memory or slots ran out or the connection is gone.
 */
struct session *accept_session(struct master *master, int fd, const struct addr *peer);

/*
 * Ask the kernel for its name of a socket, by which the same socket is known again.
 * Returns: true and *ret_cookie; false if it is no socket.
 */
bool accept_cookie(int fd, uint64_t *ret_cookie);

#endif
