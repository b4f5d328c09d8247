/*
 * fsops: the questions about one path: open it for reading, tell what it is, count it.
 * Runs in: deftpd-agent, as the user.
 */
#include "ftpd/agent/fsops.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/proto/ascii.h"
#include "common/base.h"

enum {
	COUNT_PIECE = 64 * 1024, /* bytes read at a time for SIZE in TYPE A */
};

/*
 * Ask the kernel, which knows access control lists and read-only mounts. glibc would
 * emulate flags: go to the kernel itself.
 */
static bool
may_access(int fd, int mode)
{
	return syscall(SYS_faccessat2, fd, "", mode, AT_EMPTY_PATH) == 0;
}

void
fsops_describe(const struct stat *info, struct agent_answer *answer)
{
	answer->result = IPC_OK;
	answer->kind = S_ISREG(info->st_mode)   ? AGENT_KIND_FILE
	               : S_ISDIR(info->st_mode) ? AGENT_KIND_DIRECTORY
	                                        : AGENT_KIND_OTHER;
	answer->mode = info->st_mode & 07777;
	answer->size_bytes = (uint64_t)info->st_size;
	answer->mtime_s = info->st_mtim.tv_sec;
	answer->inode = info->st_ino;
	answer->device = info->st_dev;
}

/*
 * The last look at a descriptor before it may cross to the worker. How it is open needs
 * no look: the flags are a constant.
 */
static enum ipc_result
check_file(int fd, struct stat *ret_info)
{
	if (fstat(fd, ret_info) != 0) {
		return IPC_LOCAL_ERROR;
	}
	return S_ISREG(ret_info->st_mode) ? IPC_OK : IPC_NOT_A_FILE;
}

int
fsops_open_read(const struct place *place, struct agent_answer *answer)
{
	/*
	 * O_NONBLOCK: a FIFO without a writer does not hold us up; O_NOCTTY: nor does a
	 * terminal become ours. It may stay set, as it means nothing to a plain file.
	 */
	int fd = place_open(place, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat info;

	if (fd < 0) {
		answer->result = ipc_result_from_errno(fd);
		return -1;
	}
	answer->result = check_file(fd, &info);
	if (answer->result != IPC_OK) {
		fd_close(&fd);
		return -1;
	}
	fsops_describe(&info, answer);
	answer->is_readable = true;
	return fd;
}

/* What is open by O_PATH, and what this user may do with it. */
static void
describe_open(int fd, const struct place *place, struct agent_answer *answer)
{
	bool may_change = policy_may_change(place->rights);
	struct stat info;

	if (fstat(fd, &info) != 0) {
		answer->result = ipc_result_from_errno(-errno);
		return;
	}
	fsops_describe(&info, answer);
	if (S_ISLNK(info.st_mode)) {
		return;
	}
	answer->is_readable = may_access(fd, R_OK);
	answer->is_searchable = S_ISDIR(info.st_mode) && may_access(fd, X_OK);
	answer->is_writable =
	    may_change && may_access(fd, S_ISDIR(info.st_mode) ? W_OK | X_OK : W_OK);
}

void
fsops_stat(const struct place *place, struct agent_answer *answer)
{
	int fd = place_open(place, O_PATH, 0);

	if (fd < 0) {
		answer->result = ipc_result_from_errno(fd);
		return;
	}
	describe_open(fd, place, answer);
	fd_close(&fd);
}

bool
fsops_is_removable(struct rulebook *book, const struct place *entry,
                   const struct stat *info)
{
	struct stat directory;

	if (entry->is_directory || !policy_may_change(entry->rights) ||
	    rulebook_rule_of(book, info) != NULL ||
	    !may_access(entry->dir_fd, W_OK | X_OK)) {
		return false;
	}
	if (fstat(entry->dir_fd, &directory) != 0) {
		return false;
	}
	return (directory.st_mode & S_ISVTX) == 0 || info->st_uid == geteuid() ||
	       directory.st_uid == geteuid();
}

void
fsops_stat_link(struct rulebook *book, const struct place *place,
                struct agent_answer *answer)
{
	struct stat info;

	fsops_stat(place, answer);
	if (answer->result == IPC_OK && !place->is_directory &&
	    fstatat(place->dir_fd, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
		answer->is_removable = fsops_is_removable(book, place, &info);
	}
}

void
fsops_check_dir(const struct place *place, struct agent_answer *answer)
{
	struct agent_answer found = *answer;

	fsops_stat(place, &found);
	if (found.result == IPC_OK && found.kind != AGENT_KIND_DIRECTORY) {
		answer->result = IPC_NOT_A_DIRECTORY;
	} else if (found.result == IPC_OK && !found.is_searchable) {
		answer->result = IPC_DENIED;
	} else {
		*answer = found;
	}
}

/*
 * Count to the end of the file, which may grow meanwhile, but never beyond what may be
 * read for one question.
 * Returns: IPC_OK and *ret_count; IPC_BUSY when there is more; IPC_LOCAL_ERROR.
 */
static enum ipc_result
count_octets(int fd, uint64_t *ret_count)
{
	uint8_t piece[COUNT_PIECE];
	struct ascii ascii = {0};
	uint64_t count = 0;
	size_t total = 0;

	for (;;) {
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got < 0) {
			return ipc_result_from_errno(-errno);
		}
		if (got == 0) {
			*ret_count = count;
			return IPC_OK;
		}
		total += (size_t)got;
		if (total > AGENT_COUNT_MAX) {
			return IPC_BUSY;
		}
		count += ascii_count(&ascii, piece, (size_t)got);
	}
}

void
fsops_count_ascii(const struct place *place, struct agent_answer *answer)
{
	uint64_t count = 0;
	int fd = fsops_open_read(place, answer);
	enum ipc_result result;

	if (fd < 0) {
		return;
	}
	result =
	    answer->size_bytes > AGENT_COUNT_MAX ? IPC_BUSY : count_octets(fd, &count);
	fd_close(&fd);
	if (result != IPC_OK) {
		*answer = (struct agent_answer){.result = result};
		return;
	}
	answer->size_bytes = count;
}
