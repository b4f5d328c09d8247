/*
 * agent_client: asks the agents. Any idle agent of anonymous clients answers any of their
 * sessions' questions; a user's agent answers its session alone. Questions queue when all
 * are busy.
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
#include "ftpd/worker/login.h"
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

static void serve_idle(struct worker *worker);

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

/* Have the agent told this before anything else. Without memory it finds out at its end. */
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

static void
post_discard(struct agent_client *agent, uint32_t upload, const char *path,
             size_t path_len)
{
	struct agent_question question = {.verb = AGENT_DISCARD,
	                                  .upload = upload,
	                                  .path = path,
	                                  .path_len = path_len};
	uint8_t bytes[IPC_PATH_MAX + 64];

	post(agent, AGENT_DISCARD, bytes,
	     agent_question_encode(&question, bytes, sizeof(bytes)));
}

/* The asker has ended or given up: what was opened for it is of no use to anybody. */
static void
drop_answer(struct agent_client *agent, const struct agent_answer *answer, int fd)
{
	fd_close(&fd);
	if (agent->verb == AGENT_OPEN_WRITE && answer->result == IPC_OK &&
	    answer->upload != 0) {
		if (answer->name_len > 0) {
			post_discard(agent, answer->upload, answer->name,
			             answer->name_len);
		} else if (agent->orphan_path != NULL) {
			post_discard(agent, answer->upload, agent->orphan_path,
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

static void
free_letters(struct agent_client *agent)
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

/* Nobody but the lost agent could have answered these. */
static void
fail_waiting_for(struct worker *worker, uint32_t serial)
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
	free_letters(agent);
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
		ask_for_more(worker);
	} else if (owner != NULL && was_ready) {
		login_agent_lost(owner);
	} else if (owner != NULL) {
		login_agent_ready(owner, &failed_answer);
	}
}

static void
lose_agent(struct agent_client *agent)
{
	bool was_ready = agent->is_ready;

	close_agent(agent);
	if (agent->is_busy) {
		answer_asker(agent, &failed_answer, -1);
	}
	fail_waiting_for(agent->worker, agent->serial);
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
	serve_idle(worker);
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
fail(struct session *session)
{
	session->is_asking = false;
	dispatch_finish(session, &failed_answer, -1);
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
		ask_for_more(session->worker);
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
		serve_idle(session->worker);
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
		if (channel_send(agent->source.fd, letter->bytes, letter->len, -1) != 0) {
			lose_agent(agent);
		}
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

/* Give the agents that have nothing to do what waits for them. */
static void
serve_idle(struct worker *worker)
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
		post_discard(agent, upload, path, strlen(path));
		serve_idle(worker);
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
