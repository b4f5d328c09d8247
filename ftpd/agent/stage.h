/*
 * stage: new files that stand beside the one that they are to become, under reserved
 * names.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: everybody who can change files
 * in the directory.
 * Source: SECURITY.md F14 to F18.
 * Not here: when a file becomes what; see upload.h.
 *
 * For NAME there are
 *   .NAME.deftpd-new, .NAME.deftpd-new.1 to .9   being written, with a lock on it;
 *   without
 *       a lock it is what a killed process left: made anew by the next upload, never
 *       continued, because nobody knows what is in it;
 *   .NAME.deftpd-part   cut, and may be continued: holds nothing but what was sent from
 *       the first byte on.
 * Of a NAME that is too long for that, the first 200 bytes, "~" and a hash stand there.
 *
 * The lock belongs to the open file, which a worker has, too: so it is there for as long
 * as anybody can write.
 */
#ifndef FTPD_AGENT_STAGE_H
#define FTPD_AGENT_STAGE_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/base.h"

enum {
	STAGE_NUMBERS = 10,    /* uploads of one name at a time; then -EBUSY */
	STAGE_LONG_NAME = 240, /* longer ones are shortened */
	STAGE_KEPT_BYTES = 200,
};

/* A file under a reserved name. */
struct stage {
	int fd; /* write-only */
	char name[NAME_MAX + 1];
};

/*
 * Write the reserved name of a file being written.
 * In:      number: below STAGE_NUMBERS.
 */
void stage_name_new(const char *name, unsigned number, char ret_name[NAME_MAX + 1]);

/* Write the reserved name of what was cut. */
void stage_name_part(const char *name, char ret_name[NAME_MAX + 1]);

/*
 * Ask whether a name is one of the reserved ones, of whatever NAME.
 * Returns: true if so.
 */
bool stage_is_reserved(const char *name);

/*
 * Make a new file for NAME, empty and locked.
 * In:      mode: permission bits, which the umask lessens; is_only: no other upload of
 *          this name may run.
 * Returns: 0; -EBUSY when too many run; other negative errno.
 * Owner:   the caller closes fd.
 */
int stage_open_new(int dir_fd, const char *name, mode_t mode, bool is_only,
                   struct stage *ret_stage);

/*
 * Open what was cut of NAME, and lock it.
 * Returns: 0 and its size; -ENOENT; -EBUSY when it is being continued; -EPERM when it is
 *          not this user's plain file; other negative errno.
 */
int stage_open_part(int dir_fd, const char *name, struct stage *ret_stage,
                    uint64_t *ret_size);

/*
 * Look at what was cut of NAME.
 * Returns: true if it waits for this user, who alone can go on with it; then *ret_info.
 */
bool stage_stat_part(int dir_fd, const char *name, struct stat *ret_info);

/*
 * Remove what was cut of NAME, unless it is being continued.
 * Returns: true if there was something and is nothing now.
 */
bool stage_discard_part(int dir_fd, const char *name);

/*
 * Give the file its final name, in one step.
 * In:      is_new: something that has the name already is -EEXIST; else it is replaced.
 * Returns: 0; -ENOENT if somebody has moved the file; other negative errno.
 */
int stage_publish(int dir_fd, const struct stage *stage, const char *name, bool is_new);

/*
 * Keep the file as what was cut of NAME, in the place of an older one; and unlock it. If
 * the older one is being continued, or is somebody else's, this one is removed.
 */
void stage_keep(int dir_fd, const struct stage *stage, const char *name);

/* Remove the file, if the name is still its own. */
void stage_remove(int dir_fd, const struct stage *stage);

/*
 * Lock an open file for one upload, until it is unlocked or nobody has it open any more.
 * Returns: 0; -EBUSY if somebody else has the lock; another negative errno where there
 *          are no locks.
 */
int stage_lock(int fd);

/* Take the lock off, as somebody else may still have the file open. */
void stage_unlock(int fd);

#endif
