/*
 * worker_link: the channel to one worker, and what the master knows of that worker.
 * Runs in: master. Input: the worker's messages, hostile.
 * Source: ftpd/ipc/PROTOCOL.md; DESIGN.md section 3, rules 3 and 5.
 * Not here: what the messages mean; see worker_obey.h. Its end; see worker_end.h.
 */
#ifndef FTPD_MASTER_WORKER_LINK_H
#define FTPD_MASTER_WORKER_LINK_H

#include <sys/queue.h>
#include <sys/types.h>

#include "common/loop.h"
#include "ftpd/ipc/master_worker.h"
#include "ftpd/ipc/worker_kind.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/outbox.h"
#include "common/base.h"

enum worker_state {
	WORKER_ORDERED,  /* the forkserver has not been asked for it */
	WORKER_STARTING, /* forked, or about to be; it has not said READY */
	WORKER_READY,    /* it may get clients */
	WORKER_GONE,     /* its channel is closed; its exit status is awaited */
};

struct worker {
	struct loop_source source; /* first: the channel */
	struct master *master;
	struct generation *generation;
	LIST_ENTRY(worker) entry;  /* master->workers */
	LIST_ENTRY(worker) shared; /* generation->shared, if WORKER_SHARED and not GONE */
	TAILQ_ENTRY(worker) in_queue; /* generation->idle */
	struct fork_order order;
	uint32_t number;
	pid_t pid; /* 0: not known, or ended */
	enum worker_kind kind;
	enum worker_state state;
	/*
	 * the recorder's end of this worker's channel to it, until the recorder takes it
	 */
	int recorder_end_fd;
	bool is_pooled; /* counted by pool.c as one that serves, waits or will come */
	bool is_idle;   /* in generation->idle */
	/* it broke the rules: to be killed as soon as its pid is known */
	bool is_condemned;
	bool is_retiring;
	bool is_pumping; /* its outbox is being sent: no second round begins inside */
	struct outbox outbox;
	LIST_HEAD(, session) sessions;
	uint32_t session_count;
	struct session_queue questions; /* sessions whose question is to be answered */
	unsigned agents;                /* running for it */
	uint16_t agent_host;            /* of the last one: see agents_give_one() */
	struct deadline agent_pause;    /* agents failed: the next one waits */
	uint32_t agent_pause_ms;
	uint64_t agent_failed_ms;
	/* GONE: its process must have ended; else: sending failed for want of memory */
	struct deadline later;
	uint32_t lost_sessions; /* that it had when its channel ended */
	uint64_t started_ms;
};

/*
 * Create a worker's half here: object and channel. Its other half is to be forked with
 * child_fd.
 * Returns: the worker, ORDERED, in master->workers; NULL when memory or descriptors ran
 *          out.
 */
struct worker *worker_create(struct generation *generation, enum worker_kind kind);

/* The forkserver has been asked for it: start listening to it. */
void worker_began(struct worker *worker);

/*
 * Send a message, now or in its turn. A worker for which that is impossible is ended.
 * In:      fd: its descriptor, or -1; the master's copy is closed in any case.
 */
void worker_send(struct worker *worker, const struct mw_message *message, int fd);

/* Give the session to the worker. fd: the client's socket; owned from now on. */
void worker_assign(struct worker *worker, struct session *session, int fd);

/* Read and obey what it has said. It may be GONE afterwards. */
void worker_receive(struct worker *worker);

/*
 * Send what waits, as far as the rules and the channel allow: messages, then answers to
 * questions.
 */
void worker_pump(struct worker *worker);

/* Give it a channel to the recorder; a new one if it had one. */
void worker_give_recorder(struct worker *worker);

/* Ask it to end when its last session has ended. */
void worker_retire(struct worker *worker);

/*
 * It broke the rules: say so in the log, kill it, end its sessions. The worker is GONE or
 * freed afterwards.
 */
void worker_violates(struct worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Take a session out of the worker's lists, before it ends or moves. */
void worker_release(struct worker *worker, struct session *session);

/*
 * Ask whether it may get a client now.
 * Returns: true if it is ready, not retiring and its outbox is not crowded.
 */
bool worker_has_room(const struct worker *worker);

/*
 * Returns: "shared" or "private", for log lines.
 */
const char *worker_kind_name(enum worker_kind kind);

#endif
