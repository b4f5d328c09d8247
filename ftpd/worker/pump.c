/*
 * pump: one slice of a transfer, from descriptor to data connection. Never blocks by
 * itself.
 * Runs in: deftpd-worker, on the loop or in an offload thread.
 */
#include "ftpd/worker/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* so little is read in one go: its first page tells for all */
	ONE_PROBE_BYTES = 16 * 1024,
};

static enum pump_result
sink_result(int error)
{
	return error == EAGAIN || error == EINTR ? PUMP_SINK_FULL : PUMP_SINK_BROKEN;
}

/*
 * Ask the kernel whether the next slice is in memory: sendfile would wait for the disk
 * and with it every session. A file system that cannot tell (EOPNOTSUPP) counts as slow.
 */
static bool
is_in_memory(int file_fd, uint64_t offset, uint64_t len)
{
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};

	/*
	 * First and last: read-ahead fills what lies between. A wrong guess costs a wait,
	 * not correctness.
	 */
	return preadv2(file_fd, &part, 1, (off_t)offset, RWF_NOWAIT) >= 0 &&
	       (len <= ONE_PROBE_BYTES ||
	        preadv2(file_fd, &part, 1, (off_t)(offset + len - 1), RWF_NOWAIT) >= 0);
}

static uint64_t
slice_of(const struct transfer *transfer)
{
	uint64_t left =
	    transfer->end > transfer->offset ? transfer->end - transfer->offset : 0;
	uint64_t slice = transfer->session->worker->transfer_count > TRANSFER_CROWD
	                     ? TRANSFER_CROWD_BYTES
	                     : TRANSFER_SLICE_BYTES;

	return left < slice ? left : slice;
}

static enum pump_result
send_file(struct transfer *transfer, int connection_fd)
{
	uint64_t len = slice_of(transfer);
	off_t offset = (off_t)transfer->offset;
	ssize_t sent;

	if (len == 0) {
		return PUMP_DONE;
	}
	if (!transfer->is_fetched && !transfer->is_in_memory &&
	    !is_in_memory(transfer->file_fd, transfer->offset, len)) {
		return PUMP_WOULD_BLOCK;
	}
	transfer->is_fetched = false;
	sent = sendfile(connection_fd, transfer->file_fd, &offset, len);
	if (sent < 0) {
		return errno == EIO ? PUMP_SOURCE_BROKEN : sink_result(errno);
	}
	if (sent == 0) {
		/* somebody has made the file shorter (SECURITY.md F16) */
		return PUMP_SOURCE_BROKEN;
	}
	transfer->has_moved = true;
	transfer->offset += (uint64_t)sent;
	transfer->sent += (uint64_t)sent;
	if (transfer->offset >= transfer->end) {
		return PUMP_DONE;
	}
	return (uint64_t)sent < len ? PUMP_SINK_FULL : PUMP_MORE;
}

static enum pump_result
splice_pipe(struct transfer *transfer, int connection_fd)
{
	struct pollfd pipe_state = {.fd = transfer->file_fd, .events = POLLIN};
	ssize_t moved = splice(transfer->file_fd, NULL, connection_fd, NULL,
	                       TRANSFER_SLICE_BYTES, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (moved > 0) {
		transfer->has_moved = true;
		transfer->sent += (uint64_t)moved;
		return PUMP_MORE;
	}
	if (moved == 0) {
		return PUMP_DONE;
	}
	if (errno != EAGAIN && errno != EINTR) {
		return PUMP_SINK_BROKEN;
	}
	/* Either end may be the reason. */
	return poll(&pipe_state, 1, 0) > 0 ? PUMP_SINK_FULL : PUMP_SOURCE_EMPTY;
}

static enum pump_result
flush_buffer(struct transfer *transfer, int connection_fd)
{
	while (transfer->buffer_at < transfer->buffer_len) {
		ssize_t sent = send(connection_fd, transfer->buffer + transfer->buffer_at,
		                    transfer->buffer_len - transfer->buffer_at,
		                    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0) {
			return sink_result(errno);
		}
		transfer->has_moved = true;
		transfer->buffer_at += (size_t)sent;
		transfer->sent += (uint64_t)sent;
	}
	transfer->buffer_at = 0;
	transfer->buffer_len = 0;
	return PUMP_MORE;
}

/* Read the next piece of the file and convert it into the empty buffer. */
static enum pump_result
fill_buffer(struct transfer *transfer)
{
	char raw[TRANSFER_ASCII_IN_BYTES];
	uint64_t left = transfer->end - transfer->offset;
	struct iovec part = {.iov_base = raw,
	                     .iov_len = left < sizeof(raw) ? (size_t)left : sizeof(raw)};
	ssize_t len =
	    preadv2(transfer->file_fd, &part, 1, (off_t)transfer->offset,
	            transfer->is_fetched || transfer->is_in_memory ? 0 : RWF_NOWAIT);

	if (len < 0) {
		return errno == EAGAIN || errno == EOPNOTSUPP ? PUMP_WOULD_BLOCK
		                                              : PUMP_SOURCE_BROKEN;
	}
	if (len == 0) {
		return PUMP_SOURCE_BROKEN;
	}
	transfer->is_fetched = false;
	transfer->has_moved = true; /* skipped text is progress, too */
	transfer->offset += (uint64_t)len;
	transfer->buffer_len = ascii_convert(&transfer->ascii, (const uint8_t *)raw,
	                                     (size_t)len, transfer->buffer);
	transfer->buffer_at = ascii_skip(&transfer->skip, transfer->buffer_len);
	return PUMP_MORE;
}

static enum pump_result
send_ascii(struct transfer *transfer, int connection_fd)
{
	enum pump_result result;

	if (transfer->buffer == NULL) {
		transfer->buffer = malloc(2 * TRANSFER_ASCII_IN_BYTES);
		if (transfer->buffer == NULL) {
			return PUMP_SOURCE_BROKEN;
		}
	}
	for (int i = 0; i < 4; i++) {
		result = flush_buffer(transfer, connection_fd);
		if (result != PUMP_MORE) {
			return result;
		}
		if (transfer->offset >= transfer->end) {
			return PUMP_DONE;
		}
		result = fill_buffer(transfer);
		if (result != PUMP_MORE) {
			return result;
		}
	}
	return PUMP_MORE;
}

enum pump_result
pump_slice(struct transfer *transfer, int connection_fd)
{
	switch (transfer->from) {
	case TRANSFER_FROM_FILE: return send_file(transfer, connection_fd);
	case TRANSFER_FROM_ASCII: return send_ascii(transfer, connection_fd);
	case TRANSFER_FROM_PIPE: return splice_pipe(transfer, connection_fd);
	}
	return PUMP_SOURCE_BROKEN;
}

int
pump_fetch(int file_fd, uint64_t offset, uint64_t end)
{
	char scratch[64 * 1024];
	uint64_t stop =
	    end - offset > TRANSFER_SLICE_BYTES ? offset + TRANSFER_SLICE_BYTES : end;

	while (offset < stop) {
		ssize_t len = pread(file_fd, scratch, sizeof(scratch), (off_t)offset);

		if (len < 0 && errno != EINTR) {
			return -errno;
		}
		if (len == 0) {
			return 0; /* the pump will find out that the file is shorter */
		}
		offset += len > 0 ? (uint64_t)len : 0;
	}
	return 0;
}
