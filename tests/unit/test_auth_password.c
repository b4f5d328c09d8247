/*
 * test_auth_password: only the right password matches, and only a whole hash.
 * Source: SECURITY.md A4 to A6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <crypt.h>
#include <time.h>
#include "ftpd/auth/password.h"
#include "common/base.h"

/* The costs are the lowest that each method takes. */
static const struct {
	const char *method;
	const char *prefix;
	unsigned long cost;
} methods[] = {
    {"yescrypt", "$y$", 1},   {"SHA-512", "$6$", 1000}, {"bcrypt", "$2b$", 4},
    {"SHA-256", "$5$", 1000}, {"scrypt", "$7$", 6},     {"MD5", "$1$", 0},
};

static struct password_dummy
dummy_of_test(void)
{
	struct password_dummy dummy;

	assert_int_equal(password_make_dummy(&dummy), 0);
	return dummy;
}

/* Hash "horse". */
static const char *
make_hash(const char *prefix, unsigned long cost, struct crypt_data *data)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	memset(data, 0, sizeof(*data));
	assert_non_null(
	    crypt_gensalt_rn(prefix, cost, NULL, 0, setting, (int)sizeof(setting)));
	assert_non_null(crypt_r("horse", setting, data));
	return data->output;
}

static void
every_method_is_verified(void **state)
{
	const struct password_dummy dummy = dummy_of_test();
	static struct crypt_data data;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		char hash[CRYPT_OUTPUT_SIZE + 2];
		size_t len;

		(void)snprintf(hash, sizeof(hash), "%s",
		               make_hash(methods[i].prefix, methods[i].cost, &data));
		len = strlen(hash);
		assert_int_equal(password_check(&dummy, hash, "horse"), PASSWORD_RIGHT);
		assert_int_equal(password_check(&dummy, hash, "Horse"), PASSWORD_WRONG);
		assert_int_equal(password_check(&dummy, hash, "hors"), PASSWORD_WRONG);
		assert_int_equal(password_check(&dummy, hash, "horse "), PASSWORD_WRONG);
		assert_int_equal(password_check(&dummy, hash, ""), PASSWORD_WRONG);
		/* Another digest of the same salt, then ever less of the true one. */
		hash[len - 2] = hash[len - 2] == 'a' ? 'b' : 'a';
		assert_int_not_equal(password_check(&dummy, hash, "horse"),
		                     PASSWORD_RIGHT);
		for (size_t cut = 1; cut < 30; cut += 7) {
			(void)snprintf(hash, sizeof(hash), "%s", data.output);
			hash[len - cut] = '\0';
			assert_int_equal(password_check(&dummy, hash, "horse"),
			                 PASSWORD_UNUSABLE);
		}
		(void)snprintf(hash, sizeof(hash), "!%.380s", data.output);
		assert_int_equal(password_check(&dummy, hash, "horse"),
		                 PASSWORD_UNUSABLE);
		(void)snprintf(hash, sizeof(hash), "%.380s.", data.output);
		assert_int_equal(password_check(&dummy, hash, "horse"),
		                 PASSWORD_UNUSABLE);
	}
}

/* A6: what must never match, whatever the password. */
static void
unusable_hashes_never_match(void **state)
{
	static const char *const hashes[] = {"",     "*",       "!",     "!!",
	                                     "*0",   "*1",      "x",     "a",
	                                     "ab",   "$",       "$y$",   "$y$j9T$",
	                                     "$6$",  "$6$salt", "$6$s$", "$9$salt$hash",
	                                     "$2b$", "$2b$05$", "horse", "plain text",
	                                     " ",    "/",       "..",    "$1$$",
	                                     NULL};
	static char long_one[2001];
	const struct password_dummy dummy = dummy_of_test();
	const char *const secrets[] = {"", "x", "horse", long_one};

	(void)state;
	memset(long_one, 'p', sizeof(long_one) - 1);
	for (size_t i = 0; i < ARRAY_COUNT(hashes); i++) {
		for (size_t k = 0; k < ARRAY_COUNT(secrets); k++) {
			assert_int_equal(password_check(&dummy, hashes[i], secrets[k]),
			                 PASSWORD_UNUSABLE);
		}
	}
}

/* crypt(3) takes 511 bytes; a longer password is wrong and not its first 511 bytes. */
static void
long_passwords(void **state)
{
	static const struct {
		size_t len;
		enum password_result result;
	} rows[] = {{510, PASSWORD_WRONG},
	            {511, PASSWORD_RIGHT},
	            {512, PASSWORD_WRONG},
	            {2000, PASSWORD_WRONG}};
	const struct password_dummy dummy = dummy_of_test();
	static struct crypt_data data;
	char secret[2001];
	char hash[CRYPT_OUTPUT_SIZE + 2];

	(void)state;
	memset(secret, 'p', sizeof(secret));
	secret[511] = '\0';
	(void)snprintf(hash, sizeof(hash), "%s",
	               crypt_r(secret, "$6$rounds=1000$salt$", &data));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		memset(secret, 'p', sizeof(secret));
		secret[rows[i].len] = '\0';
		assert_int_equal(password_check(&dummy, hash, secret), rows[i].result);
	}
}

/* The dummy is a real hash of the default method, another one each time. */
static void
the_dummy_matches_nothing(void **state)
{
	const struct password_dummy dummy = dummy_of_test();
	const struct password_dummy other = dummy_of_test();

	(void)state;
	assert_true(passwd_hash_is_usable(dummy.hash));
	assert_string_not_equal(dummy.hash, other.hash);
	assert_int_equal(password_check(&other, dummy.hash, "horse"), PASSWORD_WRONG);
	assert_int_equal(password_check(&dummy, NULL, ""), PASSWORD_UNUSABLE);
	assert_int_equal(password_check(&dummy, NULL, dummy.hash), PASSWORD_UNUSABLE);
}

/* Microseconds of this process's own time, so that others on the machine matter less. */
static uint64_t
now_us(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t
time_of(const struct password_dummy *dummy, const char *hash, const char *secret)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		uint64_t start = now_us();
		uint64_t took;

		(void)password_check(dummy, hash, secret);
		took = now_us() - start;
		best = took < best ? took : best;
	}
	return best;
}

/*
 * A4: crypt(3) returns at once for a locked hash; we do not. Without the dummy it would
 * be some thousandth of the other.
 */
static void
a_hash_is_always_computed(void **state)
{
	static const char *const hashes[] = {NULL, "", "!", "*", "$6$cut"};
	const struct password_dummy dummy = dummy_of_test();
	const struct password_dummy real = dummy_of_test();
	uint64_t least = time_of(&dummy, real.hash, "horse") / 4;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(hashes); i++) {
		assert_true(time_of(&dummy, hashes[i], "horse") > least);
		assert_true(time_of(&dummy, hashes[i], "") > least);
	}
	assert_true(time_of(&dummy, real.hash, "") > least);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_method_is_verified),
	    cmocka_unit_test(unusable_hashes_never_match),
	    cmocka_unit_test(long_passwords),
	    cmocka_unit_test(the_dummy_matches_nothing),
	    cmocka_unit_test(a_hash_is_always_computed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
