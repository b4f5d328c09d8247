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
	case EPERM:
	case EXDEV: return IPC_DENIED;
	case ENOTDIR: return IPC_NOT_A_DIRECTORY;
	case EISDIR:
	case ENXIO:
	case ENODEV: return IPC_NOT_A_FILE;
	case EAGAIN:
	case EBUSY: return IPC_BUSY;
	default: return IPC_LOCAL_ERROR;
	}
}
