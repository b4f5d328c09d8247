/*
 * visit: the recorder's own picture of each session, so that no worker can say who its
 * client is.
 * Runs in: recorder.
 */
#include "ftpd/recorder/visit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base.h"

void
visit_table_init(struct visit_table *table)
{
	memset(table, 0, sizeof(*table));
	TAILQ_INIT(&table->by_age);
	TAILQ_INIT(&table->unsettled);
}

static struct visit_bucket *
bucket_of(struct visit_table *table, uint32_t id)
{
	/* Numbers are a generation above a slot: mix, so that both count. */
	uint32_t mixed = id * UINT32_C(2654435761);

	return &table->buckets[mixed >> 18];
}

static struct visit *
add(struct visit_table *table, uint32_t id)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (visit == NULL) {
		return NULL;
	}
	if (table->count >= VISIT_MAX) {
		/* The analyzer does not see that the head moves on. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		visit_end(table, TAILQ_FIRST(&table->by_age));
	}
	visit->id = id;
	LIST_INSERT_HEAD(bucket_of(table, id), visit, in_bucket);
	TAILQ_INSERT_TAIL(&table->by_age, visit, in_age);
	table->count++;
	return visit;
}

static void
unsettle(struct visit_table *table, struct visit *visit)
{
	if (!visit->is_unsettled) {
		TAILQ_INSERT_TAIL(&table->unsettled, visit, in_unsettled);
		visit->is_unsettled = true;
	}
}

void
visit_settle(struct visit_table *table, struct visit *visit)
{
	if (visit->is_unsettled) {
		TAILQ_REMOVE(&table->unsettled, visit, in_unsettled);
		visit->is_unsettled = false;
	}
	if (visit->former != 0) {
		visit->late = visit->former;
	}
	visit->former = 0;
}

void
visit_mark_over(struct visit_table *table, struct visit *visit)
{
	visit->is_over = true;
	unsettle(table, visit);
}

struct visit *
visit_begin(struct visit_table *table, const struct record *record, int64_t now_s)
{
	struct visit *visit = visit_find(table, record->session);

	if (visit == NULL) {
		visit = add(table, record->session);
		if (visit == NULL) {
			return NULL;
		}
		visit->begun_s = now_s;
	} else if (visit->worker != record->worker) {
		visit->former = visit->worker;
		unsettle(table, visit);
	}
	visit->worker = record->worker;
	visit->peer = record->peer;
	visit->is_over = false;
	return visit;
}

struct visit *
visit_find(struct visit_table *table, uint32_t id)
{
	struct visit *visit;

	LIST_FOREACH(visit, bucket_of(table, id), in_bucket) {
		if (visit->id == id) {
			return visit;
		}
	}
	return NULL;
}

bool
visit_belongs_to(const struct visit *visit, uint32_t worker)
{
	return worker != 0 && (visit->worker == worker || visit->former == worker);
}

bool
visit_is_late(const struct visit *visit, uint32_t worker)
{
	return worker != 0 && visit->late == worker;
}

static void
set_name(char **name, size_t *name_len, const char *bytes, size_t len)
{
	char *copy = len > 0 ? malloc(len) : NULL;

	free(*name);
	*name = copy;
	*name_len = 0;
	if (copy != NULL) {
		memcpy(copy, bytes, len);
		*name_len = len;
	}
}

void
visit_set_names(struct visit *visit, const struct record *login)
{
	size_t given_len =
	    login->text_len < RECORD_USER_MAX ? login->text_len : RECORD_USER_MAX;

	set_name(&visit->user, &visit->user_len, login->user, login->user_len);
	set_name(&visit->given, &visit->given_len, login->text, given_len);
}

void
visit_end(struct visit_table *table, struct visit *visit)
{
	visit_settle(table, visit);
	LIST_REMOVE(visit, in_bucket);
	TAILQ_REMOVE(&table->by_age, visit, in_age);
	table->count--;
	free(visit->user);
	free(visit->given);
	free(visit);
}

void
visit_table_end(struct visit_table *table)
{
	while (!TAILQ_EMPTY(&table->by_age)) {
		/* The analyzer does not see that the head moves on. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		visit_end(table, TAILQ_FIRST(&table->by_age));
	}
}
