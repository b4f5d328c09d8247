/*
 * cmd_tls: TLS on the control connection and what it means for data: AUTH, PBSZ, PROT,
 * CCC and REIN.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/cmd_tls.h"

#include <string.h>

#include "ftpd/proto/out.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

#define REIN_TEXT "Ready for a new user."

/*
 * 234 or 431 follows. What was said in clear is forgotten, as anybody on the way could
 * have said it (RFC 2228 3, AUTH), but for the host, which chooses the certificate.
 */
void
cmd_auth(struct session *session, const struct request *request)
{
	bool is_data_private = request->value.auth == ARG_AUTH_DATA;

	if (secure_is_on(session)) {
		control_reply(session, REPLY_BAD_SEQUENCE, "TLS is on already.");
		return;
	}
	if (session->worker->kind == WORKER_SHARED) {
		/* behind a REIN in one packet, where nobody could peek at it */
		control_reply(session, REPLY_BAD_SEQUENCE,
		              "Please begin TLS on a new connection.");
		return;
	}
	if (!secure_is_offered(session->worker)) {
		control_reply(session, REPLY_POLICY, "TLS is switched off here.");
		return;
	}
	if (secure_prepare(session) != 0) {
		control_reply(session, REPLY_SECURITY_UNAVAILABLE,
		              "TLS cannot be had now; try again later.");
		return;
	}
	login_drop(session); /* whoever was asked for ACCT */
	session_set_state(session, SESSION_GREETED);
	session_reset(session);
	session->tls.has_pbsz = is_data_private;
	session->tls.is_data_private = is_data_private;
}

void
cmd_pbsz(struct session *session, const struct request *request)
{
	(void)request; /* TLS has buffers of its own: RFC 4217 9 wants 0 */
	session->tls.has_pbsz = true;
	control_reply(session, REPLY_OK, "PBSZ=0");
}

static void
leave_data_clear(struct session *session)
{
	if (session->rights.tls_policy == OPTIONS_TLS_ALL) {
		control_reply(session, REPLY_POLICY, "Data must be encrypted here.");
		return;
	}
	session->tls.is_data_private = false;
	control_reply(session, REPLY_OK, "Data is not encrypted.");
}

void
cmd_prot(struct session *session, const struct request *request)
{
	if (!session->tls.has_pbsz) {
		control_reply(session, REPLY_BAD_SEQUENCE, "Please send PBSZ 0 first.");
		return;
	}
	switch (request->value.prot) {
	case ARG_PROT_CLEAR: leave_data_clear(session); return;
	case ARG_PROT_PRIVATE:
		session->tls.is_data_private = true;
		control_reply(session, REPLY_OK, "Data is encrypted.");
		return;
	case ARG_PROT_SAFE:
	case ARG_PROT_CONFIDENTIAL: break;
	}
	control_reply(session, REPLY_PROT_UNKNOWN, "TLS has only the levels C and P.");
}

/*
 * 200 follows. The last ticket goes with it; when that is used up, a client of TLS 1.3
 * cannot resume any more, and who has done so before is not held to it.
 */
static void
begin_clearing(struct session *session)
{
	cmd_tls_offer_ticket(session);
	session->tls.has_resumed = false;
	secure_begin_clearing(session, false);
}

void
cmd_ccc(struct session *session, const struct request *request)
{
	(void)request; /* has no argument */
	if (!session->worker->options->tls.allow_ccc) {
		control_reply(session, REPLY_CLEAR_REFUSED,
		              "Commands stay encrypted here.");
	} else if (!secure_is_on(session)) {
		control_reply(session, REPLY_BAD_SEQUENCE, "Commands are not encrypted.");
	} else if (session->state != SESSION_LOGGED_IN) {
		control_reply(session, REPLY_NOT_LOGGED_IN,
		              "Please log in with USER and PASS.");
	} else if (session->rights.tls_policy == OPTIONS_TLS_ALL) {
		control_reply(session, REPLY_POLICY, "Commands must be encrypted here.");
	} else {
		begin_clearing(session);
	}
}

void
cmd_tls_offer_ticket(struct session *session)
{
	if (secure_is_on(session) && session->tls.is_data_private &&
	    session->worker->options->tls.resume != OPTIONS_RESUME_OFF) {
		tls_stream_offer_ticket(session->tls.control);
	}
}

