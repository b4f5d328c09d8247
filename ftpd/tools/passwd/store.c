/*
 * store: the password file itself.
 * Runs in: deftp-passwd.
 */
#include "ftpd/tools/passwd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/passwd_file.h"
#include "common/secret.h"
#include "ftpd/tools/passwd/request.h"
#include "common/base.h"

enum {
	LOCK_POLL_MS = 10,
	MODE_NEW = 0600,
	MODE_BITS = 0777,
	ACL_MAX = 4096,
};

static const char acl_name[] = "system.posix_acl_access";

/* What passwd_file_check() found, for a person. */
static void
complain_of_file(const struct store *store, int error)
{
	struct stat file;

	if (error == -EINVAL) {
		complain("%s is no regular file", store->path);
	} else if (error != -EPERM) {
		complain("%s: %s", store->path, strerror(-error));
	} else if (fstat(store->file_fd, &file) == 0 &&
	           (file.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
		complain("%s may be written by others or read by everybody, so it is not "
		         "believed; look it through, then: chmod 640 %s",
		         store->path, store->path);
	} else {
		complain(
		    "%s belongs neither to root nor to you, so it is not believed; look "
		    "it through, then: chown root %s",
		    store->path, store->path);
	}
}

/* Ours, empty, and behind no link that somebody else has put there. */
static bool
is_lock_file(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size == 0 &&
	       (file.st_uid == 0 || file.st_uid == geteuid());
}

/* Is what we have locked still what others would lock? */
static bool
is_at(int fd, const char *path)
{
	struct stat ours;
	struct stat theirs;

	return fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Returns: 0; -EAGAIN: somebody else has it; another negative errno. */
static int
try_lock(const char *path, int *ret_fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	if (!is_lock_file(fd)) {
		error = -EEXIST;
	} else if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		error = errno == EACCES ? -EAGAIN : -errno;
	} else if (!is_at(fd, path)) {
		error = -EAGAIN;
	}
	if (error < 0) {
		fd_close(&fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

static bool
lock(struct store *store)
{
	const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
	int error = -EAGAIN;

	for (int waited = 0; waited < STORE_LOCK_WAIT_MS; waited += LOCK_POLL_MS) {
		error = try_lock(store->lock_path, &store->lock_fd);
		if (error != -EAGAIN) {
			break;
		}
		(void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
	}
	if (error == -EAGAIN) {
		complain(
		    "%s is being changed by another deftp-passwd; try again when it has "
		    "ended",
		    store->path);
	} else if (error < 0) {
		complain("%s cannot be locked: %s", store->lock_path, strerror(-error));
	}
	return error == 0;
}

/* DIRECTORY/PREFIX NAME SUFFIX, of the path DIRECTORY/NAME. */
static char *
path_beside(const char *path, const char *prefix, const char *suffix)
{
	const char *slash = strrchr(path, '/');
	int directory_len = slash != NULL ? (int)(slash - path) + 1 : 0;
	char *beside = NULL;

	if (asprintf(&beside, "%.*s%s%s%s", directory_len, path, prefix,
	             path + directory_len, suffix) < 0) {
		return NULL;
	}
	return beside;
}

/* A link is followed once, so that it is not replaced by the file. */
static bool
make_paths(struct store *store, const char *path, enum store_mode mode)
{
	store->path = realpath(path, NULL);
	if (store->path == NULL && errno == ENOENT && mode == STORE_CREATE) {
		store->path = strdup(path);
	}
	if (store->path == NULL) {
		complain("%s: %s%s", path, strerror(errno),
		         errno == ENOENT ? "; deftp-passwd add makes it" : "");
		return false;
	}
	if (mode == STORE_READ) {
		return true;
	}
	store->lock_path = path_beside(store->path, "", ".lock");
	store->new_path = path_beside(store->path, ".", ".deftp-passwd");
	if (store->lock_path == NULL || store->new_path == NULL) {
		complain("there is no memory");
		return false;
	}
	return true;
}

/* Returns: 0 or negative errno. */
static int
read_text(struct store *store, size_t size)
{
	/* One byte more, so that a file that has grown is noticed. */
	store->cap = size + 1;
	store->text = secret_alloc(store->cap);
	if (store->text == NULL) {
		return -ENOMEM;
	}
	while (store->len < store->cap) {
		ssize_t n = read(store->file_fd, store->text + store->len,
		                 store->cap - store->len);

		if (n == 0) {
			return 0;
		}
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		store->len += n > 0 ? (size_t)n : 0;
	}
	return -EBUSY;
}

static bool
read_file(struct store *store)
{
	struct stat file;
	int error = passwd_file_check(store->file_fd);

	if (error < 0) {
		complain_of_file(store, error);
		return false;
	}
	if (fstat(store->file_fd, &file) != 0 || file.st_size > STORE_SIZE_MAX) {
		complain("%s is larger than 64 MiB", store->path);
		return false;
	}
	error = read_text(store, (size_t)file.st_size);
	if (error < 0) {
		complain("%s cannot be read: %s", store->path, strerror(-error));
	}
	return error == 0;
}

/* Returns: false if it is there and cannot be used, or is not there and must be. */
static bool
open_file(struct store *store, enum store_mode mode)
{
	store->file_fd =
	    open(store->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (store->file_fd >= 0) {
		return read_file(store);
	}
	if (errno == ENOENT && mode == STORE_CREATE) {
		store->text = secret_alloc(1);
		store->cap = 1;
		return store->text != NULL;
	}
	complain("%s: %s", store->path, strerror(errno));
	return false;
}

bool
store_open(const char *path, enum store_mode mode, struct store *ret_store)
{
	struct store store = {.file_fd = -1, .lock_fd = -1};

	if (!make_paths(&store, path, mode) || (mode != STORE_READ && !lock(&store)) ||
	    !open_file(&store, mode)) {
		store_close(&store);
		return false;
	}
	*ret_store = store;
	return true;
}

/* Its mask would pass for the group's rights if the list were lost. */
static int
copy_acl(int from_fd, int to_fd)
{
	uint8_t acl[ACL_MAX];
	ssize_t len = fgetxattr(from_fd, acl_name, acl, sizeof(acl));

	if (len < 0) {
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
	}
	return fsetxattr(to_fd, acl_name, acl, (size_t)len, 0) == 0 ? 0 : -errno;
}

static int
copy_attributes(int from_fd, int to_fd)
{
	struct stat file;

	if (from_fd < 0) {
		return fchmod(to_fd, MODE_NEW) == 0 ? 0 : -errno;
	}
	if (fstat(from_fd, &file) != 0) {
		return -errno;
	}
	/* Only then the mode, as it is the group's that it speaks of. */
	if (fchown(to_fd, file.st_uid, file.st_gid) != 0 ||
	    fchmod(to_fd, file.st_mode & MODE_BITS) != 0) {
		return -errno;
	}
	return copy_acl(from_fd, to_fd);
}

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The new file beside the old one, whole and on disk. Returns: 0 or negative errno. */
static int
write_new(struct store *store, const char *text, size_t len)
{
	int error;
	int fd;

	/* Left by a writer that was killed; we have the lock. */
	if (unlink(store->new_path) != 0 && errno != ENOENT) {
		return -errno;
	}
	fd = open(store->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	          0600);
	if (fd < 0) {
		return -errno;
	}
	error = write_all(fd, text, len);
	if (error == 0) {
		error = copy_attributes(store->file_fd, fd);
	}
	if (error == 0 && fsync(fd) != 0) {
		error = -errno;
	}
	if (close(fd) != 0 && error == 0) {
		error = -errno;
	}
	return error;
}

static int
sync_directory(const char *path)
{
	char *directory = path_beside(path, "", "");
	char *slash = directory != NULL ? strrchr(directory, '/') : NULL;
	int error = 0;
	int fd;

	if (directory == NULL) {
		return -ENOMEM;
	}
	if (slash != NULL) {
		slash[1] = '\0';
	}
	fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		error = -errno;
	}
	fd_close(&fd);
	free(directory);
	return error;
}

bool
store_write(struct store *store, const char *text, size_t len)
{
	sigset_t signals;
	sigset_t before;
	int error;

	/* Ctrl-C in these milliseconds waits, rather than leave the new file about. */
	(void)sigfillset(&signals);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	error = write_new(store, text, len);
	if (error == 0 && rename(store->new_path, store->path) != 0) {
		error = -errno;
	}
	if (error < 0) {
		(void)unlink(store->new_path); /* the next writer does it otherwise */
		complain("%s cannot be written and is as it was: %s", store->path,
		         strerror(-error));
	} else {
		error = sync_directory(store->path);
		if (error < 0) {
			complain(
			    "%s is written, but may be lost if the machine fails now: %s",
			    store->path, strerror(-error));
		}
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

void
store_close(struct store *store)
{
	/* While it is locked: nobody else can have made it anew. */
	if (store->lock_fd >= 0) {
		(void)unlink(store->lock_path); /* left over, it does no harm */
	}
	fd_close(&store->lock_fd);
	fd_close(&store->file_fd);
	secret_free(store->text, store->cap);
	free(store->path);
	free(store->lock_path);
	free(store->new_path);
}
