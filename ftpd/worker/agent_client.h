/*
 * agent_client: asks the agents. Any idle agent of anonymous clients answers any of their
 * sessions' questions; a user's agent answers its session alone. Questions queue when all
 * are busy.
 * Runs in: deftpd-worker.
 * Source: ftpd/ipc/agent.h; DESIGN.md section 2, "Login of an anonymous client".
 */
#ifndef FTPD_WORKER_AGENT_CLIENT_H
#define FTPD_WORKER_AGENT_CLIENT_H

#include "common/loop.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

struct agent_letter;
struct session;
struct worker;

enum {
	AGENT_POOL_MAX = 8, /* the master gives no more to one worker */
};

/* One agent's channel. `source.fd` is -1 while the place is free. */
struct agent_client {
	struct loop_source source;
	struct worker *worker;
	struct session *asker; /* NULL: idle, or the asker has ended or lost patience */
	enum agent_verb verb;
	bool is_busy; /* true from the beginning until AGENT_READY */
	bool is_ready;
	bool has_owner;    /* a user's: asked by that session only */
	uint32_t owner_id; /* which may have ended meanwhile */
	/* sent before any question; nobody waits for the answers */
	struct agent_letter *letters;
	/* what an unwanted answer to AGENT_OPEN_WRITE is discarded with; NULL else */
	char *orphan_path;
	/* which agent this was: a listing checks that its writer is still alive */
	uint32_t serial;
};

struct agent_pool {
	struct agent_client agents[AGENT_POOL_MAX];
	uint32_t next_serial;
	struct session *first; /* sessions whose questions wait */
	struct session **last;
	bool has_asked_for_more;
	/* of which virtual host's files the anonymous agents are; 0: of none */
	uint16_t host;
};

void agent_pool_init(struct worker *worker);

/*
 * Take an agent's channel, which this function owns from now on. The agent is asked
 * nothing before its first message, the answer to AGENT_READY.
 * In:      owner: the session whose login this agent completes: it is told once by
 *          login_agent_ready(), with IPC_LOCAL_ERROR if the agent ends without a word,
 *          and by login_agent_lost() when the agent ends later; NULL for an anonymous
 *          agent.
 */
void agent_pool_add(struct worker *worker, int agent_fd, struct session *owner);

/*
 * An agent for anonymous clients has come, which this function owns from now on. It is
 * let go if it is of another host than is served now.
 */
void agent_pool_take(struct worker *worker, int agent_fd, uint16_t host);

/*
 * An anonymous client has logged in. A private worker has no agents before: it asks for
 * those of the client's host.
 */
void agent_pool_serve_host(struct worker *worker, uint16_t host);

/*
 * Ask. The answer comes to dispatch_finish() of the session, if need be with
 * IPC_LOCAL_ERROR when the agent dies. A session has at most one open question.
 */
void agent_ask(struct session *session, const struct agent_question *question);

/*
 * As agent_ask, but of the agent that has answered last with `serial`, as an upload ends
 * where it began. It is answered IPC_LOCAL_ERROR if that agent is gone.
 */
void agent_ask_same(struct session *session, uint32_t serial,
                    const struct agent_question *question);

/*
 * Tell that agent, for a session that ends, that its upload was cut. Nobody waits for the
 * answer.
 */
void agent_discard(struct worker *worker, uint32_t serial, uint32_t upload,
                   const char *path);

/*
 * The session's user is one no longer (REIN): his agent is let go, and login_agent_lost()
 * is not called. Harmless without one.
 */
void agent_release(struct session *session);

/*
 * Forget the session's question: its answer is dropped, and what it has opened for
 * writing is discarded. But AGENT_COMMIT still reaches the agent: all bytes had come.
 * Harmless without one.
 */
void agent_forget(struct session *session);

/*
 * Ask whether the agent with this serial is still there; an end of file that has not been
 * handled yet counts.
 * Returns: false once it has ended.
 */
bool agent_is_alive(struct worker *worker, uint32_t serial);

#endif
