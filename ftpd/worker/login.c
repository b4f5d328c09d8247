/*
 * login: a user's try: the master is asked for an authenticator, which gets name and
 * password and becomes the user's agent.
 * Runs in: deftpd-worker, private.
 */
#include "ftpd/worker/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/loop.h"
#include "common/secret.h"
#include "ftpd/ipc/login.h"
#include "ftpd/worker/agent_client.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum login_phase {
	LOGIN_PHASE_QUEUED,   /* the master owes an authenticator */
	LOGIN_PHASE_CHECKING, /* the authenticator owes a verdict */
	LOGIN_PHASE_ASKING,   /* the client owes an answer: 332 was sent */
	LOGIN_PHASE_ENTERING, /* the authenticator is becoming the agent */
	LOGIN_PHASE_REFUSED,  /* the verdict is not told before its time */
};

enum {
	/*
	 * A check's patience: the master ends an authenticator that computes for half a
	 * minute, and a queue before it moves on.
	 */
	LOGIN_PATIENCE_MS = 60 * 1000,
	/* An agent that has not opened the user's root by then waits for a dead mount. */
	LOGIN_ENTER_MS = 15 * 1000,
	LOGIN_MESSAGE_MAX =
	    LOGIN_USER_MAX + LOGIN_SECRET_MAX + LOGIN_HOST_MAX + LOGIN_NAMES_MAX + 32,
};

/* A try. All of it is secret memory: the password waits in it for its receiver. */
struct login {
	struct loop_source source; /* the channel to the authenticator; fd -1: none */
	struct session *session;
	enum login_phase phase;
	enum login_refusal refusal;
	uint64_t begun_ms;   /* when PASS, or the last ACCT, came */
	uint64_t asked_ms;   /* when 332 was sent */
	uint64_t entered_ms; /* when the authenticator began to become the agent */
	uint64_t excess_ms;  /* spent by us, not by the client */
	char *text;          /* what modules have said with their consent */
	size_t text_len;
	size_t secret_len;
	char secret[LOGIN_SECRET_MAX];
	uint8_t message[LOGIN_MESSAGE_MAX];
};

static uint64_t
now_ms(const struct session *session)
{
	return session->worker->loop.now_ms;
}

static void
close_channel(struct login *login)
{
	int fd = login->source.fd;

	loop_forget(&login->session->worker->loop, &login->source);
	fd_close(&fd);
}

void
login_drop(struct session *session)
{
	struct login *login = session->login;

	if (login == NULL) {
		return;
	}
	close_channel(login);
	free(login->text);
	secret_free(login, sizeof(*login));
	session->login = NULL;
}

/*
 * The try is over. Time that we took is not taken from the client's time to log in, but
 * his own is (SECURITY.md R2).
 */
static void
end_try(struct session *session)
{
	uint64_t excess_ms = session->login->excess_ms;

	excess_ms += now_ms(session) - session->login->begun_ms;
	login_drop(session);
	session->active_ms += excess_ms;
}

/* A fault of ours: 421, and that is the end. */
static void
give_up(struct session *session, const char *text)
{
	login_drop(session);
	control_reply(session, REPLY_SERVICE_CLOSING, "%s", text);
	control_end(session, MW_END_CLOSED);
}

static void
tell_refusal(struct session *session, const char *text)
{
	end_try(session);
	session_set_state(session, SESSION_GREETED);
	if (++session->failed_logins >= session->worker->options->logins.tries) {
		control_reply(session, REPLY_SERVICE_CLOSING, "%s Too many tries.", text);
		control_end(session, MW_END_VIOLATION);
		return;
	}
	control_reply(session, REPLY_NOT_LOGGED_IN, "%s", text);
	session_arm_timer(session);
	control_continue(session);
}

