/*
 * clock: the two clocks. Timers use the monotonic one, logs the other (SECURITY.md R8).
 * Runs in: every process.
 */
#include "common/clock.h"

#include <time.h>

#include "common/base.h"

uint64_t
clock_monotonic_ms(void)
{
	struct timespec now;

	/* cannot fail for this clock */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
clock_monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t
clock_wall_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now); /* cannot fail for this clock */
	return now.tv_sec;
}
