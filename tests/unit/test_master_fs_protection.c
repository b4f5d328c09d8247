/*
 * test_master_fs_protection: what is switched off is named, and nothing else.
 * Source: SECURITY.md F6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/master/fs_protection.h"
#include "common/base.h"

enum {
	PATH_SIZE = 128,
};

static const char *const names[] = {
    "protected_hardlinks",
    "protected_symlinks",
    "protected_fifos",
    "protected_regular",
};

/* What is in each file of the directory; NULL: there is none. */
struct machine {
	const char *values[ARRAY_COUNT(names)];
	const char *named; /* the beginning of the text; "": no word */
};

static const struct machine machines[] = {
    {{"1\n", "1\n", "1\n", "1\n"}, ""},
    {{"1\n", "1\n", "2\n", "2\n"}, ""},
    {{NULL, NULL, NULL, NULL}, ""},
    {{"", "", "", ""}, ""},
    {{"0\n", "1\n", "1\n", "1\n"}, "fs.protected_hardlinks=0: users"},
    {{"1\n", "0\n", "1\n", "1\n"}, "fs.protected_symlinks=0: users"},
    {{"1\n", "1\n", "0\n", "1\n"}, "fs.protected_fifos=0: users"},
    {{"1\n", "1\n", "1\n", "0\n"}, "fs.protected_regular=0: users"},
    {{"0", "1", NULL, "0"}, "fs.protected_hardlinks=0, fs.protected_regular=0: users"},
    {{"01\n", "1\n", "1\n", "1\n"}, ""},
    {{"0\n", "0\n", "0\n", "0\n"},
     "fs.protected_hardlinks=0, fs.protected_symlinks=0, fs.protected_fifos=0, "
     "fs.protected_regular=0: users"},
};

static const char *
path_of(const char *directory, const char *name, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/%s", directory, name);
	return path;
}

static void
fill(const char *directory, const struct machine *machine)
{
	char path[PATH_SIZE];

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		size_t len;
		int fd;

		(void)unlink(path_of(directory, names[i], path));
		if (machine->values[i] == NULL) {
			continue;
		}
		len = strlen(machine->values[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, machine->values[i], len), len);
		fd_close(&fd);
	}
}

static void
what_is_off_is_named(void **state)
{
	char directory[] = "/tmp/deftpd-test-XXXXXX";
	char text[FS_PROTECTION_TEXT_MAX];
	char path[PATH_SIZE];

	(void)state;
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < ARRAY_COUNT(machines); i++) {
		const char *named = machines[i].named;

		fill(directory, &machines[i]);
		assert_ptr_equal(fs_protection_describe(directory, text), text);
		if (named[0] == '\0') {
			assert_string_equal(text, "");
		} else {
			assert_memory_equal(text, named, strlen(named));
			assert_non_null(strstr(text, "/etc/sysctl.d"));
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		(void)unlink(path_of(directory, names[i], path));
	}
	assert_int_equal(rmdir(directory), 0);
	assert_string_equal(fs_protection_describe(directory, text), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_off_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
