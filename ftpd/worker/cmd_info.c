/*
 * cmd_info: what the server tells of itself: CLNT, NOOP, SYST, HELP, FEAT.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.3; RFC 2389 3.2; RFC 4217 6.
 */
#include <stdlib.h>
#include <string.h>

#include "ftpd/proto/entry.h"
#include "ftpd/proto/letters.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/gate.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	HELP_WORDS_PER_LINE = 8,
	LINES_MAX = 8192, /* all of HELP or FEAT; both come from tables */
};

/* Lines of one reply, sent in one piece. */
struct lines {
	char bytes[LINES_MAX];
	size_t len;
};

static void
add_first(struct lines *lines, enum reply_code code, const char *text)
{
	lines->len += reply_format_first(
	    lines->bytes + lines->len, LINES_MAX - lines->len, code, text, strlen(text));
}

static void
add_middle(struct lines *lines, const char *text, size_t len)
{
	lines->len += reply_format_middle(lines->bytes + lines->len,
	                                  LINES_MAX - lines->len, text, len);
}

static void
send_with_last(struct session *session, struct lines *lines, enum reply_code code,
               const char *text)
{
	lines->len += reply_format(lines->bytes + lines->len, LINES_MAX - lines->len,
	                           code, text, strlen(text));
	control_send(session, lines->bytes, lines->len);
}

void
cmd_clnt(struct session *session, const struct request *request)
{
	size_t len = request->text_len < SESSION_CLIENT_MAX ? request->text_len
	                                                    : SESSION_CLIENT_MAX;

	free(session->client);
	/* without memory the log does not name it: whoever it is, it is served alike */
	session->client = len > 0 ? strndup(request->text, len) : NULL;
	control_reply(session, REPLY_OK, "Noted.");
}

void
cmd_noop(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	control_reply(session, REPLY_OK, "Done.");
}

void
cmd_syst(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	control_reply(session, REPLY_SYSTEM, "UNIX Type: L8");
}

static void
help_on(struct session *session, enum command_id id)
{
	const struct command *command = command_row(id);

	control_reply(session, REPLY_HELP, "Syntax: %s%s%s - %s%s", command->name,
	              command->syntax[0] != '\0' ? " " : "", command->syntax,
	              command->help,
	              gate_is_built(session, command) ? "" : " (not implemented here)");
}

/*
 * Unimplemented commands carry a star, as BSD's server has shown them since the eighties.
 */
static void
help_on_all(struct session *session)
{
	struct lines lines = {.len = 0};
	char row[HELP_WORDS_PER_LINE * (COMMAND_NAME_MAX + 2)];
	size_t row_len = 0;

	add_first(&lines, REPLY_HELP, "Commands; those with a star are not implemented:");
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		const struct command *command = command_row((enum command_id)id);
		size_t name_len = strlen(command->name);

		memset(row + row_len, ' ', COMMAND_NAME_MAX + 2);
		memcpy(row + row_len, command->name, name_len);
		if (!gate_is_built(session, command)) {
			row[row_len + name_len] = '*';
		}
		row_len += COMMAND_NAME_MAX + 2;
		if (row_len == sizeof(row) || id + 1 == CMD_COUNT) {
			add_middle(&lines, row, row_len);
			row_len = 0;
		}
	}
	send_with_last(session, &lines, REPLY_HELP, "HELP <command> tells more.");
}

void
cmd_help(struct session *session, const struct request *request)
{
	enum command_id id = command_find(request->text, request->text_len);

	if (request->text_len == 0) {
		help_on_all(session);
	} else if (letters_same(request->text, request->text_len, "SITE")) {
		cmd_site_help(session, "", 0);
	} else if (id == CMD_COUNT) {
		control_reply(session, REPLY_NOT_IMPLEMENTED, "Unknown command.");
	} else {
		help_on(session, id);
	}
}

void
cmd_feat(struct session *session, const struct request *request)
{
	const struct worker *worker = session->worker;
	struct lines lines = {.len = 0};
	char facts[5 + ENTRY_FACTS_MAX] = "MLST ";
	/* RFC 4217 6: what a client could use here, whether it does already or not */
	unsigned without = (secure_is_offered(worker) ? 0 : COMMAND_TLS) |
	                   (worker->options->tls.allow_ccc ? 0 : COMMAND_CLEARS);
	const char *feature;
	size_t len;

	(void)request; /* has no argument */
	add_first(&lines, REPLY_STATUS, "Extensions:");
	for (size_t i = 0; (feature = command_feature(i, without)) != NULL; i++) {
		if (strcmp(feature, "MLST") == 0) {
			len = entry_format_fact_names(session->facts, true, facts + 5,
			                              ENTRY_FACTS_MAX);
			add_middle(&lines, facts, 5 + len);
		} else {
			add_middle(&lines, feature, strlen(feature));
		}
	}
	send_with_last(session, &lines, REPLY_STATUS, "End");
}
