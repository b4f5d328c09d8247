/*
 * cmd_path: names, directories and what is told of files: CWD, CDUP, PWD, SIZE, MDTM,
 * MLST.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1; RFC 3659 3, 4 and 7.
 * Not here: files. Paths are only text in this process.
 */
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "ftpd/proto/datetime.h"
#include "ftpd/proto/entry.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/gate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/* The part of the argument that is a path: ls options come before it in some. */
static void
path_of(const struct request *request, const char **ret_text, size_t *ret_len)
{
	enum command_argument kind = command_row(request->id)->argument;

	if (kind == COMMAND_ARG_LIST) {
		*ret_text = request->value.list.path;
		*ret_len = request->value.list.path_len;
	} else if (kind == COMMAND_ARG_TIME_PATH || kind == COMMAND_ARG_FACTS_PATH ||
	           kind == COMMAND_ARG_MAYBE_TIME_PATH) {
		*ret_text = request->value.facts.path;
		*ret_len = request->value.facts.path_len;
	} else {
		*ret_text = request->text;
		*ret_len = request->text_len;
	}
}

/*
 * The code for a name that no file can have: RFC 959 5.4 has no 550 for the listings, and
 * 553 for names that are to be given.
 */
static enum reply_code
code_of_bad_name(enum command_id id)
{
	if (id == CMD_LIST || id == CMD_NLST || id == CMD_STAT) {
		return REPLY_FILE_BUSY;
	}
	return id == CMD_STOR || id == CMD_STOU || id == CMD_APPE || id == CMD_RNTO
	           ? REPLY_NAME_NOT_ALLOWED
	           : REPLY_FILE_UNAVAILABLE;
}

bool
cmd_path_check(struct session *session, const struct request *request)
{
	char path[PATH_MAX_BYTES];
	const char *text;
	size_t len;

	path_of(request, &text, &len);
	if (path_resolve(session_cwd(session), text, len, path, sizeof(path)) ==
	    PATH_OK) {
		return true;
	}
	control_reply(session, code_of_bad_name(request->id),
	              "No such file or directory: the name is too long.");
	return false;
}

bool
cmd_take_path(struct session *session, const char *text, size_t len)
{
	char path[PATH_MAX_BYTES];

	free(session->path);
	session->path = NULL;
	if (path_resolve(session_cwd(session), text, len, path, sizeof(path)) ==
	    PATH_OK) {
		session->path = strdup(path);
	}
	if (session->path == NULL) {
		control_reply(session, REPLY_SERVICE_CLOSING,
		              "Out of memory; try again later.");
		control_end(session, MW_END_CLOSED);
	}
	return session->path != NULL;
}

void
cmd_refuse(struct session *session, enum reply_code code, enum ipc_result result)
{
	static const char *const texts[IPC_RESULT_COUNT] = {
	    [IPC_OK] = "Done.",
	    [IPC_NOT_FOUND] = "No such file or directory.",
	    [IPC_DENIED] = "Permission denied.",
	    [IPC_NOT_A_FILE] = "Not a plain file.",
	    [IPC_NOT_A_DIRECTORY] = "Not a directory.",
	    [IPC_BUSY] = "Busy or too large; try again later.",
	    [IPC_UNREACHABLE] = "Not reachable.",
	    [IPC_LOCAL_ERROR] = "Local error; try again later.",
	    [IPC_EXISTS] = "Something of that name is there.",
	    [IPC_NOT_EMPTY] = "The directory is not empty.",
	    [IPC_READ_ONLY] = "Nothing can be written there.",
	    [IPC_NO_SPACE] = "No space is left.",
	    [IPC_OVER_QUOTA] = "Your quota is used up.",
	    [IPC_TOO_LARGE] = "Larger than a file may be.",
	    [IPC_BAD_OFFSET] = "There is no upload that can go on at this offset.",
	    [IPC_BAD_NAME] = "No file can have this name.",
	    [IPC_CROSSES] = "Source and target are on different file systems.",
	};

	control_reply(session, code, "%s", texts[result]);
}

enum reply_code
cmd_code_of(enum ipc_result result, enum reply_code permanent)
{
	switch (result) {
	case IPC_BUSY: return REPLY_FILE_BUSY;
	case IPC_LOCAL_ERROR: return REPLY_LOCAL_ERROR;
	case IPC_NO_SPACE: return REPLY_NO_SPACE;
	case IPC_OVER_QUOTA:
	case IPC_TOO_LARGE: return REPLY_EXCEEDED;
	case IPC_BAD_OFFSET: return REPLY_BAD_RESTART;
	case IPC_BAD_NAME: return REPLY_NAME_NOT_ALLOWED;
	case IPC_OK:
	case IPC_NOT_FOUND:
	case IPC_DENIED:
	case IPC_NOT_A_FILE:
	case IPC_NOT_A_DIRECTORY:
	case IPC_UNREACHABLE:
	case IPC_EXISTS:
	case IPC_NOT_EMPTY:
	case IPC_READ_ONLY:
	case IPC_CROSSES:
	case IPC_RESULT_COUNT: break;
	}
	return permanent;
}

void
cmd_ask(struct session *session, struct agent_question *question, const char *text,
        size_t len)
{
	if (cmd_take_path(session, text, len)) {
		question->path = session->path;
		question->path_len = strlen(session->path);
		agent_ask(session, question);
	}
}

static void
ask(struct session *session, enum agent_verb verb, const char *text, size_t len)
{
	struct agent_question question = {.verb = verb};

	cmd_ask(session, &question, text, len);
}

