/*
 * test_master_early_drop: who loses a place when places run out, and who never does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ftpd/master/early_drop.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

enum {
	NOW_MS = 1000000,
	PATIENCE_MS = 2000,
	/* Picks of a test: what can be found in some of them is found in these. */
	PICKS = 4000,
	CROWD = 100,
	WAITING_MANY = 64,
};

struct fixture {
	struct session_table table;
	struct worker worker;
};

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	return fixture == NULL;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	session_table_end(&fixture->table);
	free(fixture);
	return 0;
}

/* A client that came so long ago and is served. */
static struct session *
add(struct fixture *fixture, uint64_t age_ms)
{
	struct session *session = session_table_add(&fixture->table);

	assert_non_null(session);
	session->state = SESSION_SERVED;
	session->worker = &fixture->worker;
	session->came_ms = NOW_MS - age_ms;
	return session;
}

/* How often it is picked. */
static unsigned
count_picks(struct fixture *fixture, const struct session *session)
{
	unsigned count = 0;

	for (uint64_t random = 0; random < PICKS; random++) {
		count += early_drop_pick(&fixture->table, NOW_MS, PATIENCE_MS, random) ==
		         session;
	}
	return count;
}

/* When others are asked to leave, how many, and for how long they must have been here. */
static void
plans(void **state)
{
	static const struct {
		enum admit_result result;
		uint32_t total;
		uint32_t max;
		unsigned count;
		uint64_t patience_ms;
	} table[] = {
	    {ADMIT_OK, 1, 400, 0, 0},
	    {ADMIT_OK, 349, 400, 0, 0},
	    {ADMIT_OK, 350, 400, 3, 2000},
	    {ADMIT_OK, 375, 400, 3, 1125},
	    {ADMIT_OK, 399, 400, 3, 285},
	    {ADMIT_OK, 400, 400, 3, 250},
	    /* a total above a limit that a reload has lowered */
	    {ADMIT_OK, 500, 400, 3, 250},
	    {ADMIT_OK, 6, 8, 0, 0},
	    {ADMIT_OK, 7, 8, 3, 2000},
	    {ADMIT_OK, 2, 3, 0, 0},
	    {ADMIT_OK, 1, 1, 3, 250},
	    {ADMIT_FULL, 1, 1, 3, 250},
	    {ADMIT_FULL, 400, 400, 15, 250},
	    {ADMIT_FULL, 2000, 2000, 16, 250},
	    {ADMIT_OK, UINT32_MAX, UINT32_MAX, 3, 250},
	    {ADMIT_OK, UINT32_MAX - UINT32_MAX / 8, UINT32_MAX, 3, 1999},
	    {ADMIT_FULL, UINT32_MAX, UINT32_MAX, 16, 250},
	    /* one source that wants more than its share costs nobody his place */
	    {ADMIT_ADDRESS_FULL, 400, 400, 0, 0},
	    {ADMIT_NO_MEMORY, 400, 400, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct early_drop_plan plan =
		    early_drop_plan(table[i].result, table[i].total, table[i].max);

		assert_int_equal(plan.count, table[i].count);
		assert_int_equal(plan.patience_ms, table[i].patience_ms);
		assert_true(plan.count <= EARLY_DROP_MAX);
	}
}

/* The only client there is, in each condition: picked whatever the number, or never. */
static void
who_may_be_asked(void **state)
{
	struct fixture *fixture = *state;
	struct session *session;
	struct authenticator *login = (struct authenticator *)fixture; /* any address */

	assert_null(early_drop_pick(&fixture->table, NOW_MS, PATIENCE_MS, 1));
	session = add(fixture, PATIENCE_MS);
	/* one of 256 slots: each search finds it */
	assert_int_equal(count_picks(fixture, session), PICKS);
	session->came_ms++;
	assert_int_equal(count_picks(fixture, session), 0);
	session->came_ms--;
	session->spared_until_ms = NOW_MS + 1;
	assert_int_equal(count_picks(fixture, session), 0);
	session->spared_until_ms = NOW_MS;
	assert_int_equal(count_picks(fixture, session), PICKS);
	session->is_test = true;
	assert_int_equal(count_picks(fixture, session), 0);
	session->is_test = false;
	session->state = SESSION_QUEUED;
	assert_int_equal(count_picks(fixture, session), 0);
	session->state = SESSION_WAITING;
	assert_int_equal(count_picks(fixture, session), 0);
	session->state = SESSION_SERVED;
	session->question = SESSION_ASKED_LOGIN;
	assert_int_equal(count_picks(fixture, session), 0);
	session->question = SESSION_ASKED_NOTHING;
	session->logins.lh_first = login; /* a try, or the agent of a user */
	assert_int_equal(count_picks(fixture, session), 0);
	session->logins.lh_first = NULL;
	fixture->worker.outbox.count = WAITING_MANY;
	assert_int_equal(count_picks(fixture, session), 0);
	fixture->worker.outbox.count = WAITING_MANY - 1;
	assert_int_equal(count_picks(fixture, session), PICKS);
	session_table_remove(&fixture->table, session);
	assert_null(early_drop_pick(&fixture->table, NOW_MS, PATIENCE_MS, 1));
}

/* All came at once: each has its turn, nobody is preferred much. */
static void
all_can_be_picked(void **state)
{
	struct fixture *fixture = *state;
	unsigned picked[CROWD] = {0};
	struct session *sessions[CROWD];

	for (size_t i = 0; i < CROWD; i++) {
		sessions[i] = add(fixture, PATIENCE_MS);
	}
	for (uint64_t random = 0; random < PICKS; random++) {
		const struct session *session =
		    early_drop_pick(&fixture->table, NOW_MS, PATIENCE_MS, random << 32);
		bool is_known = false;

		for (size_t i = 0; i < CROWD && !is_known; i++) {
			is_known = sessions[i] == session;
			picked[i] += is_known;
		}
		assert_true(is_known);
	}
	for (size_t i = 0; i < CROWD; i++) {
		/* 40 each on the average; the deviation is about 6 */
		assert_in_range(picked[i], PICKS / CROWD / 4, PICKS / CROWD * 2);
	}
}

/* Who came first leaves first, but for chance: the latest quarter is safe. */
static void
the_first_ones_leave(void **state)
{
	struct fixture *fixture = *state;
	unsigned of_quarter[4] = {0};

	for (uint64_t i = 0; i < CROWD; i++) {
		(void)add(fixture, PATIENCE_MS + i);
	}
	for (uint64_t random = 0; random < PICKS; random++) {
		const struct session *session =
		    early_drop_pick(&fixture->table, NOW_MS, PATIENCE_MS, random << 32);

		assert_non_null(session);
		of_quarter[(NOW_MS - PATIENCE_MS - session->came_ms) * 4 / CROWD]++;
	}
	/*
	 * 8 samples: all of them in the latest quarter once in 65,536, in the first 9 in
	 * 10
	 */
	assert_in_range(of_quarter[0], 0, PICKS / 1000);
	assert_in_range(of_quarter[3], PICKS * 85 / 100, PICKS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plans),
	    cmocka_unit_test_setup_teardown(who_may_be_asked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(all_can_be_picked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_first_ones_leave, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
