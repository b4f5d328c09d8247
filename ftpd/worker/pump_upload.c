/*
 * pump_upload: the pump's way into a file: receive, convert, write.
 * Runs in: deftpd-worker, on the loop; pump_store() also in an offload thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ftpd/tls/stream.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/pump_part.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

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

/* Returns: where to receive, *ret_size bytes; NULL without memory. */
static char *
get_buffer(struct transfer *transfer, size_t *ret_size)
{
	struct worker *worker = transfer->session->worker;

	if (transfer->is_quick) {
		*ret_size = PUMP_SHARED_BYTES;
		return pump_shared_buffer(worker);
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
	return result == 0 ? PUMP_MORE : pump_break_file(transfer, result);
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

static ssize_t
receive(const struct transfer *transfer, char *bytes, size_t cap)
{
	const struct data *data = &transfer->session->data;
	ssize_t received;

	if (data->stream != NULL) {
		return tls_stream_read(data->stream, bytes, cap);
	}
	received = recv(data->connection_fd, bytes, cap, MSG_DONTWAIT);
	return received < 0 ? -errno : received;
}

/* Receive once, convert and write. */
static enum pump_result
receive_piece(struct transfer *transfer, size_t *left)
{
	/* Converting in place takes one byte more, for a CR that was kept back. */
	size_t at = transfer->way == TRANSFER_TO_ASCII ? 1 : 0;
	size_t size = 0;
	char *buffer = get_buffer(transfer, &size);
	size_t len;
	ssize_t received;

	if (buffer == NULL) {
		return pump_break_file(transfer, -ENOMEM);
	}
	len = size - at < *left ? size - at : *left;
	len = rate_allow(transfer->session, true, len);
	if (len == 0) {
		return PUMP_PACED;
	}
	received = receive(transfer, buffer + at, len);
	if (received == 0 || received == -ENODATA) {
		transfer->is_unnotified = received != 0;
		return store_end(transfer, buffer);
	}
	if (received < 0) {
		return pump_connection_result(received);
	}
	len = (size_t)received;
	*left -= len;
	pump_note_moved(transfer, len);
	if (at == 0) {
		return store(transfer, buffer, 0, len);
	}
	len = ascii_restore(&transfer->ascii, (const uint8_t *)buffer + at, len, buffer);
	return store(transfer, buffer, 0, len);
}

enum pump_result
pump_receive(struct transfer *transfer)
{
	size_t left = pump_slice_max(transfer);
	enum pump_result result = PUMP_MORE;

	if (transfer->error != 0) {
		return PUMP_FILE_BROKEN; /* in a thread */
	}
	if (transfer->is_at_end) {
		return PUMP_DONE;
	}
	while (result == PUMP_MORE && left > 0) {
		result = receive_piece(transfer, &left);
	}
	return result;
}
