/*
 * limit_table: rows for those who share a limit: users by their names, addresses by their
 * bytes. A row lives as long as somebody is counted in it.
 * Runs in: master. Input: names and addresses of clients.
 * Not here: how a rate is divided; see share.h. No system call is made here.
 */
#ifndef FTPD_MASTER_LIMIT_TABLE_H
#define FTPD_MASTER_LIMIT_TABLE_H

#include <sys/queue.h>

#include "ftpd/master/share.h"
#include "common/base.h"

enum {
	LIMIT_BUCKETS = 1024,
	LIMIT_KEY_MAX = 255,
};

struct limit_row {
	LIST_ENTRY(limit_row) next;
	struct share_group share;
	uint32_t count; /* references: sessions of the user, moving ones of the address */
	size_t key_len;
	uint8_t key[];
};

LIST_HEAD(limit_bucket, limit_row);

/* Zeroed memory is an empty table with seed 0. */
struct limit_table {
	struct limit_bucket buckets[LIMIT_BUCKETS];
	uint64_t seed; /* secret: nobody can choose names that fall into one bucket */
	size_t count;
};

/*
 * Find the row of a key and count one more in it; the row is made if there is none.
 * In:      len: at most LIMIT_KEY_MAX.
 * Returns: the row, valid until limit_release(); NULL if memory ran out.
 */
struct limit_row *limit_hold(struct limit_table *table, const void *key, size_t len);

/*
 * Returns: how many are counted under the key.
 */
uint32_t limit_count(const struct limit_table *table, const void *key, size_t len);

/* Count one less; an empty row is freed. Its share group must have no member then. */
void limit_release(struct limit_table *table, struct limit_row *row);

#endif
