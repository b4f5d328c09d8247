/*
 * pump: one slice of a transfer, from descriptor to data connection. Never blocks by
 * itself.
 * Runs in: deftpd-worker, on the loop or in an offload thread.
 * Source: sendfile(2), splice(2), preadv2(2) RWF_NOWAIT; PERF.md, "What a new server
 * should do".
 * Not here: whom to wait for next (transfer.c).
 */
#ifndef FTPD_WORKER_PUMP_H
#define FTPD_WORKER_PUMP_H

#include "ftpd/worker/transfer.h"
#include "common/base.h"

enum pump_result {
	PUMP_MORE,         /* the slice is used up */
	PUMP_DONE,         /* all is sent */
	PUMP_SINK_FULL,    /* wait until the connection can take more */
	PUMP_SOURCE_EMPTY, /* wait until the pipe has more */
	/* the file's next bytes are not in memory: a thread should read them */
	PUMP_WOULD_BLOCK,
	PUMP_SINK_BROKEN,
	/* input/output error, or the file has become shorter than was announced */
	PUMP_SOURCE_BROKEN,
};

/*
 * Move at most one slice. Updates offset, sent, skip, buffer and has_moved.
 * Returns: what to do next.
 */
enum pump_result pump_slice(struct transfer *transfer, int connection_fd);

/*
 * Bring the next slice of the file into memory. Blocks: only for an offload thread.
 * Returns: 0 or negative errno.
 */
int pump_fetch(int file_fd, uint64_t offset, uint64_t end);

#endif
