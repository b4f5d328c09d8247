/*
 * storage: what stands behind a file: memory, a disk, or something that may keep a reader
 * or writer waiting for ever.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/storage.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "ftpd/worker/worker.h"
#include "common/base.h"

/* Returns: what stands behind a file: a server, a process or other machines. */
static enum storage
storage_of(const struct statfs *info)
{
	static const uint32_t remote[] = {
	    NFS_SUPER_MAGIC,
	    SMB_SUPER_MAGIC,
	    CIFS_SUPER_MAGIC,
	    SMB2_SUPER_MAGIC,
	    FUSE_SUPER_MAGIC,
	    V9FS_MAGIC,
	    AFS_SUPER_MAGIC,
	    CEPH_SUPER_MAGIC,
	    CODA_SUPER_MAGIC,
	    NCP_SUPER_MAGIC,
	    AFS_FS_MAGIC,
	    OCFS2_SUPER_MAGIC,
	    UINT32_C(0x0BD00BD0) /* Lustre */,
	    UINT32_C(0x47504653) /* GPFS */,
	    UINT32_C(0x01161970) /* GFS2 */,
	};
	uint32_t magic = (uint32_t)info->f_type;

	if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC) {
		return STORAGE_MEMORY;
	}
	for (size_t i = 0; i < ARRAY_COUNT(remote); i++) {
		if (magic == remote[i]) {
			return STORAGE_REMOTE;
		}
	}
	return STORAGE_LOCAL;
}

enum storage
storage_find(struct worker *worker, uint64_t device, int fd)
{
	struct statfs info;

	if (device != worker->last_device || worker->last_storage == 0) {
		worker->last_storage =
		    fstatfs(fd, &info) == 0 ? storage_of(&info) : STORAGE_REMOTE;
		worker->last_device = device;
	}
	return worker->last_storage;
}
