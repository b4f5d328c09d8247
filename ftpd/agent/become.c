/*
 * become: from the process that the master started to one that is the user, confined to
 * the root directory.
 * Runs in: deftpd-agent, once, before the first question.
 */
#include "ftpd/agent/become.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/privilege.h"
#include "common/sandbox.h"
#include "ftpd/agent/rulebook.h"
#include "ftpd/agent/sandbox.h"
#include "common/base.h"

/* A walk over a path whose rest changes when a link is met. */
struct walk {
	int fd; /* where we are */
	unsigned links;
	size_t rest_at;
	char rest[2 * IPC_PATH_MAX + 2];
};

/*
 * Put the target of the link before the rest of the path; an absolute target starts anew
 * at "/".
 */
static int
follow_link(struct walk *walk, int link_fd, const struct stat *info)
{
	char target[IPC_PATH_MAX + 1];
	ssize_t len = readlinkat(link_fd, "", target, sizeof(target));
	size_t rest_len = strlen(walk->rest + walk->rest_at);

	if (len < 0) {
		return -errno;
	}
	if (info->st_uid != 0 && info->st_uid != geteuid()) {
		return -EPERM;
	}
	if (++walk->links > BECOME_MAX_LINKS ||
	    (size_t)len + 1 + rest_len + 1 > sizeof(walk->rest)) {
		return -ELOOP;
	}
	memmove(walk->rest + (size_t)len + 1, walk->rest + walk->rest_at, rest_len + 1);
	memcpy(walk->rest, target, (size_t)len);
	walk->rest[len] = '/';
	walk->rest_at = 0;
	if (target[0] == '/') {
		fd_close(&walk->fd);
		walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return walk->fd >= 0 ? 0 : -errno;
}

/* As root, nobody else may be able to exchange what we are about to pass. */
static int
check_parent(int fd)
{
	struct stat info;

	if (fstat(fd, &info) != 0) {
		return -errno;
	}
	if (privilege_is_root() && (info.st_mode & S_IWOTH) != 0 &&
	    (info.st_mode & S_ISVTX) == 0) {
		return -EPERM;
	}
	return 0;
}

static int
walk_step(struct walk *walk, const char *name)
{
	struct stat info;
	int result = check_parent(walk->fd);
	int fd;

	if (result != 0) {
		return result;
	}
	fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &info) != 0) {
		result = -errno;
	} else if (S_ISLNK(info.st_mode)) {
		result = follow_link(walk, fd, &info);
	} else if (!S_ISDIR(info.st_mode)) {
		result = -ENOTDIR;
	} else {
		fd_close(&walk->fd);
		walk->fd = fd;
		return 0;
	}
	fd_close(&fd);
	return result;
}

int
become_open_root(const char *path)
{
	struct walk walk = {.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	size_t path_len = strlen(path);
	int result = walk.fd >= 0 ? 0 : -errno;

	if (path_len > IPC_PATH_MAX) {
		result = -ENAMETOOLONG;
	} else {
		memcpy(walk.rest, path, path_len + 1);
	}
	while (result == 0) {
		char name[NAME_MAX + 1];
		const char *start = walk.rest + walk.rest_at;
		size_t len;

		start += strspn(start, "/");
		len = strcspn(start, "/");
		if (len == 0) {
			return walk.fd;
		}
		if (len > NAME_MAX) {
			result = -ENAMETOOLONG;
			break;
		}
		memcpy(name, start, len);
		name[len] = '\0';
		walk.rest_at = (size_t)(start - walk.rest) + len;
		result = walk_step(&walk, name);
	}
	fd_close(&walk.fd);
	return result;
}

/* No limit may be raised above what we were given. */
static int
set_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
		return -errno;
	}
	return sandbox_limits(files.rlim_max < BECOME_MAX_FDS ? files.rlim_max
	                                                      : BECOME_MAX_FDS,
	                      BECOME_MAX_DATA, false);
}

static int
confine(int root_fd, const struct agent_start *start)
{
	bool may_write = rulebook_may_write(start);
	int abi;
	int result = sandbox_landlock(
	    root_fd, may_write ? SANDBOX_FILES_WRITE : SANDBOX_FILES_READ, &abi);

	return result != 0 ? result
	                   : agent_sandbox_enter(may_write, rulebook_largest_file(start));
}

enum agent_exit
become_user(const struct agent_start *start, int root_fd)
{
	struct identity identity = {.uid = start->uid, .gid = start->gid};
	gid_t *groups = calloc(start->group_count + 1, sizeof(*groups));
	int result = -ENOMEM;

	if (privilege_is_root() && privilege_enter_root(root_fd) != 0) {
		free(groups);
		return AGENT_EXIT_ROOT;
	}
	if (groups != NULL) {
		for (size_t i = 0; i < start->group_count; i++) {
			groups[i] = agent_start_group(start, i);
		}
		result = privilege_become_member(&identity, groups, start->group_count);
	}
	free(groups);
	return result == 0 ? AGENT_EXIT_DONE : AGENT_EXIT_BECOME;
}

enum agent_exit
become_confined(const struct agent_start *start, int root_fd)
{
	if (set_limits() != 0) {
		return AGENT_EXIT_SANDBOX;
	}
	if (start->has_sandbox && sandbox_is_built() && confine(root_fd, start) != 0) {
		return AGENT_EXIT_SANDBOX;
	}
	return AGENT_EXIT_DONE;
}
