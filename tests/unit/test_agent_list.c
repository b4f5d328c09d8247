/*
 * test_agent_list: the listings of the real agent: what they say, and in which order.
 * Source: RFC 3659 7; SECURITY.md G3, G5, G7, G8, G9, P22, P23.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftpd/proto/entry.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	FACTS = ENTRY_FACT_TYPE | ENTRY_FACT_SIZE | ENTRY_FACT_MODIFY | ENTRY_FACT_PERM,
};

struct fixture {
	struct agent_tree tree;
	struct agent_process agent;
};

static void
set_time(const struct agent_tree *tree, const char *path, time_t when)
{
	struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
	char text[HARNESS_PATH];

	assert_int_equal(
	    utimensat(AT_FDCWD, tree_path(tree, path, text), times, AT_SYMLINK_NOFOLLOW),
	    0);
}

static int
set_up_modes(void **state, unsigned modes)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	tree_make(&fixture->tree);
	tree_dir(&fixture->tree, "/d");
	tree_file(&fixture->tree, "/d/b", "bb");
	tree_file(&fixture->tree, "/d/a", "a");
	tree_file(&fixture->tree, "/d/c", "ccc");
	tree_file(&fixture->tree, "/d/.hidden", "");
	tree_dir(&fixture->tree, "/d/sub");
	tree_link(&fixture->tree, "/d/link", "a");
	tree_dir(&fixture->tree, "/empty");
	/* 2001-02-03 04:05:06 and later. */
	set_time(&fixture->tree, "/d/b", 981173106);
	set_time(&fixture->tree, "/d/a", 981173107);
	set_time(&fixture->tree, "/d/c", 981173105);
	set_time(&fixture->tree, "/d/link", 981173108);
	set_time(&fixture->tree, "/d/sub", 981173109);
	set_time(&fixture->tree, "/d", 981173110);
	agent_start(&fixture->agent, fixture->tree.root, modes);
	*state = fixture;
	return 0;
}

static int
set_up(void **state)
{
	return set_up_modes(state, 0);
}

static int
set_up_walk(void **state)
{
	return set_up_modes(state, HARNESS_NO_OPENAT2 | HARNESS_NO_ROOT);
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	assert_int_equal(agent_ask_path(&fixture->agent, AGENT_STAT, "/", &fd).result,
	                 IPC_OK);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
	tree_remove(&fixture->tree);
	free(fixture);
	return 0;
}

static void
lists_names(void **state)
{
	static const struct {
		struct agent_question question;
		const char *text;
	} cases[] = {
	    {{.path = "/d"}, "a\r\nb\r\nc\r\nlink\r\nsub\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_HIDDEN},
	     ".hidden\r\na\r\nb\r\nc\r\nlink\r\nsub\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_REVERSE},
	     "sub\r\nlink\r\nc\r\nb\r\na\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_BY_TIME},
	     "sub\r\nlink\r\na\r\nb\r\nc\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_BY_TIME | AGENT_LIST_REVERSE},
	     "c\r\nb\r\na\r\nlink\r\nsub\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_BY_SIZE, .pattern = "?"},
	     "c\r\nb\r\na\r\n"},
	    {{.path = "/d", .pattern = "[a-b]"}, "a\r\nb\r\n"},
	    {{.path = "/d", .pattern = "*i*"}, "link\r\n"},
	    {{.path = "/d", .pattern = ".*"}, ".hidden\r\n"},
	    {{.path = "/d", .pattern = "nothing*"}, ""},
	    {{.path = "/d", .pattern = "s*", .options = AGENT_LIST_DIRECTORY}, "sub\r\n"},
	    {{.path = "/d", .prefix = "d/", .pattern = "s*"}, "d/sub\r\n"},
	    {{.path = "/d", .prefix = "../d/", .pattern = "?"},
	     "../d/a\r\n../d/b\r\n../d/c\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_CLASSIFY, .pattern = "sub"}, "sub\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_DIRECTORY}, "d\r\n"},
	    {{.path = "/", .options = AGENT_LIST_DIRECTORY}, ".\r\n"},
	    {{.path = "/d", .options = AGENT_LIST_DIRECTORY, .prefix = "../d/"},
	     "../d\r\n"},
	    {{.path = "/d/a"}, "a\r\n"},
	    {{.path = "/d/a", .prefix = "d/a/"}, "d/a\r\n"},
	    {{.path = "/empty"}, ""},
	    {{.path = "/empty", .options = AGENT_LIST_HIDDEN}, ""},
	    {{.path = "/"}, "d\r\nempty\r\n"},
	};

	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct agent_question question = cases[i].question;
		size_t len;
		char *text;

		question.format = AGENT_FORMAT_NAMES;
		text = agent_list(&fixture->agent, &question, &len);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

