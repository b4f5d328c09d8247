/*
 * control_parts: what the files of control.h know of one another: control.c has the
 * events, control_line.c the lines, control_send.c the replies.
 * Runs in: deftpd-worker.
 */
#ifndef FTPD_WORKER_CONTROL_PARTS_H
#define FTPD_WORKER_CONTROL_PARTS_H

#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

struct session;

/* control.c */
/* Let the loop wake us for what can be done. */
void control_watch(struct session *session);

/* control_line.c */
/*
 * Assemble and carry out lines as long as there are bytes and nothing stands in the way;
 * what must wait is kept.
 * In:      bytes: what has just been received, behind all that is kept already. Not the
 *          session's own buffer.
 */
void control_take(struct session *session, const uint8_t *bytes, size_t len);

/* Go on with what was kept. */
void control_take_kept(struct session *session);

/*
 * Have a buffer for the line that is being assembled.
 * Returns: false without memory.
 */
bool control_get_text(struct session *session);

/* Give it back, unless something is in it. */
void control_release_text(struct session *session);

/* A private worker's lines may be secrets: none is left behind (SECURITY.md A21). */
void control_wipe_bytes(const struct session *session, void *bytes, size_t len);

/* control_send.c */
/*
 * Ask whether the client has not taken all replies yet.
 * Returns: true if something waits.
 */
bool control_has_output(const struct session *session);

/* Send what was kept; a session that is stopped ends when all of it has left. */
void control_send_kept(struct session *session);

#endif
