/*
 * cmd_change: what changes names, directories and facts of files: DELE, MKD, RMD, RNFR,
 * RNTO, MFMT, MFF, and MDTM that sets.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.3 and 5.4; draft-somers-ftp-mfxx.
 * Not here: what may be changed; the agent decides.
 */
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "ftpd/worker/agent_client.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/session.h"
#include "common/base.h"

/* Facts that are being set: each one is a question. */
struct change {
	struct mff asked; /* for, by the client */
	struct mff left;  /* to do */
};

void
cmd_dele(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_REMOVE_FILE};

	cmd_ask(session, &question, request->text, request->text_len);
}

void
cmd_rmd(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_REMOVE_DIR};

	cmd_ask(session, &question, request->text, request->text_len);
}

void
cmd_mkd(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_MAKE_DIR};

	cmd_ask(session, &question, request->text, request->text_len);
}

/* RFC 959 appendix II: the reply names the directory such that CWD finds it. */
void
cmd_mkd_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	char quoted[2 * PATH_MAX_BYTES + 2];
	size_t len;

	fd_close(&fd);
	if (answer->result != IPC_OK) {
		cmd_refuse(session, cmd_code_of(answer->result, REPLY_FILE_UNAVAILABLE),
		           answer->result);
		return;
	}
	len = reply_quote(quoted, sizeof(quoted), session->path, strlen(session->path));
	control_reply(session, REPLY_PATH, "%.*s is made.", (int)len, quoted);
}

void
cmd_rnfr(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_STAT_LINK};

	cmd_ask(session, &question, request->text, request->text_len);
}

void
cmd_rnfr_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	fd_close(&fd);
	if (answer->result != IPC_OK) {
		cmd_refuse(session, cmd_code_of(answer->result, REPLY_FILE_UNAVAILABLE),
		           answer->result);
		return;
	}
	session->rename_from = session->path;
	session->path = NULL;
	control_reply(session, REPLY_NEED_MORE, "It is there; send RNTO.");
}

void
cmd_rnto(struct session *session, const struct request *request)
{
	struct agent_question question = {.verb = AGENT_RENAME};
	char *from = session->rename_from;

	if (from == NULL || session->is_copying) {
		session_forget_rename(session);
		control_reply(session, REPLY_BAD_SEQUENCE, "Send RNFR first.");
		return;
	}
	session->rename_from = NULL;
	if (cmd_take_path(session, request->text, request->text_len)) {
		question.path = from;
		question.path_len = strlen(from);
		question.second = session->path;
		question.second_len = strlen(session->path);
		agent_ask(session, &question);
	}
	free(from);
}

/* Ask for what is left to do. Returns: false if nothing is. */
static bool
ask_next_fact(struct session *session)
{
	struct change *change = session->change;
	struct agent_question question = {.path = session->path,
	                                  .path_len = strlen(session->path)};

	if (change->left.has_mode) {
		change->left.has_mode = false;
		question.verb = AGENT_SET_MODE;
		question.mode = change->left.mode;
	} else if (change->left.has_time) {
		change->left.has_time = false;
		question.verb = AGENT_SET_TIME;
		question.time_s = change->left.time_s;
	} else {
		return false;
	}
	agent_ask(session, &question);
	return true;
}

void
cmd_set_facts(struct session *session, const struct mff *facts, const char *path,
              size_t len)
{
	free(session->change);
	session->change = malloc(sizeof(*session->change));
	if (session->change == NULL) {
		cmd_refuse(session, REPLY_LOCAL_ERROR, IPC_LOCAL_ERROR);
		return;
	}
	*session->change = (struct change){.asked = *facts, .left = *facts};
	if (cmd_take_path(session, path, len)) {
		(void)ask_next_fact(session); /* there is one at least */
	}
}

void
cmd_mfmt(struct session *session, const struct request *request)
{
	cmd_set_facts(session, &request->value.facts.set, request->value.facts.path,
	              request->value.facts.path_len);
}

void
cmd_mff(struct session *session, const struct request *request)
{
	cmd_mfmt(session, request);
}

/* draft-somers-ftp-mfxx 3.1: the facts as they are now, and the path. */
static void
tell_facts(struct session *session, const struct mff *facts)
{
	char text[MFF_TEXT_MAX];
	size_t len = mff_format(facts, text, sizeof(text));

	control_reply(session, REPLY_FILE_STATUS, "%.*s %s", (int)len, text,
	              session->path);
}

static const char *
done_text(enum agent_verb verb)
{
	return verb == AGENT_RENAME        ? "Renamed."
	       : verb == AGENT_REMOVE_FILE ? "Deleted."
	       : verb == AGENT_REMOVE_DIR  ? "Removed."
	                                   : "Done.";
}

static void
forget_change(struct session *session)
{
	free(session->change);
	session->change = NULL;
}

void
cmd_change_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	enum reply_code permanent = session->command == CMD_RNTO ? REPLY_NAME_NOT_ALLOWED
	                                                         : REPLY_FILE_UNAVAILABLE;

	fd_close(&fd);
	if (answer->result != IPC_OK) {
		cmd_refuse(session, cmd_code_of(answer->result, permanent),
		           answer->result);
	} else if (session->change == NULL) {
		control_reply(session, REPLY_FILE_OK, "%s",
		              done_text(session->question_verb));
	} else if (ask_next_fact(session)) {
		return;
	} else if (session->command == CMD_SITE) {
		control_reply(session, REPLY_OK, "Done.");
	} else {
		tell_facts(session, &session->change->asked);
	}
	forget_change(session);
}
