/*
 * channel: the recorder's end of each worker's channel, and what a worker may say on it.
 * Runs in: recorder. Input: records of workers, hostile.
 * Source: DESIGN.md section 3, rules 5 and 12; ftpd/ipc/PROTOCOL.md.
 * Not here: the master's channel; see recorder.h.
 */
#ifndef FTPD_RECORDER_CHANNEL_H
#define FTPD_RECORDER_CHANNEL_H

#include <sys/queue.h>

#include "common/loop.h"
#include "common/base.h"

struct recorder;

enum {
	CHANNEL_BUCKETS = 256,
	CHANNEL_READ = 16, /* messages read by one system call */
	/*
	 * Messages taken at one event, so that a loud worker does not hold the others up.
	 */
	CHANNEL_BATCH = 64,
	/*
	 * More than a channel can hold (about 280): after so many, all that was in it
	 * before has been read.
	 */
	CHANNEL_EMPTY = 1024,
};

struct channel {
	struct loop_source source; /* first */
	LIST_ENTRY(channel) next;
	struct recorder *recorder;
	int fd;
	uint32_t worker;
};

LIST_HEAD(channel_bucket, channel);

struct channel_table {
	struct channel_bucket buckets[CHANNEL_BUCKETS];
	size_t count;
};

/*
 * Begin to listen to a worker. An earlier channel under this number is read to its end as
 * well.
 * Returns: 0 or negative errno.
 * Owner:   the table owns fd, in any case.
 */
int channel_open(struct recorder *recorder, uint32_t worker, int fd);

/* Read what the worker has said up to now. Harmless for a number without channel. */
void channel_empty(struct recorder *recorder, uint32_t worker);

/* Close all of them. */
void channel_close_all(struct recorder *recorder);

#endif
