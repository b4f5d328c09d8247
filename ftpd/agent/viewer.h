/*
 * viewer: who looks at the files, as far as permission bits are concerned.
 * Runs in: deftpd-agent.
 * Not here: access control lists; only the kernel knows them, and a listing does not ask
 * it for every name.
 */
#ifndef FTPD_AGENT_VIEWER_H
#define FTPD_AGENT_VIEWER_H

#include <sys/stat.h>
#include <sys/types.h>

#include "common/base.h"

struct viewer {
	uid_t uid;
	gid_t gid;
	size_t group_count;
	/* ascending, as the kernel keeps them; never freed: the process ends first */
	gid_t *groups;
};

/*
 * Read who this process is. Before the sandbox closes.
 * Returns: 0 or negative errno.
 */
int viewer_init(struct viewer *viewer);

/*
 * Pick the permission bits that apply to the viewer.
 * Returns: 4 (read) | 2 (write) | 1 (execute or search).
 */
unsigned viewer_rights(const struct viewer *viewer, const struct stat *info);

#endif
