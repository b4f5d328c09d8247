/*
 * copy_job: what copy.c and copy_file.c share of a running copy.
 * Runs in: deftpd-agent.
 */
#ifndef FTPD_AGENT_COPY_JOB_H
#define FTPD_AGENT_COPY_JOB_H

#include <limits.h>
#include <sys/stat.h>

#include "ftpd/agent/copy.h"
#include "ftpd/agent/listing_dents.h"
#include "ftpd/agent/stage.h"
#include "common/base.h"

enum {
	COPY_DENTS_BYTES = 32 * 1024, /* names of one directory read at a time */
};

/* A directory that is being copied. */
struct copy_level {
	int from_fd;
	int to_fd;
	mode_t mode; /* that the copy gets when it is whole; 07777: it has it */
	const struct agent_rights *rights; /* of the copy */
	struct dents dents;
};

/* The object and its buffers are one mapping, so that nothing of it outlives the copy. */
struct copy {
	size_t mapping_bytes;
	struct rulebook *book;
	int pipe_fd;
	uint64_t told_ms;
	struct agent_progress progress;
	struct place from;
	struct place to;
	dev_t made_device; /* the copy of the topmost directory, not to be copied again */
	ino_t made_inode;
	bool is_done; /* nothing is left to be copied */

	/* the file being copied: read_fd is -1 for none */
	int read_fd;
	int write_dir_fd; /* of a level or of `to` */
	const struct agent_rights *write_rights;
	struct stage stage;
	char name[NAME_MAX + 1];
	uint64_t file_bytes;

	size_t depth; /* levels in use */
	struct copy_level levels[COPY_DEPTH_MAX];
};

/* Note what could not be copied: the first reason is the result. */
void copy_note(struct copy *copy, enum ipc_result result);

/* Begin to copy one file. */
void copy_file_begin(struct copy *copy, int from_dir_fd, const char *name, int to_dir_fd,
                     const char *to_name);

/*
 * Copy some of the file.
 * Returns: how many bytes; the file may be whole then, or left out.
 */
size_t copy_file_some(struct copy *copy);

/* Give the file up: nothing of it is left. */
void copy_file_drop(struct copy *copy);

#endif
