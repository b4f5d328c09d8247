/*
 * children: every process below the master, by its number, and who wants to know how it
 * ended.
 * Runs in: master.
 * Source: waitpid(2), PR_SET_CHILD_SUBREAPER in prctl(2).
 * Not here: starting them; see program.h.
 */
#ifndef FTPD_MASTER_CHILDREN_H
#define FTPD_MASTER_CHILDREN_H

#include <sys/queue.h>
#include <sys/types.h>

#include "common/base.h"

struct master;

enum {
	CHILDREN_BUCKETS = 256,
};

/* Called once when the process has ended, status as waitpid gives it. */
typedef void child_ended(struct master *master, void *owner, pid_t pid, int status);

struct child {
	LIST_ENTRY(child) next;
	pid_t pid;
	void *owner;
	child_ended *ended;
	/* the forkserver_link that may tell of its end; NULL: our own child */
	const void *server;
};

LIST_HEAD(child_bucket, child);

struct child_table {
	struct child_bucket buckets[CHILDREN_BUCKETS];
	size_t count;
};

/*
 * Remember a process.
 * In:      server: the forkserver_link that made it; NULL: it is our own child.
 * Returns: 0 or -ENOMEM.
 */
int children_add(struct child_table *table, pid_t pid, child_ended *ended, void *owner,
                 const void *server);

/* Forget who wanted to know; the process itself is still waited for. */
void children_disown(struct child_table *table, pid_t pid);

/*
 * A process has ended. Unknown ones are nobody's.
 * In:      server: the forkserver_link that says so, and is believed for its own
 *          children only; NULL: the kernel.
 */
void children_ended(struct master *master, pid_t pid, int status, const void *server);

/* Take every exit status that the kernel has for us. */
void children_reap(struct master *master);

/*
 * Kill a process, if it still is what we think: a child of ours or of that forkserver.
 * In:      server_pid: 0 if there is no forkserver any more.
 */
void children_kill(pid_t pid, pid_t server_pid);

/*
 * The same for a process and whatever it has started, as far as /proc tells of that: a
 * helper in a session of its own would otherwise live on.
 */
void children_kill_tree(pid_t pid, pid_t server_pid);

/*
 * Say how a process ended: "exit status 3", "signal 11 (Segmentation fault)".
 * Returns: the text in `text`.
 */
const char *children_describe(int status, char text[64]);

#endif
