/*
 * program: finds and starts the other programs: a channel, the options, nothing else.
 * Runs in: master, and in its child up to exec.
 * Source: DESIGN.md section 2; IPC_START_FD in ftpd/ipc/message.h.
 * Not here: becoming unprivileged, which each program does by itself after exec.
 */
#ifndef FTPD_MASTER_PROGRAM_H
#define FTPD_MASTER_PROGRAM_H

#include <sys/types.h>

#include "common/privilege.h"
#include "ftpd/master/children.h"
#include "ftpd/master/master.h"
#include "common/base.h"

enum program_kind {
	PROGRAM_WORKER,
	PROGRAM_AUTH,
	PROGRAM_AGENT,
	PROGRAM_RECORDER,
	PROGRAM_COUNT,
};

enum {
	PROGRAM_ARGUMENTS_MAX = 72, /* further ones are not told */
};

struct program_order {
	enum program_kind kind;
	int channel_fd; /* becomes IPC_START_FD; stays the caller's here */
	int options_fd; /* becomes IPC_OPTIONS_FD; -1: none */
	int tls_fd;     /* becomes IPC_TLS_FD; -1: none. For PROGRAM_WORKER only: keys */
	/* words before the identity; NULL: none. Ended by NULL. */
	const char *const *arguments;
	const struct identity *identity; /* told as uid and gid; NULL: not told */
	child_ended *ended;              /* program_start() */
	void *owner;
};

/*
 * Find the directory of the programs: the one of this program, else the one of the
 * installation.
 * Returns: true and *ret_dir; false when one is missing, which has been complained of.
 */
bool program_find(char ret_dir[MASTER_PATH_MAX]);

/*
 * Start a program that the caller waits for himself.
 * Returns: 0 and *ret_pid; negative errno.
 */
int program_spawn(const char *dir, const struct program_order *order, pid_t *ret_pid);

/*
 * Start a program and remember it in master->children.
 * Returns: 0 and *ret_pid; negative errno.
 */
int program_start(struct master *master, const struct program_order *order,
                  pid_t *ret_pid);

/*
 * Fork a child of the master that runs no other program.
 * In:      keep_fds: what it finds at descriptors 3 and 4 beside the standard streams;
 *          the second may be -1. Nothing else is open.
 * Returns: its pid, 0 in the child, negative errno.
 */
pid_t program_fork(const int keep_fds[2]);

#endif
