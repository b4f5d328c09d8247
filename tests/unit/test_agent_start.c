/*
 * test_agent_start: how an agent begins and ends: its start record, its root directory,
 * its exit statuses, what is left of it.
 * Source: SECURITY.md 3.3 and F2; ftpd/ipc/agent.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

static int
set_up(void **state)
{
	struct agent_tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	tree_make(tree);
	tree_file(tree, "/file", "content");
	*state = tree;
	return 0;
}

static int
tear_down(void **state)
{
	tree_remove(*state);
	free(*state);
	return 0;
}

/* Start on a root and tell how it ended, having found `/file` if it began to serve. */
static int
try_root(const char *root, bool *ret_serves)
{
	struct agent_question question = {.verb = AGENT_STAT,
	                                  .path = "/file",
	                                  .path_len = 5,
	                                  .pattern = "",
	                                  .prefix = ""};
	struct agent_process process;
	struct agent_answer answer = {.result = IPC_RESULT_COUNT};
	int fd;

	agent_start(&process, root, 0);
	*ret_serves =
	    agent_ask(&process, &question, &answer, &fd) && answer.result == IPC_OK;
	return agent_end(&process);
}

static void
takes_only_whole_start_records(void **state)
{
	const struct agent_tree *tree = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_start start = {.uid = HARNESS_USER,
	                            .gid = HARNESS_USER,
	                            .has_sandbox = true,
	                            .root = tree->root,
	                            .root_len = strlen(tree->root),
	                            .start = "/",
	                            .start_len = 1};
	size_t len = agent_start_encode(&start, bytes, sizeof(bytes));
	struct agent_process process;

	for (size_t i = 0; i < len; i++) {
		agent_spawn(&process, bytes, i, 0);
		assert_int_equal(process.ready, IPC_LOCAL_ERROR);
		assert_int_equal(agent_end(&process), AGENT_EXIT_START);
	}
	memset(bytes + len, 0, sizeof(bytes) - len);
	agent_spawn(&process, bytes, len + 1, 0);
	assert_int_equal(agent_end(&process), AGENT_EXIT_START);
	agent_spawn(&process, bytes, sizeof(bytes), 0);
	assert_int_equal(agent_end(&process), AGENT_EXIT_START);
	agent_spawn(&process, bytes, len, 0);
	assert_int_equal(process.ready, IPC_OK);
	assert_int_equal(agent_end(&process), AGENT_EXIT_DONE);
}

