/*
 * stage: new files that stand beside the one that they are to become.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

enum {
	OPEN_FLAGS = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	/* another process may take the name that often between two steps of ours */
	RACES_MAX = 16,
};

/* FNV-1a: to tell long names apart, not to withstand anybody. */
static uint64_t
hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++) {
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* Do not cut a character of UTF-8 in two: some file systems refuse such names. */
static size_t
kept_bytes(const char *name)
{
	size_t len = STAGE_KEPT_BYTES;

	while (len > STAGE_KEPT_BYTES - 4 && ((uint8_t)name[len] & 0xc0) == 0x80) {
		len--;
	}
	return len;
}

static void
write_name(const char *name, const char *ending, char ret_name[NAME_MAX + 1])
{
	if (strlen(name) <= STAGE_LONG_NAME) {
		(void)snprintf(ret_name, NAME_MAX + 1, ".%s%s", name, ending);
	} else {
		(void)snprintf(ret_name, NAME_MAX + 1, ".%.*s~%016llx%s",
		               (int)kept_bytes(name), name,
		               (unsigned long long)hash_of(name), ending);
	}
}

void
stage_name_new(const char *name, unsigned number, char ret_name[NAME_MAX + 1])
{
	char ending[] = ".deftpd-new.0";

	if (number == 0) {
		ending[sizeof(ending) - 3] = '\0';
	} else {
		ending[sizeof(ending) - 2] = (char)('0' + number);
	}
	write_name(name, ending, ret_name);
}

void
stage_name_part(const char *name, char ret_name[NAME_MAX + 1])
{
	write_name(name, ".deftpd-part", ret_name);
}

/* A dot and a name of at least one byte stand before it. */
static bool
has_ending(const char *name, size_t len, const char *ending)
{
	size_t ending_len = strlen(ending);

	return name[0] == '.' && len > ending_len + 1 &&
	       memcmp(name + len - ending_len, ending, ending_len) == 0;
}

bool
stage_is_reserved(const char *name)
{
	size_t len = strlen(name);
	bool has_number = len > 2 && name[len - 2] == '.' && name[len - 1] >= '1' &&
	                  name[len - 1] <= '9';

	return has_ending(name, len, ".deftpd-part") ||
	       has_ending(name, has_number ? len - 2 : len, ".deftpd-new");
}

int
stage_lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
		return 0;
	}
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void
stage_unlock(int fd)
{
	struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(fd, F_OFD_SETLK, &whole); /* what fails here was never locked */
}

/*
 * Ask whether the reserved name is still that of the file.
 * Returns: false if somebody has moved it.
 */
