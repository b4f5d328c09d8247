/*
 * test_agent_copy: SITE CPTO's verb of the real agent: files, trees, links, limits,
 * cancelling.
 * Source: SECURITY.md A1 (CVE-2019-12815), F3, F14.
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
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	LARGE_BYTES = 64 * 1024 * 1024,
};

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

/*
 * Copy and wait for the end.
 * Returns: the last record; its result is that of the question if nothing was begun.
 */
static struct agent_progress
copy(const struct fixture *fixture, const char *from, const char *to)
{
	struct agent_progress progress = {0};
	struct agent_answer answer;
	size_t len;
	char *bytes;
	int fd;

	answer = agent_ask_two(&fixture->agent, AGENT_COPY, from, to, &fd);
	if (answer.result != IPC_OK) {
		progress.result = answer.result;
		return progress;
	}
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	bytes = agent_read_all(fd, &len);
	fd_close(&fd);
	assert_true(len >= sizeof(progress) && len % sizeof(progress) == 0);
	memcpy(&progress, bytes + len - sizeof(progress), sizeof(progress));
	assert_int_equal(progress.is_done, 1);
	free(bytes);
	return progress;
}

static void
copies_files(void **state)
{
	struct fixture *fixture = *state;
	struct agent_progress progress;
	char text[HARNESS_PATH];
	struct stat info;

	assert_int_equal(chmod(tree_path(&fixture->tree, "/file", text), 0766), 0);
	progress = copy(fixture, "/file", "/dir/copy");
	assert_int_equal(progress.result, IPC_OK);
	assert_int_equal(progress.files, 1);
	assert_int_equal(progress.bytes, strlen("content"));
	assert_true(tree_has(&fixture->tree, "/dir/copy", "content"));
	assert_int_equal(stat(tree_path(&fixture->tree, "/dir/copy", text), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0744);
	tree_file(&fixture->tree, "/empty", "");
	assert_int_equal(copy(fixture, "/empty", "/dir/empty").result, IPC_OK);
	assert_true(tree_has(&fixture->tree, "/dir/empty", ""));
	/* nothing is replaced */
	assert_int_equal(copy(fixture, "/empty", "/dir/copy").result, IPC_EXISTS);
	assert_int_equal(copy(fixture, "/file", "/out").result, IPC_EXISTS);
	assert_int_equal(copy(fixture, "/file", "/file").result, IPC_EXISTS);
	assert_int_equal(copy(fixture, "/none", "/x").result, IPC_NOT_FOUND);
	assert_int_equal(copy(fixture, "/file", "/none/x").result, IPC_NOT_FOUND);
	assert_int_equal(copy(fixture, "/", "/x").result, IPC_BAD_NAME);
	assert_int_equal(tree_count(&fixture->tree, "/dir"), 2);
}

static void
copies_trees_and_no_link_out(void **state)
{
	struct fixture *fixture = *state;
	struct agent_progress progress;
	char text[HARNESS_PATH];
	char target[HARNESS_PATH] = {0};
	struct stat info;

	tree_dir(&fixture->tree, "/dir/a");
	tree_dir(&fixture->tree, "/dir/a/b");
	tree_dir(&fixture->tree, "/dir/shut");
	tree_file(&fixture->tree, "/dir/one", "1");
	tree_file(&fixture->tree, "/dir/a/two", "22");
	tree_file(&fixture->tree, "/dir/a/b/three", "333");
	tree_link(&fixture->tree, "/dir/inside", "a/two");
	tree_link(&fixture->tree, "/dir/up", "../file");
	tree_link(&fixture->tree, "/dir/absolute", "/file");
	tree_link(&fixture->tree, "/dir/a/escape", "../../../secret");
	assert_int_equal(mkfifo(tree_path(&fixture->tree, "/dir/fifo", text), 0644), 0);
	tree_give(&fixture->tree, "/dir/shut");
	assert_int_equal(chmod(tree_path(&fixture->tree, "/dir/shut", text), 0500), 0);
	progress = copy(fixture, "/dir", "/copy");
	/* the rest is there; that something is missing is told */
	assert_int_not_equal(progress.result, IPC_OK);
	assert_int_equal(progress.files, 6);
	assert_int_equal(progress.bytes, 6);
	assert_true(tree_has(&fixture->tree, "/copy/one", "1"));
	assert_true(tree_has(&fixture->tree, "/copy/a/two", "22"));
	assert_true(tree_has(&fixture->tree, "/copy/a/b/three", "333"));
	assert_true(readlink(tree_path(&fixture->tree, "/copy/absolute", text), target,
	                     sizeof(target) - 1) > 0);
	assert_string_equal(target, "../file");
	assert_true(tree_is_there(&fixture->tree, "/copy/up"));
	assert_true(tree_is_there(&fixture->tree, "/copy/inside"));
	assert_false(tree_is_there(&fixture->tree, "/copy/a/escape"));
	assert_false(tree_is_there(&fixture->tree, "/copy/fifo"));
	assert_int_equal(stat(tree_path(&fixture->tree, "/copy/shut", text), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0500);
	assert_int_equal(tree_count(&fixture->tree, "/copy"), 6);
}

static void
does_not_copy_into_itself(void **state)
{
	struct fixture *fixture = *state;

	tree_dir(&fixture->tree, "/dir/deeper");
	tree_give(&fixture->tree, "/dir/deeper");
	assert_int_equal(copy(fixture, "/dir", "/dir/copy").result, IPC_BAD_NAME);
	assert_int_equal(copy(fixture, "/dir", "/dir/deeper/copy").result, IPC_BAD_NAME);
	assert_int_equal(copy(fixture, "/dir", "/copy").result, IPC_OK);
	assert_true(tree_is_there(&fixture->tree, "/copy/deeper"));
}

/* Deeper than it goes: the rest is left out, and nothing is used up. */
static void
ends_at_its_depth(void **state)
{
	struct fixture *fixture = *state;
	char path[HARNESS_PATH] = "/dir";

	for (unsigned i = 0; i < 40; i++) {
		size_t len = strlen(path);

		(void)snprintf(path + len, sizeof(path) - len, "/d");
		tree_dir(&fixture->tree, path);
	}
	assert_int_equal(copy(fixture, "/dir", "/copy").result, IPC_BUSY);
	assert_true(tree_is_there(&fixture->tree, "/copy/d/d/d/d/d/d/d/d"));
}

static void
make_large(const struct fixture *fixture, const char *path)
{
	static const char block[64 * 1024] = {1};
	char text[HARNESS_PATH];
	int fd = open(tree_path(&fixture->tree, path, text),
	              O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	for (size_t at = 0; at < LARGE_BYTES; at += sizeof(block)) {
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	}
	fd_close(&fd);
}

/* Others are answered meanwhile; who closes the pipe ends it, and no half is left. */
static void
is_cancelled_by_closing_the_pipe(void **state)
{
	struct fixture *fixture = *state;
	struct agent_answer answer;
	unsigned fds_before;
	int fd;

	make_large(fixture, "/large");
	fds_before = agent_count_fds(fixture->agent.pid);
	answer = agent_ask_two(&fixture->agent, AGENT_COPY, "/large", "/copy", &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(
	    agent_ask_path(&fixture->agent, AGENT_STAT, "/file", &(int){0}).result,
	    IPC_OK);
	/* half of it has no name that anybody would take for the file's */
	fd_close(&fd);
	for (unsigned i = 0; i < 2000; i++) {
		(void)agent_ask_path(&fixture->agent, AGENT_STAT, "/file", &(int){0});
		if (!tree_is_there(&fixture->tree, "/.copy.deftpd-new")) {
			break;
		}
		assert_int_equal(usleep(1000), 0);
	}
	assert_false(tree_is_there(&fixture->tree, "/.copy.deftpd-new"));
	for (unsigned i = 0;
	     i < 1000 && agent_count_fds(fixture->agent.pid) != fds_before; i++) {
		assert_int_equal(usleep(1000), 0);
	}
	assert_int_equal(agent_count_fds(fixture->agent.pid), fds_before);
}

/* Two at a time; the third waits. A copy survives a reader who does not read. */
static void
runs_a_bounded_number(void **state)
{
	struct fixture *fixture = *state;
	unsigned begun = 0;
	int fds[4];

	make_large(fixture, "/large");
	for (unsigned i = 0; i < ARRAY_COUNT(fds); i++) {
		char path[16];
		struct agent_answer answer;

		(void)snprintf(path, sizeof(path), "/copy-%u", i);
		answer =
		    agent_ask_two(&fixture->agent, AGENT_COPY, "/large", path, &fds[i]);
		assert_true(answer.result == IPC_OK || answer.result == IPC_BUSY);
		begun += answer.result == IPC_OK ? 1 : 0;
	}
	assert_in_range(begun, 2, 4);
	for (unsigned i = 0; i < ARRAY_COUNT(fds); i++) {
		if (fds[i] >= 0) {
			size_t len;
			char *bytes = agent_read_all(fds[i], &len);

			assert_true(len >= sizeof(struct agent_progress));
			free(bytes);
			fd_close(&fds[i]);
		}
	}
}

/* What is exchanged for a link while it is copied is never what the link is to. */
static void
follows_no_link_that_is_put_there(void **state)
{
	struct fixture *fixture = *state;
	char next[HARNESS_PATH];
	char flip[HARNESS_PATH];
	char text[HARNESS_PATH];
	pid_t pid;

	tree_dir(&fixture->tree, "/dir/flips");
	tree_give(&fixture->tree, "/dir/flips");
	(void)tree_path(&fixture->tree, "/../next", next);
	(void)tree_path(&fixture->tree, "/dir/flips/flip", flip);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = 0;; i++) {
			int fd = -1;

			if (i % 2 == 0) {
				fd = open(next, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
				fd_close(&fd);
			} else if (symlink("../../../secret", next) != 0) {
				_exit(1);
			}
			if (rename(next, flip) != 0) {
				_exit(1);
			}
		}
	}
	for (unsigned i = 0; i < 300; i++) {
		char path[32];
		struct stat info;

		(void)snprintf(path, sizeof(path), "/copy-%u", i);
		(void)copy(fixture, "/dir/flips", path);
		(void)snprintf(path, sizeof(path), "/copy-%u/flip", i);
		if (lstat(tree_path(&fixture->tree, path, text), &info) == 0) {
			assert_true(S_ISREG(info.st_mode));
			assert_int_equal(info.st_size, 0);
		}
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_AGENT(copies_files),
	    WITH_AGENT(copies_trees_and_no_link_out),
	    WITH_AGENT(does_not_copy_into_itself),
	    WITH_AGENT(ends_at_its_depth),
	    WITH_AGENT(is_cancelled_by_closing_the_pipe),
	    WITH_AGENT(runs_a_bounded_number),
	    WITH_AGENT(follows_no_link_that_is_put_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
