/*
 * test_agent_change: the verbs that make, remove, rename and alter, of the real agent.
 * Source: RFC 959 (DELE, RNFR, RNTO, MKD, RMD), draft-somers-ftp-mfxx; SECURITY.md F3,
 * F5, F7, F8, F9, F21, F22, F23, F25.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/link_target.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

static const struct agent_rights writing = {
    .may_write = true, .keeps_partial = true, .umask = 022};

struct fixture {
	struct agent_tree tree;
	struct agent_process agent;
};

static int
set_up_with(void **state, unsigned modes)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	tree_make(&fixture->tree);
	tree_give(&fixture->tree, "/");
	tree_dir(&fixture->tree, "/dir");
	tree_give(&fixture->tree, "/dir");
	tree_file(&fixture->tree, "/file", "content");
	tree_give(&fixture->tree, "/file");
	tree_link(&fixture->tree, "/link", "file");
	tree_link(&fixture->tree, "/out", "../secret");
	agent_start_writing(&fixture->agent, fixture->tree.root, &writing, modes);
	*state = fixture;
	return 0;
}

static int
set_up(void **state)
{
	return set_up_with(state, 0);
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
	assert_true(tree_has(&fixture->tree, "/../secret", "nobody may read this"));
	tree_remove(&fixture->tree);
	free(fixture);
	return 0;
}

static int
set_up_walk(void **state)
{
	return set_up_with(state, HARNESS_NO_OPENAT2);
}

static int
set_up_no_root(void **state)
{
	return set_up_with(state, HARNESS_NO_ROOT);
}

static enum ipc_result
ask(const struct fixture *fixture, enum agent_verb verb, const char *path)
{
	int fd;

	return agent_ask_path(&fixture->agent, verb, path, &fd).result;
}

static enum ipc_result
ask_two(const struct fixture *fixture, enum agent_verb verb, const char *path,
        const char *second)
{
	int fd;

	return agent_ask_two(&fixture->agent, verb, path, second, &fd).result;
}

static struct agent_answer
ask_number(const struct fixture *fixture, enum agent_verb verb, const char *path,
           uint32_t mode, int64_t time_s)
{
	struct agent_question question = {.verb = verb,
	                                  .path = path,
	                                  .path_len = strlen(path),
	                                  .mode = mode,
	                                  .time_s = time_s,
	                                  .pattern = "",
	                                  .prefix = ""};
	struct agent_answer answer;
	int fd = -1;

	assert_true(agent_ask(&fixture->agent, &question, &answer, &fd));
	return answer;
}

static struct stat
stat_of(const struct fixture *fixture, const char *path)
{
	char text[HARNESS_PATH];
	struct stat info;

	assert_int_equal(lstat(tree_path(&fixture->tree, path, text), &info), 0);
	return info;
}

static void
makes_and_removes(void **state)
{
	static const struct {
		enum agent_verb verb;
		const char *path;
		enum ipc_result result;
	} steps[] = {
	    {AGENT_MAKE_DIR, "/new", IPC_OK},
	    {AGENT_MAKE_DIR, "/new", IPC_EXISTS},
	    {AGENT_MAKE_DIR, "/", IPC_EXISTS},
	    {AGENT_MAKE_DIR, "/file", IPC_EXISTS},
	    {AGENT_MAKE_DIR, "/file/x", IPC_NOT_A_DIRECTORY},
	    {AGENT_MAKE_DIR, "/none/x", IPC_NOT_FOUND},
	    {AGENT_MAKE_DIR, "/new/..", IPC_EXISTS},
	    {AGENT_MAKE_DIR, "/new/deeper", IPC_OK},
	    {AGENT_REMOVE_DIR, "/new", IPC_NOT_EMPTY},
	    {AGENT_REMOVE_DIR, "/file", IPC_NOT_A_DIRECTORY},
	    {AGENT_REMOVE_DIR, "/none", IPC_NOT_FOUND},
	    {AGENT_REMOVE_DIR, "/", IPC_BAD_NAME},
	    {AGENT_REMOVE_DIR, "/new/.", IPC_BAD_NAME},
	    {AGENT_REMOVE_DIR, "/new/deeper/..", IPC_BAD_NAME},
	    {AGENT_REMOVE_DIR, "/new/deeper", IPC_OK},
	    {AGENT_REMOVE_FILE, "/new", IPC_NOT_A_FILE},
	    {AGENT_REMOVE_DIR, "/new", IPC_OK},
	    {AGENT_REMOVE_FILE, "/none", IPC_NOT_FOUND},
	    {AGENT_REMOVE_FILE, "/out", IPC_OK}, /* the link, not what it is to */
	    {AGENT_REMOVE_FILE, "/link", IPC_OK},
	    {AGENT_REMOVE_FILE, "/file", IPC_OK},
	    {AGENT_REMOVE_DIR, "/dir", IPC_OK},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		enum ipc_result result = ask(fixture, steps[i].verb, steps[i].path);

		if (result != steps[i].result) {
			print_message("step %zu %s\n", i, steps[i].path);
		}
		assert_int_equal(result, steps[i].result);
	}
	assert_int_equal(tree_count(&fixture->tree, "/"), 0);
}

