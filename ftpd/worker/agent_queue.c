/*
 * agent_queue: the questions that are put to the agents, and those that wait.
 * Runs in: deftpd-worker.
 * Not here: what agents say (agent_client.c).
 */
#include "ftpd/worker/agent_queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "ftpd/worker/dispatch.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/* What an agent is told on nobody's behalf. */
struct agent_letter {
	struct agent_letter *next;
	enum agent_verb verb;
	size_t len;
	uint8_t bytes[];
};

/* How session->question begins: which agent is meant; 0: any that fits. */
struct question_head {
	uint32_t serial;
};

static const struct agent_answer failed_answer = {.result = IPC_LOCAL_ERROR,
                                                  .denied_call = -1};

/*
 * Have the agent told this before anything else. Without memory it finds out at its end.
 */
static void
post(struct agent_client *agent, enum agent_verb verb, const uint8_t *bytes, size_t len)
{
	struct agent_letter *letter = malloc(sizeof(*letter) + len);
	struct agent_letter **last = &agent->letters;

	if (letter == NULL) {
		return;
	}
	letter->next = NULL;
	letter->verb = verb;
	letter->len = len;
	memcpy(letter->bytes, bytes, len);
	while (*last != NULL) {
		last = &(*last)->next;
	}
	*last = letter;
}

void
agent_queue_discard(struct agent_client *agent, uint32_t upload, const char *path,
                    size_t path_len)
{
	struct agent_question question = {
	    .verb = AGENT_DISCARD, .upload = upload, .path = path, .path_len = path_len};
	uint8_t bytes[IPC_PATH_MAX + 64] = {0};

	post(agent, AGENT_DISCARD, bytes,
	     agent_question_encode(&question, bytes, sizeof(bytes)));
}

void
agent_queue_free(struct agent_client *agent)
{
	struct agent_letter *letter;

	while ((letter = agent->letters) != NULL) {
		agent->letters = letter->next;
		free(letter);
	}
}

/* Take a session out of the queue, together with its question. */
static uint8_t *
dequeue(struct agent_pool *pool, struct session *session)
{
	struct session **link = &pool->first;
	uint8_t *question = session->question;

	while (*link != session) {
		link = &(*link)->next_asker;
	}
	*link = session->next_asker;
	if (pool->last == &session->next_asker) {
		pool->last = link;
	}
	session->next_asker = NULL;
	session->question = NULL;
	return question;
}

static uint32_t
wanted_serial(const struct session *session)
{
	return ((const struct question_head *)(const void *)session->question)->serial;
}

/* A user's files are his own agent's business, those of anonymous clients any other's. */
static bool
fits(const struct agent_client *agent, const struct session *session, uint32_t serial)
{
	if (agent->source.fd < 0 || (serial != 0 && agent->serial != serial)) {
		return false;
	}
	return session->rights.is_user
	           ? agent->has_owner && agent->owner_id == session->id
	           : !agent->has_owner;
}

static struct agent_client *
find_idle(const struct session *session, uint32_t serial)
{
	struct agent_pool *pool = &session->worker->agents;

	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &pool->agents[i];

		if (!agent->is_busy && fits(agent, session, serial)) {
			return agent;
		}
	}
	return NULL;
}

static bool
is_there(const struct session *session, uint32_t serial)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		if (fits(&session->worker->agents.agents[i], session, serial)) {
			return true;
		}
	}
	return false;
}

/*
 * If it cannot be sent, the loop finds the channel's end: losing an agent may end the
 * session, which those who are asking do not expect.
 */
static void
send_to(struct agent_client *agent, const uint8_t *bytes, size_t len)
{
	if (channel_send(agent->source.fd, bytes, len, -1) != 0) {
		/* fails only if it is shut down already */
		(void)shutdown(agent->source.fd, SHUT_RDWR);
	}
}

static void
send_question(struct agent_client *agent, struct session *session, const uint8_t *bytes,
              size_t len)
{
	agent->is_busy = true;
	agent->asker = session;
	agent->verb = session->question_verb;
	session->agent = agent;
	send_to(agent, bytes, len);
}

static void
fail(struct session *session)
{
	session->is_asking = false;
	dispatch_finish(session, &failed_answer, -1);
}

void
agent_queue_fail(struct worker *worker, uint32_t serial)
{
	struct session *session = worker->agents.first;

	while (session != NULL) {
		if (wanted_serial(session) != serial) {
			session = session->next_asker;
			continue;
		}
		free(dequeue(&worker->agents, session));
		session->is_asking = false;
		dispatch_finish(session, &failed_answer, -1);
		session = worker->agents.first; /* the queue may have changed */
	}
}

