/*
 * password: whether a password belongs to a hash of crypt(5).
 * Runs in: deftpd-auth. Input: the password is hostile, the hash an administrator's.
 * Source: crypt(3), crypt_gensalt(3); SECURITY.md A4 to A6.
 * Not here: where the hash comes from; see source.h. PAM, which has hashes of its own.
 */
#ifndef FTPD_AUTH_PASSWORD_H
#define FTPD_AUTH_PASSWORD_H

#include "common/passwd_file.h"
#include "common/base.h"

/*
 * A hash of the cost that this machine uses for new passwords. It is computed with where
 * there is no real one, so that the time says nothing.
 */
struct password_dummy {
	char hash[PASSWD_HASH_MAX + 1];
};

enum password_result {
	PASSWORD_RIGHT,
	PASSWORD_WRONG,
	PASSWORD_UNUSABLE, /* no password can ever match: empty, locked or cut hash */
	PASSWORD_RESULT_COUNT,
};

/*
 * Make the dummy of a password that nobody knows.
 * Returns: 0 or negative errno.
 */
int password_make_dummy(struct password_dummy *ret_dummy);

/*
 * Hash the password and compare. One hash is computed in every case.
 * In:      hash: NULL: there is none, and the answer will not be PASSWORD_RIGHT.
 *          secret: NUL-terminated; an empty one and one of more than 511 bytes are wrong.
 * Returns: the result; never PASSWORD_RIGHT by the dummy.
 */
enum password_result password_check(const struct password_dummy *dummy, const char *hash,
                                    const char *secret);

#endif
