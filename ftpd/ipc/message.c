/*
 * message: what is common to all channels between our processes.
 * Runs in: every process.
 */
#include "ftpd/ipc/message.h"

#include <errno.h>

#include "common/base.h"

enum ipc_result
ipc_result_from_errno(int negative_errno)
{
	switch (-negative_errno) {
	case 0: return IPC_OK;
	case ENOENT:
	case ENAMETOOLONG:
	case ELOOP: return IPC_NOT_FOUND;
	case EACCES:
	case EPERM: return IPC_DENIED;
	case EXDEV: return IPC_CROSSES;
	case ENOTDIR: return IPC_NOT_A_DIRECTORY;
	case EEXIST: return IPC_EXISTS;
	case ENOTEMPTY: return IPC_NOT_EMPTY;
	case EROFS: return IPC_READ_ONLY;
	case ENOSPC: return IPC_NO_SPACE;
	case EDQUOT: return IPC_OVER_QUOTA;
	case EFBIG: return IPC_TOO_LARGE;
	case EILSEQ:
	case EINVAL: return IPC_BAD_NAME;
	case EISDIR:
	case ENXIO:
	case ENODEV: return IPC_NOT_A_FILE;
	case EAGAIN:
	case EBUSY:
	case ETXTBSY: return IPC_BUSY;
	default: return IPC_LOCAL_ERROR;
	}
}
