/*
 * session_table: every client from its acceptance to its end, and the numbers by which
 * workers name them.
 * Runs in: master.
 */
#include "ftpd/master/session_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base.h"

enum {
	GENERATION_MASK = SESSION_GENERATIONS - 1,
};

static uint32_t
slot_of(uint32_t id)
{
	return id >> SESSION_GENERATION_BITS;
}

static struct session *
session_at(struct session_table *table, uint32_t slot)
{
	return &table->chunks[slot / SESSION_CHUNK][slot % SESSION_CHUNK];
}

/* The number of the slot's next session: the generation goes up by one and is never 0. */
static uint32_t
next_id(uint32_t last_id, uint32_t slot)
{
	uint32_t generation = (last_id + 1) & GENERATION_MASK;

	return slot << SESSION_GENERATION_BITS | (generation != 0 ? generation : 1);
}

static bool
add_chunk(struct session_table *table)
{
	uint32_t first = table->chunk_count * SESSION_CHUNK;
	struct session *chunk;

	if (table->chunk_count == SESSION_CHUNKS_MAX) {
		return false;
	}
	chunk = calloc(SESSION_CHUNK, sizeof(*chunk));
	if (chunk == NULL) {
		return false;
	}
	table->chunks[table->chunk_count++] = chunk;
	for (uint32_t i = SESSION_CHUNK; i-- > 0;) {
		chunk[i].id = (first + i) << SESSION_GENERATION_BITS;
		chunk[i].next_free = table->first_free;
		table->first_free = first + i + 1;
	}
	return true;
}

struct session *
session_table_add(struct session_table *table)
{
	struct session *session;
	uint32_t slot;
	uint32_t last_id;

	if (table->first_free == 0 && !add_chunk(table)) {
		return NULL;
	}
	slot = table->first_free - 1;
	session = session_at(table, slot);
	table->first_free = session->next_free;
	last_id = session->id;
	memset(session, 0, sizeof(*session));
	session->id = next_id(last_id, slot);
	session->fd = -1;
	table->count++;
	return session;
}

struct session *
session_table_find(struct session_table *table, uint32_t id)
{
	uint32_t slot = slot_of(id);
	struct session *session;

	if (slot / SESSION_CHUNK >= table->chunk_count) {
		return NULL;
	}
	session = session_at(table, slot);
	/* A free slot remembers its last number, which names nobody any more. */
	return session->id == id && session->state != SESSION_FREE ? session : NULL;
}

struct session *
session_table_at(struct session_table *table, uint64_t number)
{
	uint64_t slots = UINT64_C(1) * table->chunk_count * SESSION_CHUNK;
	struct session *session;

	if (slots == 0) {
		return NULL;
	}
	session = session_at(table, (uint32_t)(number % slots));
	return session->state != SESSION_FREE ? session : NULL;
}

void
session_table_remove(struct session_table *table, struct session *session)
{
	session->state = SESSION_FREE;
	session->next_free = table->first_free;
	table->first_free = slot_of(session->id) + 1;
	table->count--;
}

void
session_table_end(struct session_table *table)
{
	for (uint32_t i = 0; i < table->chunk_count; i++) {
		free(table->chunks[i]);
	}
	memset(table, 0, sizeof(*table));
}
