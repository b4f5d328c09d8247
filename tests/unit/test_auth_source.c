/*
 * test_auth_source: who a name is: which source decides, whose uid and groups a virtual
 * user gets, what a broken source means.
 * Source: deftpd.conf(5), logins.sources and virtual_users; SECURITY.md A8 and A11.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpd/auth/source.h"
#include "common/base.h"

/* Whole hashes of the password "horse": only their form matters here. */
#define LETTERS        "abcdefghijklmnopqrstuvwxyz"
#define HASH_OF_ANN    "$6$salt$" LETTERS LETTERS LETTERS "abcdefgh"
#define HASH_OF_NOBODY "!" HASH_OF_ANN

static const char users[] = "# a comment\n"
			    "ann:" HASH_OF_ANN ":1234:1235:Ann:/srv/ann:/bin/sh\n"
			    "nobody:" HASH_OF_NOBODY ":77:78::/srv/other:\n"
			    "zero:" HASH_OF_ANN ":0:0::/srv/zero:\n"
			    "broken:line\n"
			    "bea:" HASH_OF_ANN ":1236:1235:Bea:/srv/bea:\n";

struct source_test {
	struct options options;
	char path[64];
};

static int
set_up(void **state)
{
	struct source_test *test = calloc(1, sizeof(*test));
	int fd;

	assert_non_null(test);
	options_set_defaults(&test->options);
	(void)snprintf(test->path, sizeof(test->path), "/tmp/deftpd-users-XXXXXX");
	fd = mkostemp(test->path, O_CLOEXEC); /* mode 0600 */
	assert_true(fd >= 0);
	assert_int_equal(write(fd, users, strlen(users)), strlen(users));
	assert_int_equal(close(fd), 0);
	(void)snprintf(test->options.virtual_users.file, OPTIONS_TEXT_MAX, "%s",
	               test->path);
	(void)snprintf(test->options.virtual_users.user, OPTIONS_NAME_MAX, "nobody");
	test->options.local_users.enabled = true;
	*state = test;
	return 0;
}

static int
tear_down(void **state)
{
	struct source_test *test = *state;

	assert_int_equal(unlink(test->path), 0);
	free(test);
	return 0;
}

static void
set_sources(struct options *options, const char *first, const char *second)
{
	struct options_name_list *sources = &options->logins.sources;

	memset(sources, 0, sizeof(*sources));
	(void)snprintf(sources->entry[0], OPTIONS_NAME_MAX, "%s", first);
	(void)snprintf(sources->entry[1], OPTIONS_NAME_MAX, "%s", second);
	sources->count = second[0] != '\0' ? 2 : 1;
}

struct source_case {
	const char *first;
	const char *second;
	bool has_local;
	const char *name;
	enum source_result result;
	enum policy_kind kind;
};