/* Links themselves, never what they are to (F3). */
static void
renames(void **state)
{
	static const struct {
		const char *from;
		const char *to;
		enum ipc_result result;
	} steps[] = {
	    {"/none", "/x", IPC_NOT_FOUND},
	    {"/file", "/dir/moved", IPC_OK}, /* to another directory: F23 */
	    {"/dir/moved", "/file", IPC_OK},
	    {"/link", "/dir/link", IPC_OK},
	    {"/out", "/other", IPC_OK},
	    {"/dir", "/dir/in-itself", IPC_BAD_NAME},
	    {"/file", "/dir", IPC_NOT_A_FILE},
	    {"/dir", "/file", IPC_NOT_A_DIRECTORY},
	    {"/dir", "/renamed", IPC_OK},
	    {"/renamed", "/dir", IPC_OK},
	    {"/file", "/../secret", IPC_OK}, /* which is in the root */
	    {"/secret", "/file", IPC_OK},
	    {"/", "/x", IPC_BAD_NAME},
	    {"/file", "/", IPC_BAD_NAME},
	    {"/file", "/none/x", IPC_NOT_FOUND},
	    {"/file", "/other", IPC_OK}, /* the link is replaced, not followed */
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		enum ipc_result result =
		    ask_two(fixture, AGENT_RENAME, steps[i].from, steps[i].to);

		if (result != steps[i].result) {
			print_message("step %zu %s\n", i, steps[i].from);
		}
		assert_int_equal(result, steps[i].result);
	}
	assert_true(tree_has(&fixture->tree, "/other", "content"));
	assert_true(S_ISLNK(stat_of(fixture, "/dir/link").st_mode));
}

/* Where links are not followed, ".." is not either. */
static void
renames_by_walking(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask_two(fixture, AGENT_RENAME, "/file", "/dir/moved"), IPC_OK);
	assert_int_equal(ask_two(fixture, AGENT_RENAME, "/dir/moved", "/../secret"),
	                 IPC_DENIED);
	assert_int_equal(ask_two(fixture, AGENT_RENAME, "/dir/moved", "/out"), IPC_OK);
	assert_int_equal(agent_upload(&fixture->agent, "/link", AGENT_OPEN_STORE, 0, "x"),
	                 IPC_NOT_FOUND); /* a link, and nothing follows it */
	assert_int_equal(agent_upload(&fixture->agent, "/new", AGENT_OPEN_STORE, 0, "x"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/new", "x"));
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/new", 0600, 0).result,
	                 IPC_OK);
	assert_int_equal(stat_of(fixture, "/new").st_mode & 07777, 0600);
}

