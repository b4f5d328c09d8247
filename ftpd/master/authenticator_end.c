/*
 * authenticator_end: how an authenticator ends, and the agent that it has become.
 * Runs in: master.
 */
#include "ftpd/master/authenticator_end.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "common/fd.h"
#include "ftpd/ipc/agent_start.h"
#include "ftpd/master/login_desk.h"
#include "ftpd/master/master.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

enum {
	/*
	 * A process ends at the end of its channel, unless it has become an agent. One
	 * that is still there then does not mean to.
	 */
	REAPER_MS = 3000,
};

static const char *
remedy(int status)
{
	if (!WIFEXITED(status)) {
		return "the session ends";
	}
	switch (WEXITSTATUS(status)) {
	case AGENT_EXIT_START:
		return "it got no valid start record; the programs are of different releases";
	case AGENT_EXIT_ROOT:
		return "it cannot open the user's root; check that the directory exists and "
		       "that the user may enter it";
	case AGENT_EXIT_BECOME:
		return "it cannot become the user; check the capabilities of the service";
	case AGENT_EXIT_SANDBOX:
		return "it cannot confine itself; run deftpd --check to see which layers the "
		       "kernel has";
	case AGENT_EXIT_PROTOCOL: return "its worker broke the wire format";
	case AGENT_EXIT_HOME:
		return "the home directory is missing, or the user may not enter it; create "
		       "it, or check its owner and mode";
	case AGENT_NOT_EXECUTED:
		return "deftpd-agent cannot be executed; install all programs anew, in one "
		       "directory";
	default: return "the session ends";
	}
}

static void
log_exit(const struct authenticator *authenticator, pid_t pid, int status)
{
	struct master *master = authenticator->master;
	struct record record = {.level = RECORD_WARNING,
	                        .session = authenticator->session_id,
	                        .peer = authenticator->peer};
	char text[64];

	if (authenticator->is_admitted) {
		master_log_of(master, &record,
		              "agent (pid %d) ended by %s: %s; directory %.*s; user %.*s",
		              (int)pid, children_describe(status, text), remedy(status),
		              (int)authenticator->directory_len, authenticator->directory,
		              (int)authenticator->user_len, authenticator->user);
		return;
	}
	record.level = RECORD_ERROR;
	master_log_of(master, &record, "authenticator (pid %d) ended by %s%s", (int)pid,
	              children_describe(status, text),
	              authenticator->session_id != 0 ? "; its client has to try again"
	                                             : " before it was of use");
}

static void
exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct authenticator *authenticator = owner;

	authenticator_receive(authenticator); /* its last words */
	authenticator_gone(authenticator);
	authenticator->pid = 0;
	timer_clear(&master->wheel, &authenticator->deadline.timer);
	login_desk_release(authenticator);
	if (master->is_stopping || authenticator->is_unwanted) {
		return;
	}
	/* After a refusal the status says nothing new. */
	if (WIFSIGNALED(status) || (status != 0 && (authenticator->is_admitted ||
	                                            !authenticator->has_verdict))) {
		log_exit(authenticator, pid, status);
	}
	/* Its memory layout may be known to somebody. An agent has one of its own. */
	if (WIFSIGNALED(status) && !authenticator->is_admitted) {
		renew_after_crash(authenticator->generation);
	}
}

bool
authenticator_is_keeper(const struct child *child)
{
	const struct authenticator *authenticator = child->owner;

	return child->ended == exited && authenticator->is_admitted &&
	       authenticator->generation->options.local_users.pam_session;
}

void
authenticator_forked(struct authenticator *authenticator, pid_t pid)
{
	struct forkserver_link *server = &authenticator->generation->auth.server;

	if (pid == 0) {
		authenticator_gone(authenticator);
		return;
	}
	if (children_add(&authenticator->master->children, pid, exited, authenticator,
	                 server) != 0) {
		children_kill(pid, server->pid); /* nobody would look after it */
		authenticator_gone(authenticator);
		return;
	}
	authenticator->pid = pid;
	if (authenticator->is_unwanted) {
		children_kill(pid, server->pid);
	}
}

static void
kill_process(struct authenticator *authenticator)
{
	authenticator->is_unwanted = true;
	if (authenticator->pid > 0) {
		children_kill_tree(authenticator->pid,
		                   authenticator->generation->auth.server.pid);
	}
}

void
authenticator_kill(struct authenticator *authenticator, const char *why)
{
	struct record record = {.level = RECORD_ERROR,
	                        .session = authenticator->session_id,
	                        .peer = authenticator->peer};

	if (authenticator->state == AUTHENTICATOR_GONE) {
		return;
	}
	master_log_of(authenticator->master, &record,
	              "authenticator (pid %d) is ended: %s", (int)authenticator->pid,
	              why);
	kill_process(authenticator);
	authenticator_gone(authenticator);
}

