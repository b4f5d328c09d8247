/*
 * transfer_end: how a transfer ends: the reply, the record, and what the agent is told.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/transfer_end.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/proto/path.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/offload.h"
#include "ftpd/worker/pace.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/transfer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/*
 * While nothing is moved the large buffer is not there, but for its beginning, nor those
 * in which TLS has gathered records. Small files leave all as it is for the next ones.
 */
static void
give_buffers_back(struct worker *worker, const struct transfer *transfer)
{
	if (worker->transfer_count > 0 || transfer->moved <= PUMP_KEPT_BYTES) {
		return;
	}
	if (worker->upload_buffer != NULL) {
		/* fails only for memory that is not ours */
		(void)madvise(worker->upload_buffer + PUMP_KEPT_BYTES,
		              PUMP_SHARED_BYTES - PUMP_KEPT_BYTES, MADV_DONTNEED);
	}
	if (worker->kind == WORKER_PRIVATE) {
		/* malloc() keeps what was large once: from the second time on */
		(void)malloc_trim(0); /* or there is nothing to give */
	}
}

void
transfer_tell_moving(struct session *session, bool is_moving)
{
	struct transfer *transfer = session->transfer;
	struct mw_message message = {.type = MW_MOVING,
	                             .session = session->id,
	                             .is_moving = is_moving,
	                             .is_upload = transfer_is_upload(transfer)};

	if (session->rights.has_shared_rate && transfer->is_told_moving != is_moving) {
		transfer->is_told_moving = is_moving;
		transfer->awaits_share =
		    is_moving && !rate_is_share_known(session, message.is_upload);
		master_send(session->worker, &message, -1);
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

void
transfer_release(struct session *session)
{
	struct transfer *transfer = session->transfer;

	if (transfer != NULL) {
		session->worker->transfer_count--;
		pace_leave(transfer);
		transfer_tell_moving(session, false);
		loop_forget(worker_data_loop(session->worker), &transfer->source);
		release_file(session);
		session->transfer = NULL;
		data_use_up(session);
		free(transfer->buffer);
		transfer->buffer = NULL;
		give_buffers_back(session->worker, transfer);
		free(transfer->path);
		free(transfer);
		return;
	}
	data_use_up(session);
}

void
transfer_record(struct session *session, bool is_complete)
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

void
transfer_finish(struct session *session, enum reply_code code, const char *text)
{
	/*
	 * Closed before the reply: a client that has read 226 finds the end of the data,
	 * not a connection. All that it need not wait for comes behind the reply.
	 */
	if (code == REPLY_TRANSFER_COMPLETE) {
		data_complete(session);
	}
	data_disarm(session);
	if (code != REPLY_TRANSFER_COMPLETE) {
		/* The agent puts a cut upload away while the client reads of it. */
		release_file(session);
	}
	control_reply(session, code, "%s", text);
	if (session->transfer->has_abor) {
		control_reply(session, REPLY_TRANSFER_COMPLETE,
		              "Too late to abort anything.");
	}
	control_flush(session);
	if (session->transfer == NULL) {
		return; /* that was the last reply, and the session is over */
	}
	transfer_record(session, code == REPLY_TRANSFER_COMPLETE);
	transfer_release(session);
	session_touch(session);
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

void
transfer_finish_upload(struct session *session, enum ipc_result result)
{
	enum reply_code code = transfer_store_code(result);
	char text[PATH_MAX_BYTES + 64];

	if (result == IPC_OK && session->command == CMD_STOU) {
		(void)snprintf(text, sizeof(text), "Transfer complete. FILE: %s",
		               session->transfer->path); /* cut if need be */
		transfer_finish(session, code, text);
	} else if (result == IPC_OK) {
		transfer_finish(session, code, "Transfer complete.");
	} else if (code == REPLY_NO_SPACE) {
		transfer_finish(session, code, "No space is left; the upload was cut.");
	} else if (result == IPC_OVER_QUOTA) {
		transfer_finish(session, code,
		                "Your quota is used up; the upload was cut.");
	} else if (code == REPLY_EXCEEDED) {
		transfer_finish(session, code,
		                "The file may not be so large; the upload was cut.");
	} else if (code == REPLY_LOCAL_ERROR || code == REPLY_FILE_BUSY) {
		transfer_finish(session, code,
		                "The file could not be written to its end.");
	} else {
		transfer_finish(session, code, "The upload was not stored.");
	}
}

void
transfer_commit(struct session *session)
{
	struct transfer *transfer = session->transfer;
	struct agent_question question = {.verb = AGENT_COMMIT,
	                                  .upload = transfer->upload,
	                                  .path = transfer->path,
	                                  .path_len = transfer->path_len};

	data_complete(session);
	data_disarm(session);
	fd_close(&transfer->file_fd);
	if (transfer->upload == 0) {
		transfer_finish_upload(session, IPC_OK);
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
		transfer_finish_upload(session, result);
	}
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
		transfer_release(session);
		control_reply(session, REPLY_TRANSFER_ABORTED, "Transfer aborted: %s.",
		              reason);
		return;
	}
	transfer_record(session, false);
	transfer_release(session);
	control_reply(session, REPLY_TRANSFER_ABORTED, "Transfer aborted: %s.", reason);
}

void
transfer_drop(struct session *session)
{
	if (session->transfer != NULL) {
		transfer_record(session, false);
	}
	if (session_is_transferring(session)) {
		transfer_release(session);
	}
}