/*
 * Compare a LIST with what is expected of its lines: the first character of the mode, and
 * what follows the size.
 */
static void
check_long(const struct fixture *fixture, const struct agent_question *question,
           const char *const *lines)
{
	struct agent_question whole = *question;
	size_t len;
	char *text;
	char *rest;

	whole.format = AGENT_FORMAT_LONG;
	text = agent_list(&fixture->agent, &whole, &len);
	rest = text;
	for (size_t i = 0; lines[i] != NULL; i++) {
		char *end = strstr(rest, "\r\n");
		const char *expected = lines[i] + (lines[i][0] != '\0');
		size_t tail = strlen(expected);

		assert_non_null(end);
		*end = '\0';
		assert_int_equal(rest[0], lines[i][0]);
		assert_true((size_t)(end - rest) >= tail);
		assert_string_equal(end - tail, expected);
		rest = end + 2;
	}
	assert_string_equal(rest, "");
	free(text);
}

static void
lists_long_lines(void **state)
{
	static const struct {
		struct agent_question question;
		const char *lines[16];
	} cases[] = {
	    {{.path = "/d"},
	     {"- 1 Feb  3  2001 a", "- 2 Feb  3  2001 b", "- 3 Feb  3  2001 c",
	      "l 1 Feb  3  2001 link -> a", "d Feb  3  2001 sub"}},
	    {{.path = "/d", .options = AGENT_LIST_CLASSIFY, .pattern = "[ls]*"},
	     {"l 1 Feb  3  2001 link -> a", "d Feb  3  2001 sub/"}},
	    {{.path = "/d", .options = AGENT_LIST_DIRECTORY}, {"d Feb  3  2001 d"}},
	    {{.path = "/d/b"}, {"- 2 Feb  3  2001 b"}},
	    {{.path = "/d", .options = AGENT_LIST_HIDDEN, .pattern = ".*"},
	     {"- .hidden"}},
	    {{.path = "/empty"}, {NULL}},
	    /* The directory above has a time of now: only its name is certain. */
	    {{.path = "/empty", .options = AGENT_LIST_HIDDEN}, {"d .", "d .."}},
	    {{.path = "/", .options = AGENT_LIST_HIDDEN},
	     {"d .", "d ..", "d Feb  3  2001 d", "d empty"}},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		check_long(*state, &cases[i].question, cases[i].lines);
	}
}

static void
names_with_l_are_long(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {
	    .path = "/d/a", .format = AGENT_FORMAT_NAMES, .options = AGENT_LIST_LONG};
	size_t len;
	char *text = agent_list(&fixture->agent, &question, &len);

	assert_int_equal(strncmp(text, "-rw-r--r-- ", 11), 0);
	free(text);
}

static void
long_lines_name_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/d/a", .format = AGENT_FORMAT_LONG};
	size_t len;
	char *text = agent_list(&fixture->agent, &question, &len);

	assert_non_null(strstr(text, " ftp      ftp "));
	free(text);
}

