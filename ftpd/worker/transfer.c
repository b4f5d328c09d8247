/*
 * transfer: moves bytes between a descriptor that the agent opened and the data
 * connection.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/tls/stream.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/data_tls.h"
#include "ftpd/worker/offload.h"
#include "ftpd/worker/pace.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/storage.h"
#include "ftpd/worker/transfer_end.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* Whoever moves before its share is known would move too much. */
	SHARE_WAIT_MS = 100,
};

static void handle_connection(struct loop_source *source, uint32_t events);
static void handle_pipe(struct loop_source *source, uint32_t events);
static void wait_for_connection(struct session *session);

static enum transfer_way
choose_way(const struct session *session)
{
	if (session->question_verb == AGENT_LIST) {
		return TRANSFER_FROM_PIPE;
	}
	if (session->question_verb == AGENT_OPEN_WRITE) {
		return session->is_ascii ? TRANSFER_TO_ASCII : TRANSFER_TO_FILE;
	}
	return session->is_ascii ? TRANSFER_FROM_ASCII : TRANSFER_FROM_FILE;
}

static void
set_up_upload(struct transfer *transfer, const struct agent_answer *answer)
{
	const struct session_rights *rights = &transfer->session->rights;
	struct transfer_place *place = &transfer->place;

	transfer->upload = answer->upload;
	place->offset = answer->offset;
	place->limit = answer->limit_bytes;
	if (rights->max_file_bytes != 0 && rights->max_file_bytes < place->limit) {
		place->limit = rights->max_file_bytes;
	}
	place->min_free_bytes = rights->min_free_bytes;
	/* The agent has looked before it opened the file. */
	place->check_at = place->offset + PUMP_SPACE_CHECK_BYTES;
}

/*
 * Returns: whether a slice may be moved on the loop. One client waits for itself alone;
 *          the others of a shared worker shall not wait for the disk.
 */
static bool
is_quick(const struct transfer *transfer, enum storage storage)
{
	if (transfer->way == TRANSFER_FROM_PIPE) {
		return false;
	}
	return storage == STORAGE_MEMORY ||
	       (storage == STORAGE_LOCAL && transfer_is_upload(transfer) &&
	        transfer->session->worker->kind == WORKER_PRIVATE);
}

static struct transfer *
make_transfer(struct session *session, const struct agent_answer *answer, int fd)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	enum storage storage = STORAGE_LOCAL;

	if (transfer == NULL) {
		return NULL;
	}
	session->worker->transfer_count++;
	transfer->source.fd = -1;
	transfer->source.handle = handle_pipe;
	transfer->session = session;
	transfer->way = choose_way(session);
	transfer->file_fd = fd;
	transfer->end = answer->size_bytes;
	if (transfer->way != TRANSFER_FROM_PIPE) {
		storage = storage_find(session->worker, answer->device, fd);
	}
	transfer->is_quick = is_quick(transfer, storage);
	transfer->is_remote = storage == STORAGE_REMOTE;
	transfer->begun_us = clock_monotonic_us();
	transfer->agent_serial = session->agent_serial;
	transfer->path = session->path;
	transfer->path_len = session->path != NULL ? strlen(session->path) : 0;
	session->path = NULL;
	if (transfer->way == TRANSFER_FROM_ASCII) {
		transfer->skip = session->restart_offset;
	} else if (transfer->way == TRANSFER_FROM_FILE) {
		transfer->offset = session->restart_offset;
	} else if (transfer_is_upload(transfer)) {
		set_up_upload(transfer, answer);
	}
	return transfer;
}

/* RFC 1123 4.1.2.9: what STOU says is part of the protocol. */
static void
reply_preliminary(struct session *session, const struct agent_answer *answer,
                  bool is_there)
{
	enum reply_code code = is_there ? REPLY_DATA_OPEN : REPLY_DATA_OPENING;
	const struct transfer *transfer = session->transfer;

	if (transfer->way == TRANSFER_FROM_PIPE) {
		control_reply(session, code, "Here comes the listing.");
	} else if (!transfer_is_upload(transfer)) {
		control_reply(session, code, "Sending %s, %llu bytes.",
		              session->is_ascii ? "text" : "data",
		              (unsigned long long)answer->size_bytes);
	} else if (session->command == CMD_STOU) {
		control_reply(session, code, "FILE: %s", transfer->path);
	} else if (transfer->place.offset > 0) {
		control_reply(session, code, "Ready for %s, from byte %llu on.",
		              session->is_ascii ? "text" : "data",
		              (unsigned long long)transfer->place.offset);
	} else {
		control_reply(session, code, "Ready for %s.",
		              session->is_ascii ? "text" : "data");
	}
}

