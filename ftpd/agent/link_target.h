/*
 * link_target: what a symbolic link may say.
 * Runs in: deftpd-agent.
 * Source: SECURITY.md 3.5.
 * Not here: making links; see change.h and copy.h.
 */
#ifndef FTPD_AGENT_LINK_TARGET_H
#define FTPD_AGENT_LINK_TARGET_H

#include "ftpd/ipc/message.h"
#include "common/base.h"

/*
 * Write the target of a link in a directory so that it leads nowhere above the root, for
 * us and for every other program. It is judged as text: ".." may stand only at its
 * beginning, because behind a name it would lead wherever that name does. For other
 * programs that holds where the link is made: moved towards the root, it may lead out.
 * In:      depth: of the directory below the root; target: without NUL; an absolute one
 *          begins at the root.
 * Out:     ret_text: relative, terminated.
 * Returns: false for an empty target, one that leads out or could, or is too long.
 */
bool link_target_write(unsigned depth, const char *target, size_t len,
                       char ret_text[IPC_PATH_MAX]);

#endif
