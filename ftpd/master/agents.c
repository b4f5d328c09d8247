/*
 * agents: starts the processes that open files for anonymous clients, a few for each
 * worker that asks.
 * Runs in: master.
 */
#include "ftpd/master/agents.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/agent_start.h"
#include "ftpd/master/master.h"
#include "ftpd/master/program.h"
#include "common/base.h"

enum {
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 32000,
	/* After so long without a failure the next one is treated as the first. */
	PAUSE_FORGET_MS = 60000,
};

static const char *
remedy(int status)
{
	if (!WIFEXITED(status)) {
		return "another takes its place";
	}
	switch (WEXITSTATUS(status)) {
	case AGENT_EXIT_START:
		return "it got no valid start record; the programs are of different releases";
	case AGENT_EXIT_ROOT:
		return "it cannot open anonymous.root; check that the directory is there and may be entered";
	case AGENT_EXIT_BECOME:
		return "it cannot become anonymous.user; check the user, and the capabilities of the service";
	case AGENT_EXIT_SANDBOX:
		return "it cannot confine itself; run deftpd --check to see which layers the kernel has";
	case AGENT_EXIT_PROTOCOL: return "its worker broke the wire format";
	case AGENT_EXIT_HOME:
		return "it may not enter anonymous.root; check the directory's mode";
	default: return "another takes its place";
	}
}

static void
pause_is_over(struct master *master, void *owner)
{
	struct worker *worker = owner;

	(void)master;
	agents_give_one(worker, worker->agent_host);
}

/*
 * The worker has lost an agent that failed. The longer this goes on, the longer the pause
 * before the next.
 */
static void
replace_later(struct worker *worker)
{
	if (timer_is_set(&worker->agent_pause.timer)) {
		return;
	}
	if (worker->agent_pause_ms == 0 ||
	    clock_monotonic_ms() > worker->agent_failed_ms + PAUSE_FORGET_MS) {
		worker->agent_pause_ms = PAUSE_FIRST_MS;
	} else if (worker->agent_pause_ms < PAUSE_MAX_MS) {
		worker->agent_pause_ms *= 2;
	}
	worker->agent_failed_ms = clock_monotonic_ms();
	master_set_deadline(worker->master, &worker->agent_pause, worker->agent_pause_ms,
	                    pause_is_over, worker);
}

static void
exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct worker *worker = owner;
	char text[64];

	worker->agents--;
	if (master->is_stopping) {
		return;
	}
	if (status != 0) {
		master_log(master, RECORD_WARNING,
		           "agent (pid %d) of worker %u ended by %s: %s", (int)pid,
		           (unsigned)worker->number, children_describe(status, text),
		           remedy(status));
	}
	if (worker->state == WORKER_READY && !worker->is_retiring &&
	    worker->kind == WORKER_SHARED && worker->agents < AGENTS_AT_FIRST) {
		replace_later(worker);
	}
}

static enum agent_upload_mode
mode_of(uint8_t mode)
{
	switch ((enum options_upload_mode)mode) {
	case OPTIONS_UPLOAD_ATOMIC: return AGENT_UPLOAD_ATOMIC;
	case OPTIONS_UPLOAD_DURABLE: return AGENT_UPLOAD_DURABLE;
	case OPTIONS_UPLOAD_DIRECT:
	case OPTIONS_UPLOAD_COUNT: break;
	}
	return AGENT_UPLOAD_DIRECT;
}

static const char *
root_of(const struct generation *generation, uint16_t host)
{
	const struct policy_override *override =
	    policy_host_get(&generation->overrides, host);

	return policy_sets(override, POLICY_ANONYMOUS_ROOT)
	           ? override->host->anonymous_root
	           : generation->options.anonymous.root;
}

/* What anonymous clients may do: in general, and in the directory for their uploads. */
static int
seal_start_record(const struct generation *generation, uint16_t host, int *ret_fd)
{
	const char *root = root_of(generation, host);
	const struct options_anonymous *anonymous = &generation->options.anonymous;
	const struct options_uploads *uploads = &generation->options.uploads;
	const struct agent_rights rights = {.may_write = !anonymous->read_only,
	                                    .mode = mode_of(uploads->mode),
	                                    .keeps_partial = uploads->keep_partial,
	                                    .max_file_bytes = uploads->max_file_size,
	                                    .min_free_bytes = uploads->min_free_space,
	                                    .umask = anonymous->umask};
	struct agent_start start = {.uid = generation->users.anonymous.uid,
	                            .gid = generation->users.anonymous.gid,
	                            .has_sandbox = generation->options.sandbox !=
	                                           OPTIONS_SANDBOX_OFF,
	                            .root = root,
	                            .root_len = strlen(root),
	                            .start = "/",
	                            .start_len = 1,
	                            .rights = rights};

	if (anonymous->upload_directory[0] != '\0') {
		struct agent_rule *rule = &start.rules[start.rule_count++];

		rule->directory = anonymous->upload_directory;
		rule->directory_len = strlen(anonymous->upload_directory);
		rule->rights = rights;
		rule->rights.may_write = true;
		rule->rights.is_dropbox = true;
	}
	return agent_start_seal(&start, ret_fd);
}

/* agent_fd: its end of the channel. */
static int
start_agent(struct worker *worker, uint16_t host, int agent_fd)
{
	struct program_order order = {.kind = PROGRAM_AGENT,
	                              .channel_fd = agent_fd,
	                              .tls_fd = -1,
	                              .ended = exited,
	                              .owner = worker};
	int result = seal_start_record(worker->generation, host, &order.options_fd);
	pid_t pid;

	if (result != 0) {
		return result;
	}
	result = program_start(worker->master, &order, &pid);
	fd_close(&order.options_fd);
	return result;
}

bool
agents_may_have(const struct worker *worker, uint16_t host)
{
	const struct generation *generation = worker->generation;

	return generation->options.anonymous.enabled &&
	       (host == 0 || (worker->kind == WORKER_PRIVATE &&
	                      policy_host_get(&generation->overrides, host) != NULL));
}

static bool
may_have_more(const struct worker *worker)
{
	unsigned limit = worker->kind == WORKER_SHARED ? AGENTS_MAX : AGENTS_MAX_PRIVATE;

	return worker->state == WORKER_READY && worker->agents < limit &&
	       !timer_is_set(&worker->agent_pause.timer) && !worker->master->is_stopping;
}

void
agents_give_one(struct worker *worker, uint16_t host)
{
	const struct mw_message message = {.type = MW_GIVE_AGENT, .host = host};
	int fds[2];
	int result;

	if (!may_have_more(worker)) {
		return;
	}
	worker->agent_host = host;
	result = channel_pair(fds);
	if (result == 0) {
		result = start_agent(worker, host, fds[1]);
		fd_close(&fds[1]);
		if (result != 0) {
			fd_close(&fds[0]);
		}
	}
	if (result != 0) {
		master_log(worker->master, RECORD_ERROR, "an agent cannot be started: %s",
		           strerror(-result));
		replace_later(worker);
		return;
	}
	worker->agents++;
	worker_send(worker, &message, fds[0]);
}

void
agents_give_first(struct worker *worker)
{
	if (worker->kind != WORKER_SHARED) {
		return;
	}
	for (int i = 0; i < AGENTS_AT_FIRST; i++) {
		agents_give_one(worker, 0);
	}
}