void
transfer_start(struct session *session, const struct agent_answer *answer, int fd)
{
	bool is_there = data_try_accept(session);

	session->transfer = make_transfer(session, answer, fd);
	session->restart_offset = 0;
	if (session->transfer == NULL) {
		fd_close(&fd);
		if (answer->upload != 0 && session->path != NULL) {
			agent_discard(session->worker, session->agent_serial,
			              answer->upload, session->path);
		}
		transfer_release(session);
		control_reply(session, REPLY_LOCAL_ERROR,
		              "Out of memory; try again later.");
		return;
	}
	/*
	 * What is sent at once, as most files are, gets both replies at once. Never so
	 * when the client may wait for the first one to connect, or to send.
	 */
	if (session->tls.is_data_private) {
		is_there = false; /* not before TLS is, which many begin at 150 only */
	}
	if (is_there && !transfer_is_upload(session->transfer)) {
		control_hold(session);
	}
	reply_preliminary(session, answer, is_there);
	session_touch(session);
	session_arm_timer(session);
	data_open(session);
	control_flush(session);
}

void
transfer_connected(struct session *session)
{
	session_set_transfer_state(session, TRANSFER_MOVING);
	session_touch(session);
	session_arm_timer(session);
	session->data.source.handle = handle_connection;
	transfer_tell_moving(session, true);
	/*
	 * Most files are gone with the first slice: the connection is watched only if it
	 * is not enough. Uploads begin when the client has seen our reply.
	 */
	if (transfer_is_upload(session->transfer)) {
		wait_for_connection(session);
	} else {
		transfer_continue(session);
	}
}

void
transfer_not_connected(struct session *session)
{
	const char *complaint = data_tls_complaint(session);

	transfer_record(session, false);
	transfer_release(session);
	if (complaint != NULL) {
		control_reply(session, REPLY_DATA_NOT_SECURE, "%s", complaint);
	} else {
		control_reply(session, REPLY_NO_DATA_CONNECTION,
		              "No data connection could be made.");
	}
	session_arm_timer(session);
	control_continue(session);
}

/* Watch the data connection; with no events only its end is reported. */
static void
watch_connection(struct session *session, uint32_t events)
{
	struct data *data = &session->data;
	struct loop *loop = worker_data_loop(session->worker);

	/* Should it fail for want of memory, the timeout ends the transfer. */
	if (data->source.fd >= 0) {
		(void)loop_change(loop, &data->source, events);
	} else {
		data->loop = loop;
		(void)loop_watch(loop, &data->source, data->connection_fd, events);
	}
}

/*
 * What a stream holds already, or has still to say, the loop does not see: it is asked
 * for what is true at once.
 */
static uint32_t
events_of(const struct session *session)
{
	const struct tls_stream *stream = session->data.stream;

	if (!transfer_is_upload(session->transfer)) {
		return EPOLLOUT;
	}
	return stream != NULL &&
	               (tls_stream_has_input(stream) || tls_stream_has_output(stream))
	           ? EPOLLIN | EPOLLOUT
	           : EPOLLIN;
}

static void
wait_for_connection(struct session *session)
{
	loop_forget(worker_data_loop(session->worker), &session->transfer->source);
	watch_connection(session, events_of(session));
}

static void
wait_for_pipe(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (transfer->source.fd < 0) {
		watch_connection(session, 0);
		/* As in watch_connection. */
		(void)loop_watch(worker_data_loop(session->worker), &transfer->source,
		                 transfer->file_fd, EPOLLIN);
	}
}

static void
wait_for_rate(struct session *session)
{
	struct transfer *transfer = session->transfer;

	/* a listing may be there for a while before it may be sent */
	loop_forget(worker_data_loop(session->worker), &transfer->source);
	watch_connection(session, 0);
	pace_wait(transfer, rate_wait_ms(session, transfer_is_upload(transfer)));
}

void
transfer_repace(struct session *session)
{
	session->transfer->awaits_share = false;
	pace_wake(session->transfer);
}

/* Rather a short wait for all than no file. */
static void
do_without_thread(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (!transfer_is_upload(transfer)) {
		transfer->fetched_end = pump_fetch_end(transfer->offset, transfer->end);
	} else {
		transfer->error = pump_store(
		    transfer->file_fd, transfer->buffer + transfer->buffer_at,
		    transfer->buffer_len - transfer->buffer_at, &transfer->place);
		transfer->buffer_at = transfer->buffer_len;
	}
	wait_for_connection(session);
}

