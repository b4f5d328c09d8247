/*
 * session: one client: its control connection, what it has said, and what is being done
 * for it.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/proto/entry.h"
#include "ftpd/worker/cmd_site.h"
#include "ftpd/worker/cmd_stat.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/linger.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static struct session **
bucket(struct worker *worker, uint32_t id)
{
	return &worker->sessions[id % WORKER_SESSION_SLOTS];
}

void
session_grant(struct session *session, const struct session_rights *rights)
{
	uint64_t share_down = session->rights.share_down;
	uint64_t share_up = session->rights.share_up;

	session->rights = *rights;
	session->rights.share_down = share_down;
	session->rights.share_up = share_up;
}

void
session_revoke(struct session *session)
{
	const struct worker *worker = session->worker;

	session_grant(session, &(struct session_rights){
				   .tls_policy = secure_is_offered(worker)
	                                             ? worker->options->tls.policy
	                                             : OPTIONS_TLS_OFF});
}

void
session_forget_host(struct session *session)
{
	free(session->host);
	session->host = NULL;
	session->host_number = 0;
}

bool
session_set_host(struct session *session, const char *name, size_t len)
{
	const struct overrides *overrides = session->worker->overrides;
	char *host = strndup(name, len);

	if (host == NULL) {
		return false;
	}
	session_forget_host(session);
	session->host = host;
	if (overrides != NULL) {
		(void)policy_host_find(overrides, name, len, &session->host_number);
	}
	return true;
}

const char *
session_banner(const struct session *session)
{
	const struct worker *worker = session->worker;
	const struct policy_override *host =
	    session->host_number != 0
		? policy_host_get(worker->overrides, session->host_number)
		: NULL;

	return host != NULL && policy_sets(host, POLICY_BANNER) ? host->host->banner
	                                                        : worker->options->banner;
}

void
session_reset(struct session *session)
{
	free(session->name);
	free(session->client);
	free(session->cwd);
	free(session->told_path);
	free(session->change);
	session->name = NULL;
	session->client = NULL;
	session->cwd = NULL;
	session->told_path = NULL;
	session->change = NULL;
	session->umask = 0;
	session_forget_rename(session);
	session_revoke(session);
	session->restart_offset = 0;
	session->facts = ENTRY_FACTS_DEFAULT;
	/* RFC 959 5.1: the default representation type is ASCII */
	session->is_ascii = true;
	session->is_epsv_only = false;
}

void
session_forget_rename(struct session *session)
{
	free(session->rename_from);
	session->rename_from = NULL;
	session->is_copying = false;
}

void
session_begin(struct worker *worker, const struct mw_message *assign, int control_fd)
{
	struct session *session = calloc(1, sizeof(*session));
	struct mw_message ended = {
	    .type = MW_ENDED, .session = assign->session, .end = MW_END_CLOSED};

	if (session == NULL) {
		fd_close(&control_fd);
		master_send(worker, &ended, -1);
		return;
	}
	session->worker = worker;
	session->id = assign->session;
	session->peer = assign->peer;
	session->local = assign->local;
	session->is_peeking = worker->kind == WORKER_SHARED;
	session->control.fd = -1;
	session->active_ms = worker->loop.now_ms;
	data_init(session);
	session_reset(session);
	session->next = *bucket(worker, session->id);
	*bucket(worker, session->id) = session;
	worker->session_count++;
	worker->has_served = true;
	session->tls.is_implicit = assign->is_implicit_tls;
	if (control_start(session, control_fd, assign->is_handed_over) != 0) {
		fd_close(&control_fd);
		session_end(session, MW_END_CLOSED);
		return;
	}
	session_arm_timer(session);
}

/*
 * Take it out of the table and free what it holds; the struct itself waits for the end of
 * the turn.
 */
static void
dismantle(struct session *session)
{
	struct worker *worker = session->worker;
	struct session **link = bucket(worker, session->id);

	while (*link != session) {
		link = &(*link)->next;
	}
	*link = session->next;
	worker->session_count--;
	session->is_stopped = true;
	agent_forget(session);
	transfer_drop(session);
	cmd_stat_drop(session);
	cmd_site_drop(session);
	login_drop(session);
	data_end(session);
	timer_clear(&worker->wheel, &session->timer);
	secure_end(session);
	loop_forget(&worker->loop, &session->control);
	session_reset(session);
	session_forget_host(session);
	rate_end(session);
	free(session->path);
	control_wipe(session);
	free(session->text);
	free(session->input);
	free(session->output);
	session->path = NULL;
	session->text = NULL;
	session->input = NULL;
	session->output = NULL;
	session->next = worker->ended;
	worker->ended = session;
}

void
session_end(struct session *session, enum mw_end end)
{
	struct worker *worker = session->worker;
	struct mw_message ended = {.type = MW_ENDED, .session = session->id, .end = end};
	struct record record = {.type = RECORD_SESSION_END, .session = session->id};
	int control_fd = session->control.fd;

	if (session->state == SESSION_CLOSING) {
		return;
	}
	session_set_state(session, SESSION_CLOSING);
	dismantle(session);
	control_drain(session, control_fd);
	fd_close(&control_fd);
	record_send(&worker->recorder, &record);
	linger_tell_ended(worker, &ended);
}

void
session_release(struct session *session)
{
	session_set_state(session, SESSION_CLOSING);
	dismantle(session);
}

void
session_free_ended(struct worker *worker)
{
	struct session *session;

	while ((session = worker->ended) != NULL) {
		worker->ended = session->next;
		free(session);
	}
}

static _Noreturn void
stop_on_bug(struct session *session, const char *from, const char *to)
{
	worker_log(session->worker, session->id, RECORD_ERROR,
	           "bug: illegal change of state from %s to %s", from, to);
	abort();
}

void
session_set_state(struct session *session, enum session_state state)
{
	const char *from = session_state_name(session->state);
	const char *to = session_state_name(state);

	if (session->state != state && !session_state_may(session->state, state)) {
		stop_on_bug(session, from, to);
	}
	session->state = state;
}

void
session_set_transfer_state(struct session *session, enum transfer_state state)
{
	const char *from = transfer_state_name(session->transfer_state);
	const char *to = transfer_state_name(state);

	if (session->transfer_state != state &&
	    !transfer_state_may(session->transfer_state, state)) {
		stop_on_bug(session, from, to);
	}
	session->transfer_state = state;
}

const char *
session_cwd(const struct session *session)
{
	return session->cwd != NULL ? session->cwd : "/";
}

bool
session_is_waiting(const struct session *session)
{
	return session->is_asking || session->is_asking_master ||
	       session->stat_listing != NULL || session->copy != NULL ||
	       session->state == SESSION_AUTHENTICATING;
}

bool
session_is_transferring(const struct session *session)
{
	return session->transfer_state >= TRANSFER_OPENING;
}
