/*
 * copy: one copy of a file or a tree on its way.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/agent/copy_job.h"
#include "ftpd/agent/link_target.h"
#include "common/base.h"

enum {
	MODE_IS_RIGHT = 07777,
	OWNER_ALL = 0700, /* or nothing could be put into the copy of a directory */
};

int
copy_pipe(const struct copy *copy)
{
	return copy->pipe_fd;
}

void
copy_cancel(struct copy *copy)
{
	copy_file_drop(copy);
	copy->is_done = true;
}

/* Leave the innermost directory; the copy gets the permission bits of the original. */
static void
leave_directory(struct copy *copy)
{
	struct copy_level *level = &copy->levels[--copy->depth];

	if (level->mode != MODE_IS_RIGHT) {
		/* it is more open, to its owner */
		(void)fchmod(level->to_fd, level->mode);
	}
	fd_close(&level->from_fd);
	fd_close(&level->to_fd);
}

void
copy_close(struct copy *copy)
{
	copy_file_drop(copy);
	while (copy->depth > 0) {
		leave_directory(copy);
	}
	fd_close(&copy->pipe_fd);
	place_close(&copy->from);
	place_close(&copy->to);
	/* it was mapped with this length */
	(void)munmap(copy, copy->mapping_bytes);
}

/*
 * Make a directory and open it.
 * Returns: the descriptor, or negative errno.
 */
static int
make_directory(int dir_fd, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(dir_fd, name, (mode & AGENT_MODE_MAX) | OWNER_ALL) != 0) {
		return -errno;
	}
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

/* Both directories are open: their rules say whether it goes on. */
static int
check_rights(struct copy *copy, struct copy_level *level)
{
	const struct agent_rights *from_rights = NULL;
	int result = rulebook_rights(copy->book, level->from_fd, &from_rights);

	if (result == 0) {
		result = rulebook_rights(copy->book, level->to_fd, &level->rights);
	}
	if (result == 0 &&
	    (from_rights->is_dropbox || !policy_may_change(level->rights))) {
		result = -EACCES;
	}
	return result;
}

static void
enter_directory(struct copy *copy, int from_dir_fd, const char *name, int to_dir_fd,
                const char *to_name)
{
	char *bytes = (char *)(copy + 1) + copy->depth * COPY_DENTS_BYTES;
	struct copy_level level = {.to_fd = -1,
	                           .mode = MODE_IS_RIGHT,
	                           .dents = {.bytes = bytes, .cap = COPY_DENTS_BYTES}};
	struct stat info = {0};
	struct stat made = {0};
	int result = 0;

	if (copy->depth == COPY_DEPTH_MAX) {
		copy_note(copy, IPC_BUSY);
		return;
	}
	level.from_fd =
	    openat(from_dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (level.from_fd < 0 || fstat(level.from_fd, &info) != 0) {
		result = -errno;
	} else if (info.st_dev == copy->made_device && info.st_ino == copy->made_inode) {
		result = -EINVAL; /* moved there while it is copied */
	}
	if (result == 0) {
		level.to_fd = make_directory(to_dir_fd, to_name, info.st_mode);
		result = level.to_fd >= 0 ? check_rights(copy, &level) : level.to_fd;
	}
	if (result == 0 && fstat(level.to_fd, &made) != 0) {
		result = -errno;
	}
	if (result != 0) {
		if (level.to_fd >= 0) {
			/* made for nothing; what somebody has put there stays */
			(void)unlinkat(to_dir_fd, to_name, AT_REMOVEDIR);
		}
		fd_close(&level.from_fd);
		fd_close(&level.to_fd);
		copy_note(copy, ipc_result_from_errno(result));
		return;
	}
	if ((info.st_mode & OWNER_ALL) != OWNER_ALL) {
		level.mode = made.st_mode & info.st_mode & AGENT_MODE_MAX;
	}
	if (copy->depth == 0) {
		copy->made_device = made.st_dev;
		copy->made_inode = made.st_ino;
	}
	copy->levels[copy->depth++] = level;
}

static int
copy_link(struct copy *copy, int from_dir_fd, const char *name, int to_dir_fd,
          const char *to_name)
{
	char target[IPC_PATH_MAX];
	char text[IPC_PATH_MAX];
	ssize_t len = readlinkat(from_dir_fd, name, target, sizeof(target));
	int depth;

	if (len < 0) {
		return -errno;
	}
	depth = rulebook_depth(copy->book, to_dir_fd);
	if (depth < 0) {
		return depth;
	}
	if (!link_target_write((unsigned)depth, target, (size_t)len, text)) {
		return -EACCES;
	}
	if (symlinkat(text, to_dir_fd, to_name) != 0) {
		return -errno;
	}
	copy->progress.files++;
	return 0;
}

static void
copy_entry(struct copy *copy, int from_dir_fd, const char *name, int to_dir_fd,
           const char *to_name)
{
	struct stat info;
	int result = 0;

	if (fstatat(from_dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		result = -errno;
	} else if (S_ISDIR(info.st_mode)) {
		enter_directory(copy, from_dir_fd, name, to_dir_fd, to_name);
	} else if (S_ISREG(info.st_mode)) {
		copy_file_begin(copy, from_dir_fd, name, to_dir_fd, to_name);
	} else if (S_ISLNK(info.st_mode)) {
		result = copy_link(copy, from_dir_fd, name, to_dir_fd, to_name);
	} else {
		result = -ENXIO;
	}
	if (result != 0) {
		copy_note(copy, ipc_result_from_errno(result));
	}
}

/* One name of the innermost directory, or the end of it. */
static void
step(struct copy *copy)
{
	struct copy_level *level = &copy->levels[copy->depth - 1];
	struct dents_name name;

	if (level->dents.at == level->dents.len) {
		dents_clear(&level->dents);
		if (!level->dents.is_at_end) {
			(void)dents_read(&level->dents, level->from_fd);
		}
		if (level->dents.len == 0) {
			leave_directory(copy);
			copy->is_done = copy->is_done || copy->depth == 0;
		}
		return;
	}
	level->dents.at = dents_name_at(&level->dents, level->dents.at, &name);
	if (!dents_is_dots(&name)) {
		copy->write_rights = level->rights;
		rulebook_set_umask(copy->book, level->rights);
		copy_entry(copy, level->from_fd, name.text, level->to_fd, name.text);
	}
}

/*
 * Write the progress, from time to time, and at the end.
 * Returns: COPY_GOES_ON; COPY_WAITS; COPY_ENDED.
 */
static enum copy_progress
tell(struct copy *copy)
{
	uint64_t now_ms = clock_monotonic_ms();
	ssize_t written;

	if (!copy->is_done && now_ms - copy->told_ms < COPY_TELL_MS) {
		return COPY_GOES_ON;
	}
	copy->told_ms = now_ms;
	copy->progress.is_done = copy->is_done ? 1 : 0;
	written = write(copy->pipe_fd, &copy->progress, sizeof(copy->progress));
	if (written < 0 && errno != EAGAIN) {
		return COPY_ENDED;
	}
	if (!copy->is_done) {
		return COPY_GOES_ON; /* who does not read misses some progress only */
	}
	return written < 0 ? COPY_WAITS : COPY_ENDED;
}

static void
work(struct copy *copy)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < COPY_TURN_NAMES && !copy->is_done; i++) {
		if (copy->read_fd >= 0) {
			bytes += copy_file_some(copy);
		} else if (copy->depth > 0) {
			step(copy);
		} else {
			copy->is_done = true; /* it was one file, or a link */
		}
		if (bytes >= COPY_TURN_BYTES) {
			return;
		}
	}
}

