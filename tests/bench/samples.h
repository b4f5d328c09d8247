/*
 * samples: a growing list of durations and the percentiles of it.
 * Runs in: ftpload (test). Input: own clock.
 * Not here: when a duration begins and ends; see client.c.
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	uint64_t *values_ns;
	size_t count;
	size_t room;
};

/*
 * Add one duration.  Memory that runs out ends the program: a measurement with holes is
 * none.
 */
void samples_add(struct samples *samples, uint64_t value_ns);

/*
 * Find a percentile; sorts the list in place.
 * In:      percent: 0 to 100; 0 is the smallest value, 100 the largest.
 * Returns: the duration in milliseconds, 0 of an empty list.
 */
double samples_percentile_ms(struct samples *samples, unsigned int percent);

/*
 * Give the memory back and leave an empty list.
 */
void samples_free(struct samples *samples);

#endif
