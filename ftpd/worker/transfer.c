/*
 * transfer: moves bytes between a descriptor that the agent opened and the data
 * connection.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/transfer.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/proto/path.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/offload.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static void handle_connection(struct loop_source *source, uint32_t events);
static void handle_pipe(struct loop_source *source, uint32_t events);
static void watch_connection(struct session *session, uint32_t events);

/*
 * Where data is watched: in a private worker there is nobody to give way to, and one loop
 * is one system call less.
 */
static struct loop *
data_loop(struct worker *worker)
{
	return worker->kind == WORKER_PRIVATE ? &worker->loop : &worker->bulk;
}

static void
leave_paced(struct transfer *transfer)
{
	if (transfer->paced_link == NULL) {
		return;
	}
	*transfer->paced_link = transfer->next_paced;
	if (transfer->next_paced != NULL) {
		transfer->next_paced->paced_link = transfer->paced_link;
	}
	transfer->next_paced = NULL;
	transfer->paced_link = NULL;
}

static void
join_paced(struct transfer **list, struct transfer *transfer)
{
	transfer->next_paced = *list;
	transfer->paced_link = list;
	if (*list != NULL) {
		(*list)->paced_link = &transfer->next_paced;
	}
	*list = transfer;
}

/* Others may move faster, or not, when this one moves. */
static void
tell_moving(struct session *session, bool is_moving)
{
	struct transfer *transfer = session->transfer;
	struct mw_message message = {.type = MW_MOVING,
	                             .session = session->id,
	                             .is_moving = is_moving,
	                             .is_upload = transfer_is_upload(transfer)};

	if (session->rights.has_shared_rate && transfer->way != TRANSFER_FROM_PIPE &&
	    transfer->is_told_moving != is_moving) {
		transfer->is_told_moving = is_moving;
		master_send(session->worker, &message, -1);
	}
}

/* While nothing is uploaded the large buffer is not there, but for its beginning. */
static void
give_buffer_back(struct worker *worker, const struct transfer *transfer)
{
	if (worker->upload_buffer != NULL && worker->transfer_count == 0 &&
	    transfer->moved > PUMP_KEPT_BYTES) {
		/* fails only for memory that is not ours */
		(void)madvise(worker->upload_buffer + PUMP_KEPT_BYTES,
		              PUMP_SHARED_BYTES - PUMP_KEPT_BYTES, MADV_DONTNEED);
	}
}

/* Close the file, and let the agent know if the upload was cut. */
static void
release_file(struct session *session)
{
	struct transfer *transfer = session->transfer;

	offload_abandon(transfer);
	fd_close(&transfer->file_fd);
	if (transfer->upload != 0) {
		agent_discard(session->worker, transfer->agent_serial, transfer->upload,
		              transfer->path);
		transfer->upload = 0;
	}
}

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
		leave_paced(transfer);
		tell_moving(session, false);
		loop_forget(data_loop(session->worker), &transfer->source);
		release_file(session);
		give_buffer_back(session->worker, transfer);
		session->transfer = NULL;
		free(transfer->buffer);
		free(transfer->path);
		free(transfer);
	}
	data_use_up(session);
}

static void
record_transfer(struct session *session, bool is_complete)
{
	const struct transfer *transfer = session->transfer;
	struct record record = {.type = RECORD_TRANSFER, .session = session->id};

	if (transfer->way == TRANSFER_FROM_PIPE) {
		return; /* listings are not transfers in the sense of xferlog(5) */
	}
	record.flags = session->rights.is_user ? 0 : RECORD_IS_ANONYMOUS;
	record.flags |= transfer_is_upload(transfer) ? RECORD_IS_UPLOAD : 0;
	record.flags |=
	    transfer->way == TRANSFER_FROM_ASCII || transfer->way == TRANSFER_TO_ASCII
	        ? RECORD_IS_ASCII
	        : 0;
	record.flags |= is_complete ? RECORD_IS_COMPLETE : 0;
	record.value = transfer->moved;
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
	bool has_abor = session->transfer->has_abor;

	record_transfer(session, code == REPLY_TRANSFER_COMPLETE);
	/*
	 * Closed before the reply: a client that has read 226 finds the end of the data,
	 * not a connection.
	 */
	release(session);
	session_touch(session);
	control_reply(session, code, "%s", text);
	if (has_abor) {
		control_reply(session, REPLY_TRANSFER_COMPLETE,
		              "Too late to abort anything.");
	}
	control_flush(session);
	session_arm_timer(session);
	control_continue(session);
}

