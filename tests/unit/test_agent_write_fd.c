/*
 * test_agent_write_fd: what a taken-over worker can do with a descriptor for writing: all
 * with the one file that the client named, nothing with any other.
 * Source: SECURITY.md F19; DESIGN.md section 3, rule 3.
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

#include "common/fd.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

static const enum agent_upload_mode modes[] = {AGENT_UPLOAD_DIRECT, AGENT_UPLOAD_ATOMIC,
                                               AGENT_UPLOAD_DURABLE};
static const char *const others[] = {"/other", "/dir/other"};

static void
fill(const struct agent_tree *tree)
{
	tree_give(tree, "/");
	tree_dir(tree, "/dir");
	tree_give(tree, "/dir");
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		tree_file(tree, others[i], "other");
		tree_give(tree, others[i]);
	}
	tree_file(tree, "/named", "named");
	tree_give(tree, "/named");
}

/* The descriptor is none of the other files. */
static void
check_is_another(const struct agent_tree *tree, int fd)
{
	char text[HARNESS_PATH];
	struct stat opened;
	struct stat info;

	assert_int_equal(fstat(fd, &opened), 0);
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		assert_int_equal(stat(tree_path(tree, others[i], text), &info), 0);
		assert_false(info.st_ino == opened.st_ino &&
		             info.st_dev == opened.st_dev);
	}
}

/* Everything that a filter lets a worker do, and more. */
static void
abuse(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(pread(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(openat(fd, "..", O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(openat(fd, "other", O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(fallocate(fd, 0, 0, 100), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "changed", 7, 0), 7);
}

static void
is_one_file(void **state)
{
	static const enum agent_open ways[] = {AGENT_OPEN_STORE, AGENT_OPEN_APPEND,
	                                       AGENT_OPEN_UNIQUE};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(modes) * ARRAY_COUNT(ways); i++) {
		struct agent_rights rights = {.may_write = true,
		                              .mode = modes[i / ARRAY_COUNT(ways)],
		                              .keeps_partial = true};
		enum agent_open how = ways[i % ARRAY_COUNT(ways)];
		struct agent_process process;
		struct agent_answer answer;
		struct agent_tree tree = {0};
		int fd;

		tree_make(&tree);
		fill(&tree);
		agent_start_writing(&process, tree.root, &rights, 0);
		answer = agent_open_write(&process, "/named", how, 0, -1, &fd);
		assert_int_equal(answer.result, IPC_OK);
		check_is_another(&tree, fd);
		abuse(fd);
		fd_close(&fd);
		if (answer.upload != 0) {
			assert_int_equal(
			    agent_ask_end(&process, AGENT_COMMIT, answer.upload), IPC_OK);
		}
		assert_true(tree_has(&tree, "/named",
		                     how == AGENT_OPEN_UNIQUE ? "named" : "changed"));
		for (size_t j = 0; j < ARRAY_COUNT(others); j++) {
			assert_true(tree_has(&tree, others[j], "other"));
		}
		assert_int_equal(tree_count(&tree, "/"),
		                 how == AGENT_OPEN_UNIQUE ? 4 : 3);
		assert_int_equal(agent_end(&process), AGENT_EXIT_DONE);
		tree_remove(&tree);
	}
}

/* A file that is replaced under its name is not what a descriptor of before writes to. */
static void
is_not_what_has_its_name_later(void **state)
{
	struct agent_rights rights = {
	    .may_write = true, .mode = AGENT_UPLOAD_ATOMIC, .keeps_partial = true};
	struct agent_process process;
	struct agent_answer answer;
	struct agent_tree tree = {0};
	int fd;
	int kept_fd;

	(void)state;
	tree_make(&tree);
	fill(&tree);
	agent_start_writing(&process, tree.root, &rights, 0);
	answer = agent_open_write(&process, "/named", AGENT_OPEN_STORE, 0, -1, &kept_fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(agent_ask_end(&process, AGENT_COMMIT, answer.upload), IPC_OK);
	answer = agent_open_write(&process, "/named", AGENT_OPEN_STORE, 0, -1, &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(write(fd, "newer", 5), 5);
	fd_close(&fd);
	assert_int_equal(agent_ask_end(&process, AGENT_COMMIT, answer.upload), IPC_OK);
	assert_int_equal(ftruncate(kept_fd, 0), 0);
	assert_int_equal(pwrite(kept_fd, "older", 5, 0), 5);
	fd_close(&kept_fd);
	assert_true(tree_has(&tree, "/named", "newer"));
	assert_int_equal(agent_end(&process), AGENT_EXIT_DONE);
	tree_remove(&tree);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_one_file),
	    cmocka_unit_test(is_not_what_has_its_name_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
