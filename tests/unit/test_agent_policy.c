/*
 * test_agent_policy: every verb with every kind of rights, by the table and by the real
 * agent; rules of directories; drop boxes.
 * Source: SECURITY.md A1, A2, F24.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/policy.h"
#include "ftpd/proto/entry.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

static const struct agent_rights read_only = {.umask = 022};
static const struct agent_rights writing = {
    .may_write = true, .keeps_partial = true, .umask = 022};
static const struct agent_rights dropbox = {
    .may_write = true, .is_dropbox = true, .keeps_partial = true, .umask = 077};

struct fixture {
	struct agent_tree tree;
	struct agent_process agent;
};

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	static const char *const dirs[] = {"/in", "/in/deep", "/free", "/free/closed",
	                                   "/free/closed/open"};

	assert_non_null(fixture);
	tree_make(&fixture->tree);
	tree_give(&fixture->tree, "/");
	for (size_t i = 0; i < ARRAY_COUNT(dirs); i++) {
		char path[64];

		tree_dir(&fixture->tree, dirs[i]);
		tree_give(&fixture->tree, dirs[i]);
		(void)snprintf(path, sizeof(path), "%s/file", dirs[i]);
		tree_file(&fixture->tree, path, "content");
		tree_give(&fixture->tree, path);
	}
	tree_link(&fixture->tree, "/to-in", "in");
	tree_link(&fixture->tree, "/to-in-file", "/in/file");
	tree_link(&fixture->tree, "/free/to-closed-file", "closed/file");
	tree_link(&fixture->tree, "/free/to-up", "closed/..");
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	tree_remove(&fixture->tree);
	free(fixture);
	return 0;
}

/* What the policy says of each verb: read-only, writing, drop box. */
static const struct {
	enum agent_verb verb;
	enum ipc_result when_read_only;
	enum ipc_result in_dropbox;
} matrix[] = {
    {AGENT_OPEN_READ, IPC_OK, IPC_DENIED},
    {AGENT_STAT, IPC_OK, IPC_DENIED},
    {AGENT_CHECK_DIR, IPC_OK, IPC_OK},
    {AGENT_COUNT_ASCII, IPC_OK, IPC_DENIED},
    {AGENT_LIST, IPC_OK, IPC_DENIED},
    {AGENT_STAT_LINK, IPC_OK, IPC_DENIED},
    {AGENT_MAKE_DIR, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_REMOVE_DIR, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_REMOVE_FILE, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_RENAME, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_SET_TIME, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_SET_MODE, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_SET_UMASK, IPC_READ_ONLY, IPC_OK},
    {AGENT_SYMLINK, IPC_READ_ONLY, IPC_DENIED},
    {AGENT_SPACE, IPC_READ_ONLY, IPC_OK},
    {AGENT_OPEN_WRITE, IPC_READ_ONLY, IPC_OK},
    {AGENT_COMMIT, IPC_OK, IPC_OK},
    {AGENT_DISCARD, IPC_OK, IPC_OK},
    {AGENT_COPY, IPC_OK, IPC_DENIED}, /* of the source */
};

/* A verb that the policy's table or this one has forgotten is found here. */
static void
knows_every_verb(void **state)
{
	bool is_seen[AGENT_VERB_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(matrix); i++) {
		struct agent_question question = {.verb = matrix[i].verb};

		is_seen[matrix[i].verb] = true;
		assert_int_equal(policy_decide(&read_only, &question, false),
		                 matrix[i].when_read_only);
		assert_int_equal(policy_decide(&writing, &question, false), IPC_OK);
		assert_int_equal(policy_decide(&dropbox, &question, false),
		                 matrix[i].in_dropbox);
	}
	for (enum agent_verb verb = 0; verb < AGENT_VERB_COUNT; verb++) {
		struct agent_question question = {.verb = verb};

		assert_int_equal(is_seen[verb], verb != AGENT_READY);
		assert_int_equal(policy_decide(&writing, &question, false),
		                 verb == AGENT_READY ? IPC_DENIED : IPC_OK);
		/* the second path of what has none is nobody's */
		assert_int_equal(policy_decide(&writing, &question, true),
		                 verb == AGENT_RENAME || verb == AGENT_COPY ? IPC_OK
		                                                            : IPC_DENIED);
		assert_int_not_equal(policy_decide(&read_only, &question, true), IPC_OK);
		assert_int_not_equal(policy_decide(&dropbox, &question, true), IPC_OK);
	}
}

