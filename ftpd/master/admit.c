/*
 * admit: how many sessions each address has; may one more come in.
 * Runs in: master.
 */
#include "ftpd/master/admit.h"

#include <stdlib.h>
#include <string.h>

#include "common/mix.h"
#include "common/base.h"

enum {
	CAP_MIN = 64,
};

void
admit_init(struct admit_table *table, uint64_t seed)
{
	memset(table, 0, sizeof(*table));
	table->seed = seed;
}

static size_t
home_of(const struct admit_table *table, const struct addr *address)
{
	uint64_t halves[2];
	uint64_t hash;

	memcpy(halves, address->bytes, sizeof(halves));
	hash = mix_bits(table->seed ^ address->family);
	hash = mix_bits(hash ^ halves[0]);
	hash = mix_bits(hash ^ halves[1]);
	return (size_t)hash & (table->cap - 1);
}

/* The address's row, or the free one in which it would stand. The table is never full. */
static struct admit_row *
row_of(const struct admit_table *table, const struct addr *address)
{
	size_t at = home_of(table, address);

	while (table->rows[at].count > 0 &&
	       !addr_same_host(&table->rows[at].address, address)) {
		at = (at + 1) & (table->cap - 1);
	}
	return &table->rows[at];
}

/* At most half of the rows are used, so that a search ends soon. */
static bool
make_room(struct admit_table *table)
{
	struct admit_table larger = *table;

	if (table->used * 2 < table->cap) {
		return true;
	}
	larger.cap = table->cap == 0 ? CAP_MIN : table->cap * 2;
	larger.rows = calloc(larger.cap, sizeof(*larger.rows));
	if (larger.rows == NULL) {
		return false;
	}
	for (size_t i = 0; i < table->cap; i++) {
		if (table->rows[i].count > 0) {
			*row_of(&larger, &table->rows[i].address) = table->rows[i];
		}
	}
	free(table->rows);
	*table = larger;
	return true;
}

enum admit_result
admit_add(struct admit_table *table, const struct admit_limits *limits,
          const struct addr *peer)
{
	struct addr address = addr_for_limit(peer);
	struct admit_row *row;

	if (!make_room(table)) {
		return ADMIT_NO_MEMORY;
	}
	row = row_of(table, &address);
	if (limits->sessions_per_address > 0 &&
	    row->count >= limits->sessions_per_address) {
		return ADMIT_ADDRESS_FULL;
	}
	if (table->total >= limits->sessions) {
		return ADMIT_FULL;
	}
	if (row->count == 0) {
		row->address = address;
		table->used++;
	}
	row->count++;
	table->total++;
	return ADMIT_OK;
}

/* Rows behind a freed one move up, or a search for them would end at the gap. */
static void
close_gap(struct admit_table *table, size_t gap)
{
	size_t mask = table->cap - 1;

	for (size_t at = (gap + 1) & mask; table->rows[at].count > 0;
	     at = (at + 1) & mask) {
		size_t home = home_of(table, &table->rows[at].address);

		/*
		 * It may move if its home is not behind the gap, counted round the end of
		 * the table.
		 */
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			table->rows[gap] = table->rows[at];
			table->rows[at].count = 0;
			gap = at;
		}
	}
}

void
admit_remove(struct admit_table *table, const struct addr *peer)
{
	struct addr address = addr_for_limit(peer);
	struct admit_row *row;

	if (table->cap == 0) {
		return;
	}
	row = row_of(table, &address);
	if (row->count == 0) {
		return;
	}
	table->total--;
	if (--row->count == 0) {
		table->used--;
		close_gap(table, (size_t)(row - table->rows));
	}
}

uint32_t
admit_count(const struct admit_table *table, const struct addr *peer)
{
	struct addr address = addr_for_limit(peer);

	return table->cap == 0 ? 0 : row_of(table, &address)->count;
}

void
admit_end(struct admit_table *table)
{
	free(table->rows);
	admit_init(table, 0);
}
