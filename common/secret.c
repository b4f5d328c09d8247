/*
 * secret: memory for passwords and keys: not in a core dump, not on a swap device, wiped.
 * Runs in: master, worker, deftpd-auth, deftp-passwd.
 */
#include "common/secret.h"

#include <string.h>
#include <sys/mman.h>

#include "common/base.h"

void *
secret_alloc(size_t len)
{
	void *secret =
	    mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (secret == MAP_FAILED) {
		return NULL;
	}
	/* Both are a second wall: processes with secrets are undumpable anyway. */
	(void)madvise(secret, len, MADV_DONTDUMP);
	(void)mlock(secret, len);
	return secret;
}

void
secret_free(void *secret, size_t len)
{
	if (secret != NULL) {
		secret_wipe(secret, len);
		(void)munmap(secret, len); /* our own mapping */
	}
}

void
secret_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}

bool
secret_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const volatile uint8_t *left = a;
	const volatile uint8_t *right = b;
	uint8_t difference = a_len == b_len ? 0 : 1;

	for (size_t i = 0; i < a_len && i < b_len; i++) {
		difference |= left[i] ^ right[i];
	}
	return difference == 0;
}
