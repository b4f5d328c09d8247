/*
 * cmd_site: SITE and its commands.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.3; the table and its forms are in ftpd/proto/site.h.
 */
#include "ftpd/worker/cmd_site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/loop.h"
#include "ftpd/proto/out.h"
#include "ftpd/proto/site.h"
#include "ftpd/worker/agent_client.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/gate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	HELP_BYTES_MAX = 1024, /* all names of the table in one reply */
};

/* A copy that the agent makes, told of through a pipe. */
struct copy_job {
	struct loop_source source; /* the pipe */
	struct session *session;
	int pipe_fd;
	struct agent_progress progress; /* the last that was told */
};

static void
help_on_all(struct session *session)
{
	char lines[HELP_BYTES_MAX];
	char bytes[HELP_BYTES_MAX / 2];
	struct out names = out_begin(bytes, sizeof(bytes));
	size_t at;
	static const char first[] = "SITE commands:";
	static const char last[] = "SITE HELP <command> tells more.";

	for (unsigned id = 0; id < SITE_COUNT; id++) {
		out_text(&names, id > 0 ? " " : "");
		out_text(&names, site_row((enum site_id)id)->name);
	}
	at = reply_format_first(lines, sizeof(lines), REPLY_HELP, first,
	                        sizeof(first) - 1);
	at += reply_format_middle(lines + at, sizeof(lines) - at, bytes, out_end(&names));
	at += reply_format(lines + at, sizeof(lines) - at, REPLY_HELP, last,
	                   sizeof(last) - 1);
	control_send(session, lines, at);
}

void
cmd_site_help(struct session *session, const char *word, size_t len)
{
	enum site_id id = site_find(word, len);
	const struct site_command *command;

	if (len == 0) {
		help_on_all(session);
	} else if (id == SITE_COUNT) {
		control_reply(session, REPLY_BAD_ARGUMENT, "Unknown SITE command.");
	} else {
		command = site_row(id);
		control_reply(session, REPLY_HELP, "Syntax: SITE %s%s%s - %s",
		              command->name, command->syntax[0] != '\0' ? " " : "",
		              command->syntax, command->help);
	}
}

static void
copy_to(struct session *session, const struct site_request *site)
{
	struct agent_question question = {.verb = AGENT_COPY};
	char *from = session->rename_from;

	if (from == NULL || !session->is_copying) {
		session_forget_rename(session);
		control_reply(session, REPLY_BAD_SEQUENCE, "Send SITE CPFR first.");
		return;
	}
	session->rename_from = NULL;
	session->is_copying = false;
	if (cmd_take_path(session, site->path, site->path_len)) {
		question.path = from;
		question.path_len = strlen(from);
		question.second = session->path;
		question.second_len = strlen(session->path);
		agent_ask(session, &question);
	}
	free(from);
}

/*
 * Without a mask the one in force is asked for, by setting once more what has been set:
 * an agent adds it to the configured one.
 */
static void
ask_umask(struct session *session, const struct site_request *site)
{
	struct agent_question question = {.verb = AGENT_SET_UMASK};

	/* The agent keeps it, and those of anonymous clients serve many. */
	if (site->has_mode && !session->rights.is_user) {
		control_reply(session, REPLY_FILE_UNAVAILABLE,
		              "Anonymous clients keep the umask that is set for them.");
		return;
	}
	question.mode = site->has_mode ? site->mode : session->umask;
	cmd_ask(session, &question, "", 0);
}

static void
carry_out(struct session *session, const struct site_request *site)
{
	struct agent_question question = {.second = site->target,
	                                  .second_len = site->target_len};
	struct mff facts = {.has_mode = site->id == SITE_CHMOD,
	                    .mode = site->mode,
	                    .has_time = site->id == SITE_UTIME,
	                    .time_s = site->time_s};

	switch (site->id) {
	case SITE_HELP: cmd_site_help(session, site->path, site->path_len); return;
	case SITE_CHMOD:
	case SITE_UTIME:
		cmd_set_facts(session, &facts, site->path, site->path_len);
		return;
	case SITE_UMASK: ask_umask(session, site); return;
	case SITE_SYMLINK: question.verb = AGENT_SYMLINK; break;
	case SITE_CPFR: question.verb = AGENT_STAT; break;
	case SITE_CPTO: copy_to(session, site); return;
	case SITE_COUNT: return;
	}
	cmd_ask(session, &question, site->path, site->path_len);
}

/*
 * Returns: false when path or target cannot exist; refused then. An agent takes a
 *          question
 * with a longer one for an attack.
 */
static bool
check_path(struct session *session, const struct site_request *site)
{
	char path[PATH_MAX_BYTES];

	if (site->target_len >= PATH_MAX_BYTES) {
		cmd_refuse(session, REPLY_NAME_NOT_ALLOWED, IPC_BAD_NAME);
		return false;
	}
	if (path_resolve(session_cwd(session), site->path, site->path_len, path,
	                 sizeof(path)) == PATH_OK) {
		return true;
	}
	control_reply(session, REPLY_FILE_UNAVAILABLE,
	              "No such file or directory: the name is too long.");
	return false;
}