/* The verdict is no: it is told when it is due. */
static void
refuse(struct session *session, enum login_refusal refusal)
{
	struct login *login = session->login;

	close_channel(login);
	secret_wipe(login->secret, sizeof(login->secret));
	login->refusal = refusal;
	login->phase = LOGIN_PHASE_REFUSED;
	/* also when ACCT was awaited: it is too late for it */
	session_set_state(session, SESSION_AUTHENTICATING);
	if (now_ms(session) >= login->begun_ms + LOGIN_REFUSAL_MS) {
		login_handle_timer(session);
	} else {
		session_arm_timer(session);
	}
}

/* Send what is in login->message, which held a secret. */
static void
send_secret(struct login *login, const struct login_message *message)
{
	size_t len = login_encode(message, login->message, sizeof(login->message));
	int result = channel_send(login->source.fd, login->message, len, -1);

	secret_wipe(login->message, sizeof(login->message));
	secret_wipe(login->secret, sizeof(login->secret));
	login->secret_len = 0;
	if (result != 0) {
		refuse(login->session, LOGIN_UNAVAILABLE);
	}
}

/*
 * Keep the secret. Returns: false if it is longer than any password can be, and wrong
 * therefore.
 */
static bool
keep_secret(struct login *login, const char *secret, size_t len)
{
	if (len > sizeof(login->secret)) {
		return false;
	}
	memcpy(login->secret, secret, len);
	login->secret_len = len;
	return true;
}

void
login_begin(struct session *session, const char *secret, size_t secret_len)
{
	struct login *login = secret_alloc(sizeof(*login));
	struct mw_message message = {.type = MW_LOGIN, .session = session->id};

	session_set_state(session, SESSION_AUTHENTICATING);
	if (login == NULL) {
		give_up(session, "Out of memory; try again later.");
		return;
	}
	session->login = login;
	login->session = session;
	login->source.fd = -1;
	login->phase = LOGIN_PHASE_QUEUED;
	login->begun_ms = now_ms(session);
	if (!keep_secret(login, secret, secret_len)) {
		worker_log(session->worker, session->id, RECORD_WARNING,
		           "login refused for user %s: the password is too long",
		           session->name);
		refuse(session, LOGIN_INCORRECT);
		return;
	}
	message.user = login_user_number(session->name, strlen(session->name));
	master_send(session->worker, &message, -1);
	session_arm_timer(session);
}

bool
login_is_asking(const struct session *session)
{
	return session->login != NULL && session->login->phase == LOGIN_PHASE_ASKING;
}

void
login_answer(struct session *session, const char *secret, size_t secret_len)
{
	struct login *login = session->login;
	struct login_message message = {.type = LOGIN_ACCOUNT};

	login->begun_ms = now_ms(session);
	session_set_state(session, SESSION_AUTHENTICATING);
	if (!keep_secret(login, secret, secret_len)) {
		refuse(session, LOGIN_INCORRECT);
		return;
	}
	login->phase = LOGIN_PHASE_CHECKING;
	message.secret = login->secret;
	message.secret_len = login->secret_len;
	send_secret(login, &message);
	session_arm_timer(session);
}

/*
 * A module wants to know more: RFC 959 5.4 has 332 after PASS, and ACCT for the answer.
 */
static void
ask_client(struct login *login, const struct login_message *message)
{
	struct session *session = login->session;

	login->phase = LOGIN_PHASE_ASKING;
	login->asked_ms = now_ms(session);
	login->excess_ms += login->asked_ms - login->begun_ms;
	session_set_state(session, SESSION_ASKED);
	control_reply_lines(session, REPLY_NEED_ACCOUNT, message->text, message->text_len,
	                    "Answer by ACCT.");
	session_arm_timer(session);
	control_continue(session);
}