/* Facts come in the order of the directory, so lines are looked for one by one. */
static void
lists_facts(void **state)
{
	static const char *const lines[] = {
	    "type=cdir;modify=20010203040510;perm=el; .\r\n",
	    "type=file;size=1;modify=20010203040507;perm=r; a\r\n",
	    "type=file;size=2;modify=20010203040506;perm=r; b\r\n",
	    "type=file;size=3;modify=20010203040505;perm=r; c\r\n",
	    "type=dir;modify=20010203040509;perm=el; sub\r\n",
	    "size=0;",
	    "; .hidden\r\n",
	    "type=pdir;",
	    "; ..\r\n",
	    "; link\r\n",
	};
	struct agent_question question = {.path = "/d",
	                                  .format = AGENT_FORMAT_FACTS,
	                                  .facts = FACTS,
	                                  .options = AGENT_OPTION_ALL};
	struct fixture *fixture = *state;
	size_t len;
	size_t count = 0;
	char *text = agent_list(&fixture->agent, &question, &len);

	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		assert_non_null(strstr(text, lines[i]));
	}
	for (char *at = text; (at = strstr(at, "\r\n")) != NULL; at += 2) {
		count++;
	}
	assert_int_equal(count, 8);
	assert_int_equal(strncmp(text, "type=cdir;", 10), 0);
	assert_non_null(strstr(strstr(text, "\r\n"), "type=pdir;"));
	free(text);

	question.path = "/";
	text = agent_list(&fixture->agent, &question, &len);
	assert_non_null(strstr(text, "type=cdir;"));
	assert_null(strstr(text, "type=pdir;"));
	free(text);
}

static void
refuses_before_there_is_a_pipe(void **state)
{
	static const struct {
		const char *path;
		enum agent_format format;
		const char *pattern;
		enum ipc_result result;
	} cases[] = {
	    {"/missing", AGENT_FORMAT_LONG, "", IPC_NOT_FOUND},
	    {"/missing", AGENT_FORMAT_FACTS, "", IPC_NOT_FOUND},
	    {"/missing/deeper", AGENT_FORMAT_NAMES, "", IPC_NOT_FOUND},
	    {"/d/a", AGENT_FORMAT_FACTS, "", IPC_NOT_A_DIRECTORY},
	    {"/d/a", AGENT_FORMAT_LONG, "*", IPC_NOT_A_DIRECTORY},
	    {"/d/a/x", AGENT_FORMAT_LONG, "", IPC_NOT_A_DIRECTORY},
	    {"/unreadable", AGENT_FORMAT_LONG, "", IPC_DENIED},
	    {"/unreadable", AGENT_FORMAT_NAMES, "*", IPC_DENIED},
	};
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];

	tree_dir(&fixture->tree, "/unreadable");
	assert_int_equal(chmod(tree_path(&fixture->tree, "/unreadable", text), 0311), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct agent_question question = {.path = cases[i].path,
		                                  .format = cases[i].format,
		                                  .pattern = cases[i].pattern};
		int fd;

		if (geteuid() != 0 && strcmp(cases[i].path, "/unreadable") == 0) {
			assert_int_equal(chmod(text, 0), 0); /* we are the owner */
		}
		assert_int_equal(agent_ask_list(&fixture->agent, &question, &fd),
		                 cases[i].result);
	}
}

/*
 * One file for each byte that a name can have: one line each, and nothing that looks like
 * another line.
 */
