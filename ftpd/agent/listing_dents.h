/*
 * listing_dents: the names of one directory, raw as getdents64 gave them, in one buffer.
 * Runs in: deftpd-agent. Distrusts: the names (every byte but NUL and slash may be in
 * them).
 * Source: getdents64(2).
 * Not here: order (listing_sort.h) and text (listing_format.h).
 */
#ifndef FTPD_AGENT_LISTING_DENTS_H
#define FTPD_AGENT_LISTING_DENTS_H

#include "common/base.h"

enum {
	DENTS_CHUNK = 256 * 1024, /* most that one call asks for */
	/* header, NAME_MAX bytes, NUL, rounded up: less room than this is full */
	DENTS_RECORD_MAX = 280,
};

/* Records lie in bytes[0..len). */
struct dents {
	char *bytes;
	size_t cap;
	size_t len;
	size_t at;      /* the next record */
	size_t count;   /* records in the buffer */
	bool is_at_end; /* the directory has no further names */
};

struct dents_name {
	const char *text; /* NUL-terminated, in the buffer */
	size_t len;
	uint8_t type; /* DT_*, DT_UNKNOWN where the file system does not tell */
};

/* Forget the names; for the next part of the directory, or for another directory. */
void dents_clear(struct dents *dents);

/*
 * Read once, behind what is there. An error ends the directory as its end does: it may
 * have been removed meanwhile.
 * Returns: true if there is room and reason to read on.
 */
bool dents_read(struct dents *dents, int dir_fd);

/*
 * Look at the record at an offset.
 * Returns: the offset of the next one.
 */
size_t dents_name_at(const struct dents *dents, size_t at, struct dents_name *ret_name);

/*
 * Ask for "." and "..", which directories list about themselves.
 * Returns: true for these two.
 */
bool dents_is_dots(const struct dents_name *name);

#endif