void
cmd_site(struct session *session, const struct request *request)
{
	struct site_request site;
	enum site_result result = site_parse(request->text, request->text_len, &site);

	if (site.id != SITE_HELP && site.id != SITE_CPTO) {
		session_forget_rename(session);
	}
	if (result == SITE_UNKNOWN) {
		control_reply(session, REPLY_BAD_ARGUMENT,
		              "Unknown SITE command; SITE HELP lists them.");
	} else if (site_row(site.id)->is_writing && !gate_may_write(session)) {
		session_forget_rename(session);
	} else if (result == SITE_SYNTAX) {
		control_reply(session, REPLY_BAD_ARGUMENT, "Syntax: SITE %s %s",
		              site_row(site.id)->name, site_row(site.id)->syntax);
	} else if (check_path(session, &site)) {
		carry_out(session, &site);
	}
}

void
cmd_site_drop(struct session *session)
{
	struct copy_job *copy = session->copy;

	if (copy != NULL) {
		loop_forget(&session->worker->loop, &copy->source);
		fd_close(&copy->pipe_fd);
		free(copy);
		session->copy = NULL;
	}
}

void
cmd_site_cancel(struct session *session)
{
	if (session->copy != NULL) {
		cmd_site_drop(session);
		control_reply(session, REPLY_LOCAL_ERROR, "The copy was cancelled.");
	}
}

void
cmd_site_tell(struct session *session)
{
	const struct agent_progress *progress = &session->copy->progress;

	control_reply(session, REPLY_STATUS, "Copying: %llu files, %llu octets so far.",
	              (unsigned long long)progress->files,
	              (unsigned long long)progress->bytes);
}

/* The copy has ended, well or not, or its agent has. */
static void
end_copy(struct session *session, enum ipc_result result)
{
	struct agent_progress progress = session->copy->progress;

	cmd_site_drop(session);
	if (result == IPC_OK) {
		control_reply(session, REPLY_FILE_OK, "Copied: %llu files, %llu octets.",
		              (unsigned long long)progress.files,
		              (unsigned long long)progress.bytes);
	} else {
		cmd_refuse(session, cmd_code_of(result, REPLY_FILE_UNAVAILABLE), result);
	}
	control_continue(session);
}

/* What an agent tells is checked as what it answers. */
static bool
is_sound(const struct agent_progress *progress, ssize_t len)
{
	return len == (ssize_t)sizeof(*progress) && progress->result < IPC_RESULT_COUNT &&
	       progress->is_done <= 1;
}

static void
handle_copy(struct loop_source *source, uint32_t events)
{
	struct copy_job *copy = (struct copy_job *)source;
	struct agent_progress progress;
	ssize_t len = read(copy->pipe_fd, &progress, sizeof(progress));

	(void)events; /* reading tells */
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (!is_sound(&progress, len)) {
		end_copy(copy->session, IPC_LOCAL_ERROR);
		return;
	}
	copy->progress = progress;
	copy->session->active_ms = copy->session->worker->loop.now_ms;
	if (progress.is_done != 0) {
		end_copy(copy->session, (enum ipc_result)progress.result);
	}
}

static void
begin_copy(struct session *session, int fd)
{
	struct copy_job *copy = calloc(1, sizeof(*copy));

	if (copy == NULL ||
	    loop_watch(&session->worker->loop, &copy->source, fd, EPOLLIN) != 0) {
		free(copy);
		fd_close(&fd);
		cmd_refuse(session, REPLY_LOCAL_ERROR, IPC_LOCAL_ERROR);
		return;
	}
	copy->source.handle = handle_copy;
	copy->session = session;
	copy->pipe_fd = fd;
	session->copy = copy;
}

static void
finish_umask(struct session *session, const struct agent_answer *answer)
{
	session->umask = answer->mode;
	control_reply(session, REPLY_OK, "The umask is %03o.", answer->mode);
}

void
cmd_site_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	if (session->change != NULL) {
		cmd_change_finish(session, answer, fd);
		return;
	}
	if (answer->result == IPC_OK && session->question_verb == AGENT_COPY) {
		begin_copy(session, fd);
		return;
	}
	fd_close(&fd);
	if (answer->result != IPC_OK) {
		cmd_refuse(session, cmd_code_of(answer->result, REPLY_FILE_UNAVAILABLE),
		           answer->result);
	} else if (session->question_verb == AGENT_SET_UMASK) {
		finish_umask(session, answer);
	} else if (session->question_verb == AGENT_STAT) {
		session->rename_from = session->path;
		session->is_copying = true;
		session->path = NULL;
		control_reply(session, REPLY_NEED_MORE, "It is there; send SITE CPTO.");
	} else {
		control_reply(session, REPLY_FILE_OK, "Linked.");
	}
}
