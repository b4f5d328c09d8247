/*
 * cmd_transfer: RETR, the listings, and ABOR.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.3; RFC 1123 4.1.2.7 (NLST); RFC 3659 5 and 7.
 */
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/cmd_site.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/transfer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

_Static_assert((int)LIST_HIDDEN == AGENT_LIST_HIDDEN &&
                   (int)LIST_BY_TIME == AGENT_LIST_BY_TIME &&
                   (int)LIST_REVERSE == AGENT_LIST_REVERSE &&
                   (int)LIST_RECURSIVE == AGENT_LIST_RECURSIVE &&
                   (int)LIST_BY_SIZE == AGENT_LIST_BY_SIZE &&
                   (int)LIST_CLASSIFY == AGENT_LIST_CLASSIFY &&
                   (int)LIST_DIRECTORY == AGENT_LIST_DIRECTORY &&
                   (int)LIST_LONG == AGENT_LIST_LONG,
               "list options travel as they are parsed");

void
cmd_retr(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_OPEN_READ};

	if (!cmd_take_path(session, request->text, request->text_len)) {
		return;
	}
	session_set_transfer_state(session, TRANSFER_OPENING);
	question.path = session->path;
	question.path_len = strlen(session->path);
	agent_ask(session, &question);
	if (session->is_asking) {
		/* Meanwhile: most clients have connected before they ask. */
		(void)data_try_accept(session);
	}
}

/* The command fails before a byte has moved: the data port is used up all the same. */
static void
refuse_transfer(struct session *session, enum reply_code code, enum ipc_result result)
{
	session->restart_offset = 0;
	data_use_up(session);
	cmd_refuse(session, code, result);
}

/* 450 and 451 pass, 550 stays (RFC 959 4.2.1). */
static enum reply_code
code_of(enum ipc_result result, enum reply_code permanent)
{
	return result == IPC_LOCAL_ERROR ? REPLY_LOCAL_ERROR
	       : result == IPC_BUSY      ? REPLY_FILE_BUSY
	                                 : permanent;
}

void
cmd_retr_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	if (answer->result != IPC_OK) {
		refuse_transfer(session, code_of(answer->result, REPLY_FILE_UNAVAILABLE),
		                answer->result);
		return;
	}
	if (!session->is_ascii && session->restart_offset > answer->size_bytes) {
		fd_close(&fd);
		session->restart_offset = 0;
		data_use_up(session);
		control_reply(session, REPLY_BAD_RESTART,
		              "REST is beyond the end of the file.");
		return;
	}
	transfer_start(session, answer, fd);
}

/*
 * RFC 1123 4.1.2.7: a name that NLST returns can be used as it stands. So what the client
 * typed before the name comes before it in the answer, too.
 */
static void
set_prefix(struct agent_question *question, const char *text, size_t len,
           char prefix[PATH_MAX_BYTES + 1])
{
	if (len == 0 || len > PATH_MAX_BYTES - 1) {
		return;
	}
	memcpy(prefix, text, len);
	if (prefix[len - 1] != '/') {
		prefix[len++] = '/';
	}
	question->prefix = prefix;
	question->prefix_len = len;
}

void
cmd_ask_listing(struct session *session, const struct request *request,
                enum agent_format format)
{
	struct agent_question question = {.verb = AGENT_LIST,
	                                  .format = format,
	                                  .facts = session->facts,
	                                  .pattern = "",
	                                  .prefix = ""};
	char prefix[PATH_MAX_BYTES + 1];
	const char *text = request->text;
	size_t len = request->text_len;
	size_t dir_len;

	if (format != AGENT_FORMAT_FACTS) {
		text = request->value.list.path;
		len = request->value.list.path_len;
		question.options = request->value.list.flags;
		if (path_split_pattern(text, len, &dir_len)) {
			question.pattern = text + dir_len;
			question.pattern_len = len - dir_len;
			len = dir_len;
		}
	}
	if (format == AGENT_FORMAT_NAMES) {
		set_prefix(&question, text, len, prefix);
	}
	if (cmd_take_path(session, text, len)) {
		question.path = session->path;
		question.path_len = strlen(session->path);
		agent_ask(session, &question);
	}
}

void
cmd_list(struct session *session, const struct request *request)
{
	enum agent_format format = request->id == CMD_MLSD   ? AGENT_FORMAT_FACTS
	                           : request->id == CMD_NLST ? AGENT_FORMAT_NAMES
	                                                     : AGENT_FORMAT_LONG;

	session_set_transfer_state(session, TRANSFER_OPENING);
	cmd_ask_listing(session, request, format);
}

/*
 * RFC 959 5.4 has 450 for what LIST and NLST cannot find; RFC 3659 7.2 has 501 and 550
 * for MLSD.
 */
void
cmd_list_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	enum reply_code permanent = session->command != CMD_MLSD ? REPLY_FILE_BUSY
	                            : answer->result == IPC_NOT_A_DIRECTORY
	                                ? REPLY_BAD_ARGUMENT
	                                : REPLY_FILE_UNAVAILABLE;

	if (answer->result != IPC_OK) {
		refuse_transfer(session, code_of(answer->result, permanent),
		                answer->result);
		return;
	}
	free(session->path);
	session->path = NULL;
	transfer_start(session, answer, fd);
}

void
cmd_abor(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	if (session->transfer != NULL && session->transfer_state == TRANSFER_FINISHING) {
		/* All has arrived and is being stored: that is answered first. */
		session->transfer->has_abor = true;
		return;
	}
	if (session_is_transferring(session)) {
		transfer_abort(session, "as you asked");
		control_reply(session, REPLY_TRANSFER_COMPLETE, "Aborted.");
		return;
	}
	if (session->copy != NULL) {
		cmd_site_cancel(session);
		control_reply(session, REPLY_TRANSFER_COMPLETE, "Aborted.");
		return;
	}
	/* RFC 959 4.1.3: the data connection is closed, if there is one */
	data_use_up(session);
	control_reply(session, REPLY_TRANSFER_COMPLETE, "Nothing is being transferred.");
}