static bool
is_there(int dir_fd, const struct stage *stage)
{
	struct stat named;
	struct stat opened;

	return fstatat(dir_fd, stage->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(stage->fd, &opened) == 0 && named.st_ino == opened.st_ino &&
	       named.st_dev == opened.st_dev;
}

void
stage_remove(int dir_fd, const struct stage *stage)
{
	if (is_there(dir_fd, stage)) {
		(void)unlinkat(dir_fd, stage->name, 0); /* or it is gone already */
	}
}

/* Another name of it would change, too; and what is somebody else's is not ours. */
static bool
is_ours(const struct stat *info)
{
	return S_ISREG(info->st_mode) && info->st_nlink == 1 && info->st_uid == geteuid();
}

/*
 * Open a reserved name that exists, to have it alone.
 * Returns: 0 and stage->fd; -EAGAIN when it was exchanged meanwhile; -EBUSY; -EPERM;
 *          other negative errno.
 */
static int
take(int dir_fd, struct stage *stage)
{
	struct stat info;
	int result = 0;

	stage->fd = openat(dir_fd, stage->name, OPEN_FLAGS);
	if (stage->fd < 0) {
		return -errno;
	}
	if (fstat(stage->fd, &info) != 0) {
		result = -errno;
	} else if (!is_ours(&info)) {
		result = -EPERM;
	}
	if (result == 0) {
		result = stage_lock(stage->fd);
	}
	if (result == 0 && !is_there(dir_fd, stage)) {
		result = -EAGAIN;
	}
	if (result != 0) {
		fd_close(&stage->fd);
	}
	return result;
}

/*
 * Make the file under stage->name, having removed what a killed process left there.
 * Returns: 0; -EEXIST if somebody has the name; other negative errno.
 */
static int
make(int dir_fd, mode_t mode, struct stage *stage)
{
	for (unsigned i = 0; i < RACES_MAX; i++) {
		struct stage left = *stage;
		int result;

		stage->fd =
		    openat(dir_fd, stage->name, OPEN_FLAGS | O_CREAT | O_EXCL, mode);
		if (stage->fd >= 0) {
			/*
			 * Where there are no locks, having made it is enough. Where there
			 * are, another process may take it for a left one before it is
			 * locked.
			 */
			if (stage_lock(stage->fd) != -EBUSY && is_there(dir_fd, stage)) {
				return 0;
			}
			fd_close(&stage->fd);
			continue;
		}
		if (errno != EEXIST) {
			return -errno;
		}
		result = take(dir_fd, &left);
		if (result == 0) {
			(void)unlinkat(dir_fd, left.name, 0); /* the next turn tells */
			fd_close(&left.fd);
		} else if (result != -EAGAIN && result != -ENOENT) {
			return -EEXIST;
		}
	}
	return -EEXIST;
}

int
stage_open_new(int dir_fd, const char *name, mode_t mode, bool is_only,
               struct stage *ret_stage)
{
	struct stage stage = {.fd = -1};
	unsigned count = is_only ? 1 : STAGE_NUMBERS;
	int result = -EEXIST;

	for (unsigned i = 0; i < count && result == -EEXIST; i++) {
		stage_name_new(name, i, stage.name);
		result = make(dir_fd, mode, &stage);
	}
	if (result == 0) {
		*ret_stage = stage;
	}
	return result == -EEXIST ? -EBUSY : result;
}

int
stage_open_part(int dir_fd, const char *name, struct stage *ret_stage, uint64_t *ret_size)
{
	struct stage stage = {.fd = -1};
	struct stat info;
	int result = -EAGAIN;

	stage_name_part(name, stage.name);
	for (unsigned i = 0; i < RACES_MAX && result == -EAGAIN; i++) {
		result = take(dir_fd, &stage);
	}
	if (result == 0 && fstat(stage.fd, &info) != 0) {
		result = -errno;
		fd_close(&stage.fd);
	}
	if (result == 0) {
		*ret_stage = stage;
		*ret_size = (uint64_t)info.st_size;
	}
	return result;
}

bool
stage_stat_part(int dir_fd, const char *name, struct stat *ret_info)
{
	char part[NAME_MAX + 1];
	struct stat info;

	stage_name_part(name, part);
	if (fstatat(dir_fd, part, &info, AT_SYMLINK_NOFOLLOW) != 0 || !is_ours(&info)) {
		return false;
	}
	*ret_info = info;
	return true;
}

bool
stage_discard_part(int dir_fd, const char *name)
{
	struct stage stage;
	uint64_t size;

	if (stage_open_part(dir_fd, name, &stage, &size) != 0) {
		return false;
	}
	stage_remove(dir_fd, &stage);
	fd_close(&stage.fd);
	return true;
}

int
stage_publish(int dir_fd, const struct stage *stage, const char *name, bool is_new)
{
	unsigned flags = is_new ? RENAME_NOREPLACE : 0;

	if (!is_there(dir_fd, stage)) {
		return -ENOENT;
	}
	if (renameat2(dir_fd, stage->name, dir_fd, name, flags) == 0) {
		return 0;
	}
	if (!is_new || (errno != EINVAL && errno != ENOSYS)) {
		return -errno;
	}
	/*
	 * Some file systems cannot rename so; a second name is never taken from anybody.
	 */
	if (linkat(dir_fd, stage->name, dir_fd, name, 0) != 0) {
		return -errno;
	}
	return unlinkat(dir_fd, stage->name, 0) == 0 ? 0 : -errno;
}

void
stage_keep(int dir_fd, const struct stage *stage, const char *name)
{
	struct stage older;
	uint64_t size;
	char part[NAME_MAX + 1];

	stage_name_part(name, part);
	if (strcmp(part, stage->name) != 0) {
		int result = stage_open_part(dir_fd, name, &older, &size);

		if (result != 0 && result != -ENOENT) {
			stage_remove(dir_fd, stage);
		} else if (is_there(dir_fd, stage)) {
			/* or it stays under the other name, and is made anew some time */
			(void)renameat2(dir_fd, stage->name, dir_fd, part, 0);
		}
		if (result == 0) {
			fd_close(&older.fd);
		}
	}
	stage_unlock(stage->fd);
}
