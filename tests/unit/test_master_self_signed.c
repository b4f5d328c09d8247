/*
 * test_master_self_signed: names are taken once and in one form, and a pair is written
 * whole, for its owner alone, over nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpd/master/self_signed.h"

#include "common/base.h"

enum { PATH_MAX_BYTES = 256 };

static bool
has(const struct self_signed_names *names, const char *text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->text[i], text) == 0) {
			return true;
		}
	}
	return false;
}

static void
names_are_taken_once(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {
	    {"FTP.Example.org", 1},
	    {"ftp.example.org", 1},
	    {"127.0.0.1", 2},
	    {"127.0.0.1", 2},
	    {"::1", 3},
	    {"a b", 3},
	    {"-x", 3},
	    {"", 3},
	    {"-key", 3},
	    {"127.0.0.256", 3},
	    {"host", 4},
	    {"a..b", 4},
	};
	struct self_signed_names names = {.count = 0};
	char text[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		self_signed_add(&names, cases[i].text);
		assert_int_equal(names.count, cases[i].count);
	}
	assert_string_equal(names.text[0], "ftp.example.org");
	assert_string_equal(names.text[2], "::1");
	for (unsigned i = 0; i < 2 * (unsigned)SELF_SIGNED_WORDS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "h%u", i);
		self_signed_add(&names, text);
	}
	assert_int_equal(names.count, SELF_SIGNED_WORDS_MAX);
}

static void
this_machine_has_names(void **state)
{
	struct self_signed_names names;

	(void)state;
	self_signed_collect(&names);
	assert_true(has(&names, "localhost"));
	assert_true(has(&names, "127.0.0.1"));
	assert_true(has(&names, "::1"));
}

struct place {
	char directory[PATH_MAX_BYTES];
	char certificate[PATH_MAX_BYTES + 16];
	char key[PATH_MAX_BYTES + 16];
};

static void
make_place(struct place *place)
{
	char base[] = "/tmp/deftpd-test-XXXXXX";

	assert_non_null(mkdtemp(base));
	(void)snprintf(place->directory, sizeof(place->directory), "%s/new", base);
	(void)snprintf(place->certificate, sizeof(place->certificate), "%s/deftpd.crt",
	               place->directory);
	(void)snprintf(place->key, sizeof(place->key), "%s/deftpd.key", place->directory);
}

static void
remove_place(struct place *place)
{
	(void)unlink(place->certificate); /* it may not be there */
	(void)unlink(place->key);
	assert_int_equal(rmdir(place->directory), 0);
	*strrchr(place->directory, '/') = '\0';
	assert_int_equal(rmdir(place->directory), 0);
}

static void
assert_file(const char *path, const char *wanted, mode_t mode)
{
	FILE *file = fopen(path, "re");
	char text[64] = "";
	struct stat info;

	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text), file), strlen(wanted));
	assert_memory_equal(text, wanted, strlen(wanted));
	assert_int_equal(fstat(fileno(file), &info), 0);
	assert_int_equal(info.st_mode & 07777, mode);
	assert_int_equal(fclose(file), 0);
}

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "wxe");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static void
pairs_are_written_over_nothing(void **state)
{
	static struct tls_pair pair = {.certificate = "the certificate",
	                               .key = "the key"};
	mode_t mask = umask(022);
	struct place place;

	(void)state;
	make_place(&place);
	assert_true(self_signed_write(place.directory, &pair));
	assert_file(place.certificate, "the certificate", 0644);
	assert_file(place.key, "the key", 0600);
	memcpy(pair.key, "another", 8);
	assert_false(self_signed_write(place.directory, &pair));
	assert_file(place.key, "the key", 0600);
	/* A certificate without its key: no key is left beside it. */
	assert_int_equal(unlink(place.key), 0);
	assert_false(self_signed_write(place.directory, &pair));
	assert_int_equal(access(place.key, F_OK), -1);
	assert_file(place.certificate, "the certificate", 0644);
	/* A link that somebody has laid is not followed. */
	assert_int_equal(unlink(place.certificate), 0);
	assert_int_equal(symlink("elsewhere", place.certificate), 0);
	assert_false(self_signed_write(place.directory, &pair));
	assert_int_equal(access(place.key, F_OK), -1);
	remove_place(&place);
	(void)umask(mask); /* what it was */
}

static void
places_that_are_none_are_refused(void **state)
{
	static const struct tls_pair pair = {.certificate = "c", .key = "k"};
	struct place place;

	(void)state;
	make_place(&place);
	/* Only the last directory is made. */
	assert_false(self_signed_write(place.certificate, &pair));
	write_text(place.directory, "a file");
	assert_false(self_signed_write(place.directory, &pair));
	assert_int_equal(unlink(place.directory), 0);
	assert_int_equal(mkdir(place.directory, 0700), 0);
	remove_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_taken_once),
	    cmocka_unit_test(this_machine_has_names),
	    cmocka_unit_test(pairs_are_written_over_nothing),
	    cmocka_unit_test(places_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
