/*
 * session_table: every client from its acceptance to its end, and the numbers by which
 * workers name them.
 * Runs in: master. Input: session numbers, hostile.
 * Source: DESIGN.md section 3, rule 5.
 * Not here: what may be done with a session; see worker_obey.h and assign.h. No system
 * call is made here.
 */
#ifndef FTPD_MASTER_SESSION_TABLE_H
#define FTPD_MASTER_SESSION_TABLE_H

#include <sys/queue.h>

#include "common/addr.h"
#include "ftpd/master/deadline.h"
#include "ftpd/master/share.h"
#include "common/base.h"

struct authenticator;
struct limit_row;
struct worker;

enum {
	/*
	 * A number is slot and generation. Zero is no session: it is what records about
	 * none carry.
	 */
	SESSION_GENERATION_BITS = 12,
	SESSION_GENERATIONS = 1 << SESSION_GENERATION_BITS,
	SESSION_SLOTS_MAX = 1 << (32 - SESSION_GENERATION_BITS),
	/* Slots are allocated so many at a time and never move. */
	SESSION_CHUNK = 256,
	SESSION_CHUNKS_MAX = SESSION_SLOTS_MAX / SESSION_CHUNK,
};

enum session_state {
	SESSION_FREE,
	/* no worker is ready for it: `fd` is the client's socket, `deadline` runs */
	SESSION_WAITING,
	/*
	 * its ASSIGN lies in a worker's outbox; the worker must not know its number yet
	 */
	SESSION_QUEUED,
	SESSION_SERVED, /* a worker has it */
};

/* What the worker has asked about it. At most one question is open. */
enum session_question {
	SESSION_ASKED_NOTHING,
	SESSION_ASKED_PASSIVE,
	SESSION_ASKED_ACTIVE,
	SESSION_ASKED_LOGIN, /* see login_desk.h; not among the worker's questions */
};

struct session {
	uint32_t id;
	struct deadline deadline; /* WAITING; SESSION_ASKED_LOGIN: its delay */
	enum session_state state;
	enum session_question question;
	struct addr peer;
	struct addr local;
	struct addr target; /* SESSION_ASKED_ACTIVE */
	/*
	 * SO_COOKIE: the kernel's name for the socket, by which a returned one is known
	 */
	uint64_t cookie;
	int fd;               /* SESSION_WAITING, else -1 */
	bool wants_private;   /* no shared worker may have it */
	bool is_implicit_tls; /* it came to a listener of listen_implicit_tls */
	bool is_handed_over;  /* a shared worker has greeted it */
	bool is_test;         /* the self-test's: not counted, not recorded */
	/* early_drop.c: when it came, and until when it is not asked to leave */
	uint64_t came_ms;
	uint64_t spared_until_ms;
	uint32_t passive_asks; /* how many passive listeners were made for it */
	struct worker *worker; /* QUEUED, SERVED */
	LIST_ENTRY(session) of_worker;
	TAILQ_ENTRY(session)
	in_queue; /* waiting for a worker, or its question for an answer: never both */

	/* login_desk.c */
	uint32_t tries;        /* that did not succeed */
	bool is_queued;        /* SESSION_ASKED_LOGIN: only an authenticator is missing */
	uint64_t login_number; /* login_user_number() of whom it wants to be */
	uint64_t asked_ms;
	LIST_HEAD(, authenticator) logins; /* tries, and agents that they became */

	/* moving.c */
	struct share_member share;
	struct limit_row *user;    /* whose limits it shares; NULL: nobody's */
	struct limit_row *address; /* while data move */

	TAILQ_ENTRY(session) in_untold; /* see session_record.h */
	bool is_untold;
	uint32_t next_free; /* FREE: slot plus 1, 0 ends the list */
};

struct session_table {
	struct session *chunks[SESSION_CHUNKS_MAX];
	uint32_t chunk_count;
	uint32_t first_free; /* slot plus 1 */
	uint32_t count;
};

/*
 * Take a free slot under a new number.
 * Returns: a session of which all but the number is zero and fd -1; NULL when memory or
 *          slots ran out.
 * Owner:   the table; session_table_remove() gives it back.
 */
struct session *session_table_add(struct session_table *table);

/*
 * Find a session by the number that somebody claims for it.
 * Returns: it, or NULL for a number that names none now.
 */
struct session *session_table_find(struct session_table *table, uint32_t id);

/*
 * Look at a slot, for who wants any session.
 * In:      number: any; slots are counted round.
 * Returns: its session, or NULL if it is free or there are no slots yet.
 */
struct session *session_table_at(struct session_table *table, uint64_t number);

/*
 * Give the slot back. Its number will not be valid again before 4,095 others have had the
 * slot.
 */
void session_table_remove(struct session_table *table, struct session *session);

/* Free all memory. */
void session_table_end(struct session_table *table);

#endif