/* "nobody" and "daemon" are on every machine; "nobody" is in our file, too. */
static const struct source_case sources[] = {
    {"virtual", "local", true, "ann", SOURCE_FOUND, POLICY_KIND_VIRTUAL},
    {"virtual", "local", true, "daemon", SOURCE_FOUND, POLICY_KIND_LOCAL},
    {"virtual", "local", false, "daemon", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "", true, "daemon", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"local", "", true, "ann", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    /* The first that knows the name decides, even if it is locked there. */
    {"virtual", "local", true, "nobody", SOURCE_FOUND, POLICY_KIND_VIRTUAL},
    {"local", "virtual", true, "nobody", SOURCE_FOUND, POLICY_KIND_LOCAL},
    {"local", "virtual", false, "nobody", SOURCE_FOUND, POLICY_KIND_VIRTUAL},
    {"virtual", "local", true, "broken", SOURCE_BROKEN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "nobody-has-this", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    /* Names that no source is shown. */
    {"virtual", "local", true, "", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "+", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "-ann", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "ann:x", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "../ann", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "ann\n", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "ann\x7f", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    /* Names that are only odd. */
    {"virtual", "local", true, "ann'; --", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "%u%n", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "# a comment", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "Ann", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "ann ", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "a", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    {"virtual", "local", true, "1000", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
};

static void
the_first_source_decides(void **state)
{
	struct source_test *test = *state;

	for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
		const struct source_case *row = &sources[i];
		struct candidate candidate = {.kind = POLICY_KIND_COUNT};
		char text[MA_TEXT_MAX + 1] = "";

		set_sources(&test->options, row->first, row->second);
		test->options.local_users.enabled = row->has_local;
		assert_int_equal(source_find(&test->options,
		                             test->options.virtual_users.file, row->name,
		                             &candidate, text),
		                 row->result);
		assert_int_equal(candidate.kind, row->kind);
		if (row->result == SOURCE_FOUND) {
			assert_string_equal(candidate.account.name, row->name);
		}
		if (row->result == SOURCE_BROKEN) {
			assert_non_null(strstr(text, ":5: "));
		}
		candidate_free(&candidate);
	}
}

/*
 * The directory service of this test: it knows "bea" and "zoe" however they are spelled,
 * and "crowd" is in more groups than there can be. Everybody else is the machine's.
 */
static const char *
directory_name(const char *name)
{
	static const char *const names[] = {"bea", "zoe", "crowd"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (strcasecmp(names[i], name) == 0) {
			return names[i];
		}
	}
	return NULL;
}

/*
 * In place of libc's, under another name here: the header has reserved ones for its
 * parameters.
 */
int look_up_entry(const char *name, struct passwd *ret_entry, char *texts, size_t cap,
                  struct passwd **ret_found) __asm__("getpwnam_r");

int
look_up_entry(const char *name, struct passwd *ret_entry, char *texts, size_t cap,
              struct passwd **ret_found)
{
	int (*real)(const char *, struct passwd *, char *, size_t, struct passwd **);
	void *symbol = dlsym(RTLD_NEXT, "getpwnam_r");
	const char *known = directory_name(name);

	if (known == NULL) {
		memcpy(&real, &symbol, sizeof(real));
		return real(name, ret_entry, texts, cap, ret_found);
	}
	(void)snprintf(texts, cap, "%s", known);
	*ret_entry = (struct passwd){.pw_name = texts,
	                             .pw_uid = 5005,
	                             .pw_gid = 5006,
	                             .pw_dir = texts + strlen(texts),
	                             .pw_shell = texts + strlen(texts)};
	*ret_found = ret_entry;
	return 0;
}

/* <grp.h> is not included, as its names for these parameters are reserved ones. */
int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);

int
getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
	if (strcmp(user, "crowd") == 0) {
		*count = ACCOUNT_GROUPS_MAX + 1;
		return -1;
	}
	groups[0] = group;
	*count = 1;
	return 1;
}

static const struct source_case spellings[] = {
    /* The file knows bea, and nobody comes round it by another spelling. */
    {"virtual", "local", true, "BEA", SOURCE_FOUND, POLICY_KIND_VIRTUAL},
    {"local", "virtual", true, "BEA", SOURCE_FOUND, POLICY_KIND_LOCAL},
    {"virtual", "local", true, "Zoe", SOURCE_FOUND, POLICY_KIND_LOCAL},
    {"virtual", "local", true, "zoe", SOURCE_FOUND, POLICY_KIND_LOCAL},
    {"virtual", "", true, "BEA", SOURCE_UNKNOWN, POLICY_KIND_COUNT},
    /* He alone cannot log in: what he is told must not differ from others. */
    {"virtual", "local", true, "crowd", SOURCE_BROKEN, POLICY_KIND_COUNT},
};

static void
no_spelling_comes_round_a_source(void **state)
{
	struct source_test *test = *state;

	for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
		const struct source_case *row = &spellings[i];
		struct candidate candidate = {.kind = POLICY_KIND_COUNT};
		char text[MA_TEXT_MAX + 1] = "";

		set_sources(&test->options, row->first, row->second);
		assert_int_equal(source_find(&test->options,
		                             test->options.virtual_users.file, row->name,
		                             &candidate, text),
		                 row->result);
		assert_int_equal(candidate.kind, row->kind);
		if (row->result == SOURCE_FOUND) {
			assert_non_null(directory_name(candidate.account.name));
			assert_string_equal(candidate.account.name,
			                    directory_name(row->name));
		}
		candidate_free(&candidate);
	}
}

static void
virtual_users_borrow_an_account(void **state)
{
	struct source_test *test = *state;
	const struct passwd *nobody = getpwnam("nobody");
	struct candidate candidate = {0};
	char text[MA_TEXT_MAX + 1];
	bool is_root = geteuid() == 0;

	assert_non_null(nobody);
	assert_int_equal(source_find(&test->options, test->options.virtual_users.file,
	                             "ann", &candidate, text),
	                 SOURCE_FOUND);
	assert_string_equal(candidate.account.home, "/srv/ann");
	assert_string_equal(candidate.hash, HASH_OF_ANN);
	assert_int_equal(candidate.account.uid, is_root ? nobody->pw_uid : geteuid());
	assert_int_equal(candidate.account.gid, is_root ? nobody->pw_gid : getegid());
	assert_int_equal(candidate.account.group_count != 0, is_root);
	for (size_t i = 0; i < candidate.account.group_count; i++) {
		assert_int_not_equal(candidate.account.groups[i], 0);
	}
	candidate_free(&candidate);
	assert_int_equal(candidate.hash[0], '\0');

	/* The ids of the line, and no groups. */
	memset(&candidate, 0, sizeof(candidate));
	test->options.virtual_users.user[0] = '\0';
	assert_int_equal(source_find(&test->options, test->options.virtual_users.file,
	                             "ann", &candidate, text),
	                 SOURCE_FOUND);
	assert_int_equal(candidate.account.uid, is_root ? 1234 : geteuid());
	assert_int_equal(candidate.account.gid, is_root ? 1235 : getegid());
	assert_int_equal(candidate.account.group_count, 0);
	candidate_free(&candidate);
}

/* When a source cannot be read, those behind it are not asked. */
static void
broken_sources_close(void **state)
{
	struct source_test *test = *state;
	struct candidate candidate;
	char text[MA_TEXT_MAX + 1] = "";

	assert_int_equal(chmod(test->path, 0644), 0);
	assert_int_equal(source_find(&test->options, test->options.virtual_users.file,
	                             "daemon", &candidate, text),
	                 SOURCE_FAULT);
	assert_non_null(strstr(text, test->path));
	assert_int_equal(chmod(test->path, 0600), 0);
	(void)snprintf(test->options.virtual_users.file, OPTIONS_TEXT_MAX, "%s.missing",
	               test->path);
	assert_int_equal(source_find(&test->options, test->options.virtual_users.file,
	                             "daemon", &candidate, text),
	                 SOURCE_FAULT);
	assert_non_null(strstr(text, "no such file"));
	(void)snprintf(test->options.virtual_users.file, OPTIONS_TEXT_MAX, "%s",
	               test->path);
	if (geteuid() == 0) {
		(void)snprintf(test->options.virtual_users.user, OPTIONS_NAME_MAX,
		               "nobody-has-this");
		assert_int_equal(source_find(&test->options,
		                             test->options.virtual_users.file, "ann",
		                             &candidate, text),
		                 SOURCE_FAULT);
		assert_non_null(strstr(text, "nobody-has-this"));
	}
	/* No file is no source. */
	test->options.virtual_users.file[0] = '\0';
	assert_int_equal(source_find(&test->options, test->options.virtual_users.file,
	                             "ann", &candidate, text),
	                 SOURCE_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_first_source_decides, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(no_spelling_comes_round_a_source, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(virtual_users_borrow_an_account, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(broken_sources_close, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
