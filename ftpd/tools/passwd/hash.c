/*
 * hash: makes and checks hashes of crypt(5).
 * Runs in: deftp-passwd.
 */
#include "ftpd/tools/passwd/hash.h"

#include <crypt.h>
#include <string.h>

#include "common/secret.h"
#include "common/base.h"

static const struct method {
	const char *word;
	const char *prefix;
} methods[] = {
    {"yescrypt", "$y$"}, {"gost-yescrypt", "$gy$"}, {"scrypt", "$7$"},
    {"bcrypt", "$2b$"},  {"sha512", "$6$"},         {"sha256", "$5$"},
};

const char *
hash_prefix(const char *method)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (method == NULL || strcmp(methods[i].word, method) == 0) {
			return methods[i].prefix;
		}
	}
	return NULL;
}

const char *
hash_methods(void)
{
	return "yescrypt, gost-yescrypt, scrypt, bcrypt, sha512 or sha256";
}

bool
hash_make(const char *prefix, const char *password, char *ret_hash)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = secret_alloc(sizeof(*data));
	const char *hash = NULL;

	if (data != NULL &&
	    crypt_gensalt_rn(prefix, 0, NULL, 0, salt, sizeof(salt)) != NULL) {
		hash = crypt_rn(password, salt, data, (int)sizeof(*data));
	}
	if (hash != NULL && strlen(hash) < HASH_SIZE) {
		memcpy(ret_hash, hash, strlen(hash) + 1);
	} else {
		hash = NULL;
	}
	secret_free(data, sizeof(*data));
	secret_wipe(salt, sizeof(salt));
	return hash != NULL;
}

bool
hash_matches(const char *hash, const char *password)
{
	struct crypt_data *data = secret_alloc(sizeof(*data));
	const char *made = NULL;
	bool is_match;

	if (data != NULL && passwd_hash_is_usable(hash)) {
		made = crypt_rn(password, hash, data, (int)sizeof(*data));
	}
	is_match = made != NULL && secret_equal(made, strlen(made), hash, strlen(hash));
	secret_free(data, sizeof(*data));
	return is_match;
}
