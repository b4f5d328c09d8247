/*
 * transfer: moves bytes between a descriptor that the agent opened and the data
 * connection.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/transfer.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/offload.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static void handle_connection(struct loop_source *source, uint32_t events);
static void handle_pipe(struct loop_source *source, uint32_t events);

/*
 * Free the transfer and close both ends. The data connection's state is used up, well or
 * not.
 */
static void
release(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (transfer != NULL) {
		session->worker->transfer_count--;
		loop_forget(&session->worker->bulk, &transfer->source);
		offload_abandon(transfer);
		fd_close(&transfer->file_fd);
		free(transfer->buffer);
		free(transfer->path);
		free(transfer);
		session->transfer = NULL;
	}
	data_use_up(session);
}

static void
record_transfer(struct session *session, bool is_complete)
{
	const struct transfer *transfer = session->transfer;
	struct record record = {.type = RECORD_TRANSFER, .session = session->id};

	if (transfer->from == TRANSFER_FROM_PIPE) {
		return; /* listings are not transfers in the sense of xferlog(5) */
	}
	record.flags = RECORD_IS_ANONYMOUS;
	record.flags |= transfer->from == TRANSFER_FROM_ASCII ? RECORD_IS_ASCII : 0;
	record.flags |= is_complete ? RECORD_IS_COMPLETE : 0;
	record.value = transfer->sent;
	record.duration_us = clock_monotonic_us() - transfer->begun_us;
	record.user = session->name != NULL ? session->name : "";
	record.user_len = strlen(record.user);
	record.text = transfer->path;
	record.text_len = transfer->path_len;
	record_send(&session->worker->recorder, &record);
}

/* The final reply, and on to the next command. */
static void
finish(struct session *session, enum reply_code code, const char *text)
{
	record_transfer(session, code == REPLY_TRANSFER_COMPLETE);
	/*
	 * Closed before the reply: a client that has read 226 finds the end of the data,
	 * not a connection.
	 */
	release(session);
	session_touch(session);
	control_reply(session, code, "%s", text);
	control_flush(session);
	session_arm_timer(session);
	control_continue(session);
}

static void
finish_well(struct session *session)
{
	const struct transfer *transfer = session->transfer;

	/* A listing that ends because its writer was killed looks complete: ask. */
	if (transfer->from == TRANSFER_FROM_PIPE &&
	    !agent_is_alive(session->worker, transfer->agent_serial)) {
		finish(session, REPLY_LOCAL_ERROR,
		       "The listing was cut short; try again.");
		return;
	}
	finish(session, REPLY_TRANSFER_COMPLETE, "Transfer complete.");
}

static enum transfer_source
choose_source(const struct session *session, const struct agent_answer *answer)
{
	(void)answer; /* a listing is known by its verb */
	if (session->question_verb == AGENT_LIST) {
		return TRANSFER_FROM_PIPE;
	}
	return session->is_ascii ? TRANSFER_FROM_ASCII : TRANSFER_FROM_FILE;
}

/*
 * Reading from tmpfs never waits, but it cannot say so by RWF_NOWAIT. One system call per
 * file system, not per file.
 */
static bool
is_on_memory_device(struct worker *worker, uint64_t device, int fd)
{
	struct statfs info;

	if (device != worker->last_device) {
		worker->is_last_in_memory =
		    fstatfs(fd, &info) == 0 &&
		    (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
		worker->last_device = device;
	}
	return worker->is_last_in_memory;
}

static struct transfer *
make_transfer(struct session *session, const struct agent_answer *answer, int fd)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL) {
		return NULL;
	}
	session->worker->transfer_count++;
	transfer->source.fd = -1;
	transfer->source.handle = handle_pipe;
	transfer->session = session;
	transfer->from = choose_source(session, answer);
	transfer->file_fd = fd;
	transfer->end = answer->size_bytes;
	transfer->is_in_memory = transfer->from != TRANSFER_FROM_PIPE &&
	                         is_on_memory_device(session->worker, answer->device, fd);
	transfer->begun_us = clock_monotonic_us();
	transfer->agent_serial = session->agent_serial;
	transfer->path = session->path;
	transfer->path_len = session->path != NULL ? strlen(session->path) : 0;
	session->path = NULL;
	if (transfer->from == TRANSFER_FROM_ASCII) {
		transfer->skip = session->restart_offset;
	} else if (transfer->from == TRANSFER_FROM_FILE) {
		transfer->offset = session->restart_offset;
	}
	return transfer;
}

