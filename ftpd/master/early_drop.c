/*
 * early_drop: while nearly all places are taken, clients who have not logged in lose
 * theirs at random to those who come.
 * Runs in: master.
 */
#include "ftpd/master/early_drop.h"

#include <sys/random.h>

#include "common/clock.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

enum {
	PLACES_PARTS = 8, /* it begins when one part of so many is left */
	COUNT_NEARLY_FULL = 3,
	PATIENCE_NEARLY_FULL_MS = 2000,
	PATIENCE_FULL_MS = 250,
	/* Among so many the one who came first is picked. */
	SAMPLES = 8,
	/* Slots looked at for them at random, and in a row. */
	LOOKS = 256,
	SPARED_MS = 60000,
	/* A worker for which so many messages wait is not sent more of these. */
	WAITING_MAX = 64,
	/* A flood writes one line in so many. */
	TELL_EVERY_MS = 10000,
};

struct early_drop_plan
early_drop_plan(enum admit_result result, uint32_t total, uint32_t max_sessions)
{
	uint64_t left = total < max_sessions ? max_sessions - total : 0;
	uint32_t fraction = COUNT_NEARLY_FULL + max_sessions / 32;
	struct early_drop_plan plan = {0, 0};

	switch (result) {
	case ADMIT_OK: plan.count = COUNT_NEARLY_FULL; break;
	case ADMIT_FULL:
		plan.count = fraction < EARLY_DROP_MAX ? fraction : EARLY_DROP_MAX;
		break;
	case ADMIT_ADDRESS_FULL:
	case ADMIT_NO_MEMORY: return plan;
	}
	if (PLACES_PARTS * left > max_sessions) {
		return (struct early_drop_plan){0, 0};
	}
	plan.patience_ms =
	    PATIENCE_FULL_MS + (PATIENCE_NEARLY_FULL_MS - PATIENCE_FULL_MS) *
				   PLACES_PARTS * left / max_sessions;
	return plan;
}

/* splitmix64: all that is asked of it is not to prefer a slot. */
static uint64_t
next_random(uint64_t *random)
{
	uint64_t value = *random += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static bool
may_be_asked(const struct session *session, uint64_t now_ms, uint64_t patience_ms)
{
	return session->state == SESSION_SERVED && !session->is_test &&
	       session->question == SESSION_ASKED_NOTHING &&
	       LIST_EMPTY(&session->logins) && now_ms >= session->spared_until_ms &&
	       now_ms >= session->came_ms + patience_ms &&
	       session->worker->outbox.count < WAITING_MAX;
}

struct session *
early_drop_pick(struct session_table *table, uint64_t now_ms, uint64_t patience_ms,
                uint64_t random)
{
	struct session *first = NULL;
	unsigned samples = 0;

	/* Chance may miss the few of a small server: then all its slots are looked at. */
	for (unsigned i = 0; i < 2 * LOOKS && samples < SAMPLES; i++) {
		uint64_t at = i < LOOKS ? next_random(&random) : random + i;
		struct session *session = session_table_at(table, at);

		if (i >= LOOKS && samples > 0) {
			break;
		}
		if (session == NULL || !may_be_asked(session, now_ms, patience_ms)) {
			continue;
		}
		samples++;
		if (first == NULL || session->came_ms < first->came_ms) {
			first = session;
		}
	}
	return first;
}

static void
ask_to_leave(struct session *session, uint64_t now_ms)
{
	const struct mw_message message = {.type = MW_DROP, .session = session->id};

	session->spared_until_ms = now_ms + SPARED_MS;
	worker_send(session->worker, &message, -1);
}

void
early_drop_run(struct master *master, enum admit_result result)
{
	struct early_drop_plan plan = early_drop_plan(
	    result, master->admit.total, master->current->options.max_sessions);
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t randoms[EARLY_DROP_MAX];

	if (plan.count == 0 ||
	    getrandom(randoms, sizeof(randoms), 0) != (ssize_t)sizeof(randoms)) {
		return; /* it never fails for so few bytes; then nobody is asked */
	}
	for (unsigned i = 0; i < plan.count; i++) {
		struct session *session = early_drop_pick(&master->sessions, now_ms,
		                                          plan.patience_ms, randoms[i]);

		if (session == NULL) {
			return;
		}
		ask_to_leave(session, now_ms);
	}
}

void
early_drop_note(struct master *master)
{
	struct early_drop *dropped = &master->early_drop;
	uint64_t now_ms = clock_monotonic_ms();

	dropped->untold++;
	if (dropped->told_ms == 0 || now_ms - dropped->told_ms >= TELL_EVERY_MS) {
		master_log(master, RECORD_WARNING,
		           "clients sent away before they had logged in since the last "
		           "line: %u; max_sessions is nearly reached",
		           (unsigned)dropped->untold);
		dropped->untold = 0;
		dropped->told_ms = now_ms;
	}
}
