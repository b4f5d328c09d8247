/*
 * outbox: messages to one worker that wait for their turn: at most one descriptor is on
 * its way at a time.
 * Runs in: master.
 * Source: ftpd/ipc/PROTOCOL.md, "Descriptors".
 * Not here: sending; see worker_link.h. No system call is made here but close, for
 * descriptors that went out.
 */
#ifndef FTPD_MASTER_OUTBOX_H
#define FTPD_MASTER_OUTBOX_H

#include <sys/queue.h>

#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

enum {
	/*
	 * A worker for which so many messages wait has stopped reading; the next one ends
	 * it.
	 */
	OUTBOX_MAX = 1024,
};

struct outbox_entry {
	STAILQ_ENTRY(outbox_entry) next;
	struct mw_message message;
	int fd; /* -1: none; owned */
};

struct outbox {
	STAILQ_HEAD(, outbox_entry) entries;
	size_t count;
	bool is_in_flight; /* a descriptor was sent and the worker has not said TAKEN */
};

void outbox_init(struct outbox *outbox);

/*
 * Append a message.
 * In:      fd: its descriptor, or -1.
 * Returns: 0; -ENOBUFS when OUTBOX_MAX wait, -ENOMEM.
 * Owner:   the outbox owns fd from now on; the caller still does if this fails.
 */
int outbox_push(struct outbox *outbox, const struct mw_message *message, int fd);

/*
 * Look at the message that may be sent now. They leave in order: one without a descriptor
 * does not overtake.
 * Returns: it, or NULL when there is none or the worker must take a descriptor first.
 */
const struct outbox_entry *outbox_next(const struct outbox *outbox);

/*
 * The message of outbox_next() has been sent: its descriptor is closed here and on its
 * way.
 */
void outbox_sent(struct outbox *outbox);

/*
 * Another descriptor than those of the outbox is being sent: an answer's.
 */
void outbox_mark_in_flight(struct outbox *outbox);

/*
 * The worker has said TAKEN.
 * Returns: false if nothing was on its way.
 */
bool outbox_taken(struct outbox *outbox);

/*
 * Take the oldest message out unsent, for a worker that is gone.
 * Returns: true and *ret_message, *ret_fd (the caller's then, or -1); false when the
 *          outbox is empty.
 */
bool outbox_pop(struct outbox *outbox, struct mw_message *ret_message, int *ret_fd);

#endif
