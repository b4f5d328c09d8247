/*
 * resolve: from a client-visible path to a descriptor, beneath the root and nowhere else.
 * Runs in: deftpd-agent, as the user.
 */
#include "ftpd/agent/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

enum {
	PROC_ROOT_INODE = 1,
};

static int
open_by_kernel(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
	    .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
	    /* the kernel takes none for what it does not create */
	    .mode = (flags & O_CREAT) != 0 ? mode : 0,
	    .resolve = resolve,
	};
	long fd = -1;

	for (int i = 0; i < RESOLVE_TRIES; i++) {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
			break;
		}
	}
	return fd >= 0 ? (int)fd : -errno;
}

/*
 * Open one component. O_PATH with O_NOFOLLOW opens a link itself: that is refused here.
 */
static int
open_component(int dir_fd, const char *name, int flags, mode_t mode)
{
	struct stat info;
	int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0) {
		return -errno;
	}
	if ((flags & O_PATH) == 0 || (flags & O_DIRECTORY) != 0) {
		return fd; /* a link would have been ELOOP or ENOTDIR */
	}
	if (fstat(fd, &info) != 0 || S_ISLNK(info.st_mode)) {
		fd_close(&fd);
		return -ELOOP;
	}
	return fd;
}

/*
 * Cut the next component off a path.
 * Returns: its length, 0 at the end; *path then points behind it and its slashes.
 */
static size_t
take_component(const char **path, char name[NAME_MAX + 1])
{
	const char *start = *path + strspn(*path, "/");
	size_t len = strcspn(start, "/");

	*path = start + len + strspn(start + len, "/");
	if (len <= NAME_MAX) {
		memcpy(name, start, len);
		name[len] = '\0';
	}
	return len;
}

/*
 * The fallback: no link is followed and ".." is nowhere to be found, so no step can lead
 * out.
 */
static int
open_by_walk(int dir_fd, const char *path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	size_t len = take_component(&path, name);
	int at_fd = dir_fd;

	if (len == 0) {
		return open_component(dir_fd, ".", flags, mode);
	}
	for (;;) {
		bool is_last = *path == '\0';
		int next_fd = -ENAMETOOLONG;

		if (len <= NAME_MAX) {
			next_fd = strcmp(name, "..") == 0 ? -EACCES
			          : is_last ? open_component(at_fd, name, flags, mode)
			                    : open_component(at_fd, name,
			                                     O_PATH | O_DIRECTORY, 0);
		}
		if (at_fd != dir_fd) {
			fd_close(&at_fd);
		}
		if (next_fd < 0 || is_last) {
			return next_fd;
		}
		at_fd = next_fd;
		len = take_component(&path, name);
	}
}

/* The first directory of procfs has a number that no other file system's has there. */
static dev_t
find_proc(const struct resolver *resolver)
{
	int fd = resolve_open(resolver, "/proc", O_PATH | O_DIRECTORY);
	struct stat info;
	dev_t device = 0;

	if (fd >= 0 && fstat(fd, &info) == 0 && info.st_ino == PROC_ROOT_INODE) {
		device = info.st_dev;
	}
	fd_close(&fd);
	return device;
}

void
resolver_init(struct resolver *resolver, int root_fd)
{
	int fd = open_by_kernel(root_fd, "/", O_PATH | O_DIRECTORY, 0,
	                        RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	resolver->root_fd = root_fd;
	resolver->has_openat2 = fd >= 0;
	resolver->proc_device = find_proc(resolver);
	fd_close(&fd);
}

int
resolve_open(const struct resolver *resolver, const char *path, int flags)
{
	return resolve_create(resolver, path, flags, 0);
}

int
resolve_create(const struct resolver *resolver, const char *path, int flags, mode_t mode)
{
	if (!resolver->has_openat2) {
		return open_by_walk(resolver->root_fd, path, flags, mode);
	}
	return open_by_kernel(resolver->root_fd, path, flags, mode,
	                      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int
resolve_below(const struct resolver *resolver, int dir_fd, const char *path, int flags)
{
	if (!resolver->has_openat2) {
		return open_by_walk(dir_fd, path, flags, 0);
	}
	return open_by_kernel(dir_fd, path, flags, 0,
	                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}
