/*
 * cmd_login: who the client is: USER, PASS, ACCT, REIN, QUIT.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.1; RFC 1635 (anonymous FTP).
 * Not here: passwords; until accounts are built a private worker refuses every user but
 * anonymous.
 */
#include <stdlib.h>
#include <string.h>

#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/handover.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static bool
is_anonymous(const struct session *session)
{
	return session->worker->options->anonymous.enabled &&
	       handover_is_anonymous(session->name, strlen(session->name));
}

/*
 * Such a line is never read in a shared worker, but for one case: behind a REIN in one
 * packet, where it was received before it could be peeked at.
 */
static bool
is_for_private(const struct session *session, const struct request *request)
{
	return session->worker->kind == WORKER_SHARED &&
	       !handover_is_anonymous(request->text, request->text_len);
}

void
cmd_user(struct session *session, const struct request *request)
{
	char *name;

	if (is_for_private(session, request)) {
		control_reply(session, REPLY_NOT_LOGGED_IN,
		              "Please log in on a new connection.");
		return;
	}
	if (request->text_len > SESSION_NAME_MAX) {
		control_reply(session, REPLY_BAD_ARGUMENT, "The name is too long.");
		return;
	}
	name = strndup(request->text, request->text_len);
	if (name == NULL) {
		control_reply(session, REPLY_SERVICE_CLOSING,
		              "Out of memory; try again later.");
		control_end(session, MW_END_CLOSED);
		return;
	}
	free(session->name);
	session->name = name;
	session_set_state(session, SESSION_NAMED);
	if (is_anonymous(session)) {
		control_reply(session, REPLY_NEED_PASSWORD,
		              "Anonymous login: send your e-mail address as password.");
	} else {
		control_reply(session, REPLY_NEED_PASSWORD, "Password required.");
	}
}

static void
log_in_anonymous(struct session *session, const struct request *request)
{
	struct record record = {.type = RECORD_LOGIN,
	                        .session = session->id,
	                        .user = session->name,
	                        .user_len = strlen(session->name),
	                        .text = request->text,
	                        .text_len = request->text_len < RECORD_TEXT_MAX
	                                        ? request->text_len
	                                        : RECORD_TEXT_MAX};

	session_set_state(session, SESSION_LOGGED_IN);
	session->is_peeking = false;
	session_touch(session);
	record_send(&session->worker->recorder, &record);
	control_reply(session, REPLY_LOGIN_OK, "Anonymous access granted, read only.");
}

void
cmd_pass(struct session *session, const struct request *request)
{
	if (is_anonymous(session)) {
		log_in_anonymous(session, request);
		return;
	}
	session_set_state(session, SESSION_AUTHENTICATING);
	session_set_state(session, SESSION_GREETED);
	worker_log(session->worker, session->id, RECORD_WARNING,
	           "login refused for user %s", session->name);
	if (++session->failed_logins >= SESSION_LOGINS_MAX) {
		control_reply(session, REPLY_SERVICE_CLOSING, "Too many failed logins.");
		control_end(session, MW_END_VIOLATION);
		return;
	}
	control_reply(session, REPLY_NOT_LOGGED_IN, "Login incorrect.");
}

void
cmd_acct(struct session *session, const struct request *request)
{
	(void)request; /* no account means anything here */
	control_reply(session, REPLY_SUPERFLUOUS, "No account is needed.");
}

void
cmd_rein(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	session_set_state(session, SESSION_GREETED);
	data_end(session);
	session_set_transfer_state(session, TRANSFER_IDLE);
	session_reset(session);
	session->active_ms = session->worker->loop.now_ms;
	session->is_peeking = session->worker->kind == WORKER_SHARED;
	control_reply(session, REPLY_READY, "Ready for a new user.");
}

void
cmd_quit(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	if (session_is_transferring(session)) {
		/* RFC 959 4.1.1: the transfer's result comes first */
		session->is_quitting = true;
		return;
	}
	control_reply(session, REPLY_GOODBYE, "Goodbye.");
	control_end(session, MW_END_QUIT);
}
