/*
 * clone: the content of one file into another, by the kernel where it can.
 * Runs in: deftpd-agent, as the user, confined.
 * Source: ioctl_ficlone(2), copy_file_range(2).
 * Not here: names and permissions.
 */
#ifndef FTPD_AGENT_CLONE_H
#define FTPD_AGENT_CLONE_H

#include "common/base.h"

/*
 * Let an empty file share all blocks of another one.
 * Returns: true if the file system could.
 */
bool clone_share(int from_fd, int to_fd);

/*
 * Copy the next bytes, from offset to offset of both descriptors.
 * Returns: how many, at most `max`; 0 at the end; negative errno.
 */
ssize_t clone_some(int from_fd, int to_fd, size_t max);

#endif
