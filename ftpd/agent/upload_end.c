/*
 * upload_end: how uploads end.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/fsops.h"
#include "ftpd/agent/upload.h"
#include "common/base.h"

static struct upload *
find(struct upload_table *table, uint32_t number)
{
	for (size_t i = 0; i < UPLOAD_MAX && number != 0; i++) {
		if (table->uploads[i].number == number) {
			return &table->uploads[i];
		}
	}
	return NULL;
}

/* Free the place. Nobody else is locked out any longer, even if the worker lives on. */
static void
leave(struct upload *upload)
{
	stage_unlock(upload->file.fd);
	fd_close(&upload->file.fd);
	fd_close(&upload->dir_fd);
	upload->number = 0;
}

/* A file that cannot be made shorter stays as the worker has left it. */
static void
shorten(int fd, uint64_t len)
{
	if (ftruncate(fd, (off_t)len) != 0) {
		return;
	}
}

/*
 * What was cut, in direct mode: it stays, or the file ends where the upload began, or is
 * gone if it began with this upload.
 */
static void
cut_direct(const struct upload *upload)
{
	if (upload->rights.keeps_partial) {
		return;
	}
	if (upload->offset == 0 && !upload->was_there) {
		stage_remove(upload->dir_fd, &upload->file);
	} else {
		shorten(upload->file.fd, upload->offset);
	}
}

/* Nothing that was cut in a drop box could ever be continued. */
static void
cut_staged(const struct upload *upload)
{
	struct stat info;
	bool is_kept = upload->is_whole && upload->rights.keeps_partial &&
	               !upload->is_new_only && fstat(upload->file.fd, &info) == 0 &&
	               info.st_size > 0;

	if (is_kept) {
		stage_keep(upload->dir_fd, &upload->file, upload->name);
	} else {
		stage_remove(upload->dir_fd, &upload->file);
	}
}

/* The file may not stay longer than allowed, whatever the worker has done to it. */
static void
cut(struct upload *upload)
{
	uint64_t limit = upload->rights.max_file_bytes;
	struct stat info;

	if (limit != 0 && fstat(upload->file.fd, &info) == 0 &&
	    (uint64_t)info.st_size > limit) {
		shorten(upload->file.fd, limit);
	}
	if (upload->is_staged) {
		cut_staged(upload);
	} else {
		cut_direct(upload);
	}
	leave(upload);
}

void
upload_abandon(struct upload *upload)
{
	if (upload->file.fd < 0) {
		return;
	}
	/*
	 * What waited before still waits, also if this was not the way to go on with it.
	 */
	if (upload->is_staged && !upload->is_part) {
		stage_remove(upload->dir_fd, &upload->file);
	}
	fd_close(&upload->file.fd);
}

/*
 * The permission bits of a file that is replaced, if it is the user's. Those of a group
 * that the new file does not have are no more than everybody's.
 */
static int
take_over_mode(const struct upload *upload, const struct stat *file)
{
	struct stat old;
	mode_t bits;

	if (fstatat(upload->dir_fd, upload->name, &old, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(old.st_mode) || old.st_uid != file->st_uid) {
		return 0;
	}
	bits = old.st_mode & AGENT_MODE_MAX;
	if (old.st_gid != file->st_gid) {
		bits &= ~(mode_t)070 | (bits & 07) << 3;
	}
	if (bits == (file->st_mode & AGENT_MODE_MAX)) {
		return 0;
	}
	return fchmod(upload->file.fd, bits) == 0 ? 0 : -errno;
}

/* A directory that may not be read cannot be opened: then all of the file system. */
static int
sync_directory(const struct upload *upload)
{
	int fd = openat(upload->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0) {
		return syncfs(upload->file.fd) == 0 ? 0 : -errno;
	}
	result = fsync(fd) == 0 ? 0 : -errno;
	fd_close(&fd);
	return result;
}

/*
 * Ask whether the file is still the one that an APPE has gone on with. Between this and
 * the renaming there is a moment in which nobody can keep others from changing it.
 */
static bool
is_unchanged(const struct upload *upload)
{
	const struct stat *old = &upload->old;
	struct stat now;

	if (fstatat(upload->dir_fd, upload->name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
		return errno == ENOENT && !upload->was_there;
	}
	return upload->was_there && now.st_dev == old->st_dev &&
	       now.st_ino == old->st_ino && now.st_size == old->st_size &&
	       now.st_mtim.tv_sec == old->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == old->st_mtim.tv_nsec;
}

static int
publish(const struct upload *upload, const struct stat *file)
{
	bool is_durable = upload->rights.mode == AGENT_UPLOAD_DURABLE;
	int result = take_over_mode(upload, file);

	if (result == 0 && is_durable && fsync(upload->file.fd) != 0) {
		result = -errno;
	}
	if (result == 0 && upload->is_append && !is_unchanged(upload)) {
		result = -EBUSY;
	}
	if (result == 0) {
		result = stage_publish(upload->dir_fd, &upload->file, upload->name,
		                       upload->is_new_only);
	}
	if (result == 0 && is_durable) {
		result = sync_directory(upload);
	}
	return result;
}

void
upload_commit(struct upload_table *table, uint32_t number, struct agent_answer *answer)
{
	struct upload *upload = find(table, number);
	struct stat info;
	int result = 0;

	if (upload == NULL) {
		answer->result = IPC_NOT_FOUND;
		return;
	}
	if (fstat(upload->file.fd, &info) != 0) {
		result = -errno;
	} else if (upload->rights.max_file_bytes != 0 &&
	           (uint64_t)info.st_size > upload->rights.max_file_bytes) {
		result = -EFBIG;
	} else if (upload->is_staged) {
		result = publish(upload, &info);
	}
	if (result == -EFBIG) {
		upload->is_whole = false; /* there is no going on with that */
	}
	if (result != 0) {
		answer->result = ipc_result_from_errno(result);
		cut(upload);
		return;
	}
	fsops_describe(&info, answer);
	leave(upload);
}

void
upload_discard(struct upload_table *table, uint32_t number, struct agent_answer *answer)
{
	struct upload *upload = find(table, number);

	if (upload == NULL) {
		answer->result = IPC_NOT_FOUND;
		return;
	}
	cut(upload);
	answer->result = IPC_OK;
}

void
upload_discard_all(struct upload_table *table)
{
	for (size_t i = 0; i < UPLOAD_MAX; i++) {
		if (table->uploads[i].number != 0) {
			cut(&table->uploads[i]);
		}
	}
}
