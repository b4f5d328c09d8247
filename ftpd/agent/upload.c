/*
 * upload: files that a worker fills: opened, and, where that is not the end of it,
 * committed or cut. Here: opened; see upload_end.c.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/clone.h"
#include "ftpd/agent/fsops.h"
#include "common/base.h"

enum {
	NEW_FILE_MODE = 0666,
	COPY_PIECE = 16 * 1024 * 1024,
	/*
	 * A name with a dot and eight digits behind it still fits, and so does its path.
	 */
	WISH_MAX = NAME_MAX - 9,
	WISH_PATH_MAX = IPC_PATH_MAX - 16,
};

static enum ipc_result
ask_space(int fd, const struct agent_rights *rights, uint64_t *ret_bytes)
{
	struct statfs space;
	uint64_t free_bytes;

	if (fstatfs(fd, &space) != 0) {
		return ipc_result_from_errno(-errno);
	}
	/* f_bsize is what the file system likes to be given at once. */
	if (__builtin_mul_overflow((uint64_t)space.f_bavail, (uint64_t)space.f_frsize,
	                           &free_bytes)) {
		free_bytes = UINT64_MAX;
	}
	*ret_bytes =
	    free_bytes > rights->min_free_bytes ? free_bytes - rights->min_free_bytes : 0;
	return IPC_OK;
}

enum ipc_result
upload_check_space(int fd, const struct agent_rights *rights)
{
	uint64_t bytes = 1;
	enum ipc_result result =
	    rights->min_free_bytes == 0 ? IPC_OK : ask_space(fd, rights, &bytes);

	return result == IPC_OK && bytes == 0 ? IPC_NO_SPACE : result;
}

void
upload_tell_space(const struct place *place, struct agent_answer *answer)
{
	uint64_t bytes = 0;
	int fd = place_open(place, O_PATH, 0);

	if (fd < 0) {
		answer->result = ipc_result_from_errno(fd);
		return;
	}
	answer->result = ask_space(fd, place->rights, &bytes);
	answer->size_bytes = bytes;
	fd_close(&fd);
}

static uint64_t
limit_of(const struct agent_rights *rights)
{
	return rights->max_file_bytes == 0 ? UINT64_MAX : rights->max_file_bytes;
}

/*
 * Let the worker begin at an offset of the open file: what is behind it is cut off, as
 * nothing of it belongs to what comes.
 */
static enum ipc_result
begin_at(struct upload *upload, uint64_t size, uint64_t offset)
{
	if (offset > size) {
		return IPC_BAD_OFFSET;
	}
	if (offset > limit_of(&upload->rights)) {
		return IPC_TOO_LARGE;
	}
	if (offset < size && ftruncate(upload->file.fd, (off_t)offset) != 0) {
		return ipc_result_from_errno(-errno);
	}
	if (offset > 0 && lseek(upload->file.fd, (off_t)offset, SEEK_SET) < 0) {
		return ipc_result_from_errno(-errno);
	}
	upload->offset = offset;
	return IPC_OK;
}

/*
 * What is cut off or removed when an upload is cut must be nobody else's. Where there are
 * no locks, nobody can tell.
 * Returns: false if another upload has the file, or has removed it before we had it.
 */
static bool
has_alone(const struct upload *upload)
{
	struct stat info;

	return stage_lock(upload->file.fd) != -EBUSY &&
	       (fstat(upload->file.fd, &info) != 0 || info.st_nlink > 0);
}

/*
 * One call that opens, makes and empties: what it was is looked at on the descriptor. A
 * FIFO or a device does not hold us up, and O_TRUNC does nothing to it.
 */
