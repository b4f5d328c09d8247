/*
 * limit_table: rows for those who share a limit: users by their names, addresses by their
 * bytes. A row lives as long as somebody is counted in it.
 * Runs in: master.
 */
#include "ftpd/master/limit_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base.h"

/* FNV-1a from a secret start, stirred at the end. */
static size_t
bucket_of(const struct limit_table *table, const uint8_t *key, size_t len)
{
	uint64_t hash = table->seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ key[i]) * UINT64_C(0x100000001b3);
		hash ^= hash >> 29;
	}
	return (size_t)(hash ^ hash >> 32) % LIMIT_BUCKETS;
}

static struct limit_row *
find(const struct limit_table *table, const void *key, size_t len)
{
	struct limit_row *row;

	LIST_FOREACH(row, &table->buckets[bucket_of(table, key, len)], next) {
		if (row->key_len == len && memcmp(row->key, key, len) == 0) {
			return row;
		}
	}
	return NULL;
}

struct limit_row *
limit_hold(struct limit_table *table, const void *key, size_t len)
{
	struct limit_row *row = find(table, key, len);

	if (row == NULL) {
		row = calloc(1, sizeof(*row) + len);
		if (row == NULL) {
			return NULL;
		}
		row->key_len = len;
		memcpy(row->key, key, len);
		share_group_init(&row->share);
		LIST_INSERT_HEAD(&table->buckets[bucket_of(table, key, len)], row, next);
		table->count++;
	}
	row->count++;
	return row;
}

uint32_t
limit_count(const struct limit_table *table, const void *key, size_t len)
{
	const struct limit_row *row = find(table, key, len);

	return row != NULL ? row->count : 0;
}

void
limit_release(struct limit_table *table, struct limit_row *row)
{
	if (--row->count > 0) {
		return;
	}
	LIST_REMOVE(row, next);
	table->count--;
	free(row);
}
