/*
 * test_agent_load: listings of the real agent that are too big for a buffer, a pipe or a
 * bound: many at once, slow and vanished readers, directories that change meanwhile.
 * Source: SECURITY.md G5, G7 and G8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/proto/entry.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	MAX_LISTINGS = 16,  /* as serve.h of the agent has it */
	MAX_SORTED = 10000, /* as listing_sort.h has it */
	MAX_WALKED = 10000, /* as listing_walk.h has it */
	BIG = 20000,        /* names in a directory that no buffer and no pipe holds */
};

/* The tree is made once for all tests: making names is what takes time. */
struct fixture {
	const struct agent_tree *tree;
	struct agent_process agent;
};

static int
make_tree(void **state)
{
	struct agent_tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	tree_make(tree);
	tree_dir(tree, "/d");
	tree_file(tree, "/d/a", "a");
	tree_dir(tree, "/big");
	tree_files(tree, "/big", BIG);
	/* "." and ".." are in a directory too, and count. */
	tree_dir(tree, "/edge");
	tree_files(tree, "/edge", MAX_SORTED - 2);
	tree_dir(tree, "/changing");
	tree_files(tree, "/changing", 5000);
	tree_dir(tree, "/many");
	tree_dir(tree, "/many/1");
	tree_files(tree, "/many/1", 6000);
	tree_dir(tree, "/many/2");
	tree_files(tree, "/many/2", 6000);
	*state = tree;
	return 0;
}

static int
remove_tree(void **state)
{
	tree_remove(*state);
	free(*state);
	return 0;
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->tree = *state;
	agent_start(&fixture->agent, fixture->tree->root, 0);
	*state = fixture;
	return 0;
}

/* Whatever a test did: the agent still answers, and ends when the channel does. */
static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	assert_int_equal(agent_ask_path(&fixture->agent, AGENT_STAT, "/", &fd).result,
	                 IPC_OK);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
	free(fixture);
	return 0;
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
		count++;
	}
	return count;
}

static void
walks_are_bounded_in_number(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/many",
	                                  .format = AGENT_FORMAT_NAMES,
	                                  .options = AGENT_LIST_RECURSIVE};
	size_t len;
	char *text = agent_list(&fixture->agent, &question, &len);

	assert_int_equal(count_lines(text), MAX_WALKED);
	free(text);
}

/* Check that a listing of names has each of name-00000 to name-<count - 1> once. */
static void
check_all_names(const char *text, size_t len, unsigned count, size_t other_bytes)
{
	bool *seen = calloc(count, sizeof(*seen));
	size_t line = strlen("name-00000\r\n");

	assert_non_null(seen);
	assert_true(len >= count * line);
	assert_int_equal(len - count * line <= other_bytes, 1);
	/* Not strstr: a sanitizer's looks at the whole rest each time. */
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
		unsigned long number;

		if (strncmp(at, "name-", 5) != 0) {
			continue;
		}
		number = strtoul(at + 5, NULL, 10);
		assert_in_range(number, 0, count - 1);
		assert_false(seen[number]);
		seen[number] = true;
	}
	for (unsigned i = 0; i < count; i++) {
		assert_true(seen[i]);
	}
	free(seen);
}

static void
big_directories_are_whole(void **state)
{
	static const unsigned options[] = {0, AGENT_LIST_BY_TIME, AGENT_LIST_REVERSE,
	                                   AGENT_LIST_BY_SIZE | AGENT_LIST_HIDDEN};
	struct fixture *fixture = *state;
	size_t len;
	char *text;

	for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
		struct agent_question question = {
		    .path = "/big", .format = AGENT_FORMAT_NAMES, .options = options[i]};

		text = agent_list(&fixture->agent, &question, &len);
		check_all_names(text, len, BIG, 0);
		free(text);
	}
}

