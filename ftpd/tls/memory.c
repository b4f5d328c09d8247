/*
 * memory: OpenSSL's memory, of which nothing stays behind.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/memory.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/base.h"

static void *
take(size_t len, const char *file, int line)
{
	(void)file; /* where OpenSSL asked for it, for who looks for leaks */
	(void)line;
	return malloc(len);
}

static void
wipe_and_free(void *bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	if (bytes != NULL) {
		secret_wipe(bytes, malloc_usable_size(bytes));
		free(bytes);
	}
}

/* realloc() may move, and would leave the old place as it was. */
static void *
resize(void *bytes, size_t len, const char *file, int line)
{
	size_t had = bytes != NULL ? malloc_usable_size(bytes) : 0;
	void *moved;

	if (len == 0) {
		wipe_and_free(bytes, file, line);
		return NULL;
	}
	moved = malloc(len);
	if (moved != NULL && bytes != NULL) {
		memcpy(moved, bytes, had < len ? had : len);
		wipe_and_free(bytes, file, line);
	}
	return moved;
}

int
tls_memory_wipe(void)
{
	return CRYPTO_set_mem_functions(take, resize, wipe_and_free) == 1 ? 0 : -EBUSY;
}