static void
takes_only_new_whole_files_into_a_dropbox(void **state)
{
	static const struct {
		enum agent_open how;
		uint64_t offset;
		enum ipc_result result;
	} cases[] = {
	    {AGENT_OPEN_STORE, 0, IPC_OK},      {AGENT_OPEN_UNIQUE, 0, IPC_OK},
	    {AGENT_OPEN_STORE, 1, IPC_DENIED},  {AGENT_OPEN_APPEND, 0, IPC_DENIED},
	    {AGENT_OPEN_UNIQUE, 1, IPC_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct agent_question question = {.verb = AGENT_OPEN_WRITE,
		                                  .how = cases[i].how,
		                                  .offset = cases[i].offset};

		assert_int_equal(policy_decide(&dropbox, &question, false),
		                 cases[i].result);
	}
}

/* Ask the real agent something about a path that would be done if it were allowed. */
static enum ipc_result
try(const struct fixture *fixture, enum agent_verb verb, const char *path,
    const char *second)
{
	struct agent_answer answer;
	int fd;

	answer = agent_ask_two(&fixture->agent, verb, path, second, &fd);
	fd_close(&fd);
	return answer.result;
}

/* A read-only agent is asked for everything, and its files are as before. */
static void
changes_nothing_when_read_only(void **state)
{
	static const unsigned modes[] = {0, HARNESS_NO_ROOT, HARNESS_NO_OPENAT2,
	                                 HARNESS_NO_ROOT | HARNESS_NO_SANDBOX};
	struct fixture *fixture = *state;

	for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
		agent_start(&fixture->agent, fixture->tree.root, modes[m]);
		for (enum agent_verb verb = AGENT_MAKE_DIR; verb < AGENT_READY; verb++) {
			enum ipc_result expected =
			    verb == AGENT_COMMIT || verb == AGENT_DISCARD ? IPC_NOT_FOUND
									  : IPC_READ_ONLY;

			assert_int_equal(try(fixture, verb, "/in/file", "/in/new"),
			                 expected);
			assert_int_equal(try(fixture, verb, "/in/none", "/in/new"),
			                 verb == AGENT_COPY ? IPC_READ_ONLY : expected);
		}
		assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
		assert_int_equal(tree_count(&fixture->tree, "/in"), 2);
		assert_true(tree_has(&fixture->tree, "/in/file", "content"));
	}
}

/* /free may be written, /free/closed not, /free/closed/open again; /in is a drop box. */
static void
start_with_rules(struct fixture *fixture, unsigned modes)
{
	struct agent_start start = {
	    .root = fixture->tree.root,
	    .rule_count = 4,
	    .rules = {{"/free", 5, writing},
	              {"/free/closed", 12, read_only},
	              {"/free/closed/open", 17, writing},
	              {"/in", 3, dropbox}},
	};

	agent_start_record(&fixture->agent, &start, modes);
	assert_int_equal(fixture->agent.ready, IPC_OK);
}

static void
obeys_the_innermost_rule(void **state)
{
	static const struct {
		const char *path;
		enum ipc_result result; /* of STOR */
	} cases[] = {
	    {"/new", IPC_READ_ONLY},
	    {"/free/new", IPC_OK},
	    {"/free/closed/new", IPC_READ_ONLY},
	    {"/free/./closed//new", IPC_READ_ONLY},
	    {"/free/closed/open/../new", IPC_READ_ONLY},
	    {"/free/closed/open/new", IPC_OK},
	    {"/free/to-closed-file", IPC_READ_ONLY},
	    {"/free/to-up/new2", IPC_OK},
	    {"/in/new", IPC_OK},
	    {"/in/new", IPC_EXISTS},
	    {"/in/file", IPC_EXISTS},
	    {"/in/deep/new", IPC_OK},
	    {"/to-in/new2", IPC_OK},
	    {"/to-in-file", IPC_EXISTS},
	};
	struct fixture *fixture = *state;

	start_with_rules(fixture, 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(agent_upload(&fixture->agent, cases[i].path,
		                              AGENT_OPEN_STORE, 0, "x"),
		                 cases[i].result);
	}
	assert_true(tree_has(&fixture->tree, "/in/file", "content"));
	assert_true(tree_has(&fixture->tree, "/free/closed/file", "content"));
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
}