static enum ipc_result
open_direct(struct upload *upload, const struct place *place,
            const struct agent_question *question)
{
	int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY;

	if (!upload->is_append && question->offset == 0) {
		flags |= upload->is_new_only            ? O_CREAT | O_EXCL
		         : upload->rights.keeps_partial ? O_CREAT | O_TRUNC
		                                        : O_CREAT;
	}
	upload->file.fd = place_open(place, flags, NEW_FILE_MODE);
	upload->was_there = upload->is_append && upload->file.fd >= 0;
	if (upload->is_append && upload->file.fd == -ENOENT) {
		upload->file.fd = place_open(place, flags | O_CREAT, NEW_FILE_MODE);
	}
	if (upload->file.fd < 0) {
		int result = upload->file.fd;

		upload->file.fd = -1;
		return result == -ENAMETOOLONG ? IPC_BAD_NAME
		                               : ipc_result_from_errno(result);
	}
	if (!upload->rights.keeps_partial && !has_alone(upload)) {
		fd_close(&upload->file.fd);
		return IPC_BUSY;
	}
	if (fstat(upload->file.fd, &upload->info) != 0) {
		return ipc_result_from_errno(-errno);
	}
	if (!S_ISREG(upload->info.st_mode) ||
	    (place->resolver->proc_device != 0 &&
	     upload->info.st_dev == place->resolver->proc_device)) {
		return IPC_NOT_A_FILE;
	}
	return begin_at(upload, (uint64_t)upload->info.st_size,
	                upload->is_append ? (uint64_t)upload->info.st_size
	                                  : question->offset);
}

static enum ipc_result
open_new(struct upload *upload, const struct place *place, mode_t mode, bool is_only)
{
	int result =
	    stage_open_new(place->dir_fd, place->name, mode, is_only, &upload->file);

	return result == -ENAMETOOLONG ? IPC_BAD_NAME : ipc_result_from_errno(result);
}

/* Go on with what was cut, at `offset`, or at its end if that is UINT64_MAX. */
static enum ipc_result
open_part(struct upload *upload, const struct place *place, uint64_t offset)
{
	uint64_t size = 0;
	int result = stage_open_part(place->dir_fd, place->name, &upload->file, &size);

	if (result == -ENOENT) {
		return IPC_BAD_OFFSET;
	}
	if (result != 0) {
		return ipc_result_from_errno(result);
	}
	upload->is_part = true;
	upload->is_whole = true;
	return begin_at(upload, size, offset == UINT64_MAX ? size : offset);
}

/* Take over all bytes of the old file, or share them. It ends early if nobody waits. */
static enum ipc_result
copy_old(struct upload *upload, int old_fd)
{
	enum ipc_result result = IPC_OK;
	ssize_t copied = clone_share(old_fd, upload->file.fd) ? 0 : 1;
	off_t end;

	while (copied > 0 && result == IPC_OK) {
		copied = clone_some(old_fd, upload->file.fd, COPY_PIECE);
		if (copied < 0) {
			result = ipc_result_from_errno((int)copied);
		} else if (channel_has_hung_up(upload->channel_fd)) {
			result = IPC_UNREACHABLE;
		} else {
			result = upload_check_space(old_fd, &upload->rights);
		}
	}
	if (result != IPC_OK) {
		return result;
	}
	end = lseek(upload->file.fd, 0, SEEK_END);
	upload->offset = (uint64_t)end;
	return end < 0 ? IPC_LOCAL_ERROR : IPC_OK;
}

