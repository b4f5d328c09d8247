/*
 * pump_part: what the parts of the pump share.
 * Runs in: deftpd-worker, on the loop.
 * Not here: what others may use; see pump.h.
 */
#ifndef FTPD_WORKER_PUMP_PART_H
#define FTPD_WORKER_PUMP_PART_H

#include "ftpd/worker/pump.h"
#include "common/base.h"

struct worker;

/*
 * Returns: how many bytes may move in one turn.
 */
uint64_t pump_slice_max(const struct transfer *transfer);

/*
 * Returns: how many of them are left in a file that is sent.
 */
uint64_t pump_slice_of_file(const struct transfer *transfer);

/* So many bytes went over the data connection. */
void pump_note_moved(struct transfer *transfer, size_t len);

/*
 * Returns: PUMP_CONNECTION_BUSY for -EAGAIN and -EINTR, else PUMP_CONNECTION_BROKEN.
 */
enum pump_result pump_connection_result(ssize_t negative_errno);

/*
 * Keep the error. Returns: PUMP_FILE_BROKEN.
 */
enum pump_result pump_break_file(struct transfer *transfer, int negative_errno);

/*
 * Read the file's next bytes, if they are in memory or need not be.
 * In:      cap: no more than the file has left.
 * Returns: PUMP_MORE and *ret_len bytes, at least 1; PUMP_WOULD_BLOCK, PUMP_FILE_BROKEN.
 */
enum pump_result pump_read_file(struct transfer *transfer, char *bytes, size_t cap,
                                size_t *ret_len);

/*
 * Send what is in transfer->buffer, by the stream if there is one.
 * Returns: PUMP_MORE when it is empty; PUMP_PACED, PUMP_CONNECTION_BUSY or _BROKEN.
 */
enum pump_result pump_flush_buffer(struct transfer *transfer);

/*
 * Returns: PUMP_SHARED_BYTES that all transfers of the worker use in turn and that hold
 *          nothing between two slices; NULL without memory.
 */
char *pump_shared_buffer(struct worker *worker);

/*
 * Read, encrypt and send one slice of a file or of a listing. What is gathered by the
 * stream afterwards is the caller's to flush.
 * Returns: see enum pump_result.
 */
enum pump_result pump_encrypt_file(struct transfer *transfer);
enum pump_result pump_encrypt_pipe(struct transfer *transfer);

/*
 * Receive one slice of an upload and write it.
 * Returns: see enum pump_result.
 */
enum pump_result pump_receive(struct transfer *transfer);

#endif
