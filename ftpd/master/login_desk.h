/*
 * login_desk: where sessions queue for a login: their tries are counted, delayed by
 * penalties, given to authenticators, and judged.
 * Runs in: master. Input: what workers ask, hostile; verdicts of authenticators.
 * Source: DESIGN.md section 2, "Login of a user"; SECURITY.md A16, A17, A19, A20.
 * Not here: penalties; see penalty.h. The authenticators; see authenticator.h.
 *
 * A failure makes the next tries of the same address wait, and, for much shorter, those
 * for the same user from anywhere: an honest user is delayed, never locked out. A try
 * waits from when it was made, and is looked at again when its turn comes: of many made
 * at once the later ones wait for the failures of the earlier, but none for longer than
 * max_delay, so that who shares an address with a guesser comes in.
 */
#ifndef FTPD_MASTER_LOGIN_DESK_H
#define FTPD_MASTER_LOGIN_DESK_H

#include <sys/queue.h>

#include "ftpd/ipc/master_auth.h"
#include "ftpd/ipc/master_worker.h"
#include "ftpd/master/limit_table.h"
#include "ftpd/master/penalty.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

struct authenticator;
struct master;
struct worker;

enum {
	LOGIN_DESK_FREE_FAILURES = 3,
	/* What a user's penalty costs at most, whoever it was who guessed. */
	LOGIN_DESK_USER_DELAY_MS = 2000,
	/*
	 * Who quits and comes again at once may be faster than the end of his session is
	 * here: a user who has too many is looked at again so often, so much later.
	 */
	LOGIN_DESK_LOOKS = 2,
	LOGIN_DESK_LOOK_MS = 200,
};

LIST_HEAD(authenticator_list, authenticator);
TAILQ_HEAD(authenticator_queue, authenticator);
TAILQ_HEAD(login_queue, session);

/* Part of the master. */
struct login_desk {
	struct login_queue queue; /* sessions that may try as soon as somebody is free */
	bool is_pumping;
	uint32_t computing; /* authenticators in that state */
	uint32_t waiting_count;
	struct authenticator_queue waiting;       /* in that state, longest first */
	struct authenticator_list authenticators; /* but those that are gone */
	struct authenticator_list gone;           /* until their processes have ended */
	uint32_t last_number;                     /* of an authenticator */
	struct penalty_table addresses;
	struct penalty_table users;
	struct limit_table accounts; /* sessions of each user */
};

/* Before the first client. seed: random. */
void login_desk_init(struct master *master, uint64_t seed);

/* Free all memory, after the last authenticator. */
void login_desk_end(struct master *master);

/* The worker asks to try a user's login. The session is its own and has no question. */
void login_desk_ask(struct worker *worker, struct session *session, uint64_t number);

/* The session's question is not to be answered any more. */
void login_desk_forget(struct master *master, struct session *session);

/* The session is over: its user has one less. */
void login_desk_end_session(struct master *master, struct session *session);

/* Give tries to authenticators as far as both are there. */
void login_desk_pump(struct master *master);

/* The authenticator has refused. Its worker may be gone afterwards. */
void login_desk_refused(struct authenticator *authenticator,
                        const struct ma_message *message);

/* The password was right: answer by authenticator_go(). */
void login_desk_accepted(struct authenticator *authenticator,
                         const struct ma_message *message);

/* It ended without a verdict: that counts as a failure. */
void login_desk_failed(struct authenticator *authenticator);

/* Let go of the user's row that the authenticator holds, if it does. */
void login_desk_release(struct authenticator *authenticator);

#endif
