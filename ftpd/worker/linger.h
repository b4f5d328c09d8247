/*
 * linger: data connections whose download has been sent: they wait for the client's
 * close_notify, so that no reset destroys what is still on its way.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 8446 6.1; RFC 1122 4.2.2.13 (close with data unread is a reset).
 * Not here: our own close_notify and FIN, which have been sent.
 */
#ifndef FTPD_WORKER_LINGER_H
#define FTPD_WORKER_LINGER_H

#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

struct linger;
struct session;
struct worker;

enum {
	LINGER_MS = 5000,
	/* read and thrown away from one connection; who sends more gets its reset */
	LINGER_BYTES_MAX = 64 * 1024,
	/* of one worker; then the oldest one is closed */
	LINGER_MAX = 64,
};

/* All last equally long: the oldest runs off first. */
struct linger_list {
	struct linger *oldest;
	struct linger *newest;
	unsigned count;
	/* what the master is told when the last one is gone */
	struct mw_message ended;
	bool owes_ended;
};

/*
 * Take over connection and stream of session->data, which has none then. The session may
 * end meanwhile.
 */
void linger_begin(struct session *session);

/*
 * The session has ended. What it leaves behind keeps a process and connections busy,
 * which the master must go on counting: so it is told when the last one is gone.
 */
void linger_tell_ended(struct worker *worker, const struct mw_message *ended);

/* Close those whose time is up. Called in each turn of the loop. */
void linger_run(struct worker *worker);

/* Close all of them. */
void linger_end_all(struct worker *worker);

/*
 * Returns: how long the loop may sleep for their sake, at most max_ms; -1 stands for no
 *          limit, and is returned when there is none.
 */
int linger_sleep_ms(const struct worker *worker, int max_ms);

#endif