/* A date is exact, or as near as the file system comes, and told (F25). */
static void
sets_times(void **state)
{
	static const int64_t times[] = {0,          1,          1000000000, 2147483647,
	                                2147483648, 4102444800, -1,         -86400};
	static const int64_t odd[] = {INT64_MIN, INT64_MAX, -62167219200, 253402300799};
	struct fixture *fixture = *state;
	struct agent_answer answer;

	for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
		answer = ask_number(fixture, AGENT_SET_TIME, "/file", 0, times[i]);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(answer.mtime_s, times[i]);
		assert_int_equal(stat_of(fixture, "/file").st_mtime, times[i]);
		answer = ask_number(fixture, AGENT_SET_TIME, "/dir", 0, times[i]);
		assert_int_equal(answer.mtime_s, times[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		answer = ask_number(fixture, AGENT_SET_TIME, "/file", 0, odd[i]);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(stat_of(fixture, "/file").st_mtime, answer.mtime_s);
	}
	/* through a link, inside */
	answer = ask_number(fixture, AGENT_SET_TIME, "/link", 0, 77);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(stat_of(fixture, "/file").st_mtime, 77);
	assert_int_equal(ask_number(fixture, AGENT_SET_TIME, "/none", 0, 1).result,
	                 IPC_NOT_FOUND);
	assert_int_equal(ask_number(fixture, AGENT_SET_TIME, "/out", 0, 1).result,
	                 IPC_NOT_FOUND);
	assert_true(stat_of(fixture, "/../secret").st_mtime > 1000000000);
}

/* 0777 and nothing else (F7). */
static void
sets_modes(void **state)
{
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_question question = {.verb = AGENT_SET_MODE,
	                                  .path = "/file",
	                                  .path_len = 5,
	                                  .pattern = "",
	                                  .prefix = ""};
	static const uint32_t special[] = {04755,     02755, 01777,     07777,
	                                   0x1ff + 1, 99999, UINT32_MAX};
	char text[HARNESS_PATH];

	for (uint32_t mode = 0; mode <= 0777; mode++) {
		assert_int_equal(
		    ask_number(fixture, AGENT_SET_MODE, "/file", mode, 0).result, IPC_OK);
		assert_int_equal(stat_of(fixture, "/file").st_mode & 07777, mode);
	}
	/* through a link inside, to a directory, and not to a FIFO */
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/link", 0640, 0).result,
	                 IPC_OK);
	assert_int_equal(stat_of(fixture, "/file").st_mode & 07777, 0640);
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/dir", 0700, 0).result,
	                 IPC_OK);
	assert_int_equal(stat_of(fixture, "/dir").st_mode & 07777, 0700);
	assert_int_equal(mkfifo(tree_path(&fixture->tree, "/fifo", text), 0600), 0);
	tree_give(&fixture->tree, "/fifo");
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/fifo", 0644, 0).result,
	                 IPC_NOT_A_FILE);
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/out", 0777, 0).result,
	                 IPC_NOT_FOUND);
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/", 0777, 0).result,
	                 IPC_BAD_NAME);
	/* other bits are no message at all */
	for (size_t i = 0; i < ARRAY_COUNT(special); i++) {
		struct agent_question decoded;
		size_t len;

		question.mode = special[i];
		len = agent_question_encode(&question, bytes, sizeof(bytes));
		assert_true(len > 0);
		assert_false(agent_question_decode(bytes, len, &decoded));
	}
	/* special bits that were there are gone */
	assert_int_equal(chmod(tree_path(&fixture->tree, "/file", text), 06755), 0);
	assert_int_equal(ask_number(fixture, AGENT_SET_MODE, "/file", 0755, 0).result,
	                 IPC_OK);
	assert_int_equal(stat_of(fixture, "/file").st_mode & 07777, 0755);
}

