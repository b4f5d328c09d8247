/*
 * clock: the two clocks. Timers use the monotonic one, logs the other (SECURITY.md R8).
 * Runs in: every process.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include "common/base.h"

/*
 * Returns: milliseconds of CLOCK_MONOTONIC (the coarse one: a few ms of resolution, no
 *          system call).
 */
uint64_t clock_monotonic_ms(void);

/*
 * Returns: microseconds of CLOCK_MONOTONIC, precise.
 */
uint64_t clock_monotonic_us(void);

/*
 * Returns: seconds since the epoch, UTC.
 */
int64_t clock_wall_s(void);

#endif