static void
names_may_have_any_byte(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/bytes", .format = AGENT_FORMAT_NAMES};
	size_t names_len;
	size_t long_len;
	size_t count = 0;
	char *names;
	char *lines;

	tree_dir(&fixture->tree, "/bytes");
	for (unsigned byte = 1; byte < 256; byte++) {
		char path[32] = "/bytes/x";

		path[8] = (char)byte;
		if (byte != '/') {
			tree_file(&fixture->tree, path, "");
		}
	}
	names = agent_list(&fixture->agent, &question, &names_len);
	/* CR and LF cannot be said */
	assert_int_equal(names_len, (254 - 2) * strlen("x?\r\n"));
	for (unsigned byte = 1; byte < 256; byte++) {
		char line[] = {'x', (char)byte, '\r', '\n', '\0'};
		bool is_sayable = byte != '\r' && byte != '\n' && byte != '/';

		assert_int_equal(strstr(names, line) != NULL, is_sayable);
	}
	free(names);

	question.format = AGENT_FORMAT_LONG;
	lines = agent_list(&fixture->agent, &question, &long_len);
	for (char *at = lines; *at != '\0'; at = strstr(at, "\r\n") + 2) {
		assert_int_equal(*at, '-');
		count++;
	}
	assert_int_equal(count, 254);
	free(lines);
}

static void
walks_directories_in_the_order_of_ls(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {
	    .path = "/r", .format = AGENT_FORMAT_NAMES, .options = AGENT_LIST_RECURSIVE};
	size_t len;
	char *text;

	tree_dir(&fixture->tree, "/r");
	tree_dir(&fixture->tree, "/r/a");
	tree_dir(&fixture->tree, "/r/a/x");
	tree_dir(&fixture->tree, "/r/b");
	tree_file(&fixture->tree, "/r/a/x/f", "");
	tree_file(&fixture->tree, "/r/a/y", "");
	tree_file(&fixture->tree, "/r/b/z", "");
	tree_link(&fixture->tree, "/r/b/up", "..");
	text = agent_list(&fixture->agent, &question, &len);
	assert_string_equal(text, "a\r\nb\r\na/x\r\na/y\r\na/x/f\r\nb/up\r\nb/z\r\n");
	free(text);

	check_long(
	    fixture,
	    &(struct agent_question){.path = "/r", .options = AGENT_LIST_RECURSIVE},
	    (const char *const[]){".:", "d a", "d b", "", "./a:", "d x", "- y", "",
	                          "./a/x:", "- f", "", "./b:", "l up -> ..", "- z",
	                          NULL});
	question.format = AGENT_FORMAT_LONG;
	question.prefix = "r/";
	text = agent_list(&fixture->agent, &question, &len);
	assert_int_equal(strncmp(text, "r:\r\n", 4), 0);
	assert_non_null(strstr(text, "\r\n\r\nr/a/x:\r\n"));
	free(text);
}

static void
walks_are_bounded_in_depth(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/deep",
	                                  .format = AGENT_FORMAT_NAMES,
	                                  .options = AGENT_LIST_RECURSIVE};
	char path[HARNESS_PATH] = "/deep";
	size_t len;
	char *text;

	tree_dir(&fixture->tree, path);
	for (unsigned i = 0; i < 12; i++) {
		(void)snprintf(path + strlen(path), 8, "/n%u", i);
		tree_dir(&fixture->tree, path);
	}
	text = agent_list(&fixture->agent, &question, &len);
	/* named in the eighth directory, but not entered */
	assert_non_null(strstr(text, "/n7/n8\r\n"));
	assert_null(strstr(text, "/n8/n9"));
	free(text);
}

#define WITH(test, how)     cmocka_unit_test_setup_teardown(test, how, tear_down)
#define IN_BOTH_MODES(test) WITH(test, set_up), WITH(test, set_up_walk)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_BOTH_MODES(lists_names),
	    IN_BOTH_MODES(lists_long_lines),
	    IN_BOTH_MODES(names_with_l_are_long),
	    IN_BOTH_MODES(long_lines_name_nobody),
	    IN_BOTH_MODES(lists_facts),
	    IN_BOTH_MODES(refuses_before_there_is_a_pipe),
	    IN_BOTH_MODES(names_may_have_any_byte),
	    IN_BOTH_MODES(walks_directories_in_the_order_of_ls),
	    IN_BOTH_MODES(walks_are_bounded_in_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
