/*
 * test_entry: lines of LIST, NLST and MLSD, and facts, exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/entry.h"

#include "common/base.h"

enum {
	NAME_COLUMN = 59, /* where the name begins in a LIST line with short owners */
};

static const struct entry_look plain = {
    .owner = "ftp", .group = "ftp", .now_s = 1700000000};

static struct entry
file_named(const char *name)
{
	struct entry entry = {.name = name,
	                      .name_len = strlen(name),
	                      .type = ENTRY_FILE,
	                      .mode = 0644,
	                      .link_count = 1,
	                      .size_bytes = 1234,
	                      .mtime_s = 1699999999};

	return entry;
}

static void
expect_list(const struct entry *entry, const struct entry_look *look, const char *wanted)
{
	char line[ENTRY_LINE_MAX + 1];
	size_t len = entry_format_list(entry, look, line, ENTRY_LINE_MAX);

	line[len] = '\0';
	assert_string_equal(line, wanted);
}

static void
list_lines_are_those_of_ls(void **state)
{
	struct entry entry = file_named("name");

	(void)state;
	expect_list(
	    &entry, &plain,
	    "-rw-r--r--   1 ftp      ftp              1234 Nov 14 22:13 name\r\n");
	entry.mtime_s = plain.now_s; /* now is recent */
	expect_list(
	    &entry, &plain,
	    "-rw-r--r--   1 ftp      ftp              1234 Nov 14 22:13 name\r\n");
	entry.mtime_s = plain.now_s + 1; /* the future shows its year */
	expect_list(
	    &entry, &plain,
	    "-rw-r--r--   1 ftp      ftp              1234 Nov 14  2023 name\r\n");
	entry.mtime_s = plain.now_s - 15778476; /* half a year ago, too */
	expect_list(
	    &entry, &plain,
	    "-rw-r--r--   1 ftp      ftp              1234 May 16  2023 name\r\n");
	entry.mtime_s = plain.now_s - 15778475; /* not yet */
	expect_list(
	    &entry, &plain,
	    "-rw-r--r--   1 ftp      ftp              1234 May 16 07:18 name\r\n");
	entry.mtime_s = INT64_MIN;
	expect_list(
	    &entry, &plain,
	    "-rw-r--r--   1 ftp      ftp              1234 Jan  1     0 name\r\n");
	entry.mtime_s = INT64_MAX;
	entry.size_bytes = UINT64_MAX;
	entry.link_count = UINT32_MAX;
	expect_list(&entry, &plain,
	            "-rw-r--r-- 4294967295 ftp      ftp      18446744073709551615"
	            " Dec 31  9999 name\r\n");
}

