/*
 * session_timer: how long a session may be silent, and what happens then.
 * Runs in: deftpd-worker.
 * Source: RFC 1123 4.1.3.2 (idle timeout); SECURITY.md R2, D8, D13.
 */
#ifndef FTPD_WORKER_SESSION_TIMER_H
#define FTPD_WORKER_SESSION_TIMER_H

#include "common/timer.h"
#include "common/base.h"

struct session;

/*
 * Returns: the session that the timer is a part of.
 */
struct session *session_of_timer(struct timer *timer);

/* Note a sign of life: the current timeout begins anew. */
void session_touch(struct session *session);

/*
 * The state has changed and with it the timeout: let the timer look at once whether it is
 * shorter now.
 */
void session_arm_timer(struct session *session);

/* The timer has run off: see whether time is up, and act. */
void session_handle_timer(struct session *session);

#endif
