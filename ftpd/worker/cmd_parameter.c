/*
 * cmd_parameter: how to transfer: TYPE, MODE, STRU, OPTS, REST.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.2; RFC 2389 4; RFC 2640; RFC 3659 5 and 7.9.
 */
#include "ftpd/proto/entry.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/session.h"
#include "common/base.h"

void
cmd_type(struct session *session, const struct request *request)
{
	session->is_ascii = request->value.type == ARG_TYPE_ASCII;
	control_reply(session, REPLY_OK, "Type set to %s.",
	              session->is_ascii ? "A" : "I");
}

/* MODE and STRU: the parser lets only the values pass that are in force already. */
void
cmd_accept_parameter(struct session *session, const struct request *request)
{
	(void)request; /* S or F */
	control_reply(session, REPLY_OK, "Done.");
}

void
cmd_opts(struct session *session, const struct request *request)
{
	char names[ENTRY_FACTS_MAX];
	size_t len;

	if (request->value.opts.kind == ARG_OPTS_UTF8) {
		control_reply(session, REPLY_OK, "Names are UTF-8 always.");
		return;
	}
	session->facts = (uint16_t)request->value.opts.facts;
	len = entry_format_fact_names(session->facts, false, names, sizeof(names));
	control_reply(session, REPLY_OK, "MLST OPTS%s%.*s", len > 0 ? " " : "", (int)len,
	              names);
}

void
cmd_rest(struct session *session, const struct request *request)
{
	session->restart_offset = request->value.number;
	control_reply(session, REPLY_NEED_MORE, "Restarting at %llu. Send RETR or STOR.",
	              (unsigned long long)session->restart_offset);
}
