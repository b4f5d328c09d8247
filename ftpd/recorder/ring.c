/*
 * ring: pieces of text in a fixed piece of memory, first in, first out. What does not fit
 * is refused, never waited for.
 * Runs in: recorder.
 */
#include "ftpd/recorder/ring.h"

#include <string.h>

#include "common/base.h"

/* Before each piece, byte by byte, since it may lie across the end. */
struct header {
	uint32_t len;
	uint8_t kind;
};

void
ring_init(struct ring *ring, char *bytes, size_t cap)
{
	*ring = (struct ring){.bytes = bytes, .cap = cap};
}

static void
copy_in(struct ring *ring, const void *bytes, size_t len)
{
	size_t at = (ring->start + ring->used) % ring->cap;
	size_t first = ring->cap - at < len ? ring->cap - at : len;

	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, (const char *)bytes + first, len - first);
	ring->used += len;
}

static void
copy_out(const struct ring *ring, void *bytes, size_t len, size_t offset)
{
	size_t at = (ring->start + offset) % ring->cap;
	size_t first = ring->cap - at < len ? ring->cap - at : len;

	memcpy(bytes, ring->bytes + at, first);
	memcpy((char *)bytes + first, ring->bytes, len - first);
}

bool
ring_put(struct ring *ring, uint8_t kind, const char *bytes, size_t len)
{
	struct header header = {.kind = kind};

	if (len > UINT32_MAX || ring->cap - ring->used < sizeof(header) ||
	    ring->cap - ring->used - sizeof(header) < len) {
		return false;
	}
	header.len = (uint32_t)len;
	copy_in(ring, &header, sizeof(header));
	copy_in(ring, bytes, len);
	return true;
}

bool
ring_peek(const struct ring *ring, uint8_t *ret_kind, size_t *ret_len)
{
	struct header header;

	if (ring->used == 0) {
		return false;
	}
	copy_out(ring, &header, sizeof(header), 0);
	*ret_kind = header.kind;
	*ret_len = header.len;
	return true;
}

void
ring_take(struct ring *ring, char *bytes)
{
	struct header header;

	copy_out(ring, &header, sizeof(header), 0);
	copy_out(ring, bytes, header.len, sizeof(header));
	ring->start = (ring->start + sizeof(header) + header.len) % ring->cap;
	ring->used -= sizeof(header) + header.len;
}
