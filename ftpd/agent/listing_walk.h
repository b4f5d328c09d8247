/*
 * listing_walk: which directories a recursive listing has still to visit, in the order of
 * ls -R, in bounded memory.
 * Runs in: deftpd-agent.
 * Source: SECURITY.md G5: no recursion, bounds on depth and number.
 * Not here: opening them; see listing.c.
 */
#ifndef FTPD_AGENT_LISTING_WALK_H
#define FTPD_AGENT_LISTING_WALK_H

#include <limits.h>

#include "common/base.h"

enum {
	/* directories below the first one that deep are named but not entered */
	WALK_MAX_DEPTH = 8,
	WALK_MAX_ENTRIES = 10000, /* names listed in all; then the listing ends */
	/* names of directories to visit; when full, the rest is not entered */
	WALK_NAME_BYTES = WALK_MAX_ENTRIES * 64,
	WALK_PATH_MAX = WALK_MAX_DEPTH * (NAME_MAX + 1),
};

/*
 * A directory, by its name and the one that it is in. Number 0 is where the listing
 * began, and has no name.
 */
struct walk_node {
	uint16_t parent;
	uint16_t next; /* to visit after this one; 0 at the end */
	uint16_t depth;
	uint16_t name_len;
	uint32_t name_at;
};

struct walk_queue {
	struct walk_node *nodes; /* room for WALK_MAX_ENTRIES + 1 */
	char *names;             /* room for WALK_NAME_BYTES */
	size_t node_count;
	size_t name_bytes;
	uint16_t current; /* being listed */
	uint16_t last;    /* after which the next found directory is put */
};

/* Begin at the first directory. nodes and names must be set. */
void walk_begin(struct walk_queue *queue);

/*
 * Note a directory found in the current one. It is forgotten when that would pass a
 * bound.
 */
void walk_add(struct walk_queue *queue, const char *name, size_t name_len);

/*
 * Go on to the next directory: those found in the current one come first, in the order in
 * which they were found.
 * Returns: false at the end.
 */
bool walk_next(struct walk_queue *queue);

/*
 * Write the path of the current directory, relative to the first one, without a slash at
 * either end.
 * Returns: its length; it is terminated; 0 for the first directory.
 */
size_t walk_path(const struct walk_queue *queue, char path[WALK_PATH_MAX]);

#endif
