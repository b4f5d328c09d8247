/*
 * test_agent_files: OPEN_READ, STAT, CHECK_DIR and COUNT_ASCII of the real agent, as root
 * and not, with openat2 and without.
 * Source: DESIGN.md section 3, rules 3 and 10; SECURITY.md F5, F8, F24, P9, P17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

struct fixture {
	struct agent_tree tree;
	struct agent_process agent;
	unsigned modes;
};

static void
make_socket(const struct agent_tree *tree, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.60s%s", tree->root,
	               path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fd_close(&fd);
}

static void
fill_tree(const struct agent_tree *tree)
{
	char text[HARNESS_PATH];

	tree_dir(tree, "/dir");
	tree_dir(tree, "/dir/deeper");
	tree_dir(tree, "/locked");
	tree_file(tree, "/plain", "hello");
	tree_file(tree, "/dir/deeper/file", "deep");
	tree_file(tree, "/locked/file", "locked");
	tree_file(tree, "/private", "private");
	tree_file(tree, "/text", "one\ntwo\r\nthree\n\n");
	tree_file(tree, "/text-edge", "\n");
	tree_link(tree, "/to-plain", "plain");
	tree_link(tree, "/to-plain-absolute", "/plain");
	tree_link(tree, "/to-dir", "/dir");
	tree_link(tree, "/to-secret", "../secret");
	tree_link(tree, "/dir/to-secret-deep", "../../../../../../secret");
	tree_link(tree, "/to-outside", tree->secret);
	tree_link(tree, "/to-top", "..");
	tree_link(tree, "/to-slash", "/");
	tree_link(tree, "/loop", "loop");
	tree_link(tree, "/dangling", "nothing");
	assert_int_equal(mkfifo(tree_path(tree, "/fifo", text), 0666), 0);
	assert_int_equal(chmod(text, 0666), 0);
	make_socket(tree, "/socket");
	if (geteuid() == 0) {
		assert_int_equal(mknod(tree_path(tree, "/device", text), S_IFCHR | 0666,
		                       makedev(1, 3)),
		                 0);
		assert_int_equal(chmod(text, 0666), 0);
	}
	assert_int_equal(chmod(tree_path(tree, "/private", text), 0), 0);
	assert_int_equal(chmod(tree_path(tree, "/locked", text), 0), 0);
}

static int
set_up(void **state, unsigned modes)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->modes = modes;
	tree_make(&fixture->tree);
	fill_tree(&fixture->tree);
	agent_start(&fixture->agent, fixture->tree.root, modes);
	*state = fixture;
	return 0;
}

static int
set_up_plain(void **state)
{
	return set_up(state, 0);
}

static int
set_up_no_root(void **state)
{
	return set_up(state, HARNESS_NO_ROOT);
}

static int
set_up_walk(void **state)
{
	return set_up(state, HARNESS_NO_OPENAT2);
}

static int
set_up_walk_no_root(void **state)
{
	return set_up(state, HARNESS_NO_OPENAT2 | HARNESS_NO_ROOT);
}

static int
set_up_unconfined(void **state)
{
	return set_up(state, HARNESS_NO_ROOT | HARNESS_NO_SANDBOX);
}

/*
 * Whatever a test did: the agent still answers, holds what it held, and ends when the
 * channel does.
 */
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
opens_plain_files_for_reading_only(void **state)
{
	static const struct {
		const char *path;
		const char *content;
		bool needs_links;
	} cases[] = {
	    {"/plain", "hello", false},
	    {"/dir/deeper/file", "deep", false},
	    {"/to-plain", "hello", true},
	    {"/to-plain-absolute", "hello", true},
	    {"/to-dir/deeper/file", "deep", true},
	    {"/to-top/plain", "hello", true},
	    {"/to-slash/plain", "hello", true},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char content[64] = {0};
		struct agent_answer answer;
		struct stat info;
		int fd;

		answer =
		    agent_ask_path(&fixture->agent, AGENT_OPEN_READ, cases[i].path, &fd);
		if (cases[i].needs_links && (fixture->modes & HARNESS_NO_OPENAT2) != 0) {
			assert_int_not_equal(answer.result, IPC_OK);
			continue;
		}
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(answer.kind, AGENT_KIND_FILE);
		assert_int_equal(fstat(fd, &info), 0);
		assert_true(S_ISREG(info.st_mode));
		assert_int_equal(answer.size_bytes, info.st_size);
		assert_int_equal(answer.inode, info.st_ino);
		assert_int_equal(answer.mtime_s, info.st_mtim.tv_sec);
		assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH), O_RDONLY);
		assert_int_equal(read(fd, content, sizeof(content) - 1),
		                 strlen(cases[i].content));
		assert_string_equal(content, cases[i].content);
		assert_int_equal(write(fd, "x", 1), -1);
		fd_close(&fd);
	}
}

