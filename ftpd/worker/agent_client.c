/*
 * agent_client: asks the agents. Any idle agent of anonymous clients answers any of their
 * sessions' questions; a user's agent answers its session alone. Questions queue when all
 * are busy.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/agent_client.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/stack.h"
#include "ftpd/worker/agent_queue.h"
#include "ftpd/worker/dispatch.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static const struct agent_answer failed_answer = {.result = IPC_LOCAL_ERROR,
                                                  .denied_call = -1};

void
agent_pool_init(struct worker *worker)
{
	struct agent_pool *pool = &worker->agents;

	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		pool->agents[i].source.fd = -1;
		pool->agents[i].worker = worker;
	}
	pool->last = &pool->first;
}

void
agent_ask_for_more(struct worker *worker)
{
	size_t count = 0;

	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		count += worker->agents.agents[i].source.fd >= 0;
	}
	if (!worker->agents.has_asked_for_more && count < AGENT_POOL_MAX) {
		worker->agents.has_asked_for_more = true;
		master_send(worker,
		            &(struct mw_message){.type = MW_MORE_AGENTS,
		                                 .host = worker->agents.host},
		            -1);
	}
}

/* The asker has ended or given up: what was opened for it is of no use to anybody. */
static void
drop_answer(struct agent_client *agent, const struct agent_answer *answer, int fd)
{
	fd_close(&fd);
	if (agent->verb == AGENT_OPEN_WRITE && answer->result == IPC_OK &&
	    answer->upload != 0) {
		if (answer->name_len > 0) {
			agent_queue_discard(agent, answer->upload, answer->name,
			                    answer->name_len);
		} else if (agent->orphan_path != NULL) {
			agent_queue_discard(agent, answer->upload, agent->orphan_path,
			                    strlen(agent->orphan_path));
		}
	}
	free(agent->orphan_path);
	agent->orphan_path = NULL;
}

static void
answer_asker(struct agent_client *agent, const struct agent_answer *answer, int fd)
{
	struct session *session = agent->asker;

	agent->is_busy = false;
	agent->asker = NULL;
	if (session == NULL) {
		drop_answer(agent, answer, fd);
		return;
	}
	session->agent = NULL;
	session->is_asking = false;
	session->agent_serial = agent->serial;
	dispatch_finish(session, answer, fd);
}

/* Returns: the owner, or NULL if it has ended or the agent has none. */
static struct session *
owner_of(const struct agent_client *agent)
{
	return agent->has_owner ? worker_find(agent->worker, agent->owner_id) : NULL;
}

static void
close_agent(struct agent_client *agent)
{
	int fd = agent->source.fd;

	loop_forget(&agent->worker->loop, &agent->source);
	fd_close(&fd);
	agent_queue_free(agent);
	free(agent->orphan_path);
	agent->orphan_path = NULL;
}

/* Its user's session is told, once; the anonymous ones get another. */
static void
tell_lost(struct agent_client *agent, bool was_ready)
{
	struct worker *worker = agent->worker;
	struct session *owner = owner_of(agent);

	if (worker->is_over) {
		return;
	}
	if (!agent->has_owner) {
		worker->agents.has_asked_for_more &= was_ready;
		agent_ask_for_more(worker);
	} else if (owner != NULL && was_ready) {
		login_agent_lost(owner);
	} else if (owner != NULL) {
		login_agent_ready(owner, &failed_answer);
	}
}

/* The agent has ended, or must. */
static void
lose_agent(struct agent_client *agent)
{
	bool was_ready = agent->is_ready;

	close_agent(agent);
	if (agent->is_busy) {
		answer_asker(agent, &failed_answer, -1);
	}
	agent_queue_fail(agent->worker, agent->serial);
	tell_lost(agent, was_ready);
}

/*
 * A descriptor that came where none belongs, or is of another kind than was asked for,
 * ends the agent: the rules of trust hold in both directions.
 */
static bool
is_descriptor_right(const struct agent_client *agent, const struct agent_answer *answer,
                    int fd)
{
	return (fd >= 0) ==
	       (answer->result == IPC_OK && agent_verb_has_descriptor(agent->verb));
}

static void
tell_denied(struct worker *worker, int32_t call)
{
	static const char role[] = "agent";
	struct record record = {.type = RECORD_DENIED_CALL,
	                        .value = (uint64_t)call,
	                        .text = role,
	                        .text_len = sizeof(role) - 1};

	if (call >= 0) {
		record_send(&worker->recorder, &record);
	}
}