/* The largest directory that -r still sorts, and the next. */
static void
sorting_ends_at_its_bound(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {
	    .path = "/edge", .format = AGENT_FORMAT_NAMES, .options = AGENT_LIST_REVERSE};
	size_t len;
	char *text;

	/* "." and ".." are in the directory too, and count. */
	text = agent_list(&fixture->agent, &question, &len);
	check_all_names(text, len, MAX_SORTED - 2, 0);
	for (unsigned i = 0; i < MAX_SORTED - 2; i++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "name-%05u\r\n", MAX_SORTED - 3 - i);
		assert_memory_equal(text + i * strlen(line), line, strlen(line));
	}
	free(text);
	tree_file(fixture->tree, "/edge/name-09998", "");
	text = agent_list(&fixture->agent, &question, &len);
	check_all_names(text, len, MAX_SORTED - 1, 0);
	free(text);
}

/*
 * Three hundred are asked for and nobody reads: sixteen run, the rest is told to wait,
 * and nothing else suffers.
 */
static void
pending_listings_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/big", .format = AGENT_FORMAT_LONG};
	int fds[MAX_LISTINGS];
	unsigned count = 0;

	for (unsigned i = 0; i < 300; i++) {
		enum ipc_result result;
		int fd;

		result = agent_ask_list(&fixture->agent, &question, &fd);
		assert_int_equal(result, i < MAX_LISTINGS ? IPC_OK : IPC_BUSY);
		if (result == IPC_OK) {
			fds[count++] = fd;
		}
		assert_int_equal(
		    agent_ask_path(&fixture->agent, AGENT_STAT, "/d/a", &fd).result,
		    IPC_OK);
	}
	for (unsigned i = 0; i < count; i++) {
		size_t len;
		char *text = agent_read_all(fds[i], &len);

		assert_int_equal(count_lines(text), BIG);
		free(text);
		fd_close(&fds[i]);
	}
	question.path = "/d";
	free(agent_list(&fixture->agent, &question, &(size_t){0}));
}

/*
 * A reader that leaves, at once or in the middle, ends its listing and gives its place
 * back.
 */
static void
cancelled_listings_end(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/big", .format = AGENT_FORMAT_LONG};
	unsigned before;
	int fd;

	(void)agent_ask_path(&fixture->agent, AGENT_STAT, "/", &fd);
	before = agent_count_fds(fixture->agent.pid);
	for (unsigned i = 0; i < 10 * MAX_LISTINGS; i++) {
		enum ipc_result result;
		char some[4096];
		uint64_t deadline = clock_monotonic_ms() + HARNESS_WAIT_MS;

		/*
		 * The agent hears of the end of a reader at its next turn: soon, but not
		 * at once.
		 */
		do {
			result = agent_ask_list(&fixture->agent, &question, &fd);
		} while (result == IPC_BUSY && clock_monotonic_ms() < deadline);
		assert_int_equal(result, IPC_OK);
		if (i % 2 == 0) {
			struct pollfd ready = {.fd = fd, .events = POLLIN};

			assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
			assert_true(read(fd, some, sizeof(some)) > 0);
		}
		fd_close(&fd);
	}
	for (unsigned i = 0; i < 1000 && agent_count_fds(fixture->agent.pid) != before;
	     i++) {
		assert_int_equal(usleep(1000), 0);
	}
	assert_int_equal(agent_count_fds(fixture->agent.pid), before);
}

/* Make and remove names in /changing until killed, at the latest with this process. */
static pid_t
start_changing(const struct agent_tree *tree)
{
	pid_t pid = fork();
	char text[HARNESS_PATH];

	assert_true(pid >= 0);
	if (pid != 0) {
		return pid;
	}
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1 ||
	    chdir(tree_path(tree, "/changing", text)) != 0) {
		_exit(1);
	}
	for (unsigned i = 0;; i++) {
		int fd;

		(void)snprintf(text, sizeof(text), "come-and-gone-%u", i % 500);
		fd = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		fd_close(&fd);
		(void)snprintf(text, sizeof(text), "come-and-gone-%u", (i + 250) % 500);
		(void)unlink(text);
	}
}