/* SITE UMASK takes away and gives nothing back (F21). */
static void
lessens_the_umask_only(void **state)
{
	static const struct {
		uint32_t mask;
		uint32_t in_force;
		mode_t file;
		mode_t dir;
	} steps[] = {
	    {022, 022, 0644, 0755}, {0, 022, 0644, 0755},   {027, 027, 0640, 0750},
	    {077, 077, 0600, 0700}, {055, 077, 0600, 0700}, {0777, 0777, 0, 0},
	    {0, 022, 0644, 0755},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		struct agent_answer answer;

		answer = ask_number(fixture, AGENT_SET_UMASK, "/", steps[i].mask, 0);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(answer.mode, steps[i].in_force);
		assert_int_equal(
		    agent_upload(&fixture->agent, "/new", AGENT_OPEN_STORE, 0, "x"),
		    IPC_OK);
		assert_int_equal(ask(fixture, AGENT_MAKE_DIR, "/newdir"), IPC_OK);
		assert_int_equal(stat_of(fixture, "/new").st_mode & 07777, steps[i].file);
		assert_int_equal(stat_of(fixture, "/newdir").st_mode & 07777,
		                 steps[i].dir);
		assert_int_equal(ask(fixture, AGENT_REMOVE_FILE, "/new"), IPC_OK);
		assert_int_equal(ask(fixture, AGENT_REMOVE_DIR, "/newdir"), IPC_OK);
	}
}

static void
writes_link_targets(void **state)
{
	static const struct {
		unsigned depth;
		const char *target;
		const char *text; /* NULL: refused */
	} cases[] = {
	    {0, "file", "file"},
	    {0, "a/b", "a/b"},
	    {0, "./a", "./a"},
	    {0, "..", NULL},
	    {0, "../secret", NULL},
	    {1, "../file", "../file"},
	    {1, "../../secret", NULL},
	    {1, "./../file", "./../file"},
	    {2, "../..", "../.."},
	    {2, "../../..", NULL},
	    {2, "a/../b", NULL}, /* a could be a link to anywhere */
	    {5, "a/..", NULL},
	    {0, "/", "."},
	    {0, "/file", "file"},
	    {1, "/file", "../file"},
	    {3, "//a//b", "../../../a//b"},
	    {1, "/../x", NULL},
	    {1, "/a/../x", NULL},
	    {0, "...", "..."},
	    {0, "..x", "..x"},
	    {0, "", NULL},
	};
	char text[IPC_PATH_MAX];
	char *large = malloc(IPC_PATH_MAX + 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool is_written = link_target_write(cases[i].depth, cases[i].target,
		                                    strlen(cases[i].target), text);

		assert_int_equal(is_written, cases[i].text != NULL);
		if (is_written) {
			assert_string_equal(text, cases[i].text);
		}
	}
	assert_non_null(large);
	memset(large, 'x', IPC_PATH_MAX);
	assert_true(link_target_write(0, large, IPC_PATH_MAX - 1, text));
	assert_false(link_target_write(0, large, IPC_PATH_MAX, text));
	large[0] = '/';
	assert_false(link_target_write(5, large, IPC_PATH_MAX - 1, text));
	free(large);
}

static void
makes_links_that_stay_inside(void **state)
{
	static const struct {
		const char *path;
		const char *target;
		enum ipc_result result;
		const char *text;
	} cases[] = {
	    {"/l1", "file", IPC_OK, "file"},
	    {"/l1", "file", IPC_EXISTS, NULL},
	    {"/dir/l2", "/file", IPC_OK, "../file"},
	    {"/dir/l3", "../file", IPC_OK, "../file"},
	    {"/dir/l4", "../../secret", IPC_DENIED, NULL},
	    {"/l5", "/dir", IPC_OK, "dir"},
	    {"/l5/l6", "/file", IPC_OK, "../file"}, /* by its real depth */
	    {"/l7", "", IPC_BAD_NAME, NULL},
	    {"/none/l8", "x", IPC_NOT_FOUND, NULL},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char path[HARNESS_PATH];
		char text[HARNESS_PATH] = {0};

		assert_int_equal(
		    ask_two(fixture, AGENT_SYMLINK, cases[i].path, cases[i].target),
		    cases[i].result);
		if (cases[i].text != NULL) {
			assert_true(
			    readlink(tree_path(&fixture->tree, cases[i].path, path), text,
			             sizeof(text) - 1) > 0);
			assert_string_equal(text, cases[i].text);
		}
	}
}