enum reply_code
transfer_store_code(enum ipc_result result)
{
	switch (result) {
	case IPC_OK: return REPLY_TRANSFER_COMPLETE;
	case IPC_NO_SPACE: return REPLY_NO_SPACE;
	case IPC_OVER_QUOTA:
	case IPC_TOO_LARGE: return REPLY_EXCEEDED;
	case IPC_BUSY: return REPLY_FILE_BUSY;
	case IPC_UNREACHABLE:
	case IPC_LOCAL_ERROR: return REPLY_LOCAL_ERROR;
	case IPC_BAD_OFFSET: return REPLY_BAD_RESTART;
	case IPC_NOT_A_FILE:
	case IPC_EXISTS:
	case IPC_BAD_NAME: return REPLY_NAME_NOT_ALLOWED;
	case IPC_NOT_FOUND:
	case IPC_DENIED:
	case IPC_NOT_A_DIRECTORY:
	case IPC_NOT_EMPTY:
	case IPC_READ_ONLY:
	case IPC_CROSSES:
	case IPC_RESULT_COUNT: break;
	}
	return REPLY_FILE_UNAVAILABLE;
}

/* The upload's end, in the words of what stood in its way. */
static void
finish_upload(struct session *session, enum ipc_result result)
{
	enum reply_code code = transfer_store_code(result);
	char text[PATH_MAX_BYTES + 64];

	if (result == IPC_OK && session->command == CMD_STOU) {
		(void)snprintf(text, sizeof(text), "Transfer complete. FILE: %s",
		               session->transfer->path); /* cut if need be */
		finish(session, code, text);
	} else if (result == IPC_OK) {
		finish(session, code, "Transfer complete.");
	} else if (code == REPLY_NO_SPACE) {
		finish(session, code, "No space is left; the upload was cut.");
	} else if (result == IPC_OVER_QUOTA) {
		finish(session, code, "Your quota is used up; the upload was cut.");
	} else if (code == REPLY_EXCEEDED) {
		finish(session, code, "The file may not be so large; the upload was cut.");
	} else if (code == REPLY_LOCAL_ERROR || code == REPLY_FILE_BUSY) {
		finish(session, code, "The file could not be written to its end.");
	} else {
		finish(session, code, "The upload was not stored.");
	}
}

/*
 * All is written. The data connection is closed first: the client need not wait for the
 * disk to do so. What happens to the upload now is the agent's answer.
 */
static void
commit(struct session *session)
{
	struct transfer *transfer = session->transfer;
	struct agent_question question = {.verb = AGENT_COMMIT,
	                                  .upload = transfer->upload,
	                                  .path = transfer->path,
	                                  .path_len = transfer->path_len};

	data_disarm(session);
	fd_close(&transfer->file_fd);
	if (transfer->upload == 0) {
		finish_upload(session, IPC_OK);
		return;
	}
	transfer->upload = 0;
	session_set_transfer_state(session, TRANSFER_FINISHING);
	session_touch(session);
	session_arm_timer(session);
	agent_ask_same(session, transfer->agent_serial, &question);
}

void
transfer_committed(struct session *session, enum ipc_result result)
{
	if (session->transfer != NULL && session->transfer_state == TRANSFER_FINISHING) {
		finish_upload(session, result);
	}
}

static void
finish_well(struct session *session)
{
	const struct transfer *transfer = session->transfer;

	/* A listing that ends because its writer was killed looks complete: ask. */
	if (transfer->way == TRANSFER_FROM_PIPE &&
	    !agent_is_alive(session->worker, transfer->agent_serial)) {
		finish(session, REPLY_LOCAL_ERROR,
		       "The listing was cut short; try again.");
		return;
	}
	finish(session, REPLY_TRANSFER_COMPLETE, "Transfer complete.");
}

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

