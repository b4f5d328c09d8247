/*
 * change: the questions that make, remove, rename and alter what is at a place.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: the worker, and everybody who
 * can change files below the root.
 * Source: RFC 959 (DELE, RNFR, RNTO, MKD, RMD), draft-somers-ftp-mfxx (MFMT);
 * SECURITY.md F1, F3, F7, F21, F23 and F24.
 * Not here: files that are being uploaded; see upload.h.
 *
 * All of it works on a name in an open directory, and no name is followed.
 */
#ifndef FTPD_AGENT_CHANGE_H
#define FTPD_AGENT_CHANGE_H

#include "ftpd/agent/place.h"
#include "ftpd/agent/rulebook.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

/* Make a directory: 0777 less the umask. Only the result, as in all functions here. */
void change_make_dir(const struct place *place, struct agent_answer *answer);

/* Remove an empty directory; IPC_DENIED for one with rules of its own. */
void change_remove_dir(struct rulebook *book, const struct place *place,
                       struct agent_answer *answer);

/*
 * Remove a file, a link itself, and what waits there of an upload that was cut. IPC_OK
 * also if there was only that.
 */
void change_remove_file(const struct place *place, struct agent_answer *answer);

/*
 * Rename, a link itself; a file that has the new name is replaced. IPC_CROSSES to another
 * file system; IPC_DENIED for a directory with rules of its own.
 */
void change_rename(struct rulebook *book, const struct place *from,
                   const struct place *to, struct agent_answer *answer);

/*
 * Set the time of the last change, not that of the last access. The answer has what the
 * file system made of it.
 */
void change_set_time(const struct place *place, int64_t time_s,
                     struct agent_answer *answer);

/*
 * Set the permission bits: 0777 only, so that the set-user-ID, set-group-ID and sticky
 * bits that were there are gone.
 */
void change_set_mode(const struct place *place, uint32_t mode,
                     struct agent_answer *answer);

/*
 * Take away permissions from what is made from now on, besides those that are configured
 * to be taken; answer->mode is both.
 */
void change_set_umask(struct rulebook *book, const struct place *place, uint32_t mask,
                      struct agent_answer *answer);

/*
 * Make a link. An absolute target is a path of this client, and is written relative to
 * the link, so that everybody sees the same; IPC_DENIED for one that leads out of the
 * root.
 */
void change_symlink(const struct rulebook *book, const struct place *place,
                    const struct agent_question *question, struct agent_answer *answer);

#endif
