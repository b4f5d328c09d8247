/*
 * listing_job: what listing.c and listing_format.c share of a running listing.
 * Runs in: deftpd-agent.
 */
#ifndef FTPD_AGENT_LISTING_JOB_H
#define FTPD_AGENT_LISTING_JOB_H

#include <sys/stat.h>

#include "ftpd/agent/listing.h"
#include "ftpd/agent/listing_dents.h"
#include "ftpd/agent/listing_sort.h"
#include "ftpd/agent/listing_walk.h"
#include "ftpd/agent/viewer.h"
#include "common/base.h"

enum {
	/*
	 * Room behind a full piece for one more line: prefix, path of a recursive
	 * listing, name, link target.
	 */
	LISTING_LINE_MAX = 16 * 1024,
	LISTING_OUT_BYTES = LISTING_PIECE + LISTING_LINE_MAX,
	/*
	 * Enough for SORT_MAX of the longest names; a page of it costs only once it is
	 * used.
	 */
	LISTING_LONG_DENTS = SORT_MAX * DENTS_RECORD_MAX,
};

enum listing_phase {
	/*
	 * collecting the names of a directory that may turn out small enough to be sorted
	 */
	PHASE_READ,
	PHASE_KEYS,   /* it is: finding each name's place */
	PHASE_SORTED, /* listing them in order */
	PHASE_STREAM, /* it is not: listing what is in the buffer, then reading on */
	PHASE_END,
};

/*
 * The object and all its buffers are one mapping, so that nothing of it outlives the
 * listing.
 */
struct listing {
	size_t mapping_bytes;
	struct rulebook *book;
	const struct viewer *viewer;

	enum agent_format format;
	unsigned options;
	unsigned facts;
	int64_t now_s; /* LIST shows the year instead of the time for what is old */
	size_t pattern_len;
	size_t prefix_len;
	char pattern[AGENT_PATTERN_MAX + 1];
	char prefix[IPC_PATH_MAX + 1];

	enum listing_phase phase;
	bool is_sorting; /* by anything, if the directory allows */
	bool is_pipe_wide;
	int pipe_fd;
	int top_fd; /* the directory that was asked for */
	int dir_fd; /* the one being listed: top_fd or one below it */
	/* of the directory being listed, for facts about permissions */
	const struct agent_rights *rights;
	bool is_dir_writable;
	bool is_dir_sticky;  /* and not this user's */
	size_t entries_left; /* AGENT_LIST_RECURSIVE */
	struct walk_queue walk;
	char walk_path[WALK_PATH_MAX];
	size_t walk_path_len;

	struct dents dents;
	struct sort_item *items;
	struct sort_item *spare;
	size_t item_count;
	size_t item_at;

	char *out;
	size_t out_len;
	size_t out_at; /* written so far */
};

/* One thing to be listed. */
struct listing_entry {
	const char *name;
	size_t name_len;
	const struct stat *info; /* NULL for NLST where the type is enough */
	uint8_t type;            /* DT_* */
	const char *target;      /* of a link */
	size_t target_len;
};

/*
 * Look at the directory that is listed from now on: what may be changed there.
 * Returns: false if it is not to be listed.
 */
bool listing_enter(struct listing *listing);

/*
 * Ask whether a line of this listing can be written without asking the kernel about the
 * name.
 * Returns: true if `type`, as the directory tells it, is enough.
 */
bool listing_needs_no_stat(const struct listing *listing, uint8_t type);

/* Append the line of an entry. There is LISTING_LINE_MAX room. */
void listing_put_entry(struct listing *listing, const struct listing_entry *found);

/*
 * Append the lines for the directory itself and the one above it: type=cdir and
 * type=pdir, or "." and "..". parent may be NULL.
 */
void listing_put_self(struct listing *listing, const struct stat *self,
                      const struct stat *parent);

/* Append the heading of a directory in a recursive listing, as ls -R has it. */
void listing_put_heading(struct listing *listing);

#endif