/* A record that somebody could still change, or that is none. */
static void
takes_only_sealed_records(void **state)
{
	const struct agent_tree *tree = *state;
	static const int seals[] = {0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW,
	                            F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK};
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_start start = {.uid = HARNESS_USER,
	                            .gid = HARNESS_USER,
	                            .root = tree->root,
	                            .root_len = strlen(tree->root),
	                            .start = "/",
	                            .start_len = 1};
	size_t len = agent_start_encode(&start, bytes, sizeof(bytes));
	struct agent_process process;
	char path[HARNESS_PATH];
	int fd;

	for (size_t i = 0; i < ARRAY_COUNT(seals); i++) {
		fd = memfd_create("start", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(write(fd, bytes, len), len);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		agent_spawn_on(&process, fd, 0);
		assert_int_equal(agent_end(&process), AGENT_EXIT_START);
		fd_close(&fd);
	}
	fd = open(tree_path(tree, "/file", path), O_RDONLY | O_CLOEXEC);
	agent_spawn_on(&process, fd, 0);
	assert_int_equal(agent_end(&process), AGENT_EXIT_START);
	fd_close(&fd);
	agent_spawn_on(&process, -1, 0);
	assert_int_equal(agent_end(&process), AGENT_EXIT_START);
}

/* The home that is not there, or that is closed: never another directory (A10). */
static void
serves_no_other_than_the_start_directory(void **state)
{
	static const struct {
		const char *start;
		enum agent_exit status;
	} cases[] = {
	    {"/", AGENT_EXIT_DONE},          {"/home", AGENT_EXIT_DONE},
	    {"/link-home", AGENT_EXIT_DONE}, {"/missing", AGENT_EXIT_HOME},
	    {"/file", AGENT_EXIT_HOME},      {"/closed", AGENT_EXIT_HOME},
	    {"/link-out", AGENT_EXIT_HOME},
	};
	const struct agent_tree *tree = *state;
	char path[HARNESS_PATH];

	tree_dir(tree, "/home");
	tree_dir(tree, "/closed");
	tree_link(tree, "/link-home", "home");
	tree_link(tree, "/link-out", "../secret");
	assert_int_equal(chmod(tree_path(tree, "/closed", path), 0), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct agent_start start = {.root = tree->root, .start = cases[i].start};
		struct agent_process process;

		agent_start_record(&process, &start, HARNESS_NO_ROOT);
		assert_int_equal(process.ready == IPC_OK,
		                 cases[i].status == AGENT_EXIT_DONE);
		assert_int_equal(agent_end(&process), cases[i].status);
	}
}

static void
opens_the_root_by_trusted_steps(void **state)
{
	const struct agent_tree *tree = *state;
	char path[HARNESS_PATH];
	bool serves;

	assert_int_equal(try_root(tree->root, &serves), AGENT_EXIT_DONE);
	assert_true(serves);
	assert_int_equal(try_root(tree_path(tree, "//.//", path), &serves),
	                 AGENT_EXIT_DONE);
	assert_true(serves);
	assert_int_equal(try_root(tree_path(tree, "/missing", path), &serves),
	                 AGENT_EXIT_ROOT);
	assert_int_equal(try_root(tree_path(tree, "/file", path), &serves),
	                 AGENT_EXIT_ROOT);
	assert_int_equal(try_root(tree_path(tree, "/file/x", path), &serves),
	                 AGENT_EXIT_ROOT);

	/*
	 * Links of our own are the administrator's: followed, also several and relative
	 * ones.
	 */
	tree_link(tree, "/../one", "two");
	tree_link(tree, "/../two", tree->root);
	tree_link(tree, "/../up", "root/../one/");
	tree_link(tree, "/../circle", "circle");
	assert_int_equal(try_root(tree_path(tree, "/../one", path), &serves),
	                 AGENT_EXIT_DONE);
	assert_true(serves);
	assert_int_equal(try_root(tree_path(tree, "/../up", path), &serves),
	                 AGENT_EXIT_DONE);
	assert_true(serves);
	assert_int_equal(try_root(tree_path(tree, "/../circle", path), &serves),
	                 AGENT_EXIT_ROOT);
}

/* What another user could exchange is refused. Only root can make such links. */
static void
refuses_what_others_could_exchange(void **state)
{
	const struct agent_tree *tree = *state;
	char path[HARNESS_PATH];
	bool serves;

	if (geteuid() != 0) {
		skip();
	}
	tree_link(tree, "/../theirs", tree->root);
	assert_int_equal(
	    lchown(tree_path(tree, "/../theirs", path), HARNESS_USER, HARNESS_USER), 0);
	assert_int_equal(try_root(path, &serves), AGENT_EXIT_ROOT);

	assert_int_equal(chmod(tree->top, 0777), 0);
	assert_int_equal(try_root(tree->root, &serves), AGENT_EXIT_ROOT);
	assert_int_equal(chmod(tree->top, 01777), 0);
	assert_int_equal(try_root(tree->root, &serves), AGENT_EXIT_DONE);
	assert_true(serves);
}

static void
serves_nobody_as_root(void **state)
{
	const struct agent_tree *tree = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_start start = {.has_sandbox = true,
	                            .root = tree->root,
	                            .root_len = strlen(tree->root),
	                            .start = "/",
	                            .start_len = 1};
	struct agent_process process;

	if (geteuid() != 0) {
		skip();
	}
	for (uint32_t uid = 0; uid <= 1; uid++) {
		start.uid = uid;
		start.gid = 1 - uid;
		agent_spawn(&process, bytes,
		            agent_start_encode(&start, bytes, sizeof(bytes)), 0);
		assert_int_equal(agent_end(&process), AGENT_EXIT_BECOME);
	}
}

/* Find the value of a line of /proc/PID/status. */
static void
read_status(pid_t pid, const char *key, char value[128])
{
	char path[64];
	char line[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':') {
			line[strcspn(line, "\n")] = '\0';
			(void)snprintf(value, 128, "%.120s", line + strlen(key) + 2);
		}
	}
	(void)fclose(file);
}

static void
nothing_is_left_of_root(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} cases[] = {
	    {"Uid", "65534\t65534\t65534\t65534"},
	    {"Gid", "65534\t65534\t65534\t65534"},
	    {"Groups", " "},
	    {"CapInh", "0000000000000000"},
	    {"CapPrm", "0000000000000000"},
	    {"CapEff", "0000000000000000"},
	    {"CapBnd", "0000000000000000"},
	    {"CapAmb", "0000000000000000"},
	    {"NoNewPrivs", "1"},
	    {"Seccomp", "2"},
	};
	const struct agent_tree *tree = *state;
	struct agent_process process;
	char path[HARNESS_PATH];
	char link[HARNESS_PATH] = {0};
	int fd;

	if (geteuid() != 0 || !sandbox_is_built()) {
		skip();
	}
	agent_start(&process, tree->root, 0);
	(void)agent_ask_path(&process, AGENT_STAT, "/file", &fd);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char value[128];

		read_status(process.pid, cases[i].key, value);
		assert_string_equal(value, cases[i].value);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)process.pid);
	assert_true(readlink(path, link, sizeof(link) - 1) > 0);
	assert_string_equal(link, tree->root);
	/* 0, 1, 2, the channel, the root */
	assert_int_equal(agent_count_fds(process.pid), 5);
	assert_int_equal(agent_end(&process), AGENT_EXIT_DONE);
}

