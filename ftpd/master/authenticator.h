/*
 * authenticator: one process of deftpd-auth: it is given one try, tells its verdict, and
 * ends or becomes the user's agent.
 * Runs in: master. Input: the authenticator's messages, believed but for the texts in
 * them.
 * Source: ftpd/ipc/master_auth.h; SECURITY.md A19 and A20.
 * Not here: who may try when; see login_desk.h. How many wait; see auth_pool.h.
 *
 *      ORDERED --READY--> IDLE --try--> COMPUTING <--> WAITING
 *                                           \            /
 *                                            --> GONE <--      channel closed
 *
 * Only those that compute count against auth_workers. One that waits for a person, or has
 * been silent so long that it waits for the network rather than computes, counts among
 * those that wait, which are bounded as well: the one too many is ended, that of the
 * address with the most of them. So neither stalled modules nor people who do not answer
 * keep others from logging in.
 */
#ifndef FTPD_MASTER_AUTHENTICATOR_H
#define FTPD_MASTER_AUTHENTICATOR_H

#include <sys/queue.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/loop.h"
#include "ftpd/ipc/master_auth.h"
#include "ftpd/master/deadline.h"
#include "ftpd/master/generation.h"
#include "common/base.h"

enum {
	/* A hash takes some 20 ms; whoever needs so long waits for something else. */
	AUTHENTICATOR_STALL_MS = 1000,
	/* All of its computing and stalling together. Then it is killed. */
	AUTHENTICATOR_PATIENCE_MS = 30000,
	/* Those that wait, for each that may compute. */
	AUTHENTICATOR_WAITING_FACTOR = 8,
};

enum authenticator_state {
	AUTHENTICATOR_ORDERED, /* it has not said READY */
	AUTHENTICATOR_IDLE,
	AUTHENTICATOR_COMPUTING,
	AUTHENTICATOR_WAITING, /* for a person, or stalled */
	/* the channel is closed, perhaps because it is an agent now */
	AUTHENTICATOR_GONE,
};

struct authenticator {
	struct loop_source source; /* first: the channel */
	struct master *master;
	struct generation *generation;
	struct fork_order order;
	LIST_ENTRY(authenticator) entry;       /* desk.authenticators or desk.gone */
	TAILQ_ENTRY(authenticator) in_idle;    /* IDLE */
	TAILQ_ENTRY(authenticator) in_waiting; /* WAITING */
	pid_t pid;                             /* 0: not known, or ended */
	enum authenticator_state state;
	bool is_taken;    /* the try's descriptor has arrived */
	bool is_asking;   /* it waits for a person */
	bool has_verdict; /* REFUSED or ACCEPTED has come */
	bool awaits_go;   /* ACCEPTED has come and MA_GO has not been sent */
	bool is_admitted; /* it becomes an agent */
	bool is_unwanted; /* ended by us: its exit status says nothing */
	struct deadline deadline;
	uint64_t since_ms; /* of the present state */
	uint64_t spent_ms; /* computing and stalling, before that */
	uint64_t asked_ms; /* waiting for a person, before that */

	/* the try */
	struct session *session; /* NULL: it has ended */
	LIST_ENTRY(authenticator) of_session;
	uint32_t session_id;
	struct addr peer;
	uint64_t number;           /* login_user_number() that the worker has named */
	struct limit_row *account; /* the user's, who has one session more by this */
	uint32_t max_sessions;     /* of the user, 0: no limit */
	unsigned looks;            /* how often the limit has been found reached */
	uint64_t rates[SHARE_DIRECTION_COUNT];
	char user[MA_USER_MAX + 1];
	size_t user_len;
	/* where its agent begins, for the log; cut if it is long */
	char directory[MA_TEXT_MAX + 1];
	size_t directory_len;
};

/*
 * Order one more.
 * Returns: true if it comes.
 */
bool authenticator_order(struct generation *generation);

/* Its process is known, or (pid 0) could not be made. */
void authenticator_forked(struct authenticator *authenticator, pid_t pid);

/*
 * Give an IDLE one the session's try.
 * In:      fd: its end of the channel to the worker; stays the caller's.
 * Returns: true; false if it could not be told and is of no use any more.
 */
bool authenticator_try(struct authenticator *authenticator, struct session *session,
                       int fd);

/* Answer MA_ACCEPTED. */
void authenticator_go(struct authenticator *authenticator, bool is_admitted);

/* The session has ended: the verdict is still awaited, for its penalty. */
void authenticator_leave_session(struct authenticator *authenticator);

/* Close those of the generation that have no try. */
void authenticator_close_unused(struct generation *generation);

/* Close all, when the master stops. */
void authenticator_close_all(struct master *master);

/* Free those of which nothing is left. */
void authenticator_sweep(struct master *master);

#endif
