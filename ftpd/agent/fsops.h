/*
 * fsops: the questions about one path: open it for reading, tell what it is, count it.
 * Runs in: deftpd-agent, as the user. Distrusts: the worker, and everybody who can change
 * files below the root.
 * Source: RFC 959 (RETR), RFC 3659 (SIZE, MDTM, MLST); SECURITY.md F5 and F24.
 * Not here: listings; see listing.h.
 */
#ifndef FTPD_AGENT_FSOPS_H
#define FTPD_AGENT_FSOPS_H

#include <sys/stat.h>

#include "ftpd/agent/place.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

/*
 * Open a plain file for reading. It is checked after it was opened, on the same
 * descriptor; opening waits for nothing.
 * Out:     answer: result, and what the file is if that is IPC_OK, as in every function
 *          here.
 * Returns: the descriptor, the caller's to close; -1 unless answer->result is IPC_OK.
 */
int fsops_open_read(const struct place *place, struct agent_answer *answer);

/* Tell what is there. */
void fsops_stat(const struct place *place, struct agent_answer *answer);

/*
 * Tell what is there, a link itself, which is AGENT_KIND_OTHER.
 * In:      place: of an entry.
 */
void fsops_stat_link(struct rulebook *book, const struct place *place,
                     struct agent_answer *answer);

/* Tell whether it is a directory that this user can enter. */
void fsops_check_dir(const struct place *place, struct agent_answer *answer);

/*
 * Count the octets that the file has in TYPE A. Files above AGENT_COUNT_MAX are IPC_BUSY:
 * nobody may have us read for hours.
 */
void fsops_count_ascii(const struct place *place, struct agent_answer *answer);

/*
 * Ask whether an entry of a directory may be renamed and removed there by this user.
 * In:      entry: of a directory that is open; info: of the entry.
 * Returns: true if the rights, the directory's permissions and its sticky bit allow it,
 *          and it has no rules of its own.
 */
bool fsops_is_removable(struct rulebook *book, const struct place *entry,
                        const struct stat *info);

/* Put into an answer, which is IPC_OK then, what stat has told. */
void fsops_describe(const struct stat *info, struct agent_answer *answer);

#endif
