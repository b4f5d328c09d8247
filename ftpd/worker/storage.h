/*
 * storage: what stands behind a file: memory, a disk, or something that may keep a reader
 * or writer waiting for ever.
 * Runs in: deftpd-worker.
 * Source: statfs(2); linux/magic.h.
 */
#ifndef FTPD_WORKER_STORAGE_H
#define FTPD_WORKER_STORAGE_H

#include "common/base.h"

struct worker;

enum storage {
	STORAGE_UNKNOWN, /* not looked at yet */
	STORAGE_MEMORY,  /* reading and writing never wait */
	STORAGE_LOCAL,   /* a disk of this machine */
	STORAGE_REMOTE,  /* a network or a process */
};

/*
 * Look what stands behind a file. One system call per file system, not per file.
 * In:      device: of the file, as its agent tells.
 * Returns: any but STORAGE_UNKNOWN.
 */
enum storage storage_find(struct worker *worker, uint64_t device, int fd);

#endif
