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
#include <unistd.h>

#include "ftpd/tls/stream.h"
#include "ftpd/worker/pump_part.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* so little is read in one go: its first page tells for all */
	ONE_PROBE_BYTES = 16 * 1024,
};

enum pump_result
pump_connection_result(ssize_t negative_errno)
{
	return negative_errno == -EAGAIN || negative_errno == -EINTR
	           ? PUMP_CONNECTION_BUSY
	           : PUMP_CONNECTION_BROKEN;
}

enum pump_result
pump_break_file(struct transfer *transfer, int negative_errno)
{
	transfer->error = negative_errno;
	return PUMP_FILE_BROKEN;
}

uint64_t
pump_slice_max(const struct transfer *transfer)
{
	return transfer->session->worker->transfer_count > TRANSFER_CROWD
	           ? TRANSFER_CROWD_BYTES
	           : TRANSFER_SLICE_BYTES;
}

uint64_t
pump_slice_of_file(const struct transfer *transfer)
{
	uint64_t left =
	    transfer->end > transfer->offset ? transfer->end - transfer->offset : 0;
	uint64_t slice = pump_slice_max(transfer);

	return left < slice ? left : slice;
}

void
pump_note_moved(struct transfer *transfer, size_t len)
{
	transfer->has_moved = true;
	transfer->moved += len;
	rate_moved(transfer->session, transfer_is_upload(transfer), len);
}

char *
pump_shared_buffer(struct worker *worker)
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

/* Whether reading before `end` waits for nobody, as far as is known without asking. */
static bool
is_ready_before(const struct transfer *transfer, uint64_t end)
{
	return transfer->is_quick || end <= transfer->fetched_end;
}

