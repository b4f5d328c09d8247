/*
 * agent_client: asks the agents. Any idle agent answers any session's question; questions
 * queue when all are busy.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/agent_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/fd.h"
#include "ftpd/worker/dispatch.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static void send_waiting(struct worker *worker);

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

static void
ask_for_more(struct worker *worker)
{
	size_t count = 0;

	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		count += worker->agents.agents[i].source.fd >= 0;
	}
	if (!worker->agents.has_asked_for_more && count < AGENT_POOL_MAX) {
		worker->agents.has_asked_for_more = true;
		master_send(worker, &(struct mw_message){.type = MW_MORE_AGENTS}, -1);
	}
}

static void
answer_asker(struct agent_client *agent, const struct agent_answer *answer, int fd)
{
	struct session *session = agent->asker;

	agent->is_busy = false;
	agent->asker = NULL;
	if (session == NULL) {
		fd_close(&fd); /* the session has ended or given up since */
		return;
	}
	session->agent = NULL;
	session->is_asking = false;
	session->agent_serial = agent->serial;
	dispatch_finish(session, answer, fd);
}

static void
lose_agent(struct agent_client *agent)
{
	struct agent_answer answer = {.result = IPC_LOCAL_ERROR, .denied_call = -1};
	struct worker *worker = agent->worker;
	int fd = agent->source.fd;

	loop_forget(&worker->loop, &agent->source);
	fd_close(&fd);
	if (agent->is_busy) {
		answer_asker(agent, &answer, -1);
	}
	if (!worker->is_over) {
		ask_for_more(worker);
	}
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

static void
handle_agent(struct loop_source *source, uint32_t events)
{
	struct agent_client *agent = (struct agent_client *)source;
	struct worker *worker = agent->worker;
	struct agent_answer answer;
	uint8_t bytes[256];
	int fd = -1;
	ssize_t len = channel_recv(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT, &fd);

	(void)events; /* receiving tells end of file and errors, too */
	if (len == -EAGAIN) {
		return;
	}
	if (len == -EPROTO && agent->is_busy) {
		/*
		 * The descriptor was lost at our own limit: this command fails, the
		 * session lives.
		 */
		answer =
		    (struct agent_answer){.result = IPC_LOCAL_ERROR, .denied_call = -1};
		answer_asker(agent, &answer, -1);
	} else if (len <= 0 || !agent->is_busy ||
	           !agent_answer_decode(bytes, (size_t)len, &answer) ||
	           !is_descriptor_right(agent, &answer, fd)) {
		fd_close(&fd);
		lose_agent(agent);
	} else {
		tell_denied(worker, answer.denied_call);
		answer_asker(agent, &answer, fd);
	}
	send_waiting(worker);
}

void
agent_pool_add(struct worker *worker, int agent_fd)
{
	struct agent_pool *pool = &worker->agents;

	pool->has_asked_for_more = false;
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &pool->agents[i];

		if (agent->source.fd >= 0) {
			continue;
		}
		agent->source.handle = handle_agent;
		agent->is_busy = false;
		agent->asker = NULL;
		agent->serial = ++pool->next_serial;
		if (loop_watch(&worker->loop, &agent->source, agent_fd, EPOLLIN) != 0) {
			break;
		}
		send_waiting(worker);
		return;
	}
	fd_close(&agent_fd);
}

static struct agent_client *
find_idle(struct worker *worker)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &worker->agents.agents[i];

		if (agent->source.fd >= 0 && !agent->is_busy) {
			return agent;
		}
	}
	return NULL;
}

static void
send_question(struct agent_client *agent, struct session *session, const uint8_t *bytes,
              size_t len)
{
	agent->is_busy = true;
	agent->asker = session;
	agent->verb = session->question_verb;
	session->agent = agent;
	if (channel_send(agent->source.fd, bytes, len, -1) != 0) {
		lose_agent(agent);
	}
}

static void
enqueue(struct session *session, const uint8_t *bytes, size_t len)
{
	struct agent_pool *pool = &session->worker->agents;
	struct agent_answer answer = {.result = IPC_LOCAL_ERROR, .denied_call = -1};

	session->question = malloc(len);
	if (session->question == NULL) {
		session->is_asking = false;
		dispatch_finish(session, &answer, -1);
		return;
	}
	memcpy(session->question, bytes, len);
	session->question_len = len;
	session->next_asker = NULL;
	*pool->last = session;
	pool->last = &session->next_asker;
	ask_for_more(session->worker);
}

void
agent_ask(struct session *session, const struct agent_question *question)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = agent_question_encode(question, bytes, sizeof(bytes));
	struct agent_client *agent = find_idle(session->worker);

	session->is_asking = true;
	session->question_verb = question->verb;
	if (agent != NULL && session->worker->agents.first == NULL) {
		send_question(agent, session, bytes, len);
	} else {
		enqueue(session, bytes, len);
	}
}

/* Take the first session out of the queue. */
static struct session *
dequeue(struct agent_pool *pool)
{
	struct session *session = pool->first;

	pool->first = session->next_asker;
	if (pool->first == NULL) {
		pool->last = &pool->first;
	}
	session->next_asker = NULL;
	return session;
}

static void
send_waiting(struct worker *worker)
{
	struct agent_pool *pool = &worker->agents;
	struct agent_client *agent;

	while (pool->first != NULL && (agent = find_idle(worker)) != NULL) {
		struct session *session = dequeue(pool);
		uint8_t *bytes = session->question;

		session->question = NULL;
		send_question(agent, session, bytes, session->question_len);
		free(bytes);
	}
}

void
agent_forget(struct session *session)
{
	struct agent_pool *pool = &session->worker->agents;
	struct session **link = &pool->first;

	if (session->agent != NULL) {
		session->agent->asker = NULL;
		session->agent = NULL;
	}
	while (session->question != NULL && *link != session) {
		link = &(*link)->next_asker;
	}
	if (session->question != NULL) {
		*link = session->next_asker;
		if (pool->last == &session->next_asker) {
			pool->last = link;
		}
		free(session->question);
		session->question = NULL;
	}
	session->is_asking = false;
}

bool
agent_is_alive(struct worker *worker, uint32_t serial)
{
	uint8_t byte;

	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		const struct agent_client *agent = &worker->agents.agents[i];

		if (agent->source.fd >= 0 && agent->serial == serial) {
			return channel_recv_plain(agent->source.fd, &byte, sizeof(byte),
			                          MSG_DONTWAIT | MSG_PEEK) != 0;
		}
	}
	return false;
}
