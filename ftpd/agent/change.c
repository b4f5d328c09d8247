/*
 * change: the questions that make, remove, rename and alter what is at a place.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/fsops.h"
#include "ftpd/agent/link_target.h"
#include "ftpd/agent/stage.h"
#include "common/base.h"

enum {
	MAKE_DIR_MODE = 0777,
	/* since Linux 6.6; the C library of Debian 12 does not name it */
	CALL_FCHMODAT2 = 452,
};

/* In a change, a name that is too long is not something that was not found. */
static enum ipc_result
result_of(int call_result)
{
	if (call_result == 0) {
		return IPC_OK;
	}
	return errno == ENAMETOOLONG ? IPC_BAD_NAME : ipc_result_from_errno(-errno);
}

void
change_make_dir(const struct place *place, struct agent_answer *answer)
{
	answer->result =
	    place->is_directory
		? IPC_EXISTS
		: result_of(mkdirat(place->dir_fd, place->name, MAKE_DIR_MODE));
}

/* A directory with rules of its own stays where it is. */
static bool
is_ruled(struct rulebook *book, const struct place *place)
{
	struct stat info;

	return book->rule_count != 0 &&
	       fstatat(place->dir_fd, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       rulebook_rule_of(book, &info) != NULL;
}

void
change_remove_dir(struct rulebook *book, const struct place *place,
                  struct agent_answer *answer)
{
	if (place->is_directory) {
		answer->result = IPC_BAD_NAME;
	} else if (is_ruled(book, place)) {
		answer->result = IPC_DENIED;
	} else {
		answer->result =
		    result_of(unlinkat(place->dir_fd, place->name, AT_REMOVEDIR));
	}
}

void
change_remove_file(const struct place *place, struct agent_answer *answer)
{
	bool had_part;

	if (place->is_directory) {
		answer->result = IPC_NOT_A_FILE;
		return;
	}
	had_part = place->rights->mode != AGENT_UPLOAD_DIRECT &&
	           stage_discard_part(place->dir_fd, place->name);
	answer->result = result_of(unlinkat(place->dir_fd, place->name, 0));
	if (answer->result == IPC_NOT_FOUND && had_part) {
		answer->result = IPC_OK;
	}
}

void
change_rename(struct rulebook *book, const struct place *from, const struct place *to,
              struct agent_answer *answer)
{
	if (from->is_directory || to->is_directory) {
		answer->result = IPC_BAD_NAME;
	} else if (is_ruled(book, from) || is_ruled(book, to)) {
		answer->result = IPC_DENIED;
	} else {
		answer->result = result_of(
		    renameat2(from->dir_fd, from->name, to->dir_fd, to->name, 0));
	}
}

void
change_set_time(const struct place *place, int64_t time_s, struct agent_answer *answer)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time_s}};
	struct stat info;

	if (place->is_directory) {
		answer->result = IPC_BAD_NAME;
		return;
	}
	/* A link put there at this moment gets the time itself. */
	answer->result =
	    result_of(utimensat(place->dir_fd, place->name, times, AT_SYMLINK_NOFOLLOW));
	if (answer->result == IPC_OK &&
	    fstatat(place->dir_fd, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
		fsops_describe(&info, answer);
	}
}

/*
 * Without fchmodat2 a file is opened to be changed, so that no link is followed. A file
 * without any permission cannot be changed then.
 */
static int
change_mode_open(const struct place *place, mode_t mode)
{
	static const int ways[] = {O_RDONLY, O_WRONLY};
	int result = -1;

	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		int fd = place_open(place, ways[i] | O_NONBLOCK | O_NOCTTY, 0);

		if (fd >= 0) {
			result = fchmod(fd, mode);
			fd_close(&fd);
			return result;
		}
		errno = -fd;
	}
	return result;
}

void
change_set_mode(const struct place *place, uint32_t mode, struct agent_answer *answer)
{
	mode_t bits = mode & AGENT_MODE_MAX;
	struct stat info;
	int result;

	if (place->is_directory) {
		answer->result = IPC_BAD_NAME;
		return;
	}
	if (fstatat(place->dir_fd, place->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		answer->result = result_of(-1);
		return;
	}
	if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
		answer->result = IPC_NOT_A_FILE; /* opening it could do something */
		return;
	}
	result = (int)syscall(CALL_FCHMODAT2, place->dir_fd, place->name, bits,
	                      AT_SYMLINK_NOFOLLOW);
	if (result != 0 && errno == ENOSYS) {
		result = change_mode_open(place, bits);
	}
	answer->result = result_of(result);
}

void
change_set_umask(struct rulebook *book, const struct place *place, uint32_t mask,
                 struct agent_answer *answer)
{
	uint32_t configured = place->rights->umask;

	book->added_umask = mask & ~configured;
	answer->mode = mask | configured;
}

void
change_symlink(const struct rulebook *book, const struct place *place,
               const struct agent_question *question, struct agent_answer *answer)
{
	char text[IPC_PATH_MAX];
	int depth;

	if (place->is_directory) {
		answer->result = IPC_BAD_NAME;
		return;
	}
	depth = rulebook_depth(book, place->dir_fd);
	if (depth < 0) {
		answer->result = ipc_result_from_errno(depth);
	} else if (question->second_len == 0) {
		answer->result = IPC_BAD_NAME;
	} else if (!link_target_write((unsigned)depth, question->second,
	                              question->second_len, text)) {
		answer->result = IPC_DENIED;
	} else {
		answer->result = result_of(symlinkat(text, place->dir_fd, place->name));
	}
}
