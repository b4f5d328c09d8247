/*
 * samples: a growing list of durations and the percentiles of it.
 * Runs in: ftpload (test). Input: own clock.
 * Not here: when a duration begins and ends; see client.c.
 */
#include "tests/bench/samples.h"

#include <err.h>
#include <stdlib.h>

#include "common/base.h"

enum { SAMPLES_FIRST_ROOM = 1024 };

void
samples_add(struct samples *samples, uint64_t value_ns)
{
	if (samples->count == samples->room) {
		size_t room = samples->room == 0 ? SAMPLES_FIRST_ROOM : samples->room * 2;
		uint64_t *values =
		    reallocarray(samples->values_ns, room, sizeof(*values));

		if (values == NULL)
			err(1, "samples");
		samples->values_ns = values;
		samples->room = room;
	}
	samples->values_ns[samples->count++] = value_ns;
}

static int
compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

double
samples_percentile_ms(struct samples *samples, unsigned int percent)
{
	size_t at;

	if (samples->count == 0)
		return 0;
	qsort(samples->values_ns, samples->count, sizeof(*samples->values_ns), compare);
	at = (samples->count - 1) * percent / 100;
	return (double)samples->values_ns[at] / 1e6;
}

void
samples_free(struct samples *samples)
{
	free(samples->values_ns);
	*samples = (struct samples){0};
}
