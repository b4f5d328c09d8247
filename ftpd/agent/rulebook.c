/*
 * rulebook: which rights a directory has.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/rulebook.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

int
rulebook_init(struct rulebook *book, const struct resolver *resolver,
              const struct agent_start *start)
{
	struct stat root;

	if (fstat(resolver->root_fd, &root) != 0) {
		return -errno;
	}
	book->resolver = resolver;
	book->base = start->rights;
	book->may_write = rulebook_may_write(start);
	book->root_device = root.st_dev;
	book->root_inode = root.st_ino;
	book->added_umask = 0;
	book->umask = UINT32_MAX; /* not known */
	book->rule_count = start->rule_count;
	for (size_t i = 0; i < start->rule_count; i++) {
		const struct agent_rule *rule = &start->rules[i];

		book->rules[i] = (struct rulebook_rule){
		    .path = strndup(rule->directory, rule->directory_len),
		    .held_fd = -1,
		    .rights = rule->rights,
		};
		if (book->rules[i].path == NULL) {
			return -ENOMEM;
		}
	}
	/* Not later: a rule holds for the directory that is there from the start. */
	(void)rulebook_rule_of(book, &root);
	return 0;
}

bool
rulebook_may_write(const struct agent_start *start)
{
	bool may_write = start->rights.may_write;

	for (size_t i = 0; i < start->rule_count; i++) {
		may_write = may_write || start->rules[i].rights.may_write;
	}
	return may_write;
}

static uint64_t
largest_of(const struct agent_rights *rights)
{
	return rights->max_file_bytes == 0 ? UINT64_MAX : rights->max_file_bytes;
}

uint64_t
rulebook_largest_file(const struct agent_start *start)
{
	uint64_t largest = largest_of(&start->rights);

	for (size_t i = 0; i < start->rule_count; i++) {
		uint64_t other = largest_of(&start->rules[i].rights);

		largest = other > largest ? other : largest;
	}
	return largest;
}

/*
 * What is at the rule's path at this moment. The first directory found there is held for
 * good.
 */
static bool
is_at_path(struct rulebook *book, struct rulebook_rule *rule, const struct stat *info)
{
	struct stat found;
	bool is_same;
	int fd = resolve_open(book->resolver, rule->path, O_PATH | O_DIRECTORY);

	if (fd < 0) {
		return false;
	}
	if (fstat(fd, &found) != 0) {
		fd_close(&fd);
		return false;
	}
	is_same = found.st_dev == info->st_dev && found.st_ino == info->st_ino;
	if (rule->held_fd < 0) {
		rule->held_fd = fd;
		rule->device = found.st_dev;
		rule->inode = found.st_ino;
	} else {
		fd_close(&fd);
	}
	return is_same;
}

const struct agent_rights *
rulebook_rule_of(struct rulebook *book, const struct stat *info)
{
	const struct agent_rights *rights = NULL;

	if (!S_ISDIR(info->st_mode)) {
		return NULL;
	}
	for (size_t i = 0; i < book->rule_count; i++) {
		struct rulebook_rule *rule = &book->rules[i];

		/* All are looked at, so that all are held. */
		if (((rule->held_fd >= 0 && rule->device == info->st_dev &&
		      rule->inode == info->st_ino) ||
		     is_at_path(book, rule, info)) &&
		    rights == NULL) {
			rights = &rule->rights;
		}
	}
	return rights;
}

void
rulebook_set_umask(struct rulebook *book, const struct agent_rights *rights)
{
	uint32_t wanted = rights->umask | book->added_umask;

	if (wanted != book->umask) {
		(void)umask(wanted); /* cannot fail */
		book->umask = wanted;
	}
}

/* A walk from a directory up to the root. */
struct climb {
	int first_fd; /* the caller's */
	int fd;
	unsigned count;
	struct stat info;
};

static bool
is_root(const struct rulebook *book, const struct stat *info)
{
	return info->st_dev == book->root_device && info->st_ino == book->root_inode;
}

static void
climb_end(struct climb *climb)
{
	if (climb->fd != climb->first_fd) {
		fd_close(&climb->fd);
	}
}

static int
climb_begin(struct climb *climb, int dir_fd)
{
	*climb = (struct climb){.first_fd = dir_fd, .fd = dir_fd};
	return fstat(dir_fd, &climb->info) == 0 ? 0 : -errno;
}

/*
 * Go up one directory.
 * Returns: 0; -EACCES when this was "/" and we did not come by the root; other negative
 *          errno.
 */
static int
climb_up(struct climb *climb)
{
	struct stat above;
	int up_fd = openat(climb->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (up_fd < 0) {
		return -errno;
	}
	climb_end(climb);
	climb->fd = up_fd;
	if (fstat(up_fd, &above) != 0) {
		return -errno;
	}
	if (above.st_dev == climb->info.st_dev && above.st_ino == climb->info.st_ino) {
		return -EACCES;
	}
	climb->info = above;
	return ++climb->count <= RULEBOOK_DEPTH_MAX ? 0 : -ELOOP;
}

int
rulebook_depth(const struct rulebook *book, int dir_fd)
{
	struct climb climb;
	int result = climb_begin(&climb, dir_fd);

	while (result == 0 && !is_root(book, &climb.info)) {
		result = climb_up(&climb);
	}
	climb_end(&climb);
	return result == 0 ? (int)climb.count : result;
}

int
rulebook_rights(struct rulebook *book, int dir_fd, const struct agent_rights **ret_rights)
{
	const struct agent_rights *rights = NULL;
	struct climb climb;
	int result;

	if (book->rule_count == 0) {
		*ret_rights = &book->base;
		return 0;
	}
	result = climb_begin(&climb, dir_fd);
	while (result == 0) {
		rights = rulebook_rule_of(book, &climb.info);
		if (rights == NULL && is_root(book, &climb.info)) {
			rights = &book->base;
		}
		if (rights != NULL) {
			*ret_rights = rights;
			break;
		}
		result = climb_up(&climb);
	}
	climb_end(&climb);
	return result;
}

bool
rulebook_is_within(const struct rulebook *book, int dir_fd, const struct stat *top)
{
	struct climb climb;
	int result = climb_begin(&climb, dir_fd);
	bool is_found = false;

	while (result == 0) {
		is_found =
		    climb.info.st_dev == top->st_dev && climb.info.st_ino == top->st_ino;
		if (is_found || is_root(book, &climb.info)) {
			break;
		}
		result = climb_up(&climb);
	}
	climb_end(&climb);
	return is_found || result != 0;
}