/* Returns: what stands behind a file: a server, a process or other machines. */
static enum worker_storage
storage_of(const struct statfs *info)
{
	static const uint32_t remote[] = {
	    NFS_SUPER_MAGIC,     SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
	    FUSE_SUPER_MAGIC,    V9FS_MAGIC,      AFS_SUPER_MAGIC,  CEPH_SUPER_MAGIC,
	    CODA_SUPER_MAGIC,    NCP_SUPER_MAGIC, AFS_FS_MAGIC,     OCFS2_SUPER_MAGIC,
	    UINT32_C(0x0BD00BD0) /* Lustre */,    UINT32_C(0x47504653) /* GPFS */,
	    UINT32_C(0x01161970) /* GFS2 */,
	};
	uint32_t magic = (uint32_t)info->f_type;

	if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC) {
		return WORKER_STORAGE_MEMORY;
	}
	for (size_t i = 0; i < ARRAY_COUNT(remote); i++) {
		if (magic == remote[i]) {
			return WORKER_STORAGE_REMOTE;
		}
	}
	return WORKER_STORAGE_LOCAL;
}

/*
 * Reading from tmpfs never waits, but it cannot say so by RWF_NOWAIT. One system call per
 * file system, not per file.
 */
static enum worker_storage
find_storage(struct worker *worker, uint64_t device, int fd)
{
	struct statfs info;

	if (device != worker->last_device || worker->last_storage == 0) {
		worker->last_storage = fstatfs(fd, &info) == 0 ? storage_of(&info)
		                                               : WORKER_STORAGE_REMOTE;
		worker->last_device = device;
	}
	return worker->last_storage;
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
is_quick(const struct transfer *transfer, enum worker_storage storage)
{
	if (transfer->way == TRANSFER_FROM_PIPE) {
		return false;
	}
	return storage == WORKER_STORAGE_MEMORY ||
	       (storage == WORKER_STORAGE_LOCAL && transfer_is_upload(transfer) &&
	        transfer->session->worker->kind == WORKER_PRIVATE);
}

static struct transfer *
make_transfer(struct session *session, const struct agent_answer *answer, int fd)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	enum worker_storage storage = WORKER_STORAGE_LOCAL;

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
		storage = find_storage(session->worker, answer->device, fd);
	}
	transfer->is_quick = is_quick(transfer, storage);
	transfer->is_remote = storage == WORKER_STORAGE_REMOTE;
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
	tell_moving(session, true);
	/*
	 * Most files are gone with the first slice: the connection is watched only if it
	 * is not enough. Uploads begin when the client has seen our reply.
	 */
	if (transfer_is_upload(session->transfer)) {
		watch_connection(session, EPOLLIN);
	} else {
		transfer_continue(session);
	}
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
	if (session->transfer != NULL) {
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
	struct loop *loop = data_loop(session->worker);

	/* Should it fail for want of memory, the timeout ends the transfer. */
	if (data->source.fd >= 0) {
		(void)loop_change(loop, &data->source, events);
	} else {
		data->loop = loop;
		(void)loop_watch(loop, &data->source, data->connection_fd, events);
	}
}

static uint32_t
events_of(const struct transfer *transfer)
{
	return transfer_is_upload(transfer) ? EPOLLIN : EPOLLOUT;
}

static void
wait_for_connection(struct session *session)
{
	loop_forget(data_loop(session->worker), &session->transfer->source);
	watch_connection(session, events_of(session->transfer));
}

static void
wait_for_pipe(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (transfer->source.fd < 0) {
		watch_connection(session, 0);
		/* As in watch_connection. */
		(void)loop_watch(data_loop(session->worker), &transfer->source,
		                 transfer->file_fd, EPOLLIN);
	}
}