static void
changing_directories_are_whole(void **state)
{
	static const enum agent_format formats[] = {AGENT_FORMAT_NAMES, AGENT_FORMAT_LONG,
	                                            AGENT_FORMAT_FACTS};
	struct fixture *fixture = *state;
	pid_t pid;

	pid = start_changing(fixture->tree);
	for (unsigned i = 0; i < 30; i++) {
		struct agent_question question = {.path = "/changing",
		                                  .format =
		                                      formats[i % ARRAY_COUNT(formats)],
		                                  .facts = ENTRY_FACT_TYPE};
		size_t count = 0;
		size_t len;
		char *text = agent_list(&fixture->agent, &question, &len);

		for (char *at = text; (at = strchr(at, ' ')) != NULL; at++) {
			count += strncmp(at, " name-", 6) == 0;
		}
		if (question.format == AGENT_FORMAT_NAMES) {
			check_all_names(text, len, 5000,
			                500 * strlen("come-and-gone-000\r\n"));
		} else {
			assert_int_equal(count, 5000);
		}
		free(text);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/*
 * A directory that is removed while it is listed, and one that is moved: the listing
 * ends, the agent does not.
 */
static void
vanished_directories_end(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/big", .format = AGENT_FORMAT_LONG};
	char from[HARNESS_PATH];
	char to[HARNESS_PATH];
	size_t len;
	int fd;

	assert_int_equal(agent_ask_list(&fixture->agent, &question, &fd), IPC_OK);
	assert_int_equal(rename(tree_path(fixture->tree, "/big", from),
	                        tree_path(fixture->tree, "/moved", to)),
	                 0);
	free(agent_read_all(fd, &len));
	fd_close(&fd);
	assert_true(len > 0);
	assert_int_equal(agent_ask_list(&fixture->agent, &question, &fd), IPC_NOT_FOUND);
	assert_int_equal(rename(to, from), 0);

	tree_dir(fixture->tree, "/d/sub");
	question.path = "/d/sub";
	question.options = AGENT_LIST_HIDDEN;
	assert_int_equal(agent_ask_list(&fixture->agent, &question, &fd), IPC_OK);
	assert_int_equal(rmdir(tree_path(fixture->tree, "/d/sub", from)), 0);
	free(agent_read_all(fd, &len));
	fd_close(&fd);
}

/*
 * The first bytes of a big listing are there before the reader has made room for the
 * last.
 */
static void
listings_stream(void **state)
{
	struct fixture *fixture = *state;
	struct agent_question question = {.path = "/big", .format = AGENT_FORMAT_LONG};
	struct pollfd ready = {.events = POLLIN};
	char first[64];
	size_t len;

	assert_int_equal(agent_ask_list(&fixture->agent, &question, &ready.fd), IPC_OK);
	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
	assert_int_equal(read(ready.fd, first, sizeof(first)), sizeof(first));
	/*
	 * BIG lines are more than any pipe holds, so the listing cannot be complete yet.
	 */
	assert_int_equal(
	    agent_ask_path(&fixture->agent, AGENT_STAT, "/d", &(int){0}).result, IPC_OK);
	free(agent_read_all(ready.fd, &len));
	assert_true(len > 1024 * 1024);
	fd_close(&ready.fd);
}

#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_AGENT(walks_are_bounded_in_number),
	    WITH_AGENT(big_directories_are_whole),
	    WITH_AGENT(sorting_ends_at_its_bound),
	    WITH_AGENT(pending_listings_are_bounded),
	    WITH_AGENT(cancelled_listings_end),
	    WITH_AGENT(changing_directories_are_whole),
	    WITH_AGENT(vanished_directories_end),
	    WITH_AGENT(listings_stream),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
