/*
 * outlet: where lines leave the recorder. Putting one in never blocks; a thread of its
 * own writes them, several at a time, and may wait for ever.
 * Runs in: recorder: all functions in its main thread.
 * Source: SECURITY.md R15: a stopped reader or a full disk must not stop a session.
 * Not here: the form of a line; opening a file, which is the master's.
 */
#ifndef FTPD_RECORDER_OUTLET_H
#define FTPD_RECORDER_OUTLET_H

#include <pthread.h>

#include "ftpd/recorder/ring.h"
#include "common/base.h"

enum {
	/* Some 40,000 lines. When it is full, lines are dropped and counted. */
	OUTLET_RING_BYTES = 4 * 1024 * 1024,
	/* So much is written by one system call at most; the longest piece fits. */
	OUTLET_BATCH_BYTES = 64 * 1024,
};

/* What a piece is, and so which descriptor it goes to. */
enum outlet_kind {
	OUTLET_LINE,    /* for the file or stream */
	OUTLET_JOURNAL, /* a datagram for journald */
};

/* Lines that will never be read, and why: an errno, or 0 when the ring was full. */
struct outlet_loss {
	uint64_t count;
	int error;
};

struct outlet {
	/* guards all that follows up to `thread`; held for copying only */
	pthread_mutex_t lock;
	pthread_cond_t has_work;
	pthread_cond_t is_idle;
	struct ring ring;
	/* owned unless it is a standard stream; -1: lines are dropped, without count */
	int line_fd;
	int journal_fd;   /* owned; -1: none */
	int next_line_fd; /* replaces line_fd; -1: nothing to replace */
	bool is_writing;  /* a batch is out of the ring and not yet written */
	/*
	 * bytes in the ring at which the thread wants to be woken; SIZE_MAX: it is awake
	 */
	size_t wake_at;
	int last_error; /* errno of the last write, 0 when it succeeded */
	struct outlet_loss loss;
	pthread_t thread;
	/* eventfd: line_fd is to be replaced, although the thread waits for it */
	int wake_fd;
	char *batch; /* the thread's own */
};

/*
 * Make the ring and its thread. The thread has the caller's system call filter.
 * In:      line_fd: or -1; journal_fd: a connected datagram socket, or -1. Owned by the
 *          outlet from now on.
 * Returns: 0 or negative errno.
 */
int outlet_start(struct outlet *outlet, int line_fd, int journal_fd);

/*
 * Put a piece in, or drop it and count. An outlet without a descriptor for it drops
 * without counting.
 */
void outlet_put(struct outlet *outlet, enum outlet_kind kind, const char *bytes,
                size_t len);

/*
 * Let lines go to another descriptor from now on, those included that wait. Owner: the
 * outlet owns line_fd.
 */
void outlet_replace(struct outlet *outlet, int line_fd);

/*
 * Ask whether lines were lost, once it is worth saying so: when writing works again and
 * there is room.
 * Returns: true and *ret_loss, which is forgotten here.
 */
bool outlet_take_loss(struct outlet *outlet, struct outlet_loss *ret_loss);

/*
 * Ask how the last write ended.
 * Returns: 0, or its errno.
 */
int outlet_last_error(struct outlet *outlet);

/*
 * Wait until all is written.
 * Returns: false if timeout_ms passed before.
 */
bool outlet_flush(struct outlet *outlet, unsigned timeout_ms);

#endif
