/*
 * timer: a hashed wheel of deadlines. Setting one costs the same for ten sessions and ten
 * thousand.
 * Runs in: master, worker. Not thread-safe: one wheel per loop.
 * Source: G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels", scheme 6.
 * Not here: reading the clock; time comes in as a parameter, so tests need not wait.
 */
#ifndef COMMON_TIMER_H
#define COMMON_TIMER_H

#include "common/base.h"

enum {
	TIMER_TICK_MS = 250, /* deadlines are met within one tick, never early */
	/* 128 s a turn; later deadlines stay for further turns */
	TIMER_WHEEL_SLOTS = 512,
};

/*
 * A deadline, inside the object that it belongs to. Zeroed memory is a timer that is not
 * set.
 */
struct timer {
	struct timer *next;
	struct timer **link; /* what points to us; NULL while not set */
	uint64_t deadline_ms;
};

struct timer_wheel {
	struct timer *slots[TIMER_WHEEL_SLOTS];
	uint64_t now_tick;
	size_t count;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Set or move a deadline. A deadline in the past fires at the next turn. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ms);

/* Clear a deadline; harmless when it is not set. */
void timer_clear(struct timer_wheel *wheel, struct timer *timer);

/*
 * Returns: true if the timer is set.
 */
bool timer_is_set(const struct timer *timer);

/*
 * Take one timer whose deadline has passed; it is no longer set. Call until NULL.
 * Returns: the timer or NULL.
 */
struct timer *timer_wheel_expire(struct timer_wheel *wheel, uint64_t now_ms);

/*
 * Returns: how long epoll may sleep: -1 when no timer is set, else at most one tick.
 */
int timer_wheel_sleep_ms(const struct timer_wheel *wheel);

#endif