/* Where the connection changes between clear and TLS. */
struct change_words {
	enum reply_code code;
	const char *text;
	const char *name;
	const char *what; /* "Nothing may follow NAME before" it */
};

static const struct change_words auth_words = {REPLY_AUTH_OK, "Begin TLS now.", "AUTH",
                                               "TLS"};
static const struct change_words ccc_words = {
    REPLY_OK, "Commands go in clear from now on.", "CCC", "its reply"};
static const struct change_words rein_words = {REPLY_READY, REIN_TEXT, "REIN",
                                               "its reply"};

void
cmd_tls_change(struct session *session, bool is_followed)
{
	const struct change_words *words = session->tls.is_wanted ? &auth_words
	                                   : session->tls.is_anew ? &rein_words
	                                                          : &ccc_words;

	if (!is_followed && !secure_is_followed(session)) {
		control_reply(session, words->code, "%s", words->text);
		return;
	}
	worker_log(session->worker, session->id, RECORD_WARNING,
	           "bytes behind %s were not carried out: somebody on the way may have "
	           "put them there",
	           words->name);
	control_reply(session, REPLY_SERVICE_CLOSING, "Nothing may follow %s before %s.",
	              words->name, words->what);
	control_end(session, MW_END_VIOLATION);
}

/*
 * The client's own word in TLS counts more than HOST, which anybody could have said in
 * clear for it.
 */
static void
take_server_name(struct session *session)
{
	const struct worker *worker = session->worker;
	const char *name = tls_stream_server_name(session->tls.control);
	uint16_t number = 0;

	if (worker->overrides != NULL) {
		(void)policy_host_find(worker->overrides, name, strlen(name), &number);
	}
	if (number != 0 && number != session->host_number &&
	    !session_set_host(session, name, strlen(name))) {
		control_reply(session, REPLY_SERVICE_CLOSING,
		              "Out of memory; try again later.");
		control_end(session, MW_END_CLOSED);
	}
}

/* What does not fit is cut off. */
static void
add_certificate(struct out *out, const struct tls_stream *stream)
{
	char names[TLS_NAMES_MAX_BYTES];
	size_t len;

	if (!tls_stream_has_client_certificate(stream)) {
		return;
	}
	len = tls_stream_client_names(stream, names);
	out_text(out, "; client certificate");
	for (size_t i = 0; i < len; i++) { /* each name is ended by LF */
		if (i == 0 || names[i - 1] == '\n') {
			out_text(out, i == 0 ? ": " : ", ");
		}
		if (names[i] != '\n') {
			out_char(out, names[i]);
		}
	}
}

size_t
cmd_tls_describe(const struct session *session, char text[CMD_TLS_TEXT_MAX])
{
	struct out out = out_begin(text, CMD_TLS_TEXT_MAX);
	const struct tls_stream *stream = session->tls.control;
	char version[TLS_DESCRIPTION_MAX];

	if (secure_is_on(session)) {
		(void)tls_stream_describe(stream, version); /* terminated */
		out_text(&out, version);
		add_certificate(&out, stream);
	} else {
		out_text(&out, "No TLS for commands");
	}
	return out.len;
}

/* One line for each TLS session: what was agreed upon, and with whom. */
static void
log_beginning(struct session *session)
{
	const struct tls_stream *stream = session->tls.control;
	const char *name = tls_stream_server_name(stream);
	char text[CMD_TLS_TEXT_MAX];
	size_t len = cmd_tls_describe(session, text);

	worker_log(session->worker, session->id, RECORD_INFO, "%.*s%s%s%s", (int)len,
	           text, name[0] != '\0' ? "; for " : "", name,
	           tls_stream_has_resumed(stream) ? "; resumed" : "");
}

void
cmd_tls_begun(struct session *session)
{
	log_beginning(session);
	tls_stream_client(session->tls.control, &session->tls.client);
	take_server_name(session);
}

void
cmd_tls_restart(struct session *session)
{
	if (secure_is_on(session) || session->tls.is_implicit) {
		secure_begin_clearing(session, true);
	} else {
		secure_forget(session);
		control_reply(session, REPLY_READY, REIN_TEXT);
	}
}
