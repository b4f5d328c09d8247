/*
 * clone: the content of one file into another, by the kernel where it can.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/clone.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base.h"

enum {
	PIECE = 64 * 1024, /* read and written at a time where the kernel cannot copy */
};

bool
clone_share(int from_fd, int to_fd)
{
	return ioctl(to_fd, FICLONE, from_fd) == 0;
}

static ssize_t
copy_piece(int from_fd, int to_fd)
{
	uint8_t piece[PIECE];
	ssize_t got = read(from_fd, piece, sizeof(piece));
	size_t done = 0;

	if (got < 0) {
		return -errno;
	}
	while (done < (size_t)got) {
		ssize_t written = write(to_fd, piece + done, (size_t)got - done);

		if (written < 0) {
			return -errno;
		}
		done += (size_t)written;
	}
	return got;
}

ssize_t
clone_some(int from_fd, int to_fd, size_t max)
{
	ssize_t copied = copy_file_range(from_fd, NULL, to_fd, NULL, max, 0);
	int error = errno;
	uint8_t next;

	if (copied > 0) {
		return copied;
	}
	/*
	 * Files of /proc and the like say that they are empty: only reading tells. What
	 * is not wrong with the files, but with copying them so, ends there, too.
	 */
	if (copied == 0 || error == EXDEV || error == EINVAL || error == ENOSYS ||
	    error == EOPNOTSUPP || error == EPERM || error == EBADF) {
		return copy_piece(from_fd, to_fd);
	}
	if (error == EFBIG && read(from_fd, &next, 1) == 0) {
		return 0; /* as large as a file may be, and no larger */
	}
	return -error;
}