/* The file that is there is the beginning of the new one. */
static enum ipc_result
open_copy(struct upload *upload, const struct place *place)
{
	enum ipc_result result = IPC_OK;
	int old_fd = place_open(place, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (old_fd == -ELOOP) {
		return IPC_NOT_A_FILE; /* a link: nothing is behind it here */
	}
	if (old_fd < 0) {
		return ipc_result_from_errno(old_fd);
	}
	if (fstat(old_fd, &upload->old) != 0) {
		result = IPC_LOCAL_ERROR;
	} else if (!S_ISREG(upload->old.st_mode)) {
		result = IPC_NOT_A_FILE; /* exchanged since it was looked at */
	} else if ((uint64_t)upload->old.st_size > limit_of(&upload->rights)) {
		result = IPC_TOO_LARGE;
	}
	if (result == IPC_OK) {
		result =
		    open_new(upload, place, upload->old.st_mode & AGENT_MODE_MAX, false);
	}
	if (result == IPC_OK) {
		result = copy_old(upload, old_fd);
	}
	fd_close(&old_fd);
	return result;
}

static enum ipc_result
open_append(struct upload *upload, const struct place *place,
            const struct agent_question *question)
{
	struct stat part;
	bool has_part = stage_stat_part(place->dir_fd, place->name, &part);

	if (upload->was_there) {
		return has_part ? IPC_BAD_OFFSET : open_copy(upload, place);
	}
	if (has_part && !question->is_text && question->has_told_size &&
	    question->told_size == (uint64_t)part.st_size) {
		return open_part(upload, place, question->told_size);
	}
	return open_new(upload, place, NEW_FILE_MODE, false);
}

/*
 * Ask whether what is there may be replaced, as if it were opened for writing. A link is
 * replaced itself.
 */
static enum ipc_result
check_old(const struct upload *upload, const struct place *place, const struct stat *old)
{
	if (upload->is_new_only) {
		return IPC_EXISTS;
	}
	if (S_ISLNK(old->st_mode)) {
		return IPC_OK;
	}
	if (!S_ISREG(old->st_mode)) {
		return IPC_NOT_A_FILE;
	}
	return syscall(SYS_faccessat2, place->dir_fd, place->name, W_OK,
	               AT_SYMLINK_NOFOLLOW) == 0
	           ? IPC_OK
	           : ipc_result_from_errno(-errno);
}

static enum ipc_result
open_staged(struct upload *upload, const struct place *place,
            const struct agent_question *question)
{
	struct stat info;
	bool has_old =
	    fstatat(place->dir_fd, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0;
	enum ipc_result result = has_old ? check_old(upload, place, &info) : IPC_OK;
	mode_t mode = has_old && S_ISREG(info.st_mode) ? info.st_mode & AGENT_MODE_MAX
	                                               : NEW_FILE_MODE;

	if (result != IPC_OK) {
		return result;
	}
	if (upload->is_append) {
		upload->was_there = has_old;
		return open_append(upload, place, question);
	}
	if (question->offset != 0) {
		return open_part(upload, place, question->offset);
	}
	if (!upload->is_new_only) {
		(void)stage_discard_part(place->dir_fd, place->name); /* if any */
	}
	upload->is_whole = !question->is_text;
	return open_new(upload, place, mode, question->how == AGENT_OPEN_UNIQUE);
}

static enum ipc_result
open_by_mode(struct upload *upload, const struct place *place,
             const struct agent_question *question)
{
	if (!upload->is_staged) {
		return open_direct(upload, place, question);
	}
	/* The next upload would take it for what a killed process has left. */
	return stage_is_reserved(place->name) ? IPC_BAD_NAME
	                                      : open_staged(upload, place, question);
}

/*
 * The wish itself, then the wish with something that nobody can guess.
 * Returns: false if there is nothing to guess by.
 */
static bool
choose_name(const char *wish, unsigned try, char ret_name[NAME_MAX + 1])
{
	uint32_t random;

	if (try == 0) {
		(void)snprintf(ret_name, NAME_MAX + 1, "%s", wish);
		return true;
	}
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return false;
	}
	(void)snprintf(ret_name, NAME_MAX + 1, "%.*s.%08x", (int)WISH_MAX, wish, random);
	return true;
}

static enum ipc_result
open_unique(struct upload *upload, struct place *place,
            const struct agent_question *question)
{
	enum ipc_result result = IPC_EXISTS;
	char wish[NAME_MAX + 1];

	if (strlen(place->path) > WISH_PATH_MAX) {
		return IPC_BAD_NAME;
	}
	if (place->is_directory) {
		place->is_directory = false;
		(void)snprintf(place->name, sizeof(place->name), "upload");
	}
	memcpy(wish, place->name, sizeof(wish));
	for (unsigned i = 0;
	     i < UPLOAD_NAMES && (result == IPC_EXISTS || result == IPC_BUSY); i++) {
		if (!choose_name(wish, i, place->name)) {
			return IPC_LOCAL_ERROR;
		}
		result = open_by_mode(upload, place, question);
	}
	return result == IPC_EXISTS ? IPC_BUSY : result;
}

/* The client path of the name that was chosen. */
static void
tell_name(struct upload_table *table, const struct place *place,
          struct agent_answer *answer)
{
	size_t dir_len = strlen(place->path);
	int len;

	while (dir_len > 0 && place->path[dir_len - 1] != '/') {
		dir_len--;
	}
	len = snprintf(table->chosen, sizeof(table->chosen), "%.*s%s", (int)dir_len,
	               place->path, place->name);
	answer->name = table->chosen;
	answer->name_len = (size_t)len;
}

/* Keep what has to be ended, with the place's directory. */
static void
enter(struct upload_table *table, struct upload *slot, struct upload *upload,
      struct place *place)
{
	memcpy(upload->name, place->name, sizeof(upload->name));
	if (!upload->is_staged) {
		memcpy(upload->file.name, place->name, sizeof(upload->file.name));
	}
	upload->dir_fd = place->dir_fd;
	place->dir_fd = -1;
	if (++table->last_number == 0) {
		table->last_number = 1;
	}
	upload->number = table->last_number;
	*slot = *upload;
}

static struct upload *
find_free(struct upload_table *table)
{
	for (size_t i = 0; i < UPLOAD_MAX; i++) {
		if (table->uploads[i].number == 0) {
			return &table->uploads[i];
		}
	}
	return NULL;
}

static enum ipc_result
open_checked(struct upload *upload, struct place *place,
             const struct agent_question *question)
{
	enum ipc_result result = IPC_OK;

	if (place->dir_fd >= 0) {
		result = upload_check_space(place->dir_fd, &upload->rights);
	}
	if (result == IPC_OK && question->how == AGENT_OPEN_UNIQUE) {
		return open_unique(upload, place, question);
	}
	if (result == IPC_OK && place->is_directory) {
		result = IPC_NOT_A_FILE;
	}
	return result == IPC_OK ? open_by_mode(upload, place, question) : result;
}

int
upload_open(struct upload_table *table, struct place *place,
            const struct agent_question *question, struct agent_answer *answer)
{
	struct upload upload = {
	    .channel_fd = table->channel_fd,
	    .dir_fd = place->dir_fd,
	    .file = {.fd = -1},
	    .rights = *place->rights,
	    .is_new_only =
		policy_only_new(place->rights) || question->how == AGENT_OPEN_UNIQUE,
	    .is_staged = place->rights->mode != AGENT_UPLOAD_DIRECT,
	    .is_append = question->how == AGENT_OPEN_APPEND,
	};
	struct upload *slot = find_free(table);
	bool has_end = upload.is_staged || !upload.rights.keeps_partial ||
	               upload.rights.max_file_bytes != 0;

	answer->result =
	    has_end && slot == NULL ? IPC_BUSY : open_checked(&upload, place, question);
	if (answer->result == IPC_OK && upload.is_staged &&
	    fstat(upload.file.fd, &upload.info) != 0) {
		answer->result = IPC_LOCAL_ERROR;
	}
	if (answer->result != IPC_OK) {
		upload_abandon(&upload);
		return -1;
	}
	fsops_describe(&upload.info, answer);
	answer->is_writable = true;
	answer->offset = upload.offset;
	answer->limit_bytes = limit_of(&upload.rights);
	if (question->how == AGENT_OPEN_UNIQUE) {
		tell_name(table, place, answer);
	}
	if (has_end) {
		enter(table, slot, &upload, place);
		answer->upload = upload.number;
	}
	return upload.file.fd;
}
