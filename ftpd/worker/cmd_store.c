/*
 * cmd_store: STOR, APPE, STOU and ALLO.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.3 and 5.4; RFC 1123 4.1.2.9 (STOU); RFC 3659 5 (REST).
 * Not here: the bytes (transfer.c); where they go, and what becomes of them when they are
 *           cut (deftpd-agent).
 */
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/transfer.h"
#include "ftpd/worker/transfer_end.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/* STOU without a name: the agent puts something behind it if it is taken. */
static const char unique_wish[] = "upload";

/* The command fails before a byte has moved: the data port is used up all the same. */
static void
use_up(struct session *session)
{
	session->restart_offset = 0;
	data_use_up(session);
}

void
cmd_allo(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_SPACE};

	if (session->rights.is_read_only) {
		control_reply(session, REPLY_SUPERFLUOUS,
		              "Nothing can be stored here, so nothing is reserved.");
		return;
	}
	if (session->rights.max_file_bytes != 0 &&
	    request->value.number > session->rights.max_file_bytes) {
		control_reply(session, REPLY_EXCEEDED,
		              "A file may have at most %llu bytes.",
		              (unsigned long long)session->rights.max_file_bytes);
		return;
	}
	if (!cmd_take_path(session, "", 0)) {
		return;
	}
	session->wanted_bytes = request->value.number;
	question.path = session->path;
	question.path_len = strlen(session->path);
	agent_ask(session, &question);
}

void
cmd_allo_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	fd_close(&fd);
	if (answer->result == IPC_LOCAL_ERROR || answer->result == IPC_BUSY) {
		control_reply(session, REPLY_SUPERFLUOUS,
		              "How much space there is cannot be told now.");
	} else if (answer->result != IPC_OK) {
		cmd_refuse(session,
		           answer->result == IPC_NO_SPACE ? REPLY_NO_SPACE
		                                          : REPLY_EXCEEDED,
		           answer->result);
	} else if (answer->size_bytes < session->wanted_bytes) {
		control_reply(session, REPLY_NO_SPACE,
		              "Only %llu bytes can be stored here.",
		              (unsigned long long)answer->size_bytes);
	} else {
		control_reply(session, REPLY_OK, "There is enough space for %llu bytes.",
		              (unsigned long long)session->wanted_bytes);
	}
}

static enum agent_open
how_of(enum command_id id)
{
	return id == CMD_APPE   ? AGENT_OPEN_APPEND
	       : id == CMD_STOU ? AGENT_OPEN_UNIQUE
	                        : AGENT_OPEN_STORE;
}

/* What SIZE has told lets the agent go on with an upload that was cut, by APPE. */
static void
add_told_size(const struct session *session, struct agent_question *question)
{
	if (question->how == AGENT_OPEN_APPEND && session->told_path != NULL &&
	    strcmp(session->told_path, session->path) == 0) {
		question->has_told_size = true;
		question->told_size = session->told_size;
	}
}

void
cmd_store(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_OPEN_WRITE,
	                                  .how = how_of(request->id),
	                                  .is_text = session->is_ascii};
	bool has_name = request->text_len > 0;

	if (session->is_ascii && session->restart_offset != 0) {
		/*
		 * The marker counts octets of the converted text (RFC 3659 5.3); where
		 * that is in the file, only reading all of it could tell.
		 */
		use_up(session);
		control_reply(session, REPLY_BAD_RESTART,
		              "An upload can be resumed in TYPE I only.");
		return;
	}
	if (!cmd_take_path(session, has_name ? request->text : unique_wish,
	                   has_name ? request->text_len : sizeof(unique_wish) - 1)) {
		return;
	}
	session_set_transfer_state(session, TRANSFER_OPENING);
	question.path = session->path;
	question.path_len = strlen(session->path);
	if (question.how == AGENT_OPEN_STORE) {
		question.offset = session->restart_offset;
	}
	add_told_size(session, &question);
	agent_ask(session, &question);
	if (session->is_asking) {
		/* Meanwhile: most clients have connected before they ask. */
		(void)data_try_accept(session);
	}
}

static void
refuse(struct session *session, enum ipc_result result)
{
	use_up(session);
	if (result == IPC_BAD_OFFSET && session->command == CMD_APPE) {
		control_reply(session, REPLY_BAD_RESTART,
		              "A part of an upload waits beside this file: REST and STOR "
		              "go on with it, STOR begins anew, DELE discards it.");
	} else if (result == IPC_BAD_OFFSET) {
		control_reply(session, REPLY_BAD_RESTART,
		              "No upload can go on there; SIZE tells where.");
	} else {
		cmd_refuse(session, transfer_store_code(result), result);
	}
}

/* STOU: the file is not called what the client has wished. */
static bool
take_name(struct session *session, const struct agent_answer *answer)
{
	char *path;

	if (answer->name_len == 0) {
		return true;
	}
	path = strndup(answer->name, answer->name_len);
	if (path == NULL) {
		return false;
	}
	free(session->path);
	session->path = path;
	return true;
}

static void
start(struct session *session, const struct agent_answer *answer, int fd)
{
	uint64_t wanted = session->restart_offset;
	bool is_misplaced =
	    session->command == CMD_APPE && wanted != 0 && wanted != answer->offset;
	bool has_name = take_name(session, answer);

	if (!is_misplaced && has_name) {
		transfer_start(session, answer, fd);
		return;
	}
	fd_close(&fd);
	if (answer->upload != 0) {
		agent_discard(session->worker, session->agent_serial, answer->upload,
		              session->path);
	}
	/*
	 * APPE knows by itself where it writes: a REST that says something else would
	 * leave a hole or cover bytes that the client does not mean.
	 */
	use_up(session);
	control_reply(session, has_name ? REPLY_BAD_RESTART : REPLY_LOCAL_ERROR, "%s",
	              has_name ? "APPE appends at the end, not at REST."
	                       : "Out of memory; try again later.");
}

void
cmd_store_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	if (session->question_verb == AGENT_COMMIT) {
		fd_close(&fd);
		transfer_committed(session, answer->result);
	} else if (answer->result != IPC_OK) {
		fd_close(&fd);
		refuse(session, answer->result);
	} else {
		start(session, answer, fd);
	}
}
