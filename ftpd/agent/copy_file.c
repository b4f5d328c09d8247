/*
 * copy_file: one file of a running copy.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/clone.h"
#include "ftpd/agent/copy_job.h"
#include "ftpd/agent/upload.h"
#include "common/base.h"

void
copy_note(struct copy *copy, enum ipc_result result)
{
	if (copy->progress.result == IPC_OK) {
		copy->progress.result = result;
	}
	/* These hold for whatever would come next, too. */
	if (result == IPC_NO_SPACE || result == IPC_OVER_QUOTA ||
	    result == IPC_READ_ONLY) {
		copy->progress.result = result;
		copy->is_done = true;
	}
}

void
copy_file_drop(struct copy *copy)
{
	if (copy->read_fd >= 0) {
		stage_remove(copy->write_dir_fd, &copy->stage);
		fd_close(&copy->stage.fd);
		fd_close(&copy->read_fd);
	}
}

static void
fail(struct copy *copy, int result)
{
	copy_file_drop(copy);
	copy_note(copy, ipc_result_from_errno(result));
}

static void
finish(struct copy *copy)
{
	bool is_durable = copy->write_rights->mode == AGENT_UPLOAD_DURABLE;
	int result = 0;

	if (is_durable && fsync(copy->stage.fd) != 0) {
		result = -errno;
	}
	if (result == 0) {
		result =
		    stage_publish(copy->write_dir_fd, &copy->stage, copy->name, true);
	}
	if (result != 0) {
		fail(copy, result);
		return;
	}
	copy->progress.files++;
	fd_close(&copy->stage.fd);
	fd_close(&copy->read_fd);
}

static bool
is_too_large(const struct copy *copy, uint64_t size)
{
	return copy->write_rights->max_file_bytes != 0 &&
	       size > copy->write_rights->max_file_bytes;
}

/* Everything about the file is asked of what was opened. */
static int
open_source(struct copy *copy, int dir_fd, const char *name, struct stat *ret_info)
{
	int fd = openat(dir_fd, name,
	                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int result = 0;

	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, ret_info) != 0) {
		result = -errno;
	} else if (!S_ISREG(ret_info->st_mode)) {
		result = -ENXIO; /* exchanged since it was looked at */
	} else if (is_too_large(copy, (uint64_t)ret_info->st_size)) {
		result = -EFBIG;
	}
	if (result != 0) {
		fd_close(&fd);
		return result;
	}
	copy->read_fd = fd;
	return 0;
}

void
copy_file_begin(struct copy *copy, int from_dir_fd, const char *name, int to_dir_fd,
                const char *to_name)
{
	enum ipc_result space = upload_check_space(to_dir_fd, copy->write_rights);
	struct stat info = {0};
	int result;

	if (space != IPC_OK) {
		copy_note(copy, space);
		return;
	}
	result = open_source(copy, from_dir_fd, name, &info);
	if (result == 0) {
		result = stage_open_new(to_dir_fd, to_name, info.st_mode & AGENT_MODE_MAX,
		                        false, &copy->stage);
		if (result != 0) {
			fd_close(&copy->read_fd);
		}
	}
	if (result != 0) {
		copy_note(copy, ipc_result_from_errno(result));
		return;
	}
	copy->write_dir_fd = to_dir_fd;
	copy->file_bytes = 0;
	memcpy(copy->name, to_name, strlen(to_name) + 1);
	if (info.st_size > 0 && clone_share(copy->read_fd, copy->stage.fd)) {
		copy->progress.bytes += (uint64_t)info.st_size;
		finish(copy);
	}
}

size_t
copy_file_some(struct copy *copy)
{
	ssize_t copied = clone_some(copy->read_fd, copy->stage.fd, COPY_TURN_BYTES);
	enum ipc_result space;

	if (copied < 0) {
		fail(copy, (int)copied);
		return 0;
	}
	if (copied == 0) {
		finish(copy);
		return 0;
	}
	copy->file_bytes += (uint64_t)copied;
	copy->progress.bytes += (uint64_t)copied;
	space = upload_check_space(copy->write_dir_fd, copy->write_rights);
	if (is_too_large(copy, copy->file_bytes)) {
		fail(copy, -EFBIG); /* it grows while it is copied */
	} else if (space != IPC_OK) {
		copy_file_drop(copy);
		copy_note(copy, space);
	}
	return (size_t)copied;
}
