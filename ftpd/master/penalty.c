/*
 * penalty: what failed logins cost: a delay before the next try, growing with each
 * failure and forgotten with time. Never a lock.
 * Runs in: master.
 */
#include "ftpd/master/penalty.h"

#include <stdlib.h>
#include <string.h>

#include "common/mix.h"
#include "common/base.h"

enum {
	SHIFT_MAX = 31, /* beyond it a score is nothing */
};

void
penalty_init(struct penalty_table *table, size_t capacity, uint64_t seed)
{
	memset(table, 0, sizeof(*table));
	table->seed = seed;
	table->ways = capacity < PENALTY_WAYS ? capacity : PENALTY_WAYS;
	if (capacity == 0) {
		return;
	}
	table->rows = calloc(capacity, sizeof(*table->rows));
	table->set_count = table->rows != NULL ? capacity / table->ways : 0;
}

static struct penalty_row *
set_of(const struct penalty_table *table, uint64_t key)
{
	return &table->rows[mix_bits(table->seed ^ mix_bits(key)) % table->set_count *
	                    table->ways];
}

/* What is left of a score: half of it after each half-life, evenly in between. */
static uint32_t
score_of(const struct penalty_row *row, uint64_t now_ms)
{
	uint64_t age_ms = now_ms > row->when_ms ? now_ms - row->when_ms : 0;
	uint64_t halvings = age_ms / PENALTY_HALF_LIFE_MS;
	uint64_t score;

	if (halvings > SHIFT_MAX) {
		return 0;
	}
	score = row->score >> halvings;
	return (uint32_t)(score - score * (age_ms % PENALTY_HALF_LIFE_MS) /
	                              (2 * PENALTY_HALF_LIFE_MS));
}

static struct penalty_row *
find(const struct penalty_table *table, uint64_t key)
{
	struct penalty_row *set;

	if (table->set_count == 0) {
		return NULL;
	}
	set = set_of(table, key);
	for (size_t i = 0; i < table->ways; i++) {
		if (set[i].score > 0 && set[i].key == key) {
			return &set[i];
		}
	}
	return NULL;
}

/* The row for a newcomer: a free one, else the cheapest, else the oldest. */
static struct penalty_row *
evict(const struct penalty_table *table, uint64_t key, uint64_t now_ms)
{
	struct penalty_row *set = set_of(table, key);
	struct penalty_row *best = &set[0];
	uint32_t best_score = score_of(best, now_ms);

	for (size_t i = 1; i < table->ways; i++) {
		uint32_t score = score_of(&set[i], now_ms);

		if (score < best_score ||
		    (score == best_score && set[i].when_ms < best->when_ms)) {
			best = &set[i];
			best_score = score;
		}
	}
	return best;
}

void
penalty_add(struct penalty_table *table, uint64_t key, uint64_t now_ms)
{
	struct penalty_row *row = find(table, key);
	uint32_t score = 0;

	if (table->set_count == 0) {
		return;
	}
	if (row == NULL) {
		row = evict(table, key, now_ms);
	} else {
		score = score_of(row, now_ms);
	}
	score += PENALTY_ONE;
	row->key = key;
	row->when_ms = now_ms;
	row->score = score < PENALTY_SCORE_MAX ? score : PENALTY_SCORE_MAX;
}

uint64_t
penalty_delay(const struct penalty_table *table, const struct penalty_rule *rule,
              uint64_t key, uint64_t now_ms)
{
	const struct penalty_row *row = find(table, key);
	uint32_t score = row != NULL ? score_of(row, now_ms) : 0;
	uint32_t free_score = rule->free * PENALTY_ONE;
	uint64_t delay_ms;
	uint32_t doublings;

	if (score <= free_score) {
		return 0;
	}
	doublings = (score - free_score - 1) / PENALTY_ONE;
	if (doublings > SHIFT_MAX) {
		doublings = SHIFT_MAX;
	}
	delay_ms = (uint64_t)PENALTY_FIRST_MS << doublings;
	return delay_ms < rule->max_ms ? delay_ms : rule->max_ms;
}

uint64_t
penalty_address_key(const struct addr *peer)
{
	struct addr address = addr_for_limit(peer);
	bool is_ipv4 = address.family == ADDR_IPV4;
	/* No client comes from 0:1::/32, so IPv4 may stand there. */
	uint64_t key = is_ipv4 ? 1 : 0;

	for (size_t i = 0; i < (is_ipv4 ? ADDR_IPV4_BYTES : sizeof(key)); i++) {
		key = key << 8 | address.bytes[i];
	}
	return key;
}

void
penalty_end(struct penalty_table *table)
{
	free(table->rows);
	penalty_init(table, 0, 0);
}