enum pump_result
pump_read_file(struct transfer *transfer, char *bytes, size_t cap, size_t *ret_len)
{
	struct iovec part = {.iov_base = bytes, .iov_len = cap};
	bool is_ready = is_ready_before(transfer, transfer->offset + cap);
	ssize_t len = preadv2(transfer->file_fd, &part, 1, (off_t)transfer->offset,
	                      is_ready ? 0 : RWF_NOWAIT);

	if (len < 0) {
		return errno == EAGAIN || errno == EOPNOTSUPP
		           ? PUMP_WOULD_BLOCK
		           : pump_break_file(transfer, -errno);
	}
	if (len == 0) {
		/* somebody has made the file shorter (SECURITY.md F16) */
		return pump_break_file(transfer, -EIO);
	}
	*ret_len = (size_t)len;
	return PUMP_MORE;
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

/* By the kernel, which encrypts, too, if there is a stream. */
static ssize_t
send_from_file(const struct transfer *transfer, size_t len)
{
	const struct data *data = &transfer->session->data;
	off_t offset = (off_t)transfer->offset;
	ssize_t sent;

	if (data->stream != NULL) {
		return tls_stream_send_file(data->stream, transfer->file_fd,
		                            transfer->offset, len);
	}
	sent = sendfile(data->connection_fd, transfer->file_fd, &offset, len);
	return sent < 0 ? -errno : sent;
}

static enum pump_result
send_file(struct transfer *transfer)
{
	uint64_t left = pump_slice_of_file(transfer);
	size_t len = rate_allow(transfer->session, false, left);
	ssize_t sent;

	if (left == 0) {
		return PUMP_DONE;
	}
	if (len == 0) {
		return PUMP_PACED;
	}
	if (!is_ready_before(transfer, transfer->offset + len) &&
	    !is_in_memory(transfer->file_fd, transfer->offset, len)) {
		return PUMP_WOULD_BLOCK;
	}
	sent = send_from_file(transfer, len);
	if (sent == 0 || sent == -EIO) {
		/* nothing: somebody has made the file shorter (SECURITY.md F16) */
		return pump_break_file(transfer, -EIO);
	}
	if (sent < 0) {
		return pump_connection_result(sent);
	}
	pump_note_moved(transfer, (size_t)sent);
	transfer->offset += (uint64_t)sent;
	if (transfer->offset >= transfer->end) {
		return PUMP_DONE;
	}
	return (size_t)sent < len ? PUMP_CONNECTION_BUSY : PUMP_MORE;
}

static enum pump_result
splice_pipe(struct transfer *transfer)
{
	struct pollfd pipe_state = {.fd = transfer->file_fd, .events = POLLIN};
	size_t len = rate_allow(transfer->session, false, TRANSFER_SLICE_BYTES);
	ssize_t moved;

	if (len == 0) {
		return PUMP_PACED;
	}
	moved = splice(transfer->file_fd, NULL, transfer->session->data.connection_fd,
	               NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (moved > 0) {
		pump_note_moved(transfer, (size_t)moved);
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

static ssize_t
send_bytes(const struct data *data, const char *bytes, size_t len)
{
	ssize_t sent;

	if (data->stream != NULL) {
		return tls_stream_write(data->stream, bytes, len);
	}
	sent = send(data->connection_fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 ? -errno : sent;
}

enum pump_result
pump_flush_buffer(struct transfer *transfer)
{
	while (transfer->buffer_at < transfer->buffer_len) {
		size_t len = rate_allow(transfer->session, false,
		                        transfer->buffer_len - transfer->buffer_at);
		ssize_t sent;

		if (len == 0) {
			return PUMP_PACED;
		}
		sent = send_bytes(&transfer->session->data,
		                  transfer->buffer + transfer->buffer_at, len);
		if (sent < 0) {
			return pump_connection_result(sent);
		}
		pump_note_moved(transfer, (size_t)sent);
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
	size_t len = left < sizeof(raw) ? (size_t)left : sizeof(raw);
	enum pump_result result = pump_read_file(transfer, raw, len, &len);

	if (result != PUMP_MORE) {
		return result;
	}
	transfer->has_moved = true; /* skipped text is progress, too */
	transfer->offset += len;
	transfer->buffer_len =
	    ascii_convert(&transfer->ascii, (const uint8_t *)raw, len, transfer->buffer);
	transfer->buffer_at = ascii_skip(&transfer->skip, transfer->buffer_len);
	return PUMP_MORE;
}

static enum pump_result
send_ascii(struct transfer *transfer)
{
	enum pump_result result;

	if (transfer->buffer == NULL) {
		transfer->buffer = malloc(2 * TRANSFER_ASCII_IN_BYTES);
		if (transfer->buffer == NULL) {
			return pump_break_file(transfer, -ENOMEM);
		}
	}
	for (int i = 0; i < 4; i++) {
		result = pump_flush_buffer(transfer);
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

static enum pump_result
move(struct transfer *transfer)
{
	const struct tls_stream *stream = transfer->session->data.stream;
	bool is_encrypted_here =
	    stream != NULL && tls_stream_kernel(stream) != TLS_KERNEL_USED;

	switch (transfer->way) {
	case TRANSFER_FROM_FILE:
		return is_encrypted_here ? pump_encrypt_file(transfer)
		                         : send_file(transfer);
	case TRANSFER_FROM_ASCII: return send_ascii(transfer);
	case TRANSFER_FROM_PIPE:
		return stream != NULL ? pump_encrypt_pipe(transfer)
		                      : splice_pipe(transfer);
	case TRANSFER_TO_FILE:
	case TRANSFER_TO_ASCII: return pump_receive(transfer);
	}
	return PUMP_FILE_BROKEN;
}

/* Returns: PUMP_MORE when the stream holds nothing back any more. */
static enum pump_result
flush_stream(struct tls_stream *stream)
{
	int result = tls_stream_flush(stream);

	return result == 0 ? PUMP_MORE : pump_connection_result(result);
}

enum pump_result
pump_slice(struct transfer *transfer)
{
	struct tls_stream *stream = transfer->session->data.stream;
	enum pump_result result = PUMP_MORE;

	if (stream == NULL) {
		return move(transfer);
	}
	if (tls_stream_has_output(stream)) {
		transfer->has_moved = true; /* the client has taken what made room */
		result = flush_stream(stream);
	}
	if (result == PUMP_MORE) {
		result = move(transfer);
	}
	if (result == PUMP_DONE || result == PUMP_FILE_BROKEN ||
	    result == PUMP_CONNECTION_BROKEN || !tls_stream_has_output(stream)) {
		return result;
	}
	/* Nothing may wait here while the pump waits for something else. */
	return flush_stream(stream) == PUMP_MORE ? result : PUMP_CONNECTION_BUSY;
}

uint64_t
pump_fetch_end(uint64_t offset, uint64_t end)
{
	return end - offset > TRANSFER_SLICE_BYTES ? offset + TRANSFER_SLICE_BYTES : end;
}

int
pump_fetch(int file_fd, uint64_t offset, uint64_t end)
{
	char scratch[64 * 1024];
	uint64_t stop = pump_fetch_end(offset, end);

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
