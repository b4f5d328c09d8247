/*
 * visit: the recorder's own picture of each session, so that no worker can say who its
 * client is.
 * Runs in: recorder. Input: numbers and names from workers, hostile.
 * Source: DESIGN.md section 3, rule 12.
 * Not here: what is written about it; see report.h. No system call is made here.
 */
#ifndef FTPD_RECORDER_VISIT_H
#define FTPD_RECORDER_VISIT_H

#include <sys/queue.h>

#include "ftpd/ipc/record.h"
#include "common/base.h"

enum {
	/*
	 * Beyond that the oldest is forgotten: its end was lost, or the master runs away.
	 */
	VISIT_MAX = 131072,
	VISIT_BUCKETS = 16384,
};

/*
 * One session. While it moves to another worker, or after the master has said that it is
 * over, what its worker had said before may still lie unread in that worker's channel.
 * Such a session is unsettled: it stays in a queue until the channel has been emptied;
 * until then the former worker may speak of it too.
 */
struct visit {
	LIST_ENTRY(visit) in_bucket;
	TAILQ_ENTRY(visit) in_age;
	TAILQ_ENTRY(visit) in_unsettled;
	uint32_t id;
	uint32_t worker;
	uint32_t former; /* 0: none */
	uint32_t late;   /* it was the former one, and may not speak any more; 0: none */
	bool is_over;    /* the master has said so */
	bool is_unsettled;
	int64_t begun_s;
	struct addr peer;
	char *user; /* owned, not terminated */
	size_t user_len;
	char *given; /* owned: what an anonymous client gave as its password */
	size_t given_len;
};

LIST_HEAD(visit_bucket, visit);
TAILQ_HEAD(visit_queue, visit);

struct visit_table {
	struct visit_bucket buckets[VISIT_BUCKETS];
	struct visit_queue by_age;
	struct visit_queue unsettled;
	size_t count;
};

void visit_table_init(struct visit_table *table);

/*
 * A session begins, or moves to the worker that the record names.
 * In:      record: RECORD_SESSION_BEGIN of the master.
 * Returns: it, NULL when memory ran out.
 */
struct visit *visit_begin(struct visit_table *table, const struct record *record,
                          int64_t now_s);

/*
 * Find a session.
 * Returns: it or NULL.
 */
struct visit *visit_find(struct visit_table *table, uint32_t id);

/*
 * Ask whether a worker may speak of the session.
 * Returns: true for the worker that has it, and for the former one as long as that
 *          counts.
 */
bool visit_belongs_to(const struct visit *visit, uint32_t worker);

/*
 * Ask whether a worker had the session, so that what it says comes too late. Its channel
 * may have reached us long after the session did, and moved: it does nothing wrong.
 * Returns: true if so.
 */
bool visit_is_late(const struct visit *visit, uint32_t worker);

/*
 * Remember the names of a login, in place of earlier ones. Without memory they stay
 * unknown.
 */
void visit_set_names(struct visit *visit, const struct record *login);

/* The session is over: forget it. */
void visit_end(struct visit_table *table, struct visit *visit);

/* The master has said that the session is over: it becomes unsettled. */
void visit_mark_over(struct visit_table *table, struct visit *visit);

/* The channel of the worker that left it has been emptied: it is settled. */
void visit_settle(struct visit_table *table, struct visit *visit);

/* Free all memory. */
void visit_table_end(struct visit_table *table);

#endif