static void
enqueue(struct session *session, uint32_t serial, const uint8_t *bytes, size_t len)
{
	struct agent_pool *pool = &session->worker->agents;
	struct question_head head = {.serial = serial};

	session->question = malloc(sizeof(head) + len);
	if (session->question == NULL) {
		fail(session);
		return;
	}
	memcpy(session->question, &head, sizeof(head));
	memcpy(session->question + sizeof(head), bytes, len);
	session->question_len = sizeof(head) + len;
	session->next_asker = NULL;
	*pool->last = session;
	pool->last = &session->next_asker;
	if (serial == 0 && !session->rights.is_user) {
		agent_ask_for_more(session->worker);
	}
}

/* Letters first: a question that follows finds done what they say. */
static void
send_letters(struct worker *worker)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &worker->agents.agents[i];
		struct agent_letter *letter = agent->letters;

		if (agent->source.fd < 0 || agent->is_busy || letter == NULL) {
			continue;
		}
		agent->letters = letter->next;
		agent->is_busy = true;
		agent->verb = letter->verb;
		send_to(agent, letter->bytes, letter->len);
		free(letter);
	}
}

/* Returns: the first waiting session whose question an idle agent can take, or NULL. */
static struct session *
find_waiting(struct worker *worker, struct agent_client **ret_agent)
{
	struct session *session = worker->agents.first;

	while (session != NULL &&
	       (*ret_agent = find_idle(session, wanted_serial(session))) == NULL) {
		session = session->next_asker;
	}
	return session;
}

static bool
has_idle(const struct worker *worker)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		if (worker->agents.agents[i].source.fd >= 0 &&
		    !worker->agents.agents[i].is_busy) {
			return true;
		}
	}
	return false;
}

void
agent_queue_serve(struct worker *worker)
{
	struct agent_client *agent;
	struct session *session;

	send_letters(worker);
	while (worker->agents.first != NULL && has_idle(worker) &&
	       (session = find_waiting(worker, &agent)) != NULL) {
		uint8_t *question = dequeue(&worker->agents, session);

		send_question(agent, session, question + sizeof(struct question_head),
		              session->question_len - sizeof(struct question_head));
		free(question);
	}
}

static void
ask(struct session *session, uint32_t serial, const struct agent_question *question)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = agent_question_encode(question, bytes, sizeof(bytes));
	struct agent_client *agent = find_idle(session, serial);

	session->is_asking = true;
	session->question_verb = question->verb;
	if ((serial != 0 || session->rights.is_user) && !is_there(session, serial)) {
		fail(session);
	} else if (agent != NULL && session->worker->agents.first == NULL &&
	           agent->letters == NULL) {
		send_question(agent, session, bytes, len);
	} else {
		enqueue(session, serial, bytes, len);
		agent_queue_serve(session->worker);
	}
}

void
agent_ask(struct session *session, const struct agent_question *question)
{
	ask(session, 0, question);
}

void
agent_ask_same(struct session *session, uint32_t serial,
               const struct agent_question *question)
{
	ask(session, serial, question);
}

static struct agent_client *
find_serial(struct worker *worker, uint32_t serial)
{
	for (size_t i = 0; i < AGENT_POOL_MAX; i++) {
		struct agent_client *agent = &worker->agents.agents[i];

		if (agent->source.fd >= 0 && agent->serial == serial) {
			return agent;
		}
	}
	return NULL;
}

void
agent_discard(struct worker *worker, uint32_t serial, uint32_t upload, const char *path)
{
	struct agent_client *agent = find_serial(worker, serial);

	if (agent != NULL) {
		agent_queue_discard(agent, upload, path, strlen(path));
		agent_queue_serve(worker);
	}
}

/* A question that is still in the queue: never asked, but for a commit. */
static void
forget_waiting(struct session *session)
{
	uint32_t serial = wanted_serial(session);
	uint8_t *question = dequeue(&session->worker->agents, session);
	struct agent_client *agent = find_serial(session->worker, serial);

	if (session->question_verb == AGENT_COMMIT && agent != NULL) {
		post(agent, AGENT_COMMIT, question + sizeof(struct question_head),
		     session->question_len - sizeof(struct question_head));
	}
	free(question);
}

void
agent_forget(struct session *session)
{
	struct agent_client *agent = session->agent;

	if (agent != NULL) {
		agent->asker = NULL;
		session->agent = NULL;
		if (agent->verb == AGENT_OPEN_WRITE && session->path != NULL) {
			agent->orphan_path = strdup(session->path);
		}
	}
	if (session->question != NULL) {
		forget_waiting(session);
	}
	session->is_asking = false;
}

bool
agent_is_alive(struct worker *worker, uint32_t serial)
{
	const struct agent_client *agent = find_serial(worker, serial);
	uint8_t byte;

	return agent != NULL && channel_recv_plain(agent->source.fd, &byte, sizeof(byte),
	                                           MSG_DONTWAIT | MSG_PEEK) != 0;
}