static void
let_thread_work(struct session *session)
{
	watch_connection(session, 0);
	if (offload_start(session->transfer) != 0) {
		do_without_thread(session);
	}
}

/* A network's file system tells only now what it could not store. */
static bool
must_close_in_thread(const struct transfer *transfer)
{
	return transfer_is_upload(transfer) && transfer->is_remote &&
	       transfer->file_fd >= 0;
}

static void
finish_broken(struct session *session)
{
	transfer_finish(session, REPLY_TRANSFER_ABORTED,
	                "The data connection was broken.");
}

/*
 * A stream's end goes out with the last bytes.
 * Returns: true when nothing is left; false to wait, or the transfer is over.
 */
static bool
end_stream(struct session *session)
{
	struct tls_stream *stream = session->data.stream;
	int result = stream != NULL ? tls_stream_close(stream) : 0;

	if (result == -EAGAIN) {
		wait_for_connection(session);
	} else if (result != 0) {
		finish_broken(session);
	}
	return result == 0;
}

static void
end_download(struct session *session)
{
	const struct transfer *transfer = session->transfer;

	/* A listing that ends because its writer was killed looks complete: ask. */
	if (transfer->way == TRANSFER_FROM_PIPE &&
	    !agent_is_alive(session->worker, transfer->agent_serial)) {
		transfer_finish(session, REPLY_LOCAL_ERROR,
		                "The listing was cut short; try again.");
	} else if (end_stream(session)) {
		transfer_finish(session, REPLY_TRANSFER_COMPLETE, "Transfer complete.");
	}
}

static void
end_upload(struct session *session)
{
	const struct transfer *transfer = session->transfer;

	if (session->data.stream != NULL &&
	    !data_tls_take_end(session, !transfer->is_unnotified)) {
		transfer_finish(session, REPLY_TRANSFER_ABORTED,
		                "The upload was cut: it did not end as TLS demands.");
	} else if (must_close_in_thread(transfer) &&
	           offload_start(session->transfer) == 0) {
		watch_connection(session, 0);
	} else {
		transfer_commit(session);
	}
}

static void
end_of_data(struct session *session)
{
	if (transfer_is_upload(session->transfer)) {
		end_upload(session);
	} else {
		end_download(session);
	}
}

static void
finish_badly(struct session *session)
{
	const struct transfer *transfer = session->transfer;

	if (transfer_is_upload(transfer)) {
		transfer_finish_upload(session, ipc_result_from_errno(transfer->error));
	} else {
		transfer_finish(session, REPLY_LOCAL_ERROR,
		                "The file could not be read to its end.");
	}
}

/*
 * Wait until the master has told how much is this session's, or seems to have nothing to
 * say. Returns: true if the transfer waits.
 */
static bool
wait_for_share(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (!transfer->awaits_share) {
		return false;
	}
	if (transfer->due_ms != 0) { /* it has waited for it, and for nothing else yet */
		transfer->awaits_share = false;
		rate_share_is_silent(session, transfer_is_upload(transfer));
		return false;
	}
	watch_connection(session, 0);
	pace_wait(transfer, SHARE_WAIT_MS);
	return true;
}

void
transfer_continue(struct session *session)
{
	struct transfer *transfer = session->transfer;
	enum pump_result result;

	if (wait_for_share(session)) {
		return;
	}
	result = pump_slice(transfer);
	if (transfer->has_moved) {
		transfer->has_moved = false;
		session_touch(session);
	}
	switch (result) {
	case PUMP_DONE: end_of_data(session); return;
	case PUMP_CONNECTION_BROKEN: finish_broken(session); return;
	case PUMP_FILE_BROKEN: finish_badly(session); return;
	case PUMP_WOULD_BLOCK: let_thread_work(session); return;
	case PUMP_PIPE_EMPTY: wait_for_pipe(session); return;
	case PUMP_PACED: wait_for_rate(session); return;
	case PUMP_MORE:
	case PUMP_CONNECTION_BUSY: wait_for_connection(session); return;
	}
}

static void
handle_connection(struct loop_source *source, uint32_t events)
{
	struct session *session = ((struct data *)source)->session;

	/* The end of what a client uploads is no hang-up: we have not closed our side. */
	if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
		finish_broken(session);
		return;
	}
	transfer_continue(session);
}

static void
handle_pipe(struct loop_source *source, uint32_t events)
{
	(void)events; /* splicing tells */
	transfer_continue(((struct transfer *)source)->session);
}
