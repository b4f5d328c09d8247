/*
 * passwd_hash: what can be said of a hash of crypt(5) without a password.
 * Runs in: deftpd-auth, deftp-passwd: both link libcrypt, and nothing else does.
 * Source: crypt(5), "Available hashing methods".
 */
#include <crypt.h>
#include <string.h>

#include "common/passwd_file.h"
#include "common/base.h"

/* A hash is its prefix, parts ended by "$", and at its end the digest of fixed length. */
struct method {
	const char *prefix;
	const char *name;
	size_t part_count; /* ended by "$", behind the prefix: at least as many */
	size_t digest_len; /* behind the last "$" */
};

static const struct method methods[] = {
    {"$y$", "yescrypt", 2, 43}, {"$gy$", "gost-yescrypt", 2, 43},
    {"$7$", "scrypt", 1, 43},   {"$2a$", "bcrypt", 1, 53},
    {"$2b$", "bcrypt", 1, 53},  {"$2x$", "bcrypt", 1, 53},
    {"$2y$", "bcrypt", 1, 53},  {"$6$", "SHA-512", 1, 86},
    {"$5$", "SHA-256", 1, 43},  {"$sha1$", "PBKDF1-SHA1", 2, 28},
    {"$md5", "SunMD5", 1, 22},  {"$1$", "MD5", 1, 22},
    {"$3$", "NTHASH", 1, 32},   {"_", "extended DES", 0, 19},
};

enum {
	DES_LEN = 13,       /* the whole of it: salt and digest */
	BIGCRYPT_STEP = 11, /* added for each 8 bytes more of a password */
	BIGCRYPT_MAX = 178,
};

static const char digits[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool
has_form(const struct method *method, const char *hash)
{
	const char *digest = hash + strlen(method->prefix);
	const char *dollar;
	size_t part_count = 0;

	while ((dollar = strchr(digest, '$')) != NULL) {
		digest = dollar + 1;
		part_count++;
	}
	return part_count >= method->part_count && strlen(digest) == method->digest_len &&
	       strspn(digest, digits) == method->digest_len;
}

static bool
is_des(const char *hash)
{
	size_t len = strlen(hash);

	return len >= DES_LEN && len <= BIGCRYPT_MAX && (len - 2) % BIGCRYPT_STEP == 0 &&
	       strspn(hash, digits) == len;
}

const char *
passwd_hash_method(const char *hash)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		const struct method *method = &methods[i];

		if (strncmp(hash, method->prefix, strlen(method->prefix)) == 0) {
			return has_form(method, hash) ? method->name : NULL;
		}
	}
	return is_des(hash) ? "DES" : NULL;
}

bool
passwd_hash_is_usable(const char *hash)
{
	int salt;

	if (passwd_hash_method(hash) == NULL || strlen(hash) > PASSWD_HASH_MAX) {
		return false;
	}
	salt = crypt_checksalt(hash);
	/* An old method is weak, but it does match. */
	return salt == CRYPT_SALT_OK || salt == CRYPT_SALT_METHOD_LEGACY ||
	       salt == CRYPT_SALT_TOO_CHEAP;
}