void
transfer_start(struct session *session, const struct agent_answer *answer, int fd)
{
	bool is_there = data_try_accept(session);

	session->transfer = make_transfer(session, answer, fd);
	session->restart_offset = 0;
	if (session->transfer == NULL) {
		fd_close(&fd);
		release(session);
		control_reply(session, REPLY_LOCAL_ERROR,
		              "Out of memory; try again later.");
		return;
	}
	/*
	 * What is sent at once, as most files are, gets both replies at once. Never so
	 * when the client may wait for the first one to connect.
	 */
	if (is_there) {
		control_hold(session);
	}
	if (session->transfer->from == TRANSFER_FROM_PIPE) {
		control_reply(session, is_there ? REPLY_DATA_OPEN : REPLY_DATA_OPENING,
		              "Here comes the listing.");
	} else {
		control_reply(session, is_there ? REPLY_DATA_OPEN : REPLY_DATA_OPENING,
		              "Sending %s, %llu bytes.",
		              session->is_ascii ? "text" : "data",
		              (unsigned long long)answer->size_bytes);
	}
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
	/*
	 * Most files are gone with the first slice: the connection is watched only if it
	 * is not enough.
	 */
	transfer_continue(session);
}

void
transfer_not_connected(struct session *session)
{
	record_transfer(session, false);
	release(session);
	control_reply(session, REPLY_NO_DATA_CONNECTION,
	              "No data connection could be made.");
	session_arm_timer(session);
	control_continue(session);
}

void
transfer_abort(struct session *session, const char *reason)
{
	if (session->transfer == NULL) {
		/*
		 * The agent has not answered yet: there is nothing to cut but the
		 * question.
		 */
		agent_forget(session);
		release(session);
		control_reply(session, REPLY_TRANSFER_ABORTED, "Transfer aborted: %s.",
		              reason);
		return;
	}
	record_transfer(session, false);
	release(session);
	control_reply(session, REPLY_TRANSFER_ABORTED, "Transfer aborted: %s.", reason);
}

void
transfer_drop(struct session *session)
{
	if (session->transfer != NULL && session->transfer_state >= TRANSFER_OPENING) {
		record_transfer(session, false);
	}
	if (session_is_transferring(session)) {
		release(session);
	}
}

/* Watch the data connection; with no events only its end is reported. */
static void
watch_connection(struct session *session, uint32_t events)
{
	struct data *data = &session->data;
	struct loop *loop = &session->worker->bulk;

	/* Should it fail for want of memory, the timeout ends the transfer. */
	if (data->source.fd >= 0) {
		(void)loop_change(loop, &data->source, events);
	} else {
		data->loop = loop;
		(void)loop_watch(loop, &data->source, data->connection_fd, events);
	}
}

/* Which of the two ends of an empty or full splice to wait for. */
static void
wait_for(struct session *session, enum pump_result result)
{
	struct loop *loop = &session->worker->bulk;
	struct transfer *transfer = session->transfer;

	if (result != PUMP_SOURCE_EMPTY) {
		loop_forget(loop, &transfer->source);
		watch_connection(session, EPOLLOUT);
	} else if (transfer->source.fd < 0) {
		watch_connection(session, 0);
		/* As in watch_connection. */
		(void)loop_watch(loop, &transfer->source, transfer->file_fd, EPOLLIN);
	}
}

static void
let_thread_read(struct session *session)
{
	watch_connection(session, 0);
	if (offload_start(session->transfer) != 0) {
		/* rather a short wait for all than no file */
		session->transfer->is_fetched = true;
		watch_connection(session, EPOLLOUT);
	}
}

void
transfer_continue(struct session *session)
{
	struct transfer *transfer = session->transfer;
	enum pump_result result = pump_slice(transfer, session->data.connection_fd);

	if (transfer->has_moved) {
		transfer->has_moved = false;
		session_touch(session);
	}
	switch (result) {
	case PUMP_DONE: finish_well(session); return;
	case PUMP_SINK_BROKEN:
		finish(session, REPLY_TRANSFER_ABORTED,
		       "The data connection was broken.");
		return;
	case PUMP_SOURCE_BROKEN:
		finish(session, REPLY_LOCAL_ERROR,
		       "The file could not be read to its end.");
		return;
	case PUMP_WOULD_BLOCK: let_thread_read(session); return;
	case PUMP_MORE:
	case PUMP_SINK_FULL:
	case PUMP_SOURCE_EMPTY: wait_for(session, result); return;
	}
}

static void
handle_connection(struct loop_source *source, uint32_t events)
{
	struct session *session = ((struct data *)source)->session;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
		finish(session, REPLY_TRANSFER_ABORTED,
		       "The data connection was broken.");
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
