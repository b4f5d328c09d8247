/*
 * viewer: who looks at the files, as far as permission bits are concerned.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/viewer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base.h"

int
viewer_init(struct viewer *viewer)
{
	int count = getgroups(0, NULL);

	*viewer = (struct viewer){.uid = geteuid(), .gid = getegid()};
	if (count < 0) {
		return -errno;
	}
	if (count == 0) {
		return 0;
	}
	viewer->groups = calloc((size_t)count, sizeof(*viewer->groups));
	if (viewer->groups == NULL) {
		return -ENOMEM;
	}
	count = getgroups(count, viewer->groups);
	if (count < 0) {
		return -errno;
	}
	viewer->group_count = (size_t)count;
	return 0;
}

static bool
is_in_group(const struct viewer *viewer, gid_t gid)
{
	size_t first = 0;
	size_t end = viewer->group_count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (viewer->groups[middle] == gid) {
			return true;
		}
		if (viewer->groups[middle] < gid) {
			first = middle + 1;
		} else {
			end = middle;
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