static void
looks_at_links_themselves(void **state)
{
	struct fixture *fixture = *state;
	struct agent_answer answer;
	int fd;

	answer = agent_ask_path(&fixture->agent, AGENT_STAT_LINK, "/out", &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(answer.kind, AGENT_KIND_OTHER);
	assert_int_equal(answer.size_bytes, strlen("../secret"));
	assert_true(answer.is_removable);
	answer = agent_ask_path(&fixture->agent, AGENT_STAT_LINK, "/file", &fd);
	assert_int_equal(answer.kind, AGENT_KIND_FILE);
	assert_true(answer.is_removable && answer.is_writable);
	answer = agent_ask_path(&fixture->agent, AGENT_STAT_LINK, "/", &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(answer.kind, AGENT_KIND_DIRECTORY);
	assert_false(answer.is_removable);
	assert_int_equal(ask(fixture, AGENT_STAT_LINK, "/none"), IPC_NOT_FOUND);
}

/* Others' files stay others' files. */
static void
changes_only_what_the_user_may(void **state)
{
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];

	if (geteuid() != 0) {
		skip();
	}
	tree_dir(&fixture->tree, "/theirs");
	tree_file(&fixture->tree, "/theirs/file", "theirs");
	tree_dir(&fixture->tree, "/sticky");
	assert_int_equal(chmod(tree_path(&fixture->tree, "/sticky", text), 01777), 0);
	tree_file(&fixture->tree, "/sticky/file", "theirs");
	assert_int_equal(ask(fixture, AGENT_REMOVE_FILE, "/theirs/file"), IPC_DENIED);
	assert_int_equal(ask(fixture, AGENT_REMOVE_FILE, "/sticky/file"), IPC_DENIED);
	assert_int_equal(ask(fixture, AGENT_MAKE_DIR, "/theirs/x"), IPC_DENIED);
	assert_int_equal(ask_two(fixture, AGENT_RENAME, "/theirs/file", "/x"),
	                 IPC_DENIED);
	assert_int_equal(
	    ask_number(fixture, AGENT_SET_MODE, "/theirs/file", 0777, 0).result,
	    IPC_DENIED);
	assert_int_equal(ask_number(fixture, AGENT_SET_TIME, "/theirs/file", 0, 1).result,
	                 IPC_DENIED);
	assert_int_equal(
	    agent_upload(&fixture->agent, "/theirs/file", AGENT_OPEN_STORE, 0, "x"),
	    IPC_DENIED);
	assert_false(
	    agent_ask_path(&fixture->agent, AGENT_STAT, "/sticky/file", &(int){0})
		.is_removable);
	assert_true(tree_has(&fixture->tree, "/theirs/file", "theirs"));
}

/* The directory goes away under the client, or out of the root (F9, F22). */
static void
survives_vanishing_directories(void **state)
{
	struct fixture *fixture = *state;
	char from[HARNESS_PATH];
	char to[HARNESS_PATH];
	struct agent_answer answer;
	int fd;

	tree_dir(&fixture->tree, "/dir/deeper");
	tree_give(&fixture->tree, "/dir/deeper");
	assert_int_equal(rename(tree_path(&fixture->tree, "/dir/deeper", from),
	                        tree_path(&fixture->tree, "/../outside", to)),
	                 0);
	assert_int_equal(ask(fixture, AGENT_MAKE_DIR, "/dir/deeper/x"), IPC_NOT_FOUND);
	assert_int_equal(ask(fixture, AGENT_CHECK_DIR, "/dir/deeper"), IPC_NOT_FOUND);
	assert_int_equal(ask(fixture, AGENT_CHECK_DIR, "/"), IPC_OK);
	assert_int_equal(tree_count(&fixture->tree, "/../outside"), 0);
	/* while an upload runs in it */
	answer =
	    agent_open_write(&fixture->agent, "/dir/new", AGENT_OPEN_STORE, 0, -1, &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(unlink(tree_path(&fixture->tree, "/dir/new", from)), 0);
	assert_int_equal(rmdir(tree_path(&fixture->tree, "/dir", from)), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	fd_close(&fd);
	assert_int_equal(ask(fixture, AGENT_REMOVE_DIR, "/dir"), IPC_NOT_FOUND);
}

/* 250 directories in one another are no reason to fail. */
static void
goes_deep(void **state)
{
	struct fixture *fixture = *state;
	char path[1024] = "";

	for (unsigned i = 0; i < 250; i++) {
		size_t len = strlen(path);

		(void)snprintf(path + len, sizeof(path) - len, "/d");
		assert_int_equal(ask(fixture, AGENT_MAKE_DIR, path), IPC_OK);
	}
	assert_int_equal(ask(fixture, AGENT_CHECK_DIR, path), IPC_OK);
	for (unsigned i = 0; i < 250; i++) {
		assert_int_equal(ask(fixture, AGENT_REMOVE_DIR, path), IPC_OK);
		path[strlen(path) - 2] = '\0';
	}
}

/* Magic links and devices, as root's own tree would have them (F5, F8). */
static void
proc_is_no_way_out(void **state)
{
	static const char *const paths[] = {
	    "/proc/self/root/tmp/x", "/proc/1/root/tmp/x", "/proc/self/cwd/x",
	    "/proc/self/fd/0",       "/proc/sys/kernel/x", "/dev/null/x",
	};
	struct agent_process agent;

	(void)state;
	agent_start_writing(&agent, "/", &writing, 0);
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		assert_int_not_equal(
		    agent_upload(&agent, paths[i], AGENT_OPEN_STORE, 0, "x"), IPC_OK);
		assert_int_not_equal(
		    agent_ask_path(&agent, AGENT_MAKE_DIR, paths[i], &(int){0}).result,
		    IPC_OK);
		assert_int_not_equal(
		    agent_ask_path(&agent, AGENT_SET_MODE, paths[i], &(int){0}).result,
		    IPC_OK);
	}
	assert_int_equal(agent_upload(&agent, "/dev/null", AGENT_OPEN_STORE, 0, "x"),
	                 IPC_NOT_A_FILE);
	assert_int_equal(agent_end(&agent), AGENT_EXIT_DONE);
}

/* Another process of the same user, with a root in which it can be seen (F8). */
static void
writes_into_no_process(void **state)
{
	char path[64];
	struct agent_process agent;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if ((geteuid() == 0 &&
		     setresuid(HARNESS_USER, HARNESS_USER, HARNESS_USER) != 0) ||
		    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 ||
		    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
			_exit(1);
		}
		(void)pause();
		_exit(0);
	}
	agent_start_writing(&agent, "/", &writing, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	for (unsigned i = 0; i < 1000; i++) {
		enum ipc_result result =
		    agent_upload(&agent, path, AGENT_OPEN_STORE, 0, "x");

		/* until it is that user's, IPC_DENIED */
		assert_int_not_equal(result, IPC_OK);
		if (result == IPC_NOT_A_FILE) {
			break;
		}
		assert_int_equal(usleep(1000), 0);
	}
	assert_int_equal(agent_upload(&agent, path, AGENT_OPEN_STORE, 0, "x"),
	                 IPC_NOT_A_FILE);
	assert_int_equal(agent_end(&agent), AGENT_EXIT_DONE);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_AGENT(makes_and_removes),
	    WITH_AGENT(renames),
	    cmocka_unit_test_setup_teardown(renames_by_walking, set_up_walk, tear_down),
	    WITH_AGENT(sets_times),
	    WITH_AGENT(sets_modes),
	    cmocka_unit_test_setup_teardown(sets_modes, set_up_no_root, tear_down),
	    WITH_AGENT(lessens_the_umask_only),
	    cmocka_unit_test(writes_link_targets),
	    WITH_AGENT(makes_links_that_stay_inside),
	    WITH_AGENT(looks_at_links_themselves),
	    WITH_AGENT(changes_only_what_the_user_may),
	    WITH_AGENT(survives_vanishing_directories),
	    WITH_AGENT(goes_deep),
	    cmocka_unit_test(proc_is_no_way_out),
	    cmocka_unit_test(writes_into_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
