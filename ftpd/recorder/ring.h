/*
 * ring: pieces of text in a fixed piece of memory, first in, first out. What does not fit
 * is refused, never waited for.
 * Runs in: recorder. Pure: no system call, no lock.
 * Not here: who may touch it when; see outlet.h.
 */
#ifndef FTPD_RECORDER_RING_H
#define FTPD_RECORDER_RING_H

#include "common/base.h"

struct ring {
	char *bytes; /* the owner's */
	size_t cap;
	size_t start; /* of the oldest piece */
	size_t used;
};

/* Begin empty. */
void ring_init(struct ring *ring, char *bytes, size_t cap);

/*
 * Append a piece.
 * In:      kind: a mark of the caller's.
 * Returns: false if there is no room; the ring is as before then.
 */
bool ring_put(struct ring *ring, uint8_t kind, const char *bytes, size_t len);

/*
 * Look at the oldest piece.
 * Returns: false if the ring is empty.
 */
bool ring_peek(const struct ring *ring, uint8_t *ret_kind, size_t *ret_len);

/* Move the oldest piece out. In: bytes: room for its length as ring_peek() told it. */
void ring_take(struct ring *ring, char *bytes);

#endif
