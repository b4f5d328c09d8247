/*
 * tls_files: the files of section tls and of the hosts, in one sealed memory file.
 * Runs in: master (seals), worker (unseals).
 */
#include "ftpd/ipc/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/memory_file.h"
#include "common/secret.h"
#include "common/wire.h"
#include "common/base.h"

enum {
	MAGIC = 0x6466544b, /* "dfTK" */
	MAGIC_BYTES = 4 + 2,
	/* Of one file: kind, host, index, and two lengths. */
	ROW_BYTES = 1 + 2 + 2 + 2 + 4,
};

/* Returns: how many bytes the files need, or 0 above the limits. */
static size_t
measure(const struct tls_file *files, size_t count)
{
	size_t len = MAGIC_BYTES;

	if (count > TLS_FILES_MAX) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (files[i].len > TLS_FILE_MAX_BYTES ||
		    files[i].path_len > IPC_PATH_MAX) {
			return 0;
		}
		len += ROW_BYTES + files[i].path_len + files[i].len;
	}
	return len <= TLS_FILES_MAX_BYTES ? len : 0;
}

/* Longer texts than wire_put_bytes() takes. */
static void
put_content(struct wire_writer *writer, const struct tls_file *file)
{
	wire_put_u32(writer, (uint32_t)file->len);
	if (writer->has_failed || writer->cap - writer->len < file->len) {
		writer->has_failed = true;
		return;
	}
	if (file->len > 0) {
		memcpy(writer->bytes + writer->len, file->bytes, file->len);
		writer->len += file->len;
	}
}

static void
encode(const struct tls_file *files, size_t count, struct wire_writer *writer)
{
	wire_put_u32(writer, MAGIC);
	wire_put_u16(writer, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		wire_put_u8(writer, (uint8_t)files[i].kind);
		wire_put_u16(writer, files[i].host);
		wire_put_u16(writer, files[i].index);
		wire_put_bytes(writer, files[i].path, files[i].path_len);
		put_content(writer, &files[i]);
	}
}

int
tls_files_seal(const struct tls_file *files, size_t count, int *ret_fd)
{
	size_t len = measure(files, count);
	struct wire_writer writer;
	uint8_t *bytes;
	int result = -EMSGSIZE;

	if (len == 0) {
		return -EMSGSIZE;
	}
	bytes = secret_alloc(len);
	if (bytes == NULL) {
		return -ENOMEM;
	}
	wire_writer_init(&writer, bytes, len);
	encode(files, count, &writer);
	if (!writer.has_failed) {
		result = memory_file_make("deftpd.tls", bytes, writer.len, ret_fd);
	}
	secret_free(bytes, len);
	return result;
}

static void
get_content(struct wire_reader *reader, struct tls_file *file)
{
	size_t len = wire_get_u32(reader);

	if (reader->has_failed || len > TLS_FILE_MAX_BYTES ||
	    reader->len - reader->pos < len) {
		reader->has_failed = true;
		return;
	}
	file->bytes = reader->bytes + reader->pos;
	file->len = len;
	reader->pos += len;
}

static void
get_file(struct wire_reader *reader, struct tls_file *file)
{
	file->kind = wire_get_enum(reader, TLS_FILE_KIND_COUNT);
	file->host = wire_get_u16(reader);
	file->index = wire_get_u16(reader);
	file->path = wire_get_bytes(reader, IPC_PATH_MAX, &file->path_len);
	get_content(reader, file);
}

/* In: files->memory holds the bytes. */
static int
decode(struct tls_files *files)
{
	struct wire_reader reader;
	uint32_t magic;

	wire_reader_init(&reader, files->memory, files->memory_len);
	magic = wire_get_u32(&reader);
	files->count = wire_get_u16(&reader);
	if (reader.has_failed || magic != MAGIC || files->count > TLS_FILES_MAX) {
		return -EBADMSG;
	}
	if (files->count > 0) {
		files->file = calloc(files->count, sizeof(*files->file));
		if (files->file == NULL) {
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < files->count && !reader.has_failed; i++) {
		get_file(&reader, &files->file[i]);
	}
	return wire_reader_is_done(&reader) ? 0 : -EBADMSG;
}

static int
read_all(int fd, uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t got = pread(fd, bytes + at, len - at, (off_t)at);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return got < 0 ? -errno : -EBADMSG;
		}
		at += (size_t)got;
	}
	return 0;
}

/*
 * Without all four seals it is not the master's work, or could change while it is read.
 * Returns: 0 and *ret_len; -EBADMSG; another negative errno.
 */
static int
look_at(int fd, size_t *ret_len)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat info;

	if (seals < 0) {
		return errno == EINVAL ? -EBADMSG : -errno;
	}
	if ((seals & wanted) != wanted) {
		return -EBADMSG;
	}
	if (fstat(fd, &info) != 0) {
		return -errno;
	}
	if (info.st_size < MAGIC_BYTES || info.st_size > TLS_FILES_MAX_BYTES) {
		return -EBADMSG;
	}
	*ret_len = (size_t)info.st_size;
	return 0;
}

int
tls_files_unseal(int fd, struct tls_files *ret_files)
{
	struct tls_files files = {0};
	int result = look_at(fd, &files.memory_len);

	if (result != 0) {
		return result;
	}
	files.memory = secret_alloc(files.memory_len);
	if (files.memory == NULL) {
		return -ENOMEM;
	}
	result = read_all(fd, files.memory, files.memory_len);
	if (result == 0) {
		result = decode(&files);
	}
	if (result != 0) {
		tls_files_free(&files);
		return result;
	}
	*ret_files = files;
	return 0;
}

void
tls_files_free(struct tls_files *files)
{
	secret_free(files->memory, files->memory_len);
	free(files->file);
	*files = (struct tls_files){0};
}

const struct tls_file *
tls_files_find(const struct tls_files *files, enum tls_file_kind kind, uint16_t host,
               uint16_t index)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct tls_file *file = &files->file[i];

		if (file->kind == kind && file->host == host && file->index == index) {
			return file;
		}
	}
	return NULL;
}
