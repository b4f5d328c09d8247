/*
 * penalty: what failed logins cost: a delay before the next try, growing with each
 * failure and forgotten with time. Never a lock.
 * Runs in: master. Input: addresses and names of clients, of which an attacker may choose
 * many.
 * Source: RFC 2577 section 5; SECURITY.md A16, A17, R18 and R19.
 * Not here: when a try is made; see login_desk.h. No system call is made here; the time
 * comes in.
 *
 * The table has a fixed number of rows. A newcomer who finds no free row takes that of
 * the one who has the least to answer for; of several, the one who was bad longest ago.
 * So many small sinners cannot wash out a great one, and no number of them costs memory.
 */
#ifndef FTPD_MASTER_PENALTY_H
#define FTPD_MASTER_PENALTY_H

#include "common/addr.h"
#include "common/base.h"

enum {
	PENALTY_CAPACITY = 65536,
	/* A key may stand in so many rows only, which makes a search short. */
	PENALTY_WAYS = 8,
	/* Scores are kept in fractions of a failure. */
	PENALTY_ONE = 256,
	/* No score is higher, so that each is forgotten within an hour. */
	PENALTY_SCORE_MAX = 64 * PENALTY_ONE,
	PENALTY_HALF_LIFE_MS = 300 * 1000,
	/* The delay after the first failure that is not free. It doubles with each. */
	PENALTY_FIRST_MS = 250,
};

/* One row; free while score is 0. */
struct penalty_row {
	uint64_t key;
	uint64_t when_ms; /* the score was this high then */
	uint32_t score;
};

struct penalty_table {
	struct penalty_row *rows;
	size_t set_count;
	size_t ways;
	uint64_t seed; /* secret: nobody can choose keys that fall into one set */
};

/*
 * Make an empty table. Without memory it has no rows: nobody is penalised then.
 * In:      capacity: rows, rounded down to whole sets; 0 is allowed. seed: random.
 */
void penalty_init(struct penalty_table *table, size_t capacity, uint64_t seed);

/* Count one failure more. */
void penalty_add(struct penalty_table *table, uint64_t key, uint64_t now_ms);

/* How failures become a delay. */
struct penalty_rule {
	uint32_t free; /* failures that cost nothing */
	uint64_t max_ms;
};

/*
 * Returns: how long the next try of this key has to wait from when it was made, 0 if it
 *          need not.
 */
uint64_t penalty_delay(const struct penalty_table *table, const struct penalty_rule *rule,
                       uint64_t key, uint64_t now_ms);

/*
 * The key of an address: of the whole of IPv4 and of an IPv6 /64.
 * Returns: the key; two addresses that limits tell apart differ.
 */
uint64_t penalty_address_key(const struct addr *peer);

/* Free all memory. */
void penalty_end(struct penalty_table *table);

#endif
