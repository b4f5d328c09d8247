/*
 * listing: one listing on its way into a pipe, in constant memory and in turns, so that
 * many share an agent.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: names, and whoever reads the
 * pipe (may stall, may leave).
 * Source: RFC 959 (LIST, NLST), RFC 1123 4.1.2.7, RFC 3659 7 (MLSD); SECURITY.md G3, G5,
 * G7, G8.
 * Not here: what a line looks like; see ftpd/proto/entry.h.
 *
 * Order: a directory of up to SORT_MAX names that fit one buffer is sorted by name (LIST,
 * NLST); a larger one comes in the order that the file system gives, from its first bytes
 * on. -t, -S and -r hold for up to SORT_MAX names of any length. MLSD is never sorted:
 * its clients do that.
 *
 * Hidden names need -a, or a pattern that begins with a dot; MLSD, which has no options,
 * tells all. "." and ".." appear with -a in LIST, and as type=cdir and type=pdir in MLSD
 * (no pdir at the root); never in NLST, which clients feed to RETR and DELE.
 *
 * -R has the bounds of listing_walk.h and simply ends there; links are not followed; NLST
 * -R gives relative paths without headings; a pattern holds for the first directory only.
 * -F marks names in LIST only.
 *
 * The end of the pipe is the end of the listing, also when the directory was removed or
 * broke meanwhile: a reader cannot tell.
 */
#ifndef FTPD_AGENT_LISTING_H
#define FTPD_AGENT_LISTING_H

#include "ftpd/agent/place.h"
#include "ftpd/agent/rulebook.h"
#include "ftpd/agent/viewer.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

enum {
	LISTING_PIECE = 64 * 1024, /* bytes written at a time */
	/* wished for pipes of long listings; the kernel may refuse */
	LISTING_PIPE_BYTES = 1024 * 1024,
	LISTING_TURN_STEPS = 1024, /* names looked at in one turn */
};

struct listing;

enum listing_progress {
	LISTING_GOES_ON, /* call again when listing_pipe is writable or broken */
	LISTING_ENDED,   /* all is written, or nobody reads it */
};

/*
 * Begin a listing. What cannot be listed is refused here, before there is a pipe. A path
 * to something else than a directory, or AGENT_LIST_DIRECTORY, lists that one thing,
 * under the name `prefix` without a slash at its end, or if that is empty, the last
 * component of the path.
 * In:      place: of question->path, decided.
 * Out:     ret_listing: end it by listing_close; ret_read_fd: the pipe's end for the
 *          worker, non-blocking, the caller's to close.
 * Returns: IPC_OK; IPC_NOT_A_DIRECTORY for MLSD or a pattern on something else;
 *          IPC_DENIED; other results.
 */
enum ipc_result listing_open(struct rulebook *book, const struct viewer *viewer,
                             const struct agent_question *question,
                             const struct place *place, struct listing **ret_listing,
                             int *ret_read_fd);

/*
 * Write what fits and format a bounded amount more.
 * Returns: whether there is more to come.
 */
enum listing_progress listing_turn(struct listing *listing);

/*
 * Returns: the end of the pipe that this process writes to.
 */
int listing_pipe(const struct listing *listing);

/* End a listing, finished or not, and free it. */
void listing_close(struct listing *listing);

#endif