void
cmd_pwd(struct session *session, const struct request *request)
{
	const char *cwd = session_cwd(session);
	char quoted[2 * PATH_MAX_BYTES + 2];
	size_t len = reply_quote(quoted, sizeof(quoted), cwd, strlen(cwd));

	(void)request; /* has no argument */
	control_reply(session, REPLY_PATH, "%.*s is the current directory.", (int)len,
	              quoted);
}

void
cmd_cwd(struct session *session, const struct request *request)
{
	ask(session, AGENT_CHECK_DIR, request->text, request->text_len);
}

void
cmd_cdup(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	ask(session, AGENT_CHECK_DIR, "..", 2);
}

void
cmd_cwd_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	fd_close(&fd);
	if (answer->result != IPC_OK) {
		cmd_refuse(session, REPLY_FILE_UNAVAILABLE, answer->result);
		return;
	}
	free(session->cwd);
	session->cwd = session->path;
	session->path = NULL;
	control_reply(session, REPLY_FILE_OK, "Directory changed.");
}

void
cmd_ask_facts(struct session *session, const struct request *request)
{
	ask(session, AGENT_STAT, request->text, request->text_len);
}

void
cmd_size(struct session *session, const struct request *request)
{
	ask(session, session->is_ascii ? AGENT_COUNT_ASCII : AGENT_STAT, request->text,
	    request->text_len);
}

/*
 * SIZE and MDTM are for what RETR would send (RFC 3659 3.1 and 4.1). Returns: true if the
 * file is one.
 */
static bool
is_plain_file(struct session *session, const struct agent_answer *answer)
{
	if (answer->result != IPC_OK) {
		cmd_refuse(session, REPLY_FILE_UNAVAILABLE, answer->result);
		return false;
	}
	if (answer->kind != AGENT_KIND_FILE) {
		cmd_refuse(session, REPLY_FILE_UNAVAILABLE, IPC_NOT_A_FILE);
		return false;
	}
	return true;
}

/*
 * APPE to a file of which only a part has come is told what SIZE has said of it: so the
 * agent knows that the client means to go on from there.
 */
static void
remember_size(struct session *session, const struct agent_answer *answer)
{
	free(session->told_path);
	session->told_path = NULL;
	if (answer->result == IPC_OK && !session->is_ascii) {
		session->told_path = session->path;
		session->told_size = answer->size_bytes;
		session->path = NULL;
	}
}

void
cmd_size_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	fd_close(&fd);
	if (answer->result == IPC_BUSY) {
		control_reply(session, REPLY_FILE_UNAVAILABLE,
		              "Too large to be counted in TYPE A; use TYPE I.");
	} else if (is_plain_file(session, answer)) {
		control_reply(session, REPLY_FILE_STATUS, "%llu",
		              (unsigned long long)answer->size_bytes);
		remember_size(session, answer);
	}
}

void
cmd_mdtm(struct session *session, const struct request *request)
{
	if (!request->value.facts.set.has_time) {
		cmd_ask_facts(session, request);
	} else if (gate_may_write(session)) {
		cmd_mfmt(session, request);
	}
}

void
cmd_mdtm_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	char text[DATETIME_TEXT_BYTES];

	if (session->change != NULL) {
		cmd_change_finish(session, answer, fd);
		return;
	}
	fd_close(&fd);
	if (is_plain_file(session, answer)) {
		datetime_format(answer->mtime_s, text);
		control_reply(session, REPLY_FILE_STATUS, "%.*s", (int)sizeof(text),
		              text);
	}
}

static struct entry
entry_of(const struct agent_answer *answer)
{
	struct entry entry = {.type = answer->kind == AGENT_KIND_FILE ? ENTRY_FILE
	                              : answer->kind == AGENT_KIND_DIRECTORY
	                                  ? ENTRY_DIR
	                                  : ENTRY_OTHER,
	                      .mode = answer->mode,
	                      .size_bytes = answer->size_bytes,
	                      .mtime_s = answer->mtime_s,
	                      .device = answer->device,
	                      .inode = answer->inode};

	entry.rights |= answer->is_readable ? ENTRY_MAY_READ : 0;
	entry.rights |= answer->is_searchable ? ENTRY_MAY_SEARCH : 0;
	entry.rights |= answer->is_writable ? ENTRY_MAY_WRITE : 0;
	entry.rights |= answer->is_removable ? ENTRY_MAY_REMOVE : 0;
	return entry;
}

void
cmd_mlst_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	char text[ENTRY_FACTS_MAX + 1 + PATH_MAX_BYTES];
	char lines[2 * (sizeof(text) + 64)];
	struct entry entry = entry_of(answer);
	static const char first[] = "Facts:";
	static const char last[] = "End";
	size_t path_len = strlen(session->path);
	size_t len;

	fd_close(&fd);
	if (answer->result != IPC_OK || !entry_name_is_sayable(session->path, path_len)) {
		cmd_refuse(session, REPLY_FILE_UNAVAILABLE,
		           answer->result != IPC_OK ? answer->result : IPC_NOT_FOUND);
		return;
	}
	len = entry_format_facts_only(&entry, session->facts, text, ENTRY_FACTS_MAX);
	text[len++] = ' ';
	memcpy(text + len, session->path, path_len);
	len += path_len;
	path_len = reply_format_first(lines, sizeof(lines), REPLY_FILE_OK, first,
	                              sizeof(first) - 1);
	path_len +=
	    reply_format_middle(lines + path_len, sizeof(lines) - path_len, text, len);
	path_len += reply_format(lines + path_len, sizeof(lines) - path_len,
	                         REPLY_FILE_OK, last, sizeof(last) - 1);
	control_send(session, lines, path_len);
}
