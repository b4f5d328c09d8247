/*
 * control: the control connection: bytes become lines, lines become commands, replies go
 * out.
 * Runs in: deftpd-worker (the protocol interpreter of RFC 959 2.3). Input: hostile.
 * Source: RFC 959 3 and 4.2; RFC 1123 4.1.2.10 (Telnet); DESIGN.md section 4.
 * Not here: what a command means (dispatch.c), what a line is (ftpd/proto/line.h).
 */
#ifndef FTPD_WORKER_CONTROL_H
#define FTPD_WORKER_CONTROL_H

#include "ftpd/ipc/master_worker.h"
#include "ftpd/proto/reply.h"
#include "common/base.h"

struct session;

/*
 * Watch the connection and greet, unless another worker has greeted already.
 * Returns: 0 or negative errno; the session owns control_fd only after 0.
 */
int control_start(struct session *session, int control_fd, bool is_handed_over);

/* Reply with one line. A %s may hold anything: proto/reply cleans the text. */
void control_reply(struct session *session, enum reply_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reply with the lines of a text, ended by LF, and `last` as the last one. Lines that
 * find no room any more, some 2 KiB of text, are left out.
 */
void control_reply_lines(struct session *session, enum reply_code code, const char *text,
                         size_t len, const char *last);

/* Reply with lines that are already formatted, ends included. */
void control_send(struct session *session, const char *bytes, size_t len);

/*
 * Keep replies back until control_flush(), so that several leave in one packet. Both in
 * one turn of the loop: a reply may wait for work, but not for anybody.
 */
void control_hold(struct session *session);
void control_flush(struct session *session);

/* Wipe what the client has said and what is still kept of it, before it is freed. */
void control_wipe(struct session *session);

/* The command is answered: take up the next one, if it has come. */
void control_continue(struct session *session);

/*
 * The last reply has been given: take no further command and end the session when the
 * client has it. What was held back leaves now.
 */
void control_end(struct session *session, enum mw_end end);

/*
 * Throw away what the client has said since, up to a bound: bytes that nobody has read
 * would turn the close, which is next, into a reset, and the client might lose the last
 * reply.
 */
void control_drain(const struct session *session, int control_fd);

/* Reply 421 and end the session. */
void control_time_out(struct session *session);

/* Reply 421 with a reason and end the session, because the service ends. */
void control_shut_down(struct session *session);

#endif
