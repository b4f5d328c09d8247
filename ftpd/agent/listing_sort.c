/*
 * listing_sort: an order for the names in a struct dents.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/listing_sort.h"

#include <string.h>

#include "common/base.h"

uint64_t
sort_key_name(const char *name)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof(key); i++) {
		key = key << 8 | (uint8_t)*name;
		name += *name != '\0';
	}
	return key;
}

uint64_t
sort_key_descending(int64_t number)
{
	return (uint64_t)INT64_MAX - (uint64_t)number;
}

static bool
comes_before(const struct dents *dents, const struct sort_item *a,
             const struct sort_item *b)
{
	struct dents_name a_name;
	struct dents_name b_name;

	if (a->key != b->key) {
		return a->key < b->key;
	}
	/* the next offset is of no interest */
	(void)dents_name_at(dents, a->at, &a_name);
	(void)dents_name_at(dents, b->at, &b_name);
	return strcmp(a_name.text, b_name.text) < 0;
}

/* Merge from[begin..middle) and from[middle..end) into to[begin..end). */
static void
merge(const struct dents *dents, const struct sort_item *from, struct sort_item *to,
      const size_t bounds[3])
{
	size_t left = bounds[0];
	size_t right = bounds[1];

	for (size_t i = bounds[0]; i < bounds[2]; i++) {
		bool takes_right =
		    left == bounds[1] ||
		    (right < bounds[2] && comes_before(dents, &from[right], &from[left]));

		to[i] = takes_right ? from[right++] : from[left++];
	}
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void
sort_items(const struct dents *dents, struct sort_item *items, struct sort_item *spare,
           size_t count)
{
	struct sort_item *from = items;
	struct sort_item *to = spare;

	for (size_t width = 1; width < count; width *= 2) {
		struct sort_item *done = to;

		for (size_t i = 0; i < count; i += 2 * width) {
			size_t bounds[3] = {i, smaller(i + width, count),
			                    smaller(i + 2 * width, count)};

			merge(dents, from, to, bounds);
		}
		to = from;
		from = done;
	}
	if (from != items) {
		memcpy(items, from, count * sizeof(*items));
	}
}
