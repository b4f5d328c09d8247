/*
 * gate: whether a command may be used now, decided from its row in the table and nothing
 * else.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/gate.h"

#include "ftpd/worker/control.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static void
refuse_state(struct session *session, const struct command *command)
{
	if ((command->flags & COMMAND_NEEDS_LOGIN) != 0) {
		control_reply(session, REPLY_NOT_LOGGED_IN,
		              "Please log in with USER and PASS.");
	} else if (session->state == SESSION_LOGGED_IN) {
		control_reply(session, REPLY_BAD_SEQUENCE,
		              "You are logged in already; REIN begins anew.");
	} else if (session->state == SESSION_ASKED) {
		control_reply(session, REPLY_BAD_SEQUENCE,
		              "ACCT is expected now; USER begins anew.");
	} else if (session->state == SESSION_NAMED) {
		control_reply(session, REPLY_BAD_SEQUENCE, "PASS is expected now.");
	} else {
		control_reply(session, REPLY_BAD_SEQUENCE, "Please send USER first.");
	}
}

bool
gate_may_write(struct session *session)
{
	if (!session->rights.is_read_only) {
		return true;
	}
	control_reply(session, REPLY_FILE_UNAVAILABLE,
	              session->rights.is_user ? "You may only read here."
	                                      : "Anonymous users may only read.");
	return false;
}

bool
gate_is_built(const struct session *session, const struct command *command)
{
	const struct worker *worker = session->worker;

	if ((command->flags & COMMAND_TLS) != 0) {
		/* switched off is not the same: AUTH has another code for that */
		return worker->tls != NULL || worker->options->tls.certificate.count > 0;
	}
	return (command->flags & COMMAND_NOT_BUILT) == 0;
}

/* What TLS has to say of it. Refusals are replied here. */
static bool
is_protected(struct session *session, const struct command *command)
{
	if ((command->flags & COMMAND_IN_TLS) != 0 && !secure_is_on(session)) {
		control_reply(session, REPLY_BAD_SEQUENCE,
		              "Commands are not encrypted; use AUTH TLS first.");
		return false;
	}
	if ((command->flags & COMMAND_TRANSFERS) != 0 &&
	    session->rights.tls_policy == OPTIONS_TLS_ALL &&
	    !session->tls.is_data_private) {
		control_reply(session, REPLY_PROT_TOO_LOW,
		              "Data must be encrypted here; use PBSZ 0 and PROT P "
		              "first.");
		return false;
	}
	return true;
}

bool
gate_check(struct session *session, const struct command *command)
{
	unsigned flags = command->flags;

	if (!gate_is_built(session, command)) {
		control_reply(session, REPLY_NOT_IMPLEMENTED,
		              "%s is not implemented here.", command->name);
		return false;
	}
	if ((command->states & 1U << session->state) == 0) {
		refuse_state(session, command);
		return false;
	}
	if ((flags & COMMAND_WRITES) != 0 && !gate_may_write(session)) {
		return false;
	}
	if ((flags & COMMAND_EPSV_ALL_CLOSES) != 0 && session->is_epsv_only) {
		control_reply(session, REPLY_BAD_ARGUMENT,
		              "Only EPSV is allowed after EPSV ALL.");
		return false;
	}
	if (!is_protected(session, command)) {
		return false;
	}
	if ((flags & COMMAND_TRANSFERS) != 0 &&
	    session->transfer_state != TRANSFER_ARMED) {
		control_reply(session, REPLY_NO_DATA_CONNECTION,
		              "Use PASV, EPSV, PORT or EPRT first.");
		return false;
	}
	return true;
}