static void
wait_for_rate(struct session *session)
{
	struct transfer *transfer = session->transfer;
	struct worker *worker = session->worker;
	uint64_t due = worker->loop.now_ms +
	               rate_wait_ms(session, transfer_is_upload(transfer));

	watch_connection(session, 0);
	due += TRANSFER_PACE_MS - due % TRANSFER_PACE_MS;
	leave_paced(transfer);
	join_paced(&worker->paced, transfer);
	transfer->due_ms = due;
	if (due < worker->paced_due_ms || transfer->next_paced == NULL) {
		worker->paced_due_ms = due;
	}
}

void
transfer_repace(struct session *session)
{
	if (session->transfer->paced_link != NULL) {
		wait_for_rate(session);
	}
}

void
transfer_run_paced(struct worker *worker)
{
	struct transfer *due = NULL;
	struct transfer *next;
	uint64_t now_ms = worker->loop.now_ms;

	if (worker->paced == NULL || now_ms < worker->paced_due_ms) {
		return;
	}
	worker->paced_due_ms = UINT64_MAX;
	for (struct transfer *transfer = worker->paced; transfer != NULL;
	     transfer = next) {
		next = transfer->next_paced;
		if (transfer->due_ms <= now_ms) {
			leave_paced(transfer);
			join_paced(&due, transfer);
		} else if (transfer->due_ms < worker->paced_due_ms) {
			worker->paced_due_ms = transfer->due_ms;
		}
	}
	while (due != NULL) {
		struct session *session = due->session;

		leave_paced(due);
		transfer_continue(session);
	}
}

/* Rather a short wait for all than no file. */
static void
do_without_thread(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (!transfer_is_upload(transfer)) {
		transfer->is_fetched = true;
	} else {
		transfer->error =
		    pump_store(transfer->file_fd, transfer->buffer + transfer->buffer_at,
		               transfer->buffer_len - transfer->buffer_at,
		               &transfer->place);
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
end_of_data(struct session *session)
{
	if (!transfer_is_upload(session->transfer)) {
		finish_well(session);
	} else if (must_close_in_thread(session->transfer) &&
	           offload_start(session->transfer) == 0) {
		watch_connection(session, 0);
	} else {
		commit(session);
	}
}

static void
finish_badly(struct session *session)
{
	const struct transfer *transfer = session->transfer;

	if (transfer_is_upload(transfer)) {
		finish_upload(session, ipc_result_from_errno(transfer->error));
	} else {
		finish(session, REPLY_LOCAL_ERROR,
		       "The file could not be read to its end.");
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
	case PUMP_DONE: end_of_data(session); return;
	case PUMP_CONNECTION_BROKEN:
		finish(session, REPLY_TRANSFER_ABORTED,
		       "The data connection was broken.");
		return;
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
		finish(session, REPLY_TRANSFER_ABORTED,
		       "The data connection was broken.");
		return;
	}
	transfer_continue(session);
}

size_t
transfer_describe(const struct session *session, char text[TRANSFER_TEXT_MAX])
{
	const struct transfer *transfer = session->transfer;
	uint64_t us = transfer != NULL ? clock_monotonic_us() - transfer->begun_us : 0;
	uint64_t moved = transfer != NULL ? transfer->moved : 0;
	const char *state = session->transfer_state == TRANSFER_FINISHING ? "Storing"
	                    : session->transfer_state == TRANSFER_MOVING
	                        ? "Transferring"
	                        : "Waiting for the data connection";
	int len = snprintf(
	    text, TRANSFER_TEXT_MAX, "%s: %llu octets %s in %llu.%llu s, %llu per second.",
	    state, (unsigned long long)moved,
	    transfer != NULL && transfer_is_upload(transfer) ? "received" : "sent",
	    (unsigned long long)(us / 1000000), (unsigned long long)(us / 100000 % 10),
	    (unsigned long long)(us >= 1000 ? moved * 1000 / (us / 1000) : 0));

	return len > 0 ? (size_t)len : 0;
}

static void
handle_pipe(struct loop_source *source, uint32_t events)
{
	(void)events; /* splicing tells */
	transfer_continue(((struct transfer *)source)->session);
}