static void
refuses_what_is_no_plain_file(void **state)
{
	static const struct {
		const char *path;
		enum ipc_result result;
	} cases[] = {
	    {"/", IPC_NOT_A_FILE},
	    {"/dir", IPC_NOT_A_FILE},
	    {"/fifo", IPC_NOT_A_FILE},
	    {"/socket", IPC_NOT_A_FILE},
	    {"/device", IPC_NOT_A_FILE},
	    {"/missing", IPC_NOT_FOUND},
	    {"/missing/file", IPC_NOT_FOUND},
	    {"/plain/file", IPC_NOT_A_DIRECTORY},
	    {"/private", IPC_DENIED},
	    {"/locked/file", IPC_DENIED},
	    {"/loop", IPC_NOT_FOUND},
	};
	struct fixture *fixture = *state;
	bool is_owner = geteuid() != 0;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct agent_answer answer;
		int fd;

		if (is_owner && strcmp(cases[i].path, "/device") == 0) {
			continue; /* only root can make one */
		}
		answer =
		    agent_ask_path(&fixture->agent, AGENT_OPEN_READ, cases[i].path, &fd);
		assert_int_equal(answer.result, cases[i].result);
		assert_int_equal(answer.size_bytes, 0);
		assert_int_equal(answer.inode, 0);
	}
}

/* Every path that could lead out, asked with every verb. */
static void
nothing_leads_out_of_the_root(void **state)
{
	static const char *const paths[] = {
	    "/to-secret",  "/dir/to-secret-deep", "/to-outside",           "/dangling",
	    "/../secret",  "/dir/../../secret",   "/to-top/secret",        "/./../secret",
	    "//../secret", "/to-slash/../secret", "/dir/to-secret-deep/x",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		for (enum agent_verb verb = 0; verb < AGENT_READY; verb++) {
			struct agent_answer answer;
			int fd;

			answer = agent_ask_path(&fixture->agent, verb, paths[i], &fd);
			if (verb != AGENT_STAT_LINK) {
				assert_int_not_equal(answer.result, IPC_OK);
			} else if (answer.result == IPC_OK) {
				/* a link itself is inside */
				assert_int_equal(answer.kind, AGENT_KIND_OTHER);
			}
		}
	}
}

static void
tells_what_is_there(void **state)
{
	static const struct {
		const char *path;
		enum agent_kind kind;
		bool is_readable;
		bool is_searchable;
	} cases[] = {
	    {"/", AGENT_KIND_DIRECTORY, true, true},
	    {"/plain", AGENT_KIND_FILE, true, false},
	    {"/private", AGENT_KIND_FILE, false, false},
	    {"/dir", AGENT_KIND_DIRECTORY, true, true},
	    {"/locked", AGENT_KIND_DIRECTORY, false, false},
	    {"/fifo", AGENT_KIND_OTHER, true, false},
	    {"/socket", AGENT_KIND_OTHER, true, false},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[HARNESS_PATH];
		struct agent_answer answer;
		struct stat info;
		int fd;

		answer = agent_ask_path(&fixture->agent, AGENT_STAT, cases[i].path, &fd);
		assert_int_equal(
		    stat(tree_path(&fixture->tree, cases[i].path, text), &info), 0);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(answer.kind, cases[i].kind);
		assert_int_equal(answer.is_readable, cases[i].is_readable);
		assert_int_equal(answer.is_searchable, cases[i].is_searchable);
		assert_int_equal(answer.mode, info.st_mode & 07777);
		assert_int_equal(answer.size_bytes, info.st_size);
		assert_int_equal(answer.mtime_s, info.st_mtim.tv_sec);
		assert_int_equal(answer.inode, info.st_ino);
		assert_int_equal(answer.device, info.st_dev);
	}
}

static void
checks_directories(void **state)
{
	static const struct {
		const char *path;
		enum ipc_result result;
	} cases[] = {
	    {"/", IPC_OK},
	    {"/dir", IPC_OK},
	    {"/dir/deeper", IPC_OK},
	    {"/dir/deeper/", IPC_OK},
	    {"/plain", IPC_NOT_A_DIRECTORY},
	    {"/fifo", IPC_NOT_A_DIRECTORY},
	    {"/locked", IPC_DENIED},
	    {"/missing", IPC_NOT_FOUND},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int fd;

		assert_int_equal(
		    agent_ask_path(&fixture->agent, AGENT_CHECK_DIR, cases[i].path, &fd)
			.result,
		    cases[i].result);
	}
}

