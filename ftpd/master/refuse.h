/*
 * refuse: sends a client away with one line and an orderly close.
 * Runs in: master, which never reads from a client's socket.
 * Source: RFC 959 5.4, 421 in place of a greeting; DESIGN.md section 2.
 * Not here: whom to refuse; see admit.h.
 */
#ifndef FTPD_MASTER_REFUSE_H
#define FTPD_MASTER_REFUSE_H

#include "ftpd/master/admit.h"
#include "ftpd/master/master.h"
#include "common/base.h"

/*
 * Send the line if the socket takes it at once, end the stream, and close a moment later:
 * bytes that the client has sent and nobody has read would turn the close into a reset,
 * and the reset could overtake the line.
 * In:      fd: owned from now on. text: with CR LF; NULL: a client of implicit TLS, who
 *          could not read it.
 */
void refuse_client(struct master *master, int fd, const char *text);

/* Refuse a client that was not admitted, and count it for the log. */
void refuse_unadmitted(struct master *master, int fd, enum admit_result why,
                       bool is_implicit_tls);

/* Close the sockets of all who were refused. */
void refuse_end(struct master *master);

#endif