/* Returns: false without memory. */
static bool
take_grant(struct session *session, const struct login_message *message)
{
	const struct login_grant *grant = &message->grant;
	struct login *login = session->login;
	char *name = strndup(message->user, message->user_len);
	char *cwd = strndup(grant->start, grant->start_len);

	login->text = malloc(message->text_len + 1);
	if (name == NULL || cwd == NULL || login->text == NULL) {
		free(name);
		free(cwd);
		return false;
	}
	memcpy(login->text, message->text, message->text_len);
	login->text_len = message->text_len;
	free(session->name);
	session->name = name;
	free(session->cwd);
	session->cwd = cwd;
	session_grant(session,
	              &(struct session_rights){.is_user = true,
	                                       .is_read_only = grant->is_read_only,
	                                       .has_shared_rate = grant->has_shared_rate,
	                                       .idle_timeout_s = grant->idle_timeout_s,
	                                       .rate_down = grant->rate_down,
	                                       .rate_up = grant->rate_up,
	                                       .max_file_bytes = grant->max_file_bytes,
	                                       .min_free_bytes = grant->min_free_bytes,
	                                       .tls_policy = grant->tls_policy});
	return true;
}

/* The authenticator's end of the channel is the agent's from now on. */
static void
enter(struct login *login, const struct login_message *message)
{
	struct session *session = login->session;
	int fd = login->source.fd;

	if (!take_grant(session, message)) {
		give_up(session, "Out of memory; try again later.");
		return;
	}
	loop_forget(&session->worker->loop, &login->source);
	login->phase = LOGIN_PHASE_ENTERING;
	login->entered_ms = now_ms(session);
	session_arm_timer(session);
	agent_pool_add(session->worker, fd, session);
}

static void
handle_verdict(struct loop_source *source, uint32_t events)
{
	struct login *login = (struct login *)source;
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct login_message message;
	ssize_t len = channel_recv_plain(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)events; /* receiving tells end of file and errors, too */
	if (len == -EAGAIN) {
		return;
	}
	if (len <= 0 || !login_decode(bytes, (size_t)len, &message) ||
	    login->phase != LOGIN_PHASE_CHECKING) {
		/* it was ended by the master, or never answers in this phase */
		refuse(login->session, LOGIN_UNAVAILABLE);
		return;
	}
	switch (message.type) {
	case LOGIN_ASK: ask_client(login, &message); return;
	case LOGIN_REFUSED: refuse(login->session, message.refusal); return;
	case LOGIN_ACCEPTED: enter(login, &message); return;
	case LOGIN_TRY:
	case LOGIN_ACCOUNT:
	case LOGIN_COUNT: break;
	}
	refuse(login->session, LOGIN_UNAVAILABLE);
}

static void
send_try(struct login *login)
{
	struct session *session = login->session;
	bool is_secure = secure_is_on(session);
	char names[TLS_NAMES_MAX_BYTES];
	struct login_message message = {
	    .type = LOGIN_TRY,
	    .user = session->name,
	    .user_len = strlen(session->name),
	    .secret = login->secret,
	    .secret_len = login->secret_len,
	    .host = session->host != NULL ? session->host : "",
	    .host_len = session->host != NULL ? strlen(session->host) : 0,
	    .is_secure = is_secure,
	    .names = names,
	    .names_len =
		is_secure ? tls_stream_client_names(session->tls.control, names) : 0,
	};

	login->phase = LOGIN_PHASE_CHECKING;
	send_secret(login, &message);
}

void
login_channel(struct session *session, const struct mw_message *answer, int fd)
{
	struct login *login = session != NULL ? session->login : NULL;

	if (login == NULL || login->phase != LOGIN_PHASE_QUEUED) {
		fd_close(&fd); /* the session has ended or given up since */
		return;
	}
	if (answer->result == IPC_DENIED) {
		/*
		 * The tries are used up, which tell_refusal() finds, too; or nobody but
		 * anonymous clients can log in here, which is nobody's business.
		 */
		refuse(session, LOGIN_INCORRECT);
		return;
	}
	if (answer->result != IPC_OK) {
		give_up(session, "Too many logins at once; try again later.");
		return;
	}
	login->source.handle = handle_verdict;
	if (loop_watch(&session->worker->loop, &login->source, fd, EPOLLIN) != 0) {
		fd_close(&fd);
		refuse(session, LOGIN_UNAVAILABLE);
		return;
	}
	send_try(login);
}

