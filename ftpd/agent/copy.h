/*
 * copy: one copy of a file or a tree on its way, in constant memory and in turns, so that
 * others are answered meanwhile.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: everybody who can change files
 * below the root, and whoever reads the pipe (may stall, may leave).
 * Source: SECURITY.md A1 (CVE-2019-12815), F3 and F24.
 * Not here: how bytes are copied; see clone.h.
 *
 * Nothing is replaced: what the copy is to be called must not be there. Each file has its
 * final name only when it is whole. Links are copied as links where they lead nowhere
 * outside the root, from where the copy is; other links, FIFOs, sockets and devices are
 * left out, and so is what cannot be read: the copy goes on, and its result is then not
 * IPC_OK. It ends early when there is no more room. Permission bits are copied less the
 * umask; owner and times are those of something new.
 *
 * A reader who closes the pipe ends the copy: the file that is half copied is removed,
 * the whole ones stay.
 */
#ifndef FTPD_AGENT_COPY_H
#define FTPD_AGENT_COPY_H

#include "ftpd/agent/place.h"
#include "ftpd/agent/rulebook.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

enum {
	COPY_DEPTH_MAX = 32, /* directories in one another; deeper ones are left out */
	COPY_TURN_BYTES = 8 * 1024 * 1024,
	COPY_TURN_NAMES = 64,
	COPY_TELL_MS = 250, /* between two records of progress */
};

struct copy;

enum copy_progress {
	COPY_GOES_ON, /* call again */
	COPY_WAITS,   /* call again when copy_pipe is writable: the last record is left */
	COPY_ENDED,   /* all is told, or nobody listens */
};

/*
 * Begin a copy. What cannot be copied at all is refused here, before there is a pipe.
 * In:      from, to: decided places; kept, and closed by copy_close.
 * Out:     ret_copy: end it by copy_close; ret_read_fd: the pipe's end for the worker,
 *          the caller's to close.
 * Returns: IPC_OK; IPC_EXISTS; IPC_BAD_NAME to copy a directory into itself;
 *          IPC_NOT_A_FILE; other results. Places are only taken with IPC_OK.
 */
enum ipc_result copy_open(struct rulebook *book, struct place *from, struct place *to,
                          struct copy **ret_copy, int *ret_read_fd);

/*
 * Copy a bounded amount.
 * Returns: whether there is more to come.
 */
enum copy_progress copy_turn(struct copy *copy);

/* Nobody waits for it any more: the next turn is the last. */
void copy_cancel(struct copy *copy);

/*
 * Returns: the end of the pipe that this process writes to.
 */
int copy_pipe(const struct copy *copy);

/* End a copy, finished or not, and free it. */
void copy_close(struct copy *copy);

#endif