/* The first message: the agent serves from now on, or says why it cannot. */
static void
take_ready(struct agent_client *agent, const struct agent_answer *answer)
{
	struct session *owner = owner_of(agent);

	if (answer->result == IPC_OK) {
		agent->is_ready = true;
		agent->is_busy = false;
		if (!agent->has_owner) {
			agent->worker->agents.has_asked_for_more = false;
		}
	} else if (agent->has_owner) {
		close_agent(agent);
	} else {
		lose_agent(agent);
	}
	if (owner != NULL) {
		owner->agent_serial = agent->serial;
		login_agent_ready(owner, answer);
		/*
		 * A login uses more memory than a session that waits, and of those there
		 * may be thousands. That there is nothing to give back is no failure.
		 */
		(void)malloc_trim(0);
		stack_drop();
	}
}

static void
take_answer(struct agent_client *agent, const struct agent_answer *answer, int fd)
{
	tell_denied(agent->worker, answer->denied_call);
	if (agent->is_ready) {
		answer_asker(agent, answer, fd);
	} else {
		take_ready(agent, answer);
	}
}

static void
handle_agent(struct loop_source *source, uint32_t events)
{
	struct agent_client *agent = (struct agent_client *)source;
	struct worker *worker = agent->worker;
	struct agent_answer answer;
	uint8_t bytes[AGENT_ANSWER_MAX];
	int fd = -1;
	ssize_t len = channel_recv(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT, &fd);

	(void)events; /* receiving tells end of file and errors, too */
	if (len == -EAGAIN) {
		return;
	}
	if (len == -EPROTO && agent->is_ready && agent->is_busy) {
		/*
		 * The descriptor was lost at our own limit: this command fails, the
		 * session lives.
		 */
		answer_asker(agent, &failed_answer, -1);
	} else if (len <= 0 || !agent->is_busy ||
	           !agent_answer_decode(bytes, (size_t)len, &answer) ||
	           !is_descriptor_right(agent, &answer, fd)) {
		fd_close(&fd);
		lose_agent(agent);
	} else {
		take_answer(agent, &answer, fd);
	}
	agent_queue_serve(worker);
}

void
agent_pool_add(struct worker *worker, int agent_fd, struct session *owner)
{
	struct agent_pool *pool = &worker->agents;

	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &pool->agents[i];

		if (agent->source.fd >= 0) {
			continue;
		}
		agent->source.handle = handle_agent;
		agent->is_busy = true;
		agent->is_ready = false;
		agent->verb = AGENT_READY;
		agent->asker = NULL;
		agent->has_owner = owner != NULL;
		agent->owner_id = owner != NULL ? owner->id : 0;
		agent->serial = ++pool->next_serial;
		if (loop_watch(&worker->loop, &agent->source, agent_fd, EPOLLIN) != 0) {
			break;
		}
		return;
	}
	fd_close(&agent_fd);
	if (owner != NULL) {
		login_agent_ready(owner, &failed_answer);
	}
}

void
agent_release(struct session *session)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &session->worker->agents.agents[i];

		if (agent->source.fd >= 0 && owner_of(agent) == session) {
			agent_forget(session);
			close_agent(agent);
		}
	}
}

void
agent_pool_take(struct worker *worker, int agent_fd, uint16_t host)
{
	if (host == worker->agents.host) {
		agent_pool_add(worker, agent_fd, NULL);
	} else {
		fd_close(&agent_fd);
	}
}

/* Those of the client who was here before REIN: nobody waits for their answers. */
static void
close_anonymous(struct worker *worker)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &worker->agents.agents[i];

		if (agent->source.fd >= 0 && !agent->has_owner) {
			close_agent(agent);
		}
	}
	worker->agents.has_asked_for_more = false;
}

void
agent_pool_serve_host(struct worker *worker, uint16_t host)
{
	size_t count = 0;

	if (worker->kind == WORKER_SHARED) {
		return; /* has them already, and no hosts */
	}
	if (host != worker->agents.host) {
		close_anonymous(worker);
		worker->agents.host = host;
	}
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		count += worker->agents.agents[i].source.fd >= 0;
	}
	if (count == 0) {
		agent_ask_for_more(worker);
	}
}