static void
reap_by_force(struct master *master, void *owner)
{
	struct authenticator *authenticator = owner;

	children_reap(master);
	kill_process(authenticator);
}

/* What the state before GONE has counted. */
static void
leave_state(struct authenticator *authenticator)
{
	struct login_desk *desk = &authenticator->master->desk;

	switch (authenticator->state) {
	case AUTHENTICATOR_ORDERED:
	case AUTHENTICATOR_IDLE: auth_pool_failed(authenticator); break;
	case AUTHENTICATOR_COMPUTING: desk->computing--; break;
	case AUTHENTICATOR_WAITING:
		TAILQ_REMOVE(&desk->waiting, authenticator, in_waiting);
		desk->waiting_count--;
		break;
	case AUTHENTICATOR_GONE: break;
	}
}

void
authenticator_gone(struct authenticator *authenticator)
{
	struct master *master = authenticator->master;
	int fd = authenticator->source.fd;
	bool had_try = authenticator->state == AUTHENTICATOR_COMPUTING ||
	               authenticator->state == AUTHENTICATOR_WAITING;

	if (authenticator->state == AUTHENTICATOR_GONE) {
		return;
	}
	leave_state(authenticator);
	authenticator->state = AUTHENTICATOR_GONE;
	loop_forget(&master->loop, &authenticator->source);
	fd_close(&fd);
	forkserver_cancel(&authenticator->generation->auth.server, &authenticator->order);
	timer_clear(&master->wheel, &authenticator->deadline.timer);
	LIST_REMOVE(authenticator, entry);
	LIST_INSERT_HEAD(&master->desk.gone, authenticator, entry);
	if (!authenticator->is_admitted) {
		master_set_deadline(master, &authenticator->deadline, REAPER_MS,
		                    reap_by_force, authenticator);
	}
	if (had_try && !authenticator->has_verdict) {
		login_desk_failed(authenticator);
	}
	login_desk_pump(master);
}

/* Those that wait for clients of one address. */
static uint32_t
count_alike(const struct login_desk *desk, const struct addr *peer)
{
	const struct authenticator *authenticator;
	struct addr address = addr_for_limit(peer);
	uint32_t count = 0;

	TAILQ_FOREACH(authenticator, &desk->waiting, in_waiting) {
		struct addr other = addr_for_limit(&authenticator->peer);

		count += addr_same_host(&address, &other) ? 1 : 0;
	}
	return count;
}

/* It is called for each that is one too many; there are some hundreds at most. */
void
authenticator_end_surplus(struct master *master)
{
	const struct login_desk *desk = &master->desk;
	struct authenticator *authenticator;
	struct authenticator *worst = NULL;
	uint32_t worst_count = 0;

	if (master->current == NULL ||
	    desk->waiting_count <=
	        AUTHENTICATOR_WAITING_FACTOR * master->current->auth.limit) {
		return;
	}
	TAILQ_FOREACH(authenticator, &desk->waiting, in_waiting) {
		uint32_t count = count_alike(desk, &authenticator->peer);

		if (count > worst_count) {
			worst = authenticator;
			worst_count = count;
		}
	}
	if (worst != NULL) {
		authenticator_kill(worst, "too many wait for an answer");
	}
}

static struct authenticator *
find_unused(const struct generation *generation)
{
	struct authenticator *authenticator;

	LIST_FOREACH(authenticator, &generation->master->desk.authenticators, entry) {
		if (authenticator->generation == generation &&
		    (authenticator->state == AUTHENTICATOR_ORDERED ||
		     authenticator->state == AUTHENTICATOR_IDLE)) {
			return authenticator;
		}
	}
	return NULL;
}

void
authenticator_close_unused(struct generation *generation)
{
	struct authenticator *authenticator;

	while ((authenticator = find_unused(generation)) != NULL) {
		authenticator->is_unwanted = true;
		authenticator_gone(authenticator);
	}
}

void
authenticator_close_all(struct master *master)
{
	struct authenticator *authenticator;

	while ((authenticator = LIST_FIRST(&master->desk.authenticators)) != NULL) {
		authenticator_gone(authenticator);
	}
}

void
authenticator_sweep(struct master *master)
{
	struct authenticator *authenticator = LIST_FIRST(&master->desk.gone);

	while (authenticator != NULL) {
		struct authenticator *next = LIST_NEXT(authenticator, entry);

		if (authenticator->pid == 0 && authenticator->order.stage != FORK_ASKED) {
			timer_clear(&master->wheel, &authenticator->deadline.timer);
			if (authenticator->session != NULL) {
				authenticator_leave_session(authenticator);
			}
			LIST_REMOVE(authenticator, entry);
			authenticator->generation->auth.count--;
			free(authenticator);
		}
		authenticator = next;
	}
}
