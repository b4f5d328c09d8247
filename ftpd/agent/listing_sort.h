/*
 * listing_sort: an order for the names in a struct dents.
 * Runs in: deftpd-agent.
 * Not here: qsort of the C library asks the system how much memory there is; that is a
 * call which the agent may not make.
 */
#ifndef FTPD_AGENT_LISTING_SORT_H
#define FTPD_AGENT_LISTING_SORT_H

#include "ftpd/agent/listing_dents.h"
#include "common/base.h"

enum {
	/* more names than this are listed in the order of the directory */
	SORT_MAX = 10000,
};

/* One name: by key, then by its bytes. */
struct sort_item {
	uint64_t key;
	uint32_t at; /* of the record in struct dents */
};

/*
 * Make the key that sorts by name: its first bytes.
 * Returns: the key.
 */
uint64_t sort_key_name(const char *name);

/*
 * Make a key that sorts large numbers first (newest, biggest).
 * Returns: the key.
 */
uint64_t sort_key_descending(int64_t number);

/*
 * Sort items[0..count). Takes count * log(count) steps whatever the names are.
 * In:      spare: room for as many items; undefined afterwards.
 */
void sort_items(const struct dents *dents, struct sort_item *items,
                struct sort_item *spare, size_t count);

#endif
