/*
 * test_worker_rate: what a bucket lets through, by a clock of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

struct fixture {
	struct worker *worker;
	struct options options;
	struct session session;
};

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->worker = calloc(1, sizeof(*fixture->worker));
	assert_non_null(fixture->worker);
	fixture->worker->options = &fixture->options;
	fixture->worker->loop.now_ms = 1000000;
	fixture->session.worker = fixture->worker;
	fixture->session.rights.is_user = true;
	fixture->session.rights.has_shared_rate = true;
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	rate_end(&fixture->session);
	free(fixture->worker);
	free(fixture);
	return 0;
}

static void
without_a_limit_all_is_allowed(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(rate_allow(&fixture->session, true, SIZE_MAX), SIZE_MAX);
	rate_moved(&fixture->session, true, 123456);
	assert_int_equal(rate_wait_ms(&fixture->session, true), 0);
	assert_null(fixture->session.rate); /* it costs no memory, either */
}

static void
the_smallest_limit_holds(void **state)
{
	static const struct {
		bool is_user;
		uint64_t own;
		uint64_t share;
		uint64_t anonymous;
		size_t allowed; /* of 1,000,000 */
	} cases[] = {
	    {true, 0, 0, 0, 1000000},        {true, 10000, 0, 0, 5000},
	    {true, 0, 8000, 0, 4000},        {true, 10000, 8000, 0, 4000},
	    {true, 6000, 8000, 0, 3000},     {true, 0, 0, 2000, 1000000},
	    {false, 0, 0, 2000, 1000},       {false, 1000, 0, 2000, 500},
	    {false, 4000, 6000, 2000, 1000}, {true, UINT64_MAX, 0, 0, 1000000},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct session *session = &fixture->session;

		session->rights.is_user = cases[i].is_user;
		session->rights.rate_up = cases[i].own;
		session->rights.share_up = cases[i].share;
		fixture->options.anonymous.max_rate = cases[i].anonymous;
		assert_int_equal(rate_allow(session, true, 1000000), cases[i].allowed);
		rate_end(session);
	}
}

static void
both_ways_have_a_bucket_of_their_own(void **state)
{
	struct fixture *fixture = *state;
	struct session *session = &fixture->session;

	session->rights.rate_down = 1000;
	session->rights.rate_up = 4000;
	rate_moved(session, true, 2000);
	assert_int_equal(rate_allow(session, true, 10000), 0);
	assert_int_equal(rate_allow(session, false, 10000), 500);
}

/* Whoever waits as long as it is told may move a slice worth a system call. */
static void
waiting_as_told_is_enough(void **state)
{
	static const uint64_t limits[] = {1, 3, 100, 999, 65536, 10000000, 1000000000};
	struct fixture *fixture = *state;
	struct session *session = &fixture->session;

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		session->rights.rate_up = limits[i];
		for (int step = 0; step < 50; step++) {
			size_t allowed = rate_allow(session, true, SIZE_MAX);

			if (allowed > 0) {
				rate_moved(session, true, allowed);
			}
			assert_int_equal(rate_allow(session, true, SIZE_MAX), 0);
			assert_true(rate_wait_ms(session, true) > 0);
			fixture->worker->loop.now_ms += rate_wait_ms(session, true);
			assert_true(rate_allow(session, true, SIZE_MAX) > 0);
		}
		rate_end(session);
	}
}

/* Over a minute, in turns of any length, the sum is the rate and one burst. */
static void
the_sum_is_the_rate(void **state)
{
	static const uint64_t turns_ms[] = {1, 7, 20, 100, 250, 499};
	enum { LIMIT = 12345, SECONDS = 60 };
	struct fixture *fixture = *state;
	struct session *session = &fixture->session;

	session->rights.rate_down = LIMIT;
	for (size_t i = 0; i < ARRAY_COUNT(turns_ms); i++) {
		uint64_t end_ms = fixture->worker->loop.now_ms + SECONDS * 1000;
		uint64_t sum = 0;

		while (fixture->worker->loop.now_ms < end_ms) {
			size_t allowed = rate_allow(session, false, SIZE_MAX);

			sum += allowed;
			rate_moved(session, false, allowed);
			fixture->worker->loop.now_ms += turns_ms[i];
		}
		assert_in_range(sum, (uint64_t)LIMIT * (SECONDS - 1),
		                (uint64_t)LIMIT * SECONDS + LIMIT * RATE_BURST_MS / 1000);
		rate_end(session);
	}
}

static void
a_pause_earns_one_burst(void **state)
{
	struct fixture *fixture = *state;
	struct session *session = &fixture->session;

	session->rights.rate_up = 1000;
	rate_moved(session, true, 500);
	fixture->worker->loop.now_ms += UINT64_C(86400000);
	assert_int_equal(rate_allow(session, true, SIZE_MAX), 500);
}

/* MW_SHARE, a new login: in the middle of a transfer. */
static void
a_changed_limit_holds_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct session *session = &fixture->session;

	session->rights.rate_up = 1000000;
	assert_int_equal(rate_allow(session, true, SIZE_MAX), 500000);
	session->rights.share_up = 1000;
	rate_changed(session);
	assert_int_equal(rate_allow(session, true, SIZE_MAX), 500);
	rate_moved(session, true, 100000); /* what was under way: a debt, but bounded */
	assert_in_range(rate_wait_ms(session, true), 1, 2200);
	session->rights.share_up = 0;
	session->rights.rate_up = 0;
	rate_changed(session);
	assert_int_equal(rate_allow(session, true, SIZE_MAX), SIZE_MAX);
	session->rights.rate_up = 1000;
	rate_changed(session);
	assert_int_equal(rate_allow(session, true, SIZE_MAX), 500);
}

/* The last few bytes of a file do not wait for a slice worth a system call. */
static void
a_small_rest_goes_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct session *session = &fixture->session;

	session->rights.rate_up = 1000;
	rate_moved(session, true, 450);
	assert_int_equal(rate_allow(session, true, 60), 0);
	assert_int_equal(rate_allow(session, true, 50), 50);
	assert_int_equal(rate_allow(session, true, 1), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(without_a_limit_all_is_allowed, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(the_smallest_limit_holds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(both_ways_have_a_bucket_of_their_own, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(waiting_as_told_is_enough, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_sum_is_the_rate, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_pause_earns_one_burst, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_changed_limit_holds_at_once, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(a_small_rest_goes_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
