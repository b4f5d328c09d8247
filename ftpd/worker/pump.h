/*
 * pump: one slice of a transfer, between a descriptor and the data connection. Never
 * blocks by itself.
 * Runs in: deftpd-worker, on the loop or in an offload thread.
 * Source: sendfile(2), splice(2), preadv2(2) RWF_NOWAIT; PERF.md, "What a new server
 * should do".
 * Not here: whom to wait for next (transfer.c).
 *
 * Uploads are received into one large buffer and written from there. Splicing them
 * through a pipe as large was measured to cost the same, and would need a pipe, which a
 * confined worker cannot make.
 */
#ifndef FTPD_WORKER_PUMP_H
#define FTPD_WORKER_PUMP_H

#include "ftpd/worker/transfer.h"
#include "common/base.h"

enum {
	/*
	 * Received and written in one go where writing does not wait: one buffer for the
	 * whole worker. A smaller one costs more (64 KiB: twice as much).
	 */
	PUMP_SHARED_BYTES = 1024 * 1024,
	/* What of it is kept while no upload moves. */
	PUMP_KEPT_BYTES = 64 * 1024,
	/* A buffer for a thread to write from; in a crowd the smaller one. */
	PUMP_THREAD_BYTES = 512 * 1024,
	PUMP_THREAD_CROWD_BYTES = 64 * 1024,
	/* After so many bytes it is looked again whether enough space is left. */
	PUMP_SPACE_CHECK_BYTES = 16 * 1024 * 1024,
};

enum pump_result {
	PUMP_MORE, /* the slice is used up */
	/*
	 * all is sent, or all was received and written, which with TLS is the client's
	 * word only if not transfer->is_unnotified
	 */
	PUMP_DONE,
	/* wait until the connection can take more, or has more */
	PUMP_CONNECTION_BUSY,
	PUMP_PIPE_EMPTY, /* wait until the pipe has more */
	PUMP_PACED,      /* wait as long as rate_wait_ms() says */
	/*
	 * A thread should read the file's next bytes, which are not in memory, or write
	 * what is in transfer->buffer.
	 */
	PUMP_WOULD_BLOCK,
	PUMP_CONNECTION_BROKEN,
	/*
	 * transfer->error says what was wrong with the file: -EIO also when it has become
	 * shorter than was announced
	 */
	PUMP_FILE_BROKEN,
};

/*
 * Move at most one slice, over session->data of the transfer. Updates the transfer.
 * Returns: what to do next. After PUMP_DONE of a download the stream, if there is one,
 *          may still hold something: tls_stream_close() sends it.
 */
enum pump_result pump_slice(struct transfer *transfer);

/*
 * Returns: up to where pump_fetch() reads, when it begins at offset.
 */
uint64_t pump_fetch_end(uint64_t offset, uint64_t end);

/*
 * Bring the next slice of the file into memory. Blocks: only for an offload thread.
 * Returns: 0 or negative errno.
 */
int pump_fetch(int file_fd, uint64_t offset, uint64_t end);

/*
 * Write all of this to the file. May block.
 * In:      place: where, and how far; moved on by what was written.
 * Returns: 0 or negative errno: -EFBIG above place->limit, -ENOSPC when less than
 *          place->min_free_bytes would be left.
 */
int pump_store(int file_fd, const char *bytes, size_t len, struct transfer_place *place);

#endif
