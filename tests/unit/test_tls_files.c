/*
 * test_tls_files: certificates and keys come through a sealed file as they were, and
 * nothing else is taken for such a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/memory_file.h"
#include "ftpd/ipc/tls_files.h"
#include "common/base.h"

#define TEXT(text) .bytes = (const uint8_t *)(text), .len = sizeof(text) - 1
#define PATH(text) .path = (text), .path_len = sizeof(text) - 1

enum {
	CAP = 4096,
};

static const struct tls_file samples[] = {
    {.kind = TLS_FILE_CERTIFICATE, PATH("/etc/a.crt"), TEXT("cert\0\xff")},
    {.kind = TLS_FILE_KEY, PATH("credential:key"), TEXT("key")},
    {.kind = TLS_FILE_CERTIFICATE, .index = 1, PATH("/b"), TEXT("second")},
    {.kind = TLS_FILE_CERTIFICATE, .host = 0xfedc, .index = 0x0102, PATH("/c"), TEXT("")},
    {.kind = TLS_FILE_PASSWORD, PATH("/p"), TEXT("secret\n")},
    {.kind = TLS_FILE_OCSP, PATH(""), TEXT("der")},
    {.kind = TLS_FILE_CLIENT_CA, PATH("/ca"), TEXT("ca")},
    {.kind = TLS_FILE_CLIENT_CRL, PATH("/crl"), TEXT("crl")},
};

static void
files_come_back(void **state)
{
	struct tls_files files;
	int fd;

	(void)state;
	assert_int_equal(tls_files_seal(samples, ARRAY_COUNT(samples), &fd), 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	/* Twice, as many processes share the descriptor. */
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(tls_files_unseal(fd, &files), 0);
		assert_int_equal(files.count, ARRAY_COUNT(samples));
		for (size_t i = 0; i < ARRAY_COUNT(samples); i++) {
			const struct tls_file *file = &files.file[i];

			assert_int_equal(file->kind, samples[i].kind);
			assert_int_equal(file->host, samples[i].host);
			assert_int_equal(file->index, samples[i].index);
			assert_int_equal(file->path_len, samples[i].path_len);
			assert_memory_equal(file->path, samples[i].path, file->path_len);
			assert_int_equal(file->len, samples[i].len);
			assert_memory_equal(file->bytes, samples[i].bytes, file->len);
		}
		tls_files_free(&files);
		assert_null(files.memory);
	}
	fd_close(&fd);
}

static void
files_are_found_by_their_place(void **state)
{
	struct tls_files files;
	int fd;

	(void)state;
	assert_int_equal(tls_files_seal(samples, ARRAY_COUNT(samples), &fd), 0);
	assert_int_equal(tls_files_unseal(fd, &files), 0);
	for (size_t i = 0; i < ARRAY_COUNT(samples); i++) {
		assert_ptr_equal(tls_files_find(&files, samples[i].kind, samples[i].host,
		                                samples[i].index),
		                 &files.file[i]);
	}
	assert_null(tls_files_find(&files, TLS_FILE_CERTIFICATE, 0, 2));
	assert_null(tls_files_find(&files, TLS_FILE_CERTIFICATE, 1, 0));
	assert_null(tls_files_find(&files, TLS_FILE_OCSP, 0, 1));
	tls_files_free(&files);
	fd_close(&fd);
}

static void
an_empty_list_is_a_list(void **state)
{
	struct tls_files files;
	int fd;

	(void)state;
	assert_int_equal(tls_files_seal(NULL, 0, &fd), 0);
	assert_int_equal(tls_files_unseal(fd, &files), 0);
	assert_int_equal(files.count, 0);
	assert_null(tls_files_find(&files, TLS_FILE_KEY, 0, 0));
	tls_files_free(&files);
	fd_close(&fd);
}