enum copy_progress
copy_turn(struct copy *copy)
{
	if (!copy->is_done) {
		work(copy);
	}
	return tell(copy);
}

/*
 * Ask whether a directory is to be copied into itself, and whether the new name is free.
 */
static enum ipc_result
check(const struct rulebook *book, const struct place *from, const struct place *to)
{
	struct stat info;

	if (from->is_directory || to->is_directory) {
		return to->is_directory ? IPC_EXISTS : IPC_BAD_NAME;
	}
	if (fstatat(from->dir_fd, from->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		return ipc_result_from_errno(-errno);
	}
	if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode)) {
		return IPC_NOT_A_FILE;
	}
	if (S_ISDIR(info.st_mode) && rulebook_is_within(book, to->dir_fd, &info)) {
		return IPC_BAD_NAME;
	}
	if (fstatat(to->dir_fd, to->name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
		return IPC_EXISTS;
	}
	return errno == ENOENT         ? IPC_OK
	       : errno == ENAMETOOLONG ? IPC_BAD_NAME
	                               : ipc_result_from_errno(-errno);
}

static struct copy *
make_copy(void)
{
	size_t bytes = sizeof(struct copy) + COPY_DEPTH_MAX * (size_t)COPY_DENTS_BYTES;
	void *room =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct copy *copy = room;

	if (room == MAP_FAILED) {
		return NULL;
	}
	copy->mapping_bytes = bytes;
	copy->read_fd = -1;
	return copy;
}

enum ipc_result
copy_open(struct rulebook *book, struct place *from, struct place *to,
          struct copy **ret_copy, int *ret_read_fd)
{
	enum ipc_result result = check(book, from, to);
	struct copy *copy;
	int pipe_fds[2];

	if (result != IPC_OK) {
		return result;
	}
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		return IPC_LOCAL_ERROR;
	}
	copy = make_copy();
	if (copy == NULL) {
		fd_close(&pipe_fds[0]);
		fd_close(&pipe_fds[1]);
		return IPC_LOCAL_ERROR;
	}
	copy->book = book;
	copy->pipe_fd = pipe_fds[1];
	copy->told_ms = clock_monotonic_ms();
	copy->from = *from;
	copy->to = *to;
	from->dir_fd = -1;
	to->dir_fd = -1;
	copy->write_rights = to->rights;
	copy_entry(copy, copy->from.dir_fd, copy->from.name, copy->to.dir_fd,
	           copy->to.name);
	if (copy->progress.result != IPC_OK) {
		result = (enum ipc_result)copy->progress.result;
		fd_close(&pipe_fds[0]);
		copy_close(copy);
		return result;
	}
	*ret_copy = copy;
	*ret_read_fd = pipe_fds[0];
	return IPC_OK;
}