static void
admit(struct session *session)
{
	struct login *login = session->login;
	struct record record = {.type = RECORD_LOGIN,
	                        .session = session->id,
	                        .user = session->name,
	                        .user_len = strlen(session->name),
	                        .text = ""};
	char last[64 + SESSION_NAME_MAX];

	session_set_state(session, SESSION_LOGGED_IN);
	session_touch(session);
	rate_changed(session);
	record_send(&session->worker->recorder, &record);
	(void)snprintf(last, sizeof(last), "Welcome, %s.%s", session->name,
	               session->rights.is_read_only ? " You may only read here." : "");
	control_reply_lines(session, REPLY_LOGIN_OK, login->text, login->text_len, last);
	login_drop(session);
	session_arm_timer(session);
	control_continue(session);
}

/* The right password was given: there is nothing to be kept from this client. */
static void
refuse_home(struct session *session)
{
	session_revoke(session);
	free(session->cwd);
	session->cwd = NULL;
	tell_refusal(session, "Your home directory cannot be used.");
}

void
login_agent_ready(struct session *session, const struct agent_answer *answer)
{
	if (session->login == NULL || session->login->phase != LOGIN_PHASE_ENTERING) {
		return; /* given up since */
	}
	if (answer->result == IPC_OK) {
		admit(session);
		return;
	}
	refuse_home(session);
}

void
login_agent_lost(struct session *session)
{
	worker_log(session->worker, session->id, RECORD_ERROR,
	           "the user's agent has ended");
	control_reply(session, REPLY_SERVICE_CLOSING,
	              "Your files cannot be reached any more; please log in again.");
	control_end(session, MW_END_CLOSED);
}

uint64_t
login_deadline_ms(const struct session *session)
{
	const struct login *login = session->login;
	const struct options *options = session->worker->options;

	if (login == NULL) {
		return UINT64_MAX;
	}
	switch (login->phase) {
	case LOGIN_PHASE_REFUSED: return login->begun_ms + LOGIN_REFUSAL_MS;
	case LOGIN_PHASE_ASKING:
		return login->asked_ms + UINT64_C(1000) * options->login_timeout_s;
	case LOGIN_PHASE_ENTERING: return login->entered_ms + LOGIN_ENTER_MS;
	case LOGIN_PHASE_QUEUED:
	case LOGIN_PHASE_CHECKING: break;
	}
	/* the master may delay the answer as a penalty */
	return login->begun_ms + LOGIN_PATIENCE_MS +
	       UINT64_C(1000) * options->logins.max_delay_s;
}

static const char *
refusal_text(enum login_refusal refusal)
{
	switch (refusal) {
	case LOGIN_INCORRECT: return "Login incorrect.";
	case LOGIN_TOO_MANY: return "You have too many sessions; end one first.";
	case LOGIN_NEEDS_TLS: return "TLS is required for you: use AUTH TLS first.";
	case LOGIN_UNAVAILABLE:
	case LOGIN_REFUSAL_COUNT: break;
	}
	return "Logins are not possible now; try again later.";
}

void
login_handle_timer(struct session *session)
{
	const struct login *login = session->login;

	if (login->phase == LOGIN_PHASE_ASKING) {
		login_drop(session);
		control_time_out(session);
	} else if (login->phase == LOGIN_PHASE_ENTERING) {
		worker_log(
		    session->worker, session->id, RECORD_ERROR,
		    "the root directory of user %s does not answer; is it on a dead "
		    "mount? deftpd --explain names it",
		    session->name);
		agent_release(session);
		refuse_home(session);
	} else if (login->phase != LOGIN_PHASE_REFUSED ||
	           login->refusal == LOGIN_UNAVAILABLE) {
		give_up(session, refusal_text(LOGIN_UNAVAILABLE));
	} else {
		tell_refusal(session, refusal_text(login->refusal));
	}
}