/* By whatever name it is called: nothing tells what is in a drop box (A2). */
static void
tells_nothing_of_a_dropbox(void **state)
{
	static const char *const files[] = {
	    "/in/file",      "/in/./file",  "//in//file",  "/free/../in/file",
	    "/in/deep/file", "/to-in/file", "/to-in-file", "/in/deep/../file",
	    "/in/none",      "/to-in/none",
	};
	static const enum agent_verb looking[] = {AGENT_OPEN_READ, AGENT_STAT,
	                                          AGENT_COUNT_ASCII, AGENT_LIST};
	static const enum agent_verb changing[] = {
	    AGENT_STAT_LINK,   AGENT_MAKE_DIR, AGENT_REMOVE_DIR,
	    AGENT_REMOVE_FILE, AGENT_RENAME,   AGENT_SET_TIME,
	    AGENT_SET_MODE,    AGENT_SYMLINK,  AGENT_COPY};
	struct fixture *fixture = *state;

	start_with_rules(fixture, 0);
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(looking); j++) {
			assert_int_equal(try(fixture, looking[j], files[i], ""),
			                 IPC_DENIED);
		}
		for (size_t j = 0; j < ARRAY_COUNT(changing); j++) {
			if (strcmp(files[i], "/to-in-file") == 0) {
				continue; /* itself it is in the root */
			}
			assert_int_equal(try(fixture, changing[j], files[i], "/free/x"),
			                 IPC_DENIED);
		}
	}
	assert_int_equal(try(fixture, AGENT_LIST, "/in", ""), IPC_DENIED);
	assert_int_equal(try(fixture, AGENT_LIST, "/to-in", ""), IPC_DENIED);
	assert_int_equal(try(fixture, AGENT_LIST, "/free/../in", ""), IPC_DENIED);
	assert_int_equal(try(fixture, AGENT_CHECK_DIR, "/in", ""), IPC_OK);
	assert_int_equal(try(fixture, AGENT_CHECK_DIR, "/to-in", ""), IPC_OK);
	/* nor can anything be brought in or out by renaming or copying */
	assert_int_equal(try(fixture, AGENT_RENAME, "/free/file", "/in/x"), IPC_DENIED);
	assert_int_equal(try(fixture, AGENT_COPY, "/free/file", "/in/x"), IPC_DENIED);
	assert_int_equal(try(fixture, AGENT_COPY, "/in", "/free/x"), IPC_DENIED);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
	assert_false(tree_is_there(&fixture->tree, "/free/x"));
	assert_int_equal(tree_count(&fixture->tree, "/in"), 2);
}

/* A listing with -R names a drop box and does not enter it. */
static void
does_not_list_a_dropbox_on_the_way(void **state)
{
	struct agent_question question = {
	    .path = "/", .format = AGENT_FORMAT_LONG, .options = AGENT_LIST_RECURSIVE};
	struct fixture *fixture = *state;
	size_t len;
	char *text;

	start_with_rules(fixture, 0);
	text = agent_list(&fixture->agent, &question, &len);
	assert_non_null(strstr(text, " in\r\n"));
	assert_null(strstr(text, "in:\r\n"));
	assert_null(strstr(text, "deep"));
	assert_non_null(strstr(text, "free/closed/open:\r\n"));
	free(text);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
}

/* A rule goes with its directory, and holds for what is put in its place. */
static void
cannot_lose_a_rule(void **state)
{
	struct fixture *fixture = *state;
	char from[HARNESS_PATH];
	char to[HARNESS_PATH];

	start_with_rules(fixture, 0);
	/* the directory itself stays */
	assert_int_equal(try(fixture, AGENT_RENAME, "/free/closed", "/free/x"),
	                 IPC_DENIED);
	assert_int_equal(try(fixture, AGENT_REMOVE_DIR, "/free/closed", ""), IPC_DENIED);
	/* somebody else moves it */
	assert_int_equal(rename(tree_path(&fixture->tree, "/free/closed", from),
	                        tree_path(&fixture->tree, "/free/moved", to)),
	                 0);
	assert_int_equal(
	    agent_upload(&fixture->agent, "/free/moved/new", AGENT_OPEN_STORE, 0, "x"),
	    IPC_READ_ONLY);
	tree_dir(&fixture->tree, "/free/closed");
	tree_give(&fixture->tree, "/free/closed");
	assert_int_equal(
	    agent_upload(&fixture->agent, "/free/closed/new", AGENT_OPEN_STORE, 0, "x"),
	    IPC_READ_ONLY);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
}

