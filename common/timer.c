/*
 * timer: a hashed wheel of deadlines. Setting one costs the same for ten sessions and ten
 * thousand.
 * Runs in: master, worker.
 */
#include "common/timer.h"

#include <string.h>

#include "common/base.h"

void
timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->now_tick = now_ms / TIMER_TICK_MS;
}

void
timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ms)
{
	uint64_t tick = (deadline_ms + TIMER_TICK_MS - 1) / TIMER_TICK_MS;
	struct timer **slot;

	timer_clear(wheel, timer);
	if (tick < wheel->now_tick) {
		tick = wheel->now_tick;
	}
	slot = &wheel->slots[tick % TIMER_WHEEL_SLOTS];
	timer->deadline_ms = tick * TIMER_TICK_MS;
	timer->next = *slot;
	timer->link = slot;
	if (*slot != NULL) {
		(*slot)->link = &timer->next;
	}
	*slot = timer;
	wheel->count++;
}

void
timer_clear(struct timer_wheel *wheel, struct timer *timer)
{
	if (timer->link == NULL) {
		return;
	}
	*timer->link = timer->next;
	if (timer->next != NULL) {
		timer->next->link = timer->link;
	}
	timer->next = NULL;
	timer->link = NULL;
	wheel->count--;
}

bool
timer_is_set(const struct timer *timer)
{
	return timer->link != NULL;
}

static struct timer *
take_due(struct timer_wheel *wheel, uint64_t now_ms)
{
	struct timer *timer = wheel->slots[wheel->now_tick % TIMER_WHEEL_SLOTS];

	while (timer != NULL && timer->deadline_ms > now_ms) {
		timer = timer->next;
	}
	if (timer != NULL) {
		timer_clear(wheel, timer);
	}
	return timer;
}

struct timer *
timer_wheel_expire(struct timer_wheel *wheel, uint64_t now_ms)
{
	uint64_t target = now_ms / TIMER_TICK_MS;
	struct timer *timer;

	/*
	 * After a long sleep one whole turn visits every slot; more would only visit them
	 * again.
	 */
	if (target > wheel->now_tick + TIMER_WHEEL_SLOTS) {
		wheel->now_tick = target - TIMER_WHEEL_SLOTS;
	}
	while (wheel->count > 0) {
		timer = take_due(wheel, now_ms);
		if (timer != NULL) {
			return timer;
		}
		if (wheel->now_tick >= target) {
			return NULL;
		}
		wheel->now_tick++;
	}
	if (target > wheel->now_tick) {
		wheel->now_tick = target;
	}
	return NULL;
}

int
timer_wheel_sleep_ms(const struct timer_wheel *wheel)
{
	return wheel->count == 0 ? -1 : TIMER_TICK_MS;
}
