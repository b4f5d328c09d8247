/*
 * password: whether a password belongs to a hash of crypt(5).
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/password.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/secret.h"
#include "ftpd/ipc/login.h"
#include "common/base.h"

enum {
	DUMMY_SECRET_LEN = 32,
};

/*
 * Hash with libcrypt's memory in pages of our own, which are wiped.
 * Returns: true if something that can be a hash came out.
 */
static bool
hash_secret(const char *secret, const char *setting, char ret_hash[PASSWD_HASH_MAX + 1])
{
	struct crypt_data *data = secret_alloc(sizeof(*data));
	const char *hash;
	bool is_done = false;

	if (data == NULL) {
		return false;
	}
	hash = crypt_rn(secret, setting, data, (int)sizeof(*data));
	/* A failure is told by NULL or, in other releases, by a text that begins so. */
	if (hash != NULL && hash[0] != '*' && strlen(hash) <= PASSWD_HASH_MAX) {
		memcpy(ret_hash, hash, strlen(hash) + 1);
		is_done = true;
	}
	secret_free(data, sizeof(*data));
	return is_done;
}

int
password_make_dummy(struct password_dummy *ret_dummy)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	char secret[DUMMY_SECRET_LEN + 1] = "";

	/* No prefix: the default of this libcrypt; cost 0: the default of the method. */
	if (crypt_gensalt_rn(NULL, 0, NULL, 0, setting, (int)sizeof(setting)) == NULL) {
		return -errno;
	}
	if (getrandom(secret, DUMMY_SECRET_LEN, 0) != DUMMY_SECRET_LEN) {
		return -EIO;
	}
	for (size_t i = 0; i < DUMMY_SECRET_LEN; i++) {
		secret[i] = (char)('A' + ((uint8_t)secret[i] & 15));
	}
	if (!hash_secret(secret, setting, ret_dummy->hash)) {
		return -ENOSYS;
	}
	secret_wipe(secret, sizeof(secret));
	return 0;
}

enum password_result
password_check(const struct password_dummy *dummy, const char *hash, const char *secret)
{
	char computed[PASSWD_HASH_MAX + 1] = "";
	bool is_usable = hash != NULL && passwd_hash_is_usable(hash);
	size_t secret_len = strlen(secret);
	bool is_secret_possible = secret_len > 0 && secret_len <= LOGIN_SECRET_MAX;
	bool is_done;
	bool is_equal;

	is_done = hash_secret(is_secret_possible ? secret : "-",
	                      is_usable ? hash : dummy->hash, computed);
	is_usable = is_usable && is_done && strlen(computed) == strlen(hash);
	is_equal =
	    is_usable && secret_equal(computed, strlen(computed), hash, strlen(hash));
	secret_wipe(computed, sizeof(computed));
	if (!is_usable) {
		return PASSWORD_UNUSABLE;
	}
	return is_equal && is_secret_possible ? PASSWORD_RIGHT : PASSWORD_WRONG;
}
