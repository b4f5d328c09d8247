/*
 * cmd_stat: STAT in its three forms: the session, a running transfer, a listing over the
 * control connection.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.3; RFC 1123 4.1.2.12 is silent, so a listing is 213 as of old.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/cmd_site.h"
#include "ftpd/worker/cmd_stat.h"
#include "ftpd/worker/cmd_tls.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	LINE_MAX_IN_REPLY = 3 * 4096 + 256, /* as long as a line of a listing can be */
	PIPE_READ_BYTES = 16 * 1024,
};

/* A listing on its way from the agent's pipe to the control connection. */
struct stat_listing {
	struct loop_source source; /* the pipe */
	struct session *session;
	int pipe_fd;
	uint32_t agent_serial;
	size_t line_len;
	char line[LINE_MAX_IN_REPLY];
};

static void
tell_transfer(struct session *session)
{
	char text[TRANSFER_TEXT_MAX];
	size_t len = transfer_describe(session, text);

	control_reply(session, REPLY_STATUS, "%.*s", (int)len, text);
}

static size_t
add_line(char *lines, size_t cap, size_t len, const char *text)
{
	return len + reply_format_middle(lines + len, cap - len, text, strlen(text));
}

static void
tell_session(struct session *session)
{
	char peer[ADDR_TEXT_MAX];
	char text[512];
	char protection[CMD_TLS_TEXT_MAX];
	char lines[2048 + 2 * CMD_TLS_TEXT_MAX];
	size_t len = reply_format_first(lines, sizeof(lines), REPLY_STATUS, "Status:", 7);

	(void)addr_format(&session->peer, peer); /* terminated */
	(void)snprintf(text, sizeof(text), "Connected from %s", peer);
	len = add_line(lines, sizeof(lines), len, text);
	(void)snprintf(text, sizeof(text), "%s%.200s",
	               session->state == SESSION_LOGGED_IN ? "Logged in as "
	                                                   : "Not logged in",
	               session->state == SESSION_LOGGED_IN ? session->name : "");
	len = add_line(lines, sizeof(lines), len, text);
	(void)snprintf(text, sizeof(text), "TYPE: %s; STRU: F; MODE: S",
	               session->is_ascii ? "A" : "I");
	len = add_line(lines, sizeof(lines), len, text);
	(void)snprintf(text, sizeof(text), "%.*s",
	               (int)cmd_tls_describe(session, protection), protection);
	len = add_line(lines, sizeof(lines), len, text);
	len = add_line(lines, sizeof(lines), len,
	               session->tls.is_data_private ? "Data is encrypted: PROT P"
	                                            : "Data is not encrypted: PROT C");
	len = add_line(lines, sizeof(lines), len,
	               session->transfer_state == TRANSFER_ARMED
	                   ? "Data port is set, no transfer"
	                   : "No data connection");
	if (session->state == SESSION_LOGGED_IN && session->rights.is_read_only) {
		len = add_line(lines, sizeof(lines), len, "Nothing can be changed");
	}
	len += reply_format(lines + len, sizeof(lines) - len, REPLY_STATUS, "End", 3);
	control_send(session, lines, len);
}

void
cmd_stat(struct session *session, const struct request *request)
{
	if (session_is_transferring(session)) {
		tell_transfer(session);
	} else if (session->copy != NULL) {
		cmd_site_tell(session);
	} else if (request->text_len == 0) {
		tell_session(session);
	} else if (session->state != SESSION_LOGGED_IN) {
		control_reply(session, REPLY_NOT_LOGGED_IN,
		              "Please log in with USER and PASS.");
	} else {
		cmd_ask_listing(session, request, AGENT_FORMAT_LONG);
	}
}

void
cmd_stat_drop(struct session *session)
{
	struct stat_listing *listing = session->stat_listing;

	if (listing != NULL) {
		loop_forget(&session->worker->loop, &listing->source);
		fd_close(&listing->pipe_fd);
		free(listing);
		session->stat_listing = NULL;
	}
}

static void
send_lines(struct stat_listing *listing, const char *bytes, size_t len)
{
	char line[LINE_MAX_IN_REPLY + 8];

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			control_send(listing->session, line,
			             reply_format_middle(line, sizeof(line),
			                                 listing->line,
			                                 listing->line_len));
			listing->line_len = 0;
		} else if (bytes[i] != '\r' &&
		           listing->line_len < sizeof(listing->line)) {
			listing->line[listing->line_len++] = bytes[i];
		}
	}
}

static void
handle_listing(struct loop_source *source, uint32_t events)
{
	struct stat_listing *listing = (struct stat_listing *)source;
	struct session *session = listing->session;
	char bytes[PIPE_READ_BYTES];
	ssize_t len;
	bool is_whole;

	(void)events; /* reading tells */
	if (session->output_len >= SESSION_OUTPUT_MAX) {
		/*
		 * The client is slow: the rest stays in the pipe until cmd_stat_resume()
		 * asks for more.
		 */
		/* or the timeout ends it */
		(void)loop_change(&session->worker->loop, source, 0);
		return;
	}
	len = read(listing->pipe_fd, bytes, sizeof(bytes));
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (len > 0) {
		session_touch(session);
		send_lines(listing, bytes, (size_t)len);
		return;
	}
	is_whole = len == 0 && agent_is_alive(session->worker, listing->agent_serial);
	cmd_stat_drop(session);
	control_reply(session, REPLY_FILE_STATUS, "%s",
	              is_whole ? "End" : "The listing was cut short.");
	control_continue(session);
}

void
cmd_stat_resume(struct session *session)
{
	if (session->stat_listing != NULL && session->output_len < SESSION_OUTPUT_MAX) {
		(void)loop_change(&session->worker->loop, &session->stat_listing->source,
		                  EPOLLIN); /* or the timeout ends it */
	}
}

void
cmd_stat_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	struct stat_listing *listing;
	static const char first[] = "Status:";
	char line[64];

	if (answer->result != IPC_OK) {
		cmd_refuse(session, REPLY_FILE_BUSY, answer->result);
		return;
	}
	listing = calloc(1, sizeof(*listing));
	if (listing == NULL ||
	    loop_watch(&session->worker->loop, &listing->source, fd, EPOLLIN) != 0) {
		free(listing);
		fd_close(&fd);
		cmd_refuse(session, REPLY_FILE_BUSY, IPC_LOCAL_ERROR);
		return;
	}
	listing->source.handle = handle_listing;
	listing->session = session;
	listing->pipe_fd = fd;
	listing->agent_serial = session->agent_serial;
	session->stat_listing = listing;
	control_send(session, line,
	             reply_format_first(line, sizeof(line), REPLY_FILE_STATUS, first,
	                                sizeof(first) - 1));
}