/* Exactly the groups of the record, also if there are none (A8). */
static void
has_exactly_its_groups(void **state)
{
	static const size_t counts[] = {0, 1, 3, 1000, AGENT_GROUPS_MAX};
	const struct agent_tree *tree = *state;
	uint32_t *groups;

	if (geteuid() != 0 || !sandbox_is_built()) {
		skip();
	}
	groups = calloc(AGENT_GROUPS_MAX, sizeof(*groups));
	assert_non_null(groups);
	for (uint32_t i = 0; i < AGENT_GROUPS_MAX; i++) {
		groups[i] = 200000 - 2 * i; /* not in order */
	}
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		struct agent_start start = {
		    .root = tree->root, .groups = groups, .group_count = counts[i]};
		struct agent_process process;
		char value[128];

		agent_start_record(&process, &start, 0);
		assert_int_equal(process.ready, IPC_OK);
		read_status(process.pid, "Groups", value);
		if (counts[i] == 0) {
			assert_string_equal(value, " ");
		} else if (counts[i] == 3) {
			assert_string_equal(value, "199996 199998 200000 ");
		} else if (counts[i] == 1) {
			assert_string_equal(value, "200000 ");
		}
		assert_int_equal(agent_end(&process), AGENT_EXIT_DONE);
	}
	free(groups);
}

/*
 * The magic links of a served /proc lead to every root there is: they must not be
 * followed.
 */
static void
proc_is_no_way_out(void **state)
{
	static const char *const paths[] = {
	    "/proc/self/root/etc/passwd",
	    "/proc/1/root/etc/passwd",
	    "/proc/self/cwd/etc/passwd",
	    "/proc/self/fd/0",
	    "/dev/fd/0",
	    "/proc/self/exe",
	    "/proc/thread-self/root/etc",
	    "/proc/self/root/proc/self/root",
	};
	static const unsigned modes[] = {0, HARNESS_NO_ROOT, HARNESS_NO_OPENAT2,
	                                 HARNESS_NO_OPENAT2 | HARNESS_NO_ROOT};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		struct agent_process process;
		int fd;

		agent_start(&process, "/", modes[i]);
		assert_int_equal(
		    agent_ask_path(&process, AGENT_CHECK_DIR, "/proc", &fd).result,
		    IPC_OK);
		for (size_t j = 0; j < ARRAY_COUNT(paths); j++) {
			assert_int_not_equal(
			    agent_ask_path(&process, AGENT_OPEN_READ, paths[j], &fd)
				.result,
			    IPC_OK);
			assert_int_not_equal(
			    agent_ask_path(&process, AGENT_STAT, paths[j], &fd).result,
			    IPC_OK);
		}
		assert_int_equal(agent_end(&process), AGENT_EXIT_DONE);
	}
}

/*
 * Questions without taking the answers: the agent must not pile up descriptors in flight,
 * nor wait.
 */
static void
stops_for_who_takes_no_answers(void **state)
{
	const struct agent_tree *tree = *state;
	struct agent_question question = {.verb = AGENT_OPEN_READ,
	                                  .path = "/file",
	                                  .path_len = 5,
	                                  .pattern = "",
	                                  .prefix = ""};
	struct agent_process process;
	struct pollfd ready = {.events = 0};
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = agent_question_encode(&question, bytes, sizeof(bytes));
	unsigned taken = 0;
	int fd;

	agent_start(&process, tree->root, 0);
	for (unsigned i = 0; i < 100; i++) {
		int result = channel_send(process.channel_fd, bytes, len, -1);

		if (result == -EPIPE || result == -ECONNRESET) {
			break;
		}
	}
	ready.fd = process.channel_fd;
	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1); /* it hangs up by itself */
	for (;;) {
		ssize_t got = channel_recv(process.channel_fd, bytes, sizeof(bytes),
		                           MSG_DONTWAIT, &fd);

		if (got == -ECONNRESET && taken == 0) {
			/* it left with questions unread; its answers come next */
			continue;
		}
		if (got <= 0) {
			break;
		}
		assert_true(fd >= 0);
		fd_close(&fd);
		taken++;
	}
	assert_in_range(taken, 1, 8);
	assert_int_equal(agent_end(&process), AGENT_EXIT_PROTOCOL);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_TREE(takes_only_whole_start_records),
	    WITH_TREE(takes_only_sealed_records),
	    WITH_TREE(serves_no_other_than_the_start_directory),
	    WITH_TREE(opens_the_root_by_trusted_steps),
	    WITH_TREE(refuses_what_others_could_exchange),
	    WITH_TREE(serves_nobody_as_root),
	    WITH_TREE(nothing_is_left_of_root),
	    WITH_TREE(has_exactly_its_groups),
	    WITH_TREE(proc_is_no_way_out),
	    WITH_TREE(stops_for_who_takes_no_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
