/*
 * viewer: who looks at the files, as far as permission bits are concerned.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/viewer.h"

#include <unistd.h>

#include "common/base.h"

void
viewer_init(struct viewer *viewer)
{
	int count = getgroups(VIEWER_MAX_GROUPS, viewer->groups);

	viewer->uid = geteuid();
	viewer->gid = getegid();
	viewer->group_count = count > 0 ? (size_t)count : 0;
}

static bool
is_in_group(const struct viewer *viewer, gid_t gid)
{
	for (size_t i = 0; i < viewer->group_count; i++) {
		if (viewer->groups[i] == gid) {
			return true;
		}
	}
	return viewer->gid == gid;
}

unsigned
viewer_rights(const struct viewer *viewer, const struct stat *info)
{
	if (viewer->uid == 0) {
		return 7; /* only in tests: nobody is served as root */
	}
	if (viewer->uid == info->st_uid) {
		return info->st_mode >> 6 & 7;
	}
	if (is_in_group(viewer, info->st_gid)) {
		return info->st_mode >> 3 & 7;
	}
	return info->st_mode & 7;
}
