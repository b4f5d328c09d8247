/*
 * pump: one slice of a transfer, between a descriptor and the data connection. Never
 * blocks by itself.
 * Runs in: deftpd-worker, on the loop or in an offload thread.
 */
#include "ftpd/worker/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* so little is read in one go: its first page tells for all */
	ONE_PROBE_BYTES = 16 * 1024,
};

static enum pump_result
connection_result(int error)
{
	return error == EAGAIN || error == EINTR ? PUMP_CONNECTION_BUSY
	                                         : PUMP_CONNECTION_BROKEN;
}

static enum pump_result
break_file(struct transfer *transfer, int negative_errno)
{
	transfer->error = negative_errno;
	return PUMP_FILE_BROKEN;
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
slice_max(const struct transfer *transfer)
{
	return transfer->session->worker->transfer_count > TRANSFER_CROWD
	           ? TRANSFER_CROWD_BYTES
	           : TRANSFER_SLICE_BYTES;
}

static uint64_t
slice_of(const struct transfer *transfer)
{
	uint64_t left =
	    transfer->end > transfer->offset ? transfer->end - transfer->offset : 0;
	uint64_t slice = slice_max(transfer);

	return left < slice ? left : slice;
}

/* So many bytes went over the data connection. */
static void
note_moved(struct transfer *transfer, size_t len)
{
	transfer->has_moved = true;
	transfer->moved += len;
	rate_moved(transfer->session, transfer_is_upload(transfer), len);
}

static enum pump_result
send_file(struct transfer *transfer, int connection_fd)
{
	uint64_t left = slice_of(transfer);
	uint64_t len = rate_allow(transfer->session, false, left);
	off_t offset = (off_t)transfer->offset;
	ssize_t sent;

	if (left == 0) {
		return PUMP_DONE;
	}
	if (len == 0) {
		return PUMP_PACED;
	}
	if (!transfer->is_fetched && !transfer->is_quick &&
	    !is_in_memory(transfer->file_fd, transfer->offset, len)) {
		return PUMP_WOULD_BLOCK;
	}
	transfer->is_fetched = false;
	sent = sendfile(connection_fd, transfer->file_fd, &offset, len);
	if (sent < 0) {
		return errno == EIO ? break_file(transfer, -EIO)
		                    : connection_result(errno);
	}
	if (sent == 0) {
		/* somebody has made the file shorter (SECURITY.md F16) */
		return break_file(transfer, -EIO);
	}
	note_moved(transfer, (size_t)sent);
	transfer->offset += (uint64_t)sent;
	if (transfer->offset >= transfer->end) {
		return PUMP_DONE;
	}
	return (uint64_t)sent < len ? PUMP_CONNECTION_BUSY : PUMP_MORE;
}

static enum pump_result
splice_pipe(struct transfer *transfer, int connection_fd)
{
	struct pollfd pipe_state = {.fd = transfer->file_fd, .events = POLLIN};
	size_t len = rate_allow(transfer->session, false, TRANSFER_SLICE_BYTES);
	ssize_t moved;

	if (len == 0) {
		return PUMP_PACED;
	}
	moved = splice(transfer->file_fd, NULL, connection_fd, NULL, len,
	               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (moved > 0) {
		note_moved(transfer, (size_t)moved);
		return PUMP_MORE;
	}
	if (moved == 0) {
		return PUMP_DONE;
	}
	if (errno != EAGAIN && errno != EINTR) {
		return PUMP_CONNECTION_BROKEN;
	}
	/* Either end may be the reason. */
	return poll(&pipe_state, 1, 0) > 0 ? PUMP_CONNECTION_BUSY : PUMP_PIPE_EMPTY;
}

static enum pump_result
flush_buffer(struct transfer *transfer, int connection_fd)
{
	while (transfer->buffer_at < transfer->buffer_len) {
		size_t len = rate_allow(transfer->session, false,
		                        transfer->buffer_len - transfer->buffer_at);
		ssize_t sent;

		if (len == 0) {
			return PUMP_PACED;
		}
		sent = send(connection_fd, transfer->buffer + transfer->buffer_at, len,
		            MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0) {
			return connection_result(errno);
		}
		note_moved(transfer, (size_t)sent);
		transfer->buffer_at += (size_t)sent;
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
	            transfer->is_fetched || transfer->is_quick ? 0 : RWF_NOWAIT);

	if (len < 0) {
		return errno == EAGAIN || errno == EOPNOTSUPP
		           ? PUMP_WOULD_BLOCK
		           : break_file(transfer, -errno);
	}
	if (len == 0) {
		return break_file(transfer, -EIO);
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
			return break_file(transfer, -ENOMEM);
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

static bool
is_space_left(int file_fd, struct transfer_place *place)
{
	struct statfs info;

	if (place->min_free_bytes == 0 || place->offset < place->check_at) {
		return true;
	}
	place->check_at = place->offset + PUMP_SPACE_CHECK_BYTES;
	/* a file system in memory without a size tells of no blocks at all */
	return fstatfs(file_fd, &info) != 0 || info.f_blocks == 0 ||
	       (uint64_t)info.f_bavail * (uint64_t)info.f_bsize >= place->min_free_bytes;
}

int
pump_store(int file_fd, const char *bytes, size_t len, struct transfer_place *place)
{
	uint64_t room = place->limit > place->offset ? place->limit - place->offset : 0;
	size_t fitting = len < room ? len : (size_t)room;
	size_t at = 0;

	if (!is_space_left(file_fd, place)) {
		return -ENOSPC;
	}
	while (at < fitting) {
		ssize_t written =
		    pwrite(file_fd, bytes + at, fitting - at, (off_t)place->offset);

		if (written < 0 && errno != EINTR) {
			return -errno;
		}
		if (written == 0) {
			return -EIO; /* a file system that neither writes nor says why */
		}
		at += written > 0 ? (size_t)written : 0;
		place->offset += written > 0 ? (uint64_t)written : 0;
	}
	return fitting < len ? -EFBIG : 0;
}

/* Returns: the buffer that all quick uploads of the worker use in turn, or NULL. */
static char *
shared_buffer(struct worker *worker)
{
	void *memory;

	if (worker->upload_buffer == NULL) {
		/* In whole pages, which are there only once they are touched. */
		memory = mmap(NULL, PUMP_SHARED_BYTES, PROT_READ | PROT_WRITE,
		              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		worker->upload_buffer = memory != MAP_FAILED ? memory : NULL;
	}
	return worker->upload_buffer;
}

/* Returns: where to receive, *ret_size bytes; NULL without memory. */
static char *
get_buffer(struct transfer *transfer, size_t *ret_size)
{
	struct worker *worker = transfer->session->worker;

	if (transfer->is_quick) {
		*ret_size = PUMP_SHARED_BYTES;
		return shared_buffer(worker);
	}
	if (transfer->buffer == NULL) {
		transfer->buffer_size = worker->transfer_count > TRANSFER_CROWD
		                            ? PUMP_THREAD_CROWD_BYTES
		                            : PUMP_THREAD_BYTES;
		transfer->buffer = malloc(transfer->buffer_size);
	}
	*ret_size = transfer->buffer_size;
	return transfer->buffer;
}

/* Write what lies in the buffer from `at` on, or leave it to a thread. */
static enum pump_result
store(struct transfer *transfer, const char *buffer, size_t at, size_t len)
{
	int result;

	if (len == 0) {
		return PUMP_MORE;
	}
	if (!transfer->is_quick) {
		transfer->buffer_at = at;
		transfer->buffer_len = at + len;
		return PUMP_WOULD_BLOCK;
	}
	result = pump_store(transfer->file_fd, buffer + at, len, &transfer->place);
	return result == 0 ? PUMP_MORE : break_file(transfer, result);
}

static enum pump_result
store_end(struct transfer *transfer, char *buffer)
{
	enum pump_result result = PUMP_MORE;

	transfer->is_at_end = true;
	if (transfer->way == TRANSFER_TO_ASCII && ascii_restore_end(&transfer->ascii)) {
		buffer[0] = '\r';
		result = store(transfer, buffer, 0, 1);
	}
	return result == PUMP_MORE ? PUMP_DONE : result;
}

/* Receive once, convert and write. */
static enum pump_result
receive_piece(struct transfer *transfer, int connection_fd, size_t *left)
{
	/* Converting in place takes one byte more, for a CR that was kept back. */
	size_t at = transfer->way == TRANSFER_TO_ASCII ? 1 : 0;
	size_t size = 0;
	char *buffer = get_buffer(transfer, &size);
	size_t len;
	ssize_t received;

	if (buffer == NULL) {
		return break_file(transfer, -ENOMEM);
	}
	len = size - at < *left ? size - at : *left;
	len = rate_allow(transfer->session, true, len);
	if (len == 0) {
		return PUMP_PACED;
	}
	received = recv(connection_fd, buffer + at, len, MSG_DONTWAIT);
	if (received < 0) {
		return connection_result(errno);
	}
	if (received == 0) {
		return store_end(transfer, buffer);
	}
	len = (size_t)received;
	*left -= len;
	note_moved(transfer, len);
	if (at == 0) {
		return store(transfer, buffer, 0, len);
	}
	len = ascii_restore(&transfer->ascii, (const uint8_t *)buffer + at, len, buffer);
	return store(transfer, buffer, 0, len);
}

static enum pump_result
receive_file(struct transfer *transfer, int connection_fd)
{
	size_t left = slice_max(transfer);
	enum pump_result result = PUMP_MORE;

	if (transfer->error != 0) {
		return PUMP_FILE_BROKEN; /* in a thread */
	}
	if (transfer->is_at_end) {
		return PUMP_DONE;
	}
	while (result == PUMP_MORE && left > 0) {
		result = receive_piece(transfer, connection_fd, &left);
	}
	return result;
}

enum pump_result
pump_slice(struct transfer *transfer, int connection_fd)
{
	switch (transfer->way) {
	case TRANSFER_FROM_FILE: return send_file(transfer, connection_fd);
	case TRANSFER_FROM_ASCII: return send_ascii(transfer, connection_fd);
	case TRANSFER_FROM_PIPE: return splice_pipe(transfer, connection_fd);
	case TRANSFER_TO_FILE:
	case TRANSFER_TO_ASCII: return receive_file(transfer, connection_fd);
	}
	return PUMP_FILE_BROKEN;
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