static void
counts_octets_of_type_a(void **state)
{
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];
	struct agent_answer answer;
	int fd;

	answer = agent_ask_path(&fixture->agent, AGENT_COUNT_ASCII, "/text", &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(answer.size_bytes, strlen("one\r\ntwo\r\nthree\r\n\r\n"));
	answer = agent_ask_path(&fixture->agent, AGENT_COUNT_ASCII, "/text-edge", &fd);
	assert_int_equal(answer.size_bytes, 2);
	answer = agent_ask_path(&fixture->agent, AGENT_COUNT_ASCII, "/dir", &fd);
	assert_int_equal(answer.result, IPC_NOT_A_FILE);

	tree_file(&fixture->tree, "/big", "");
	assert_int_equal(
	    truncate(tree_path(&fixture->tree, "/big", text), AGENT_COUNT_MAX), 0);
	answer = agent_ask_path(&fixture->agent, AGENT_COUNT_ASCII, "/big", &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(answer.size_bytes, AGENT_COUNT_MAX);
	assert_int_equal(truncate(text, AGENT_COUNT_MAX + 1), 0);
	answer = agent_ask_path(&fixture->agent, AGENT_COUNT_ASCII, "/big", &fd);
	assert_int_equal(answer.result, IPC_BUSY);
	assert_int_equal(answer.size_bytes, 0);
}

/* Lengths around every limit: never another file than the one named. */
static void
long_paths_are_not_found(void **state)
{
	struct fixture *fixture = *state;
	char path[IPC_PATH_MAX + 1];
	int fd;

	for (size_t len = 250; len <= 260; len++) {
		memset(path, 'x', len);
		path[0] = '/';
		path[len] = '\0';
		assert_int_equal(
		    agent_ask_path(&fixture->agent, AGENT_STAT, path, &fd).result,
		    IPC_NOT_FOUND);
	}
	for (size_t len = IPC_PATH_MAX - 8; len <= IPC_PATH_MAX; len++) {
		memset(path, '/', len);
		memcpy(path + len - 5, "plain", 5);
		path[len] = '\0';
		/*
		 * The kernel takes one byte less than we do, for its NUL; the walk takes
		 * all.
		 */
		assert_int_equal(
		    agent_ask_path(&fixture->agent, AGENT_STAT, path, &fd).result,
		    len < IPC_PATH_MAX || (fixture->modes & HARNESS_NO_OPENAT2) != 0
			? IPC_OK
			: IPC_NOT_FOUND);
	}
}

/* A thousand of each: nothing may be left open. */
static void
descriptors_do_not_leak(void **state)
{
	static const char *const paths[] = {"/plain",     "/dir/deeper/file", "/dir",
	                                    "/fifo",      "/missing",         "/locked/x",
	                                    "/to-secret", "/plain/x"};
	struct fixture *fixture = *state;
	unsigned before;
	int root_fd;

	/* it has started */
	(void)agent_ask_path(&fixture->agent, AGENT_STAT, "/", &root_fd);
	before = agent_count_fds(fixture->agent.pid);
	for (unsigned i = 0; i < 1000; i++) {
		for (enum agent_verb verb = 0; verb < AGENT_READY; verb++) {
			int fd;

			(void)agent_ask_path(&fixture->agent, verb,
			                     paths[i % ARRAY_COUNT(paths)], &fd);
			if (fd >= 0 && verb == AGENT_LIST) {
				size_t len;

				free(agent_read_all(fd, &len));
			}
			fd_close(&fd);
		}
	}
	assert_int_equal(agent_count_fds(fixture->agent.pid), before);
}

#define WITH(test, how) cmocka_unit_test_setup_teardown(test, how, tear_down)
#define IN_EVERY_MODE(test)                                                            \
	WITH(test, set_up_plain), WITH(test, set_up_no_root), WITH(test, set_up_walk), \
	    WITH(test, set_up_walk_no_root), WITH(test, set_up_unconfined)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_EVERY_MODE(opens_plain_files_for_reading_only),
	    IN_EVERY_MODE(refuses_what_is_no_plain_file),
	    IN_EVERY_MODE(nothing_leads_out_of_the_root),
	    IN_EVERY_MODE(tells_what_is_there),
	    IN_EVERY_MODE(checks_directories),
	    IN_EVERY_MODE(counts_octets_of_type_a),
	    IN_EVERY_MODE(long_paths_are_not_found),
	    IN_EVERY_MODE(descriptors_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
