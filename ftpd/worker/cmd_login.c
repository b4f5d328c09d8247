/*
 * cmd_login: who the client is: HOST, USER, PASS, ACCT, REIN, QUIT.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.1 and 5.4; RFC 1635 (anonymous FTP); RFC 4217 10 and 13; RFC 7151
 *         (HOST).
 * Not here: what becomes of a password; see login.c.
 */
#include <stdlib.h>
#include <string.h>

#include "ftpd/conf/policy.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/cmd_tls.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/handover.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/secure.h"
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

static void
end_without_memory(struct session *session)
{
	control_reply(session, REPLY_SERVICE_CLOSING, "Out of memory; try again later.");
	control_end(session, MW_END_CLOSED);
}

/*
 * A name that nobody has configured gets what holds for all (RFC 7151 3.2 leaves that to
 * the server): so every name of the right form is accepted, unless TLS was begun for one
 * of the hosts. Then it must be that one (RFC 7151 3.2.2).
 */
static bool
is_host_of_tls(const struct session *session, const struct request *request)
{
	uint16_t begun_for =
	    secure_is_on(session) ? tls_stream_host(session->tls.control) : 0;
	uint16_t number = 0;

	if (begun_for == 0) {
		return true;
	}
	(void)policy_host_find(session->worker->overrides, request->text,
	                       request->text_len, &number);
	return number == begun_for;
}

void
cmd_host(struct session *session, const struct request *request)
{
	if (session->worker->kind == WORKER_SHARED) {
		/* behind a REIN in one packet; see is_for_private() */
		control_reply(session, REPLY_BAD_SEQUENCE,
		              "Please name the host on a new connection.");
	} else if (!is_host_of_tls(session, request)) {
		control_reply(session, REPLY_NOT_FOR_PARAMETER,
		              "TLS was begun for another host.");
	} else if (!session_set_host(session, request->text, request->text_len)) {
		end_without_memory(session);
	} else {
		control_reply(session, REPLY_READY, "%s", session_banner(session));
	}
}

/*
 * Ask whether this user's password must not be sent in clear. What holds for a user alone
 * is known only when he has proved who he is: the authenticator tells by LOGIN_NEEDS_TLS.
 */
static bool
is_tls_missing(const struct session *session)
{
	const struct worker *worker = session->worker;
	unsigned policy = is_anonymous(session) ? options_anonymous_tls(worker->options)
	                                        : worker->options->tls.policy;

	return secure_is_offered(worker) && !secure_is_on(session) &&
	       policy >= OPTIONS_TLS_LOGINS;
}

void
cmd_user(struct session *session, const struct request *request)
{
	char *name;

	if (session->state == SESSION_LOGGED_IN) {
		/* another user has another agent (SECURITY.md A15) */
		control_reply(session, REPLY_NOT_LOGGED_IN,
		              "You are logged in already; REIN begins anew.");
		return;
	}
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
		end_without_memory(session);
		return;
	}
	login_drop(session); /* whoever was asked for ACCT */
	free(session->name);
	session->name = name;
	if (is_tls_missing(session)) {
		session_set_state(session, SESSION_GREETED);
		control_reply(session, REPLY_NOT_LOGGED_IN, "Use AUTH TLS first.");
		return;
	}
	session_set_state(session, SESSION_NAMED);
	if (is_anonymous(session)) {
		control_reply(session, REPLY_NEED_PASSWORD,
		              "Anonymous login: send your e-mail address as password.");
	} else {
		control_reply(session, REPLY_NEED_PASSWORD, "Password required.");
	}
}

/*
 * What anonymous clients may do, as far as this process has to know: writing is left to
 * the agent if there is a directory for uploads.
 */
static void
grant_anonymous(struct session *session)
{
	const struct options *options = session->worker->options;
	const struct overrides none = {.count = 0};
	const struct policy_subject subject = {
	    .kind = POLICY_KIND_ANONYMOUS, .user = "", .host = ""};
	const char *directory = options->anonymous.upload_directory;
	struct policy policy;

	policy_resolve(options, &none, &subject, &policy, NULL);
	const struct session_rights rights = {
	    .is_read_only = policy.read_only && directory[0] == '\0',
	    .has_shared_rate =
		options->rates.address_down != 0 || options->rates.address_up != 0,
	    .rate_down = policy.rate_down,
	    .rate_up = policy.rate_up,
	    .max_file_bytes = policy.max_file_size,
	    .min_free_bytes = policy.min_free_space,
	    .tls_policy = secure_is_offered(session->worker)
	                      ? (uint8_t)options_anonymous_tls(options)
	                      : OPTIONS_TLS_OFF};

	session_grant(session, &rights);
	rate_changed(session);
	if (policy.read_only && directory[0] != '\0') {
		control_reply(session, REPLY_LOGIN_OK,
		              "Anonymous access granted; uploads go to %s.", directory);
	} else {
		control_reply(session, REPLY_LOGIN_OK, "Anonymous access granted%s.",
		              policy.read_only ? ", read only" : "");
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
	agent_pool_serve_host(session->worker, session->host_number);
	grant_anonymous(session);
}

void
cmd_pass(struct session *session, const struct request *request)
{
	if (is_anonymous(session)) {
		log_in_anonymous(session, request);
	} else {
		login_begin(session, request->text, request->text_len);
	}
}

void
cmd_acct(struct session *session, const struct request *request)
{
	if (session->state == SESSION_ASKED) {
		login_answer(session, request->text, request->text_len);
	} else {
		control_reply(session, REPLY_SUPERFLUOUS, "No account is needed.");
	}
}

void
cmd_rein(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	/* the next user begins with an authenticator and an agent of his own */
	login_drop(session);
	agent_release(session);
	session_set_state(session, SESSION_GREETED);
	data_end(session);
	session_set_transfer_state(session, TRANSFER_IDLE);
	session_reset(session);
	session_forget_host(session);
	session->active_ms = session->worker->loop.now_ms;
	session->is_peeking = session->worker->kind == WORKER_SHARED;
	cmd_tls_restart(session);
}

void
cmd_quit(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	if (session_is_transferring(session) || session->copy != NULL) {
		/* RFC 959 4.1.1: the transfer's result comes first, and so a copy's */
		session->is_quitting = true;
		return;
	}
	control_hold(session); /* in TLS the end of it leaves in the same packet */
	control_reply(session, REPLY_GOODBYE, "Goodbye.");
	control_end(session, MW_END_QUIT);
}
