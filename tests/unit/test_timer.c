/*
 * test_timer: deadlines fire once, never early, at most a tick late, however long nobody
 * looked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "common/timer.h"
#include "common/base.h"

enum {
	START_MS = 1000003, /* in the middle of a tick */
	MANY = 20000,
};

static void
fires_within_one_tick(void **state)
{
	static const uint64_t delays[] = {1,      249,    250,    251,   1000,
	                                  127999, 128000, 128001, 600000};
	static struct timer_wheel wheel;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(delays); i++) {
		struct timer timer = {0};
		uint64_t now = START_MS;
		uint64_t fired = 0;

		timer_wheel_init(&wheel, now);
		timer_set(&wheel, &timer, now + delays[i]);
		assert_true(timer_is_set(&timer));
		assert_int_equal(timer_wheel_sleep_ms(&wheel), TIMER_TICK_MS);
		/* 7 ms: no divisor of a tick. */
		for (; fired == 0 && now < START_MS + delays[i] + 10000; now += 7) {
			if (timer_wheel_expire(&wheel, now) == &timer) {
				fired = now;
			}
		}
		assert_in_range(fired, START_MS + delays[i],
		                START_MS + delays[i] + TIMER_TICK_MS + 7);
		assert_false(timer_is_set(&timer));
		assert_null(timer_wheel_expire(&wheel, now + 1000000));
		assert_int_equal(timer_wheel_sleep_ms(&wheel), -1);
	}
}

static void
the_past_fires_at_once(void **state)
{
	static struct timer_wheel wheel;
	struct timer past = {0};
	struct timer now = {0};

	(void)state;
	timer_wheel_init(&wheel, START_MS);
	timer_set(&wheel, &past, 0);
	assert_ptr_equal(timer_wheel_expire(&wheel, START_MS), &past);
	timer_set(&wheel, &now, START_MS);
	assert_null(timer_wheel_expire(&wheel, START_MS));
	assert_ptr_equal(timer_wheel_expire(&wheel, START_MS + TIMER_TICK_MS), &now);
}

static void
moving_and_clearing(void **state)
{
	static struct timer_wheel wheel;
	struct timer a = {0};
	struct timer b = {0};
	struct timer c = {0};

	(void)state;
	timer_wheel_init(&wheel, 0);
	timer_clear(&wheel, &a);
	/* One slot for all three, the middle one leaves. */
	timer_set(&wheel, &a, 1000);
	timer_set(&wheel, &b, 1000);
	timer_set(&wheel, &c, 1000);
	timer_clear(&wheel, &b);
	assert_false(timer_is_set(&b));
	assert_int_equal(wheel.count, 2);
	timer_set(&wheel, &a, 5000);
	assert_int_equal(wheel.count, 2);
	assert_ptr_equal(timer_wheel_expire(&wheel, 4000), &c);
	assert_null(timer_wheel_expire(&wheel, 4000));
	/* Earlier than before. */
	timer_set(&wheel, &a, 4100);
	assert_ptr_equal(timer_wheel_expire(&wheel, 4250), &a);
	assert_int_equal(wheel.count, 0);
}

static void
a_later_turn_of_the_wheel_waits(void **state)
{
	static struct timer_wheel wheel;
	const uint64_t turn_ms = (uint64_t)TIMER_TICK_MS * TIMER_WHEEL_SLOTS;
	struct timer soon = {0};
	struct timer late = {0};

	(void)state;
	timer_wheel_init(&wheel, 0);
	timer_set(&wheel, &late, 1000 + 3 * turn_ms);
	timer_set(&wheel, &soon, 1000);
	assert_ptr_equal(timer_wheel_expire(&wheel, 1000), &soon);
	for (uint64_t now = 1000; now < 1000 + 3 * turn_ms; now += TIMER_TICK_MS) {
		assert_null(timer_wheel_expire(&wheel, now));
	}
	assert_ptr_equal(timer_wheel_expire(&wheel, 1000 + 3 * turn_ms), &late);
}

static void
a_long_sleep_misses_nothing(void **state)
{
	static struct timer_wheel wheel;
	static struct timer timers[MANY];
	uint64_t now = START_MS;
	size_t fired = 0;
	const struct timer *timer;

	(void)state;
	timer_wheel_init(&wheel, now);
	for (size_t i = 0; i < MANY; i++) {
		timer_set(&wheel, &timers[i], now + (i * 7919) % 1000000);
	}
	now += 500000; /* about four turns at once: half of them are due */
	while ((timer = timer_wheel_expire(&wheel, now)) != NULL) {
		assert_true(timer->deadline_ms <= now);
		fired++;
	}
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(timer_is_set(&timers[i]), timers[i].deadline_ms > now);
		fired += timer_is_set(&timers[i]);
	}
	assert_int_equal(fired, MANY);
	while (timer_wheel_expire(&wheel, now + 1000000) != NULL) {
		fired--;
	}
	assert_int_equal(wheel.count, 0);
}

static void
an_idle_wheel_keeps_time(void **state)
{
	static struct timer_wheel wheel;
	struct timer timer = {0};

	(void)state;
	timer_wheel_init(&wheel, 0);
	assert_null(timer_wheel_expire(&wheel, UINT64_C(1) << 40));
	timer_set(&wheel, &timer, (UINT64_C(1) << 40) + 1000);
	assert_null(timer_wheel_expire(&wheel, (UINT64_C(1) << 40) + 900));
	assert_ptr_equal(timer_wheel_expire(&wheel, (UINT64_C(1) << 40) + 1250), &timer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fires_within_one_tick),
	    cmocka_unit_test(the_past_fires_at_once),
	    cmocka_unit_test(moving_and_clearing),
	    cmocka_unit_test(a_later_turn_of_the_wheel_waits),
	    cmocka_unit_test(a_long_sleep_misses_nothing),
	    cmocka_unit_test(an_idle_wheel_keeps_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