static void
modes_and_types_are_shown(void **state)
{
	static const struct {
		enum entry_type type;
		uint32_t mode;
		const char *wanted;
	} cases[] = {
	    {ENTRY_FILE, 0, "----------"},     {ENTRY_FILE, 0777, "-rwxrwxrwx"},
	    {ENTRY_DIR, 0755, "drwxr-xr-x"},   {ENTRY_CDIR, 0755, "drwxr-xr-x"},
	    {ENTRY_PDIR, 0755, "drwxr-xr-x"},  {ENTRY_SYMLINK, 0777, "lrwxrwxrwx"},
	    {ENTRY_OTHER, 0600, "srw-------"}, {ENTRY_FILE, 04755, "-rwsr-xr-x"},
	    {ENTRY_FILE, 04644, "-rwSr--r--"}, {ENTRY_FILE, 02755, "-rwxr-sr-x"},
	    {ENTRY_FILE, 02644, "-rw-r-Sr--"}, {ENTRY_DIR, 01777, "drwxrwxrwt"},
	    {ENTRY_DIR, 01776, "drwxrwxrwT"},  {ENTRY_FILE, 0421, "-r---w---x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct entry entry = file_named("x");
		char line[ENTRY_LINE_MAX];

		entry.type = cases[i].type;
		entry.mode = cases[i].mode;
		assert_true(entry_format_list(&entry, &plain, line, sizeof(line)) > 10);
		assert_memory_equal(line, cases[i].wanted, 10);
	}
}

/* Returns: what stands behind the date of a LIST line, terminated in `line`. */
static const char *
name_part(const struct entry *entry, const struct entry_look *look, char *line)
{
	size_t len = entry_format_list(entry, look, line, ENTRY_LINE_MAX);

	line[len] = '\0';
	assert_true(len > NAME_COLUMN);
	return line + NAME_COLUMN;
}

static void
links_and_classes_are_shown(void **state)
{
	struct entry_look look = plain;
	struct entry entry = file_named("n");
	char line[ENTRY_LINE_MAX + 1];

	(void)state;
	entry.type = ENTRY_SYMLINK;
	assert_string_equal(name_part(&entry, &look, line), "n\r\n");
	entry.target = "a/b";
	entry.target_len = 3;
	assert_string_equal(name_part(&entry, &look, line), "n -> a/b\r\n");
	look.is_classified = true;
	assert_string_equal(name_part(&entry, &look, line), "n -> a/b\r\n");
	entry.target = NULL;
	assert_string_equal(name_part(&entry, &look, line), "n@\r\n");
	entry.type = ENTRY_DIR;
	assert_string_equal(name_part(&entry, &look, line), "n/\r\n");
	entry.type = ENTRY_FILE;
	assert_string_equal(name_part(&entry, &look, line), "n\r\n");
	entry.mode = 0100;
	assert_string_equal(name_part(&entry, &look, line), "n*\r\n");
}

static void
owners_stay_one_column(void **state)
{
	struct entry_look look = {
	    .owner = "a b\tc\n", .group = "longer-than-eight", .now_s = 0};
	struct entry entry = file_named("n");
	char line[ENTRY_LINE_MAX + 1];
	size_t len = entry_format_list(&entry, &look, line, ENTRY_LINE_MAX);

	(void)state;
	line[len] = '\0';
	assert_non_null(strstr(line, " a?b?c?   longer-than-eight "));
}

static void
odd_names_stay_one_line(void **state)
{
	/* SECURITY.md P22 and P23. */
	static const struct {
		const char *name;
		const char *listed; /* by LIST */
		bool is_sayable;    /* by NLST and MLSD */
	} cases[] = {
	    {"a\r\n226 fake\r\n", "a??226 fake??", false},
	    {"a\nb", "a?b", false},
	    {"a\rb", "a?b", false},
	    {"\n", "?", false},
	    {"type=file;size=0; x", "type=file;size=0; x", true},
	    {" leading", " leading", true},
	    {"trailing ", "trailing ", true},
	    {";", ";", true},
	    {"a\tb\x1b[31m", "a\tb\x1b[31m", true},
	    {"\xff\xfe\x80", "\xff\xfe\x80", true},
	    {"\xe2\x80\xaex", "\xe2\x80\xaex", true},
	    {"%s%n", "%s%n", true},
	    {"-rf", "-rf", true},
	    {"\"", "\"", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct entry entry = file_named(cases[i].name);
		char line[ENTRY_LINE_MAX + 1];
		char wanted[64];
		size_t len;

		(void)snprintf(wanted, sizeof(wanted), "%s\r\n", cases[i].listed);
		assert_string_equal(name_part(&entry, &plain, line), wanted);
		assert_int_equal(entry_name_is_sayable(entry.name, entry.name_len),
		                 cases[i].is_sayable);
		len = entry_format_name(&entry, "", 0, line, ENTRY_LINE_MAX);
		line[len] = '\0';
		assert_string_equal(line, cases[i].is_sayable ? wanted : "");
		len = entry_format_facts(&entry, 0, line, ENTRY_LINE_MAX);
		line[len] = '\0';
		if (cases[i].is_sayable) {
			assert_int_equal(line[0], ' ');
			assert_string_equal(line + 1, wanted);
		} else {
			assert_int_equal(len, 0);
		}
	}
	assert_false(entry_name_is_sayable("", 0));
	assert_false(entry_name_is_sayable("a\0b", 3));
}

static void
names_have_a_prefix(void **state)
{
	struct entry entry = file_named("n");
	char line[16];
	size_t len = entry_format_name(&entry, "dir/", 4, line, sizeof(line));

	(void)state;
	assert_int_equal(len, 7);
	assert_memory_equal(line, "dir/n\r\n", 7);
	assert_int_equal(entry_format_name(&entry, "d\n/", 3, line, sizeof(line)), 0);
}

static void
facts_are_those_of_rfc_3659(void **state)
{
	struct entry entry = file_named("n");
	char line[256];
	size_t len;

	(void)state;
	entry.rights = ENTRY_MAY_READ;
	entry.device = 0x801;
	entry.inode = 255;
	entry.uid = UINT32_MAX;
	entry.gid = 14;
	len = entry_format_facts(&entry, ENTRY_FACTS_ALL, line, sizeof(line));
	line[len] = '\0';
	assert_string_equal(line, "type=file;size=1234;modify=20231114221319;perm=r;"
	                          "unique=801gff;UNIX.mode=0644;UNIX.owner=4294967295;"
	                          "UNIX.group=14; n\r\n");
	len = entry_format_facts(&entry, ENTRY_FACT_SIZE | ENTRY_FACT_TYPE, line,
	                         sizeof(line));
	line[len] = '\0';
	assert_string_equal(line, "type=file;size=1234; n\r\n");
	entry.type = ENTRY_DIR; /* a directory has no size */
	len = entry_format_facts(&entry, ENTRY_FACT_SIZE | ENTRY_FACT_TYPE, line,
	                         sizeof(line));
	line[len] = '\0';
	assert_string_equal(line, "type=dir; n\r\n");
	len = entry_format_facts(&entry, 0, line, sizeof(line)); /* RFC 3659 7.9 */
	line[len] = '\0';
	assert_string_equal(line, " n\r\n");
	len = entry_format_facts_only(&entry, ENTRY_FACTS_DEFAULT, line, sizeof(line));
	line[len] = '\0';
	assert_string_equal(line, "type=dir;modify=20231114221319;perm=l;unique=801gff;"
	                          "UNIX.mode=0644;");
}

static void
perm_says_what_is_allowed(void **state)
{
	static const struct {
		enum entry_type type;
		unsigned rights;
		const char *wanted;
	} cases[] = {
	    {ENTRY_FILE, 0, "perm=;"},
	    {ENTRY_FILE, ENTRY_MAY_READ, "perm=r;"},
	    {ENTRY_FILE, ENTRY_MAY_WRITE, "perm=aw;"},
	    {ENTRY_FILE, ENTRY_MAY_REMOVE, "perm=df;"},
	    {ENTRY_FILE, ENTRY_MAY_SEARCH, "perm=;"},
	    {ENTRY_FILE, 15, "perm=adfrw;"},
	    {ENTRY_DIR, 0, "perm=;"},
	    {ENTRY_DIR, ENTRY_MAY_READ, "perm=l;"},
	    {ENTRY_DIR, ENTRY_MAY_SEARCH, "perm=e;"},
	    {ENTRY_CDIR, ENTRY_MAY_READ | ENTRY_MAY_SEARCH, "perm=el;"},
	    {ENTRY_DIR, ENTRY_MAY_WRITE, "perm=cmp;"},
	    {ENTRY_PDIR, 15, "perm=cdeflmp;"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct entry entry = file_named("x");
		char text[ENTRY_FACTS_MAX + 1];
		size_t len;

		entry.type = cases[i].type;
		entry.rights = cases[i].rights;
		len = entry_format_facts_only(&entry, ENTRY_FACT_PERM, text,
		                              ENTRY_FACTS_MAX);
		text[len] = '\0';
		assert_string_equal(text, cases[i].wanted);
	}
}

static void
types_are_named(void **state)
{
	static const char *const wanted[] = {"type=file;",
	                                     "type=dir;",
	                                     "type=cdir;",
	                                     "type=pdir;",
	                                     "type=OS.unix=symlink;",
	                                     "type=OS.unix=special;"};

	(void)state;
	for (unsigned type = 0; type < ARRAY_COUNT(wanted); type++) {
		struct entry entry = file_named("x");
		char text[ENTRY_FACTS_MAX + 1];
		size_t len;

		entry.type = (enum entry_type)type;
		len = entry_format_facts_only(&entry, ENTRY_FACT_TYPE, text,
		                              ENTRY_FACTS_MAX);
		text[len] = '\0';
		assert_string_equal(text, wanted[type]);
	}
}

static void
fact_names_go_both_ways(void **state)
{
	char text[ENTRY_FACTS_MAX + 1];
	size_t len = entry_format_fact_names(ENTRY_FACT_TYPE | ENTRY_FACT_UNIX_MODE, true,
	                                     text, ENTRY_FACTS_MAX);

	(void)state;
	text[len] = '\0';
	assert_string_equal(text, "type*;size;modify;perm;unique;UNIX.mode*;UNIX.owner;"
	                          "UNIX.group;");
	len = entry_format_fact_names(ENTRY_FACT_TYPE | ENTRY_FACT_UNIX_MODE, false, text,
	                              ENTRY_FACTS_MAX);
	text[len] = '\0';
	assert_string_equal(text, "type;UNIX.mode;");
	assert_int_equal(entry_format_fact_names(0, false, text, ENTRY_FACTS_MAX), 0);
	assert_int_equal(entry_fact_find("MODIFY", 6), ENTRY_FACT_MODIFY);
	assert_int_equal(entry_fact_find("unix.Group", 10), ENTRY_FACT_UNIX_GROUP);
	assert_int_equal(entry_fact_find("mod", 3), 0);
	assert_int_equal(entry_fact_find("", 0), 0);
}

static void
longest_lines_fit_and_small_buffers_get_nothing(void **state)
{
	char *path = malloc(4095);
	char *line = malloc(ENTRY_LINE_MAX);
	struct entry_look look = {.owner = "nobody", .group = "nogroup", .now_s = 0};
	struct entry entry = {.type = ENTRY_SYMLINK,
	                      .mode = 07777,
	                      .link_count = UINT32_MAX,
	                      .uid = UINT32_MAX,
	                      .gid = UINT32_MAX,
	                      .size_bytes = UINT64_MAX,
	                      .mtime_s = INT64_MAX,
	                      .device = UINT64_MAX,
	                      .inode = UINT64_MAX,
	                      .rights = 15};
	size_t len;

	(void)state;
	assert_non_null(path);
	assert_non_null(line);
	memset(path, 0xff, 4095);
	entry.name = path;
	entry.name_len = 4095;
	entry.target = path;
	entry.target_len = 4095;
	/* SECURITY.md P10: everything at its longest. */
	len = entry_format_list(&entry, &look, line, ENTRY_LINE_MAX);
	assert_in_range(len, 2 * 4095, ENTRY_LINE_MAX);
	for (size_t cap = 0; cap <= len; cap += cap < 100 ? 1 : len - 101) {
		char *small = malloc(cap > 0 ? cap : 1);

		assert_non_null(small);
		assert_int_equal(entry_format_list(&entry, &look, small, cap),
		                 cap == len ? len : 0);
		free(small);
		if (cap == len) {
			break;
		}
	}
	assert_in_range(entry_format_facts(&entry, ENTRY_FACTS_ALL, line, ENTRY_LINE_MAX),
	                4095, ENTRY_LINE_MAX);
	assert_in_range(
	    entry_format_facts_only(&entry, ENTRY_FACTS_ALL, line, ENTRY_FACTS_MAX), 1,
	    ENTRY_FACTS_MAX);
	assert_int_equal(entry_format_name(&entry, path, 4095, line, ENTRY_LINE_MAX),
	                 8192);
	assert_int_equal(entry_format_name(&entry, path, 4095, line, 8191), 0);
	free(path);
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(list_lines_are_those_of_ls),
	    cmocka_unit_test(modes_and_types_are_shown),
	    cmocka_unit_test(links_and_classes_are_shown),
	    cmocka_unit_test(owners_stay_one_column),
	    cmocka_unit_test(odd_names_stay_one_line),
	    cmocka_unit_test(names_have_a_prefix),
	    cmocka_unit_test(facts_are_those_of_rfc_3659),
	    cmocka_unit_test(perm_says_what_is_allowed),
	    cmocka_unit_test(types_are_named),
	    cmocka_unit_test(fact_names_go_both_ways),
	    cmocka_unit_test(longest_lines_fit_and_small_buffers_get_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
