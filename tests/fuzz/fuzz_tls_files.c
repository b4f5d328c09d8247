/*
 * fuzz_tls_files: any bytes as the memory file in which deftpd-worker is given
 * certificates and keys.
 * Wanted:  no crash; what decodes keeps to the limits, and seals to the same bytes.
 */
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/memory_file.h"
#include "ftpd/ipc/tls_files.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static void
check(const struct tls_files *files)
{
	size_t len = 0;

	fuzz_require(files->count <= TLS_FILES_MAX);
	for (size_t i = 0; i < files->count; i++) {
		const struct tls_file *file = &files->file[i];
		const struct tls_file *found =
		    tls_files_find(files, file->kind, file->host, file->index);

		fuzz_require(file->kind < TLS_FILE_KIND_COUNT);
		fuzz_require(file->len <= TLS_FILE_MAX_BYTES);
		fuzz_require(file->path_len <= IPC_PATH_MAX);
		fuzz_require(found != NULL && found <= file);
		len += file->len + file->path_len;
	}
	fuzz_require(len <= files->memory_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[TLS_FILES_MAX_BYTES];
	struct tls_files files;
	int fd = -1;
	int again_fd = -1;

	if (size > sizeof(bytes)) {
		return 0;
	}
	fuzz_require(memory_file_make("fuzz", data, size, &fd) == 0);
	if (tls_files_unseal(fd, &files) == 0) {
		check(&files);
		fuzz_require(tls_files_seal(files.file, files.count, &again_fd) == 0);
		fuzz_require(pread(again_fd, bytes, sizeof(bytes), 0) == (ssize_t)size);
		fuzz_require(memcmp(bytes, data, size) == 0);
		tls_files_free(&files);
	}
	fd_close(&again_fd);
	fd_close(&fd);
	return 0;
}