static void
limits_hold(void **state)
{
	static uint8_t bytes[TLS_FILE_MAX_BYTES + 1];
	static char path[IPC_PATH_MAX + 1];
	struct tls_file *many = calloc(TLS_FILES_MAX + 1, sizeof(*many));
	struct tls_file one = {.path = path,
	                       .path_len = IPC_PATH_MAX,
	                       .bytes = bytes,
	                       .len = TLS_FILE_MAX_BYTES};
	struct tls_files files;
	int fd = -1;

	(void)state;
	assert_non_null(many);
	assert_int_equal(tls_files_seal(&one, 1, &fd), 0);
	assert_int_equal(tls_files_unseal(fd, &files), 0);
	assert_int_equal(files.file[0].len, TLS_FILE_MAX_BYTES);
	tls_files_free(&files);
	fd_close(&fd);
	one.len++;
	assert_int_equal(tls_files_seal(&one, 1, &fd), -EMSGSIZE);
	one.len = 0;
	one.path_len++;
	assert_int_equal(tls_files_seal(&one, 1, &fd), -EMSGSIZE);
	/* So many files, but no more; and so many bytes together, but no more. */
	assert_int_equal(tls_files_seal(many, TLS_FILES_MAX, &fd), 0);
	assert_int_equal(tls_files_unseal(fd, &files), 0);
	assert_int_equal(files.count, TLS_FILES_MAX);
	tls_files_free(&files);
	fd_close(&fd);
	assert_int_equal(tls_files_seal(many, TLS_FILES_MAX + 1, &fd), -EMSGSIZE);
	for (size_t i = 0; i < TLS_FILES_MAX_BYTES / TLS_FILE_MAX_BYTES; i++) {
		many[i].bytes = bytes;
		many[i].len = TLS_FILE_MAX_BYTES;
	}
	assert_int_equal(
	    tls_files_seal(many, TLS_FILES_MAX_BYTES / TLS_FILE_MAX_BYTES - 1, &fd), 0);
	fd_close(&fd);
	assert_int_equal(
	    tls_files_seal(many, TLS_FILES_MAX_BYTES / TLS_FILE_MAX_BYTES, &fd),
	    -EMSGSIZE);
	assert_int_equal(fd, -1);
	free(many);
}

/* Every cut, one byte more, and every single bit of the head. */
static void
other_bytes_are_refused(void **state)
{
	uint8_t bytes[CAP];
	struct tls_files files;
	ssize_t len;
	int fd;

	(void)state;
	assert_int_equal(tls_files_seal(samples, 2, &fd), 0);
	len = pread(fd, bytes, sizeof(bytes), 0);
	assert_in_range(len, 1, CAP - 1);
	fd_close(&fd);
	bytes[len] = 0;
	for (size_t cut = 0; cut <= (size_t)len + 1; cut++) {
		assert_int_equal(memory_file_make("test", bytes, cut, &fd), 0);
		assert_int_equal(tls_files_unseal(fd, &files),
		                 cut == (size_t)len ? 0 : -EBADMSG);
		if (cut == (size_t)len) {
			tls_files_free(&files);
		}
		fd_close(&fd);
	}
	/* Magic, number, and the kind of the first file. */
	for (unsigned at = 0; at < 7; at++) {
		bytes[at] ^= 0x40;
		assert_int_equal(memory_file_make("test", bytes, (size_t)len, &fd), 0);
		assert_int_equal(tls_files_unseal(fd, &files), -EBADMSG);
		fd_close(&fd);
		bytes[at] ^= 0x40;
	}
}

/* What somebody could still change is not the master's. */
static void
unsealed_files_are_refused(void **state)
{
	static const int seals[] = {0, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	                            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL};
	uint8_t bytes[CAP];
	struct tls_files files;
	ssize_t len;
	int fd;

	(void)state;
	assert_int_equal(tls_files_seal(samples, 2, &fd), 0);
	len = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(len > 0);
	fd_close(&fd);
	for (size_t i = 0; i < ARRAY_COUNT(seals); i++) {
		fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, bytes, (size_t)len), len);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		assert_int_equal(tls_files_unseal(fd, &files), -EBADMSG);
		fd_close(&fd);
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(tls_files_unseal(fd, &files), -EBADMSG);
	fd_close(&fd);
	assert_int_equal(tls_files_unseal(-1, &files), -EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_come_back),
	    cmocka_unit_test(files_are_found_by_their_place),
	    cmocka_unit_test(an_empty_list_is_a_list),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(other_bytes_are_refused),
	    cmocka_unit_test(unsealed_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
