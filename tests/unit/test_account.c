/*
 * test_account: what is said of a user is what the system says, of all his groups, and a
 * list of names holds the names in it and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/account.h"
#include "common/base.h"

static void
root_is_who_he_is(void **state)
{
	const struct passwd *root = getpwuid(0);
	struct account account;
	char name[64];

	(void)state;
	assert_non_null(root);
	assert_true((size_t)snprintf(name, sizeof(name), "%s", root->pw_name) <
	            sizeof(name));
	assert_int_equal(account_look_up(name, &account), 0);
	assert_string_equal(account.name, name);
	assert_int_equal(account.uid, 0);
	assert_int_equal(account.gid, 0);
	assert_int_equal(account.home[0], '/');
	assert_true(account.group_count >= 1);
	assert_int_equal(account.groups[0], 0);
	assert_true(account.group_name_count >= 1);
	assert_string_equal(account.group_names[0], "root");
	account_free(&account);
	assert_null(account.name);
	account_free(&account);
}

static void
who_is_unknown_is_not_found(void **state)
{
	const char *names[] = {"", "no-such-user-here", "root\n", "root:x", " root", "0"};
	char overlong[8192];
	struct account account;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		assert_int_equal(account_look_up(names[i], &account), -ENOENT);
	}
	memset(overlong, 'a', sizeof(overlong) - 1);
	overlong[sizeof(overlong) - 1] = '\0';
	assert_int_equal(account_look_up(overlong, &account), -ENOENT);
}

/*
 * In place of libc's, which the linker therefore does not take: for names that tell how
 * many groups they want. <grp.h> is not included, as its names for these parameters are
 * reserved ones.
 */
int getgrouplist(const char *name, gid_t gid, gid_t *groups, int *count);

int
getgrouplist(const char *name, gid_t gid, gid_t *groups, int *count)
{
	int cap = *count;
	int wanted = name[0] == 'g' ? (int)strtol(name + 1, NULL, 10) : 1;

	if (name[0] == 'b') {
		return -1; /* broken: no room, and none more asked for */
	}
	for (int i = 0; i < wanted && i < cap; i++) {
		groups[i] = i == 0 ? gid : 3000000 + (gid_t)i;
	}
	*count = wanted;
	return wanted <= cap ? wanted : -1;
}

struct group_case {
	const char *name;
	int error;
	size_t count;
	size_t name_count;
};

static const struct group_case group_cases[] = {
    {"g1", 0, 1, 1},
    {"g64", 0, 64, 64},
    {"g65", 0, 65, 65},
    {"g300", 0, 300, ACCOUNT_GROUP_NAMES_MAX},
    {"g65536", 0, 65536, ACCOUNT_GROUP_NAMES_MAX},
    {"g65537", -E2BIG, 0, 0},
    {"b", -EIO, 0, 0},
};

static void
all_groups_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(group_cases); i++) {
		const struct group_case *row = &group_cases[i];
		struct account account = {.gid = 0, .name = strdup(row->name)};

		assert_int_equal(account_look_up_groups(&account), row->error);
		assert_int_equal(account.group_count, row->count);
		assert_int_equal(account.group_name_count, row->name_count);
		for (size_t at = 1; at < row->count; at++) {
			assert_int_equal(account.groups[at], 3000000 + at);
		}
		for (size_t at = 1; at < row->name_count; at++) {
			assert_null(account.group_names[at]);
		}
		account_free(&account);
	}
}

static void
shells_are_those_of_the_machine(void **state)
{
	char valid[] = "/bin/sh";
	char empty[] = "";
	char nologin[] = "/usr/sbin/nologin";
	char part[] = "/bin/s";
	struct account account = {.shell = valid};

	(void)state;
	if (access("/etc/shells", R_OK) != 0) {
		skip();
	}
	assert_true(account_has_valid_shell(&account));
	account.shell = empty;
	assert_true(account_has_valid_shell(&account));
	account.shell = nologin;
	assert_false(account_has_valid_shell(&account));
	account.shell = part;
	assert_false(account_has_valid_shell(&account));
}

static void
write_list(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static const char list[] = "# who may not\n"
			   "root\n"
			   "  daemon\t \n"
			   "\n"
			   "bin # a comment\n"
			   "windows\r\n"
			   "two words\n"
			   "rootling\n"
			   "last";

struct list_case {
	const char *name;
	bool is_listed;
};

static const struct list_case list_cases[] = {
    {"root", true},
    {"daemon", true},
    {"bin", true},
    {"windows", true},
    {"last", true},
    {"rootling", true},
    {"two words", true},
    {"two", false},
    {"", false},
    {"#", false},
    {"# who may not", false},
    {"roo", false},
    {"ROOT", false},
    {"a", false},
    {"comment", false},
};

static void
a_list_holds_its_names(void **state)
{
	char path[] = "/tmp/test_account.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	write_list(path, list, sizeof(list) - 1);
	for (size_t i = 0; i < ARRAY_COUNT(list_cases); i++) {
		assert_int_equal(account_is_listed(path, list_cases[i].name),
		                 list_cases[i].is_listed);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(account_is_listed(path, "root"), 0);
	assert_true(account_is_listed("/", "root") < 0);
}

/* Without the NUL at its end. */
static void
put(char *at, const char *text)
{
	while (*text != '\0') {
		*at++ = *text++;
	}
}

/* No part of a line that is too long may pass for a name. */
static void
overlong_lines_hold_no_name(void **state)
{
	char path[] = "/tmp/test_account.XXXXXX";
	char text[4096];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	for (size_t cut = 1000; cut < 1050; cut++) {
		memset(text, ' ', sizeof(text));
		text[0] = '#';
		put(text + cut, "victim");
		put(text + 2000, "\nlast\n");
		write_list(path, text, 2006);
		assert_int_equal(account_is_listed(path, "victim"), 0);
		assert_int_equal(account_is_listed(path, "last"), 1);
	}
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_is_who_he_is),
	    cmocka_unit_test(who_is_unknown_is_not_found),
	    cmocka_unit_test(all_groups_are_found),
	    cmocka_unit_test(shells_are_those_of_the_machine),
	    cmocka_unit_test(a_list_holds_its_names),
	    cmocka_unit_test(overlong_lines_hold_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
