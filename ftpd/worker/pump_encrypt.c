/*
 * pump_encrypt: the pump's way out where nobody else encrypts: read, encrypt, gather.
 * Runs in: deftpd-worker, on the loop.
 * Source: PERF.md, retr-tls: full records, few and large sends.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ftpd/tls/stream.h"
#include "ftpd/worker/pump_part.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* Full records, as many as are gathered into one send. */
	FILE_BYTES = TLS_GATHER_BYTES,
	/* As much as a pipe holds. */
	PIPE_BYTES = 64 * 1024,
};

_Static_assert((int)FILE_BYTES <= (int)PUMP_SHARED_BYTES, "a piece fits the buffer");

/* Read once and hand it over. What the stream does not take is read again. */
static enum pump_result
encrypt_piece(struct transfer *transfer, char *buffer, uint64_t *left)
{
	struct tls_stream *stream = transfer->session->data.stream;
	size_t len = *left < FILE_BYTES ? (size_t)*left : FILE_BYTES;
	enum pump_result result;
	ssize_t taken;

	len = rate_allow(transfer->session, false, len);
	if (len == 0) {
		return PUMP_PACED;
	}
	result = pump_read_file(transfer, buffer, len, &len);
	if (result != PUMP_MORE) {
		return result;
	}
	taken = tls_stream_write(stream, buffer, len);
	if (taken < 0) {
		return pump_connection_result(taken);
	}
	pump_note_moved(transfer, (size_t)taken);
	transfer->offset += (uint64_t)taken;
	*left -= (uint64_t)taken;
	return (size_t)taken < len ? PUMP_CONNECTION_BUSY : PUMP_MORE;
}

enum pump_result
pump_encrypt_file(struct transfer *transfer)
{
	uint64_t left = pump_slice_of_file(transfer);
	char *buffer = pump_shared_buffer(transfer->session->worker);
	enum pump_result result = PUMP_MORE;

	if (buffer == NULL) {
		return pump_break_file(transfer, -ENOMEM);
	}
	while (result == PUMP_MORE && left > 0) {
		result = encrypt_piece(transfer, buffer, &left);
	}
	return result == PUMP_MORE && transfer->offset >= transfer->end ? PUMP_DONE
	                                                                : result;
}

enum pump_result
pump_encrypt_pipe(struct transfer *transfer)
{
	enum pump_result result = pump_flush_buffer(transfer);
	size_t want;
	ssize_t len;

	if (result != PUMP_MORE) {
		return result;
	}
	if (transfer->buffer == NULL) {
		transfer->buffer = malloc(PIPE_BYTES);
	}
	if (transfer->buffer == NULL) {
		return pump_break_file(transfer, -ENOMEM);
	}
	want = rate_allow(transfer->session, false, PIPE_BYTES);
	if (want == 0) {
		return PUMP_PACED;
	}
	len = read(transfer->file_fd, transfer->buffer, want);
	if (len == 0) {
		return PUMP_DONE;
	}
	if (len < 0) {
		return errno == EAGAIN || errno == EINTR
		           ? PUMP_PIPE_EMPTY
		           : pump_break_file(transfer, -errno);
	}
	transfer->buffer_len = (size_t)len;
	return pump_flush_buffer(transfer);
}