/*
 * Get the permission fact of a name in a directory.
 * Returns: whether it is `perm`.
 */
static bool
has_perm(const struct fixture *fixture, const char *dir, const char *name,
         const char *perm)
{
	struct agent_question question = {
	    .path = dir, .format = AGENT_FORMAT_FACTS, .facts = ENTRY_FACT_PERM};
	char line[128];
	size_t len;
	char *text = agent_list(&fixture->agent, &question, &len);
	bool is_found;

	(void)snprintf(line, sizeof(line), "perm=%s; %s\r\n", perm, name);
	is_found = strstr(text, line) != NULL;
	if (!is_found) {
		print_message("%s", text);
	}
	free(text);
	return is_found;
}

/* What listings and answers say of permissions is what the rights permit. */
static void
tells_permissions_by_rights(void **state)
{
	static const struct {
		const char *dir;
		const char *name;
		const char *perm;
		bool is_writable;
		bool is_removable;
	} cases[] = {
	    {"/", "free", "celmp", true, false},
	    {"/free", "file", "adfrw", true, true},
	    {"/free", "closed", "el", false, false},
	    {"/free/closed", "file", "r", false, false},
	    {"/free/closed", "open", "celmp", true, false},
	    {"/free/closed/open", "file", "adfrw", true, true},
	};
	struct fixture *fixture = *state;

	start_with_rules(fixture, HARNESS_NO_ROOT);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char path[HARNESS_PATH];
		struct agent_answer answer;
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%s", cases[i].dir, cases[i].name);
		answer = agent_ask_path(&fixture->agent, AGENT_STAT, path, &fd);
		assert_int_equal(answer.is_writable, cases[i].is_writable);
		assert_int_equal(answer.is_removable, cases[i].is_removable);
		answer = agent_ask_path(&fixture->agent, AGENT_STAT_LINK, path, &fd);
		assert_int_equal(answer.is_removable, cases[i].is_removable);
		assert_true(
		    has_perm(fixture, cases[i].dir, cases[i].name, cases[i].perm));
	}
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
}

/* What is copied gets the permissions that hold where it comes to. */
static void
copies_by_the_umask_of_each_directory(void **state)
{
	static const char *const files[] = {"/free/tree/a", "/free/tree/shut/a",
	                                    "/free/tree/shut/b", "/free/tree/z"};
	struct fixture *fixture = *state;
	struct agent_start start = {
	    .root = fixture->tree.root,
	    .rights = writing,
	    .rule_count = 1,
	    .rules = {{"/copy/shut",
	               10,
	               {.may_write = true, .keeps_partial = true, .umask = 077}}},
	};
	struct agent_answer answer;
	size_t len;
	int fd;

	tree_dir(&fixture->tree, "/free/tree");
	tree_dir(&fixture->tree, "/free/tree/shut");
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		tree_file(&fixture->tree, files[i], "content");
	}
	agent_start_record(&fixture->agent, &start, 0);
	assert_int_equal(fixture->agent.ready, IPC_OK);
	answer = agent_ask_two(&fixture->agent, AGENT_COPY, "/free/tree", "/copy", &fd);
	assert_int_equal(answer.result, IPC_OK);
	free(agent_read_all(fd, &len));
	fd_close(&fd);
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		char path[64];
		char text[HARNESS_PATH];
		struct stat info;

		(void)snprintf(path, sizeof(path), "/copy%s",
		               files[i] + strlen("/free/tree"));
		assert_int_equal(stat(tree_path(&fixture->tree, path, text), &info), 0);
		assert_int_equal(info.st_mode & 07777,
		                 strstr(path, "/shut/") != NULL ? 0600 : 0644);
	}
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_every_verb),
	    cmocka_unit_test(takes_only_new_whole_files_into_a_dropbox),
	    WITH_TREE(changes_nothing_when_read_only),
	    WITH_TREE(obeys_the_innermost_rule),
	    WITH_TREE(tells_nothing_of_a_dropbox),
	    WITH_TREE(does_not_list_a_dropbox_on_the_way),
	    WITH_TREE(cannot_lose_a_rule),
	    WITH_TREE(tells_permissions_by_rights),
	    WITH_TREE(copies_by_the_umask_of_each_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
