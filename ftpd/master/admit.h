/*
 * admit: how many sessions each address has; may one more come in.
 * Runs in: master. Input: addresses of clients, of which an attacker may choose many.
 * Source: DESIGN.md section 2; addr_for_limit() says what counts as one address.
 * Not here: the refusal itself; see refuse.h. No system call is made here.
 */
#ifndef FTPD_MASTER_ADMIT_H
#define FTPD_MASTER_ADMIT_H

#include "common/addr.h"
#include "common/base.h"

enum admit_result {
	ADMIT_OK,
	ADMIT_FULL,         /* max_sessions */
	ADMIT_ADDRESS_FULL, /* max_sessions_per_address */
	ADMIT_NO_MEMORY,
};

/* One row of the hash table; free while count is 0. */
struct admit_row {
	struct addr address;
	uint32_t count;
};

struct admit_table {
	struct admit_row *rows;
	size_t cap;  /* a power of two, or 0 */
	size_t used; /* rows with a count */
	uint32_t total;
	uint64_t seed; /* secret: nobody can choose addresses that fall into one row */
};

struct admit_limits {
	uint32_t sessions;
	uint32_t sessions_per_address; /* 0: no limit */
};

/* Clients who lost their place before they had logged in; see early_drop.h. */
struct early_drop {
	uint32_t untold; /* since the last log line about it */
	uint64_t told_ms;
};

/* Empty the table. seed: random. */
void admit_init(struct admit_table *table, uint64_t seed);

/*
 * Count one more session of the address, unless a limit forbids it.
 * Returns: ADMIT_OK, or why not; nothing has changed then. ADMIT_ADDRESS_FULL goes before
 *          ADMIT_FULL, which costs others their places (early_drop.h).
 */
enum admit_result admit_add(struct admit_table *table, const struct admit_limits *limits,
                            const struct addr *peer);

/* Count one session less of an address that admit_add() let in. */
void admit_remove(struct admit_table *table, const struct addr *peer);

/*
 * Returns: how many sessions the address has.
 */
uint32_t admit_count(const struct admit_table *table, const struct addr *peer);

/* Free all memory. */
void admit_end(struct admit_table *table);

#endif
