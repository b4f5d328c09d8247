/*
 * hash: makes and checks hashes of crypt(5), in memory that is wiped.
 * Runs in: deftp-passwd.
 * Source: crypt(3), crypt_gensalt(3).
 * Not here: what a hash's form says; see common/passwd_file.h.
 */
#ifndef FTPD_TOOLS_PASSWD_HASH_H
#define FTPD_TOOLS_PASSWD_HASH_H

#include "common/passwd_file.h"
#include "common/base.h"

enum {
	HASH_SIZE = PASSWD_HASH_MAX + 1,
};

/*
 * Find the prefix by which crypt_gensalt(3) knows a method. Only methods that are good
 * enough for a new password have one; the others are verified all the same.
 * In:      method: a word; NULL: the best one.
 * Returns: the prefix, or NULL.
 */
const char *hash_prefix(const char *method);

/*
 * Returns: the words of hash_prefix(), for a person.
 */
const char *hash_methods(void);

/*
 * Hash a new password with a new salt.
 * Out:     ret_hash: HASH_SIZE bytes.
 * Returns: true; false if libcrypt cannot.
 */
bool hash_make(const char *prefix, const char *password, char *ret_hash);

/*
 * Ask whether a password belongs to a hash.
 * Returns: true if so; never for a hash that cannot match.
 */
bool hash_matches(const char *hash, const char *password);

#endif
