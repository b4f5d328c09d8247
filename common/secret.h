/*
 * secret: memory for passwords and keys: not in a core dump, not on a swap device, wiped.
 * Runs in: master, worker, deftpd-auth, deftp-passwd.
 * Source: madvise(2) MADV_DONTDUMP, mlock(2), explicit_bzero(3); SECURITY.md A21.
 */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include "common/base.h"

/*
 * Get pages of their own for `len` bytes, zeroed, not dumped, and locked if the limits
 * allow.
 * Returns: the memory, or NULL.
 * Owner:   the caller frees it by secret_free().
 */
void *secret_alloc(size_t len);

/* Wipe and free; NULL is allowed. len: as allocated. */
void secret_free(void *secret, size_t len);

/* Wipe bytes that lie elsewhere, such that no compiler leaves it out. */
void secret_wipe(void *bytes, size_t len);

/*
 * Compare in a time that depends on the lengths only.
 * Returns: true if they are equal.
 */
bool secret_equal(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
