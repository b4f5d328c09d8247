/*
 * memory_file: bytes handed to another program in a file that nobody can change any more.
 * Runs in: master, deftpd-auth.
 */
#include "common/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

static int
write_all(int fd, const uint8_t *bytes, size_t len)
{
	off_t at = 0;

	while (len > 0) {
		ssize_t written = pwrite(fd, bytes, len, at);

		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written <= 0) {
			return written < 0 ? -errno : -EIO;
		}
		bytes += written;
		at += written;
		len -= (size_t)written;
	}
	return 0;
}

int
memory_file_make(const char *name, const void *bytes, size_t len, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result;

	if (fd < 0) {
		return -errno;
	}
	result = write_all(fd, bytes, len);
	if (result == 0 &&
	    fcntl(fd, F_ADD_SEALS,
	          F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
		result = -errno;
	}
	if (result != 0) {
		fd_close(&fd);
		return result;
	}
	*ret_fd = fd;
	return 0;
}
