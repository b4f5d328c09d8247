/*
 * test_agent_upload_shared: uploads to the real agent that meet others: other uploads of
 * the same name, files of other users, reserved names, a program that runs.
 * Source: deftpd.conf(5), uploads.mode; SECURITY.md F17, F18.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

static const enum agent_upload_mode modes[] = {AGENT_UPLOAD_DIRECT, AGENT_UPLOAD_ATOMIC,
                                               AGENT_UPLOAD_DURABLE};

struct fixture {
	struct agent_tree tree;
	struct agent_process agent;
};

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	tree_make(&fixture->tree);
	tree_give(&fixture->tree, "/");
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

static void
start(struct fixture *fixture, enum agent_upload_mode mode, bool keeps_partial)
{
	struct agent_rights rights = {.may_write = true,
	                              .mode = mode,
	                              .keeps_partial = keeps_partial,
	                              .umask = 022};

	agent_start_writing(&fixture->agent, fixture->tree.root, &rights, 0);
}

static void
end(struct fixture *fixture)
{
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
}

/* Nobody's bytes are lost, and no old file comes back, by an APPE that began before. */
static void
appends_to_what_is_there_only(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;

	for (size_t i = 1; i < ARRAY_COUNT(modes); i++) {
		struct agent_answer first;
		struct agent_answer second;
		int first_fd;
		int second_fd;

		start(fixture, modes[i], true);
		tree_file(&fixture->tree, "/log", "old,");
		tree_give(&fixture->tree, "/log");
		first =
		    agent_open_write(agent, "/log", AGENT_OPEN_APPEND, 0, -1, &first_fd);
		second =
		    agent_open_write(agent, "/log", AGENT_OPEN_APPEND, 0, -1, &second_fd);
		assert_int_equal(write(first_fd, "first,", 6), 6);
		assert_int_equal(write(second_fd, "second,", 7), 7);
		assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, first.upload),
		                 IPC_OK);
		assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, second.upload),
		                 IPC_BUSY);
		assert_true(tree_has(&fixture->tree, "/log", "old,first,"));
		fd_close(&first_fd);
		fd_close(&second_fd);
		/* a new version is not undone either */
		first =
		    agent_open_write(agent, "/log", AGENT_OPEN_APPEND, 0, -1, &first_fd);
		assert_int_equal(agent_upload(agent, "/log", AGENT_OPEN_STORE, 0, "new"),
		                 IPC_OK);
		assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, first.upload),
		                 IPC_BUSY);
		assert_true(tree_has(&fixture->tree, "/log", "new"));
		fd_close(&first_fd);
		/* nor is one that was not there */
		first =
		    agent_open_write(agent, "/more", AGENT_OPEN_APPEND, 0, -1, &first_fd);
		assert_int_equal(
		    agent_upload(agent, "/more", AGENT_OPEN_APPEND, 0, "second"), IPC_OK);
		assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, first.upload),
		                 IPC_BUSY);
		assert_true(tree_has(&fixture->tree, "/more", "second"));
		fd_close(&first_fd);
		assert_int_equal(tree_count(&fixture->tree, "/"), 2);
		assert_int_equal(
		    agent_ask_path(agent, AGENT_REMOVE_FILE, "/more", &(int){-1}).result,
		    IPC_OK);
		end(fixture);
	}
}

/* What is cut does not take the place of what somebody goes on with. */
static void
keeps_no_part_over_a_running_one(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	struct agent_answer answer;
	int fd;

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	assert_int_equal(agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "123"),
	                 IPC_OK);
	answer = agent_open_write(agent, "/file", AGENT_OPEN_STORE, 3, -1, &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "xy"),
	                 IPC_OK);
	assert_int_equal(write(fd, "456", 3), 3);
	assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, answer.upload), IPC_OK);
	fd_close(&fd);
	assert_true(tree_has(&fixture->tree, "/file", "123456"));
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	end(fixture);
}

/* Where what was cut is removed, it is never what somebody else has sent. */
static void
removes_nothing_of_another_upload(void **state)
{
	static const enum agent_open ways[] = {AGENT_OPEN_STORE, AGENT_OPEN_APPEND};
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;

	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		struct agent_answer answer;
		enum ipc_result result;
		int fd;

		start(fixture, AGENT_UPLOAD_DIRECT, false);
		answer = agent_open_write(agent, "/file", ways[i], 0, -1, &fd);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(write(fd, "first", 5), 5);
		result = agent_upload(agent, "/file", ways[i], 0, "second");
		assert_int_equal(result, IPC_BUSY);
		/* nor has the one that had to wait changed anything */
		assert_true(tree_has(&fixture->tree, "/file", "first"));
		assert_int_equal(agent_ask_end(agent, AGENT_DISCARD, answer.upload),
		                 IPC_OK);
		/* the worker may still have it open */
		assert_int_equal(agent_upload(agent, "/file", ways[i], 0, "second"),
		                 IPC_OK);
		fd_close(&fd);
		assert_true(tree_has(&fixture->tree, "/file", "second"));
		answer = agent_open_write(agent, "/file", ways[i], 0, -1, &fd);
		assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, answer.upload),
		                 IPC_OK);
		assert_int_equal(agent_upload(agent, "/file", ways[i], 0, ""), IPC_OK);
		fd_close(&fd);
		end(fixture);
		assert_int_equal(
		    unlink(tree_path(&fixture->tree, "/file", (char[HARNESS_PATH]){0})),
		    0);
	}
}

/* Nobody waits for it any more: the copy that APPE begins with is not finished. */
static void
ends_a_long_copy_with_the_channel(void **state)
{
	static const off_t size = (off_t)1 << 30;
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	const struct agent_question question = {.verb = AGENT_OPEN_WRITE,
	                                        .path = "/large",
	                                        .path_len = 6,
	                                        .how = AGENT_OPEN_APPEND};
	char text[HARNESS_PATH];
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct stat info = {0};

	tree_file(&fixture->tree, "/large", "");
	tree_give(&fixture->tree, "/large");
	assert_int_equal(truncate(tree_path(&fixture->tree, "/large", text), size), 0);
	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	assert_int_equal(
	    channel_send(agent->channel_fd, bytes,
	                 agent_question_encode(&question, bytes, sizeof(bytes)), -1),
	    0);
	fd_close(&agent->channel_fd);
	(void)tree_path(&fixture->tree, "/.large.deftpd-new", text);
	for (unsigned i = 0; i < 100000 && waitpid(agent->pid, NULL, WNOHANG) == 0; i++) {
		if (stat(text, &info) == 0) {
			assert_true(info.st_size < size);
		}
		assert_int_equal(usleep(100), 0);
	}
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
}

/* A part that this user cannot go on with is not there, and stays. */
static void
leaves_parts_of_others_alone(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	struct agent_answer answer;
	int fd;

	if (geteuid() != 0) {
		print_message("only root can make files of somebody else\n");
		skip();
	}
	tree_file(&fixture->tree, "/.file.deftpd-part", "theirs");
	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	answer = agent_ask_path(agent, AGENT_STAT, "/file", &fd);
	assert_int_equal(answer.result, IPC_NOT_FOUND);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "ours"),
	                 IPC_OK);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_APPEND, 0, " too"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/file", "ours too"));
	assert_int_equal(agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "half"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/.file.deftpd-part", "theirs"));
	assert_int_equal(tree_count(&fixture->tree, "/"), 2);
	end(fixture);
}

/* Under a reserved name, the next upload would take a whole file for a left one. */
static void
uploads_under_no_reserved_name(void **state)
{
	static const struct {
		const char *path;
		bool is_reserved;
	} cases[] = {
	    {"/.file.deftpd-new", true},    {"/.file.deftpd-new.1", true},
	    {"/.file.deftpd-new.9", true},  {"/.file.deftpd-part", true},
	    {"/.file.deftpd-new.0", false}, {"/.file.deftpd-new.10", false},
	    {"/file.deftpd-part", false},   {"/.deftpd-part", false},
	    {"/.file.deftpd-parts", false}, {"/.file.deftpd-newer", false},
	};
	static const enum agent_open ways[] = {AGENT_OPEN_STORE, AGENT_OPEN_APPEND,
	                                       AGENT_OPEN_UNIQUE};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		start(fixture, modes[i], true);
		for (size_t j = 0; j < ARRAY_COUNT(cases); j++) {
			bool is_refused =
			    cases[j].is_reserved && modes[i] != AGENT_UPLOAD_DIRECT;

			for (size_t k = 0; k < ARRAY_COUNT(ways); k++) {
				assert_int_equal(agent_upload(&fixture->agent,
				                              cases[j].path, ways[k], 0,
				                              "x"),
				                 is_refused ? IPC_BAD_NAME : IPC_OK);
			}
		}
		end(fixture);
		tree_remove(&fixture->tree);
		tree_make(&fixture->tree);
		tree_give(&fixture->tree, "/");
	}
}

/* STOU: the name that is chosen can be told. */
static void
finds_unique_names_that_fit(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	char path[IPC_PATH_MAX + 1] = "";
	size_t len = 0;
	int fd;

	start(fixture, AGENT_UPLOAD_DIRECT, true);
	while (len < 4080) {
		size_t more = 4080 - len < 250 ? 4080 - len : 250;

		path[len] = '/';
		memset(path + len + 1, 'd', more - 1);
		len += more;
		path[len] = '\0';
		assert_int_equal(agent_ask_path(agent, AGENT_MAKE_DIR, path, &fd).result,
		                 IPC_OK);
	}
	(void)snprintf(path + len, sizeof(path) - len, "/wish-wish");
	assert_int_equal(agent_upload(agent, path, AGENT_OPEN_STORE, 0, "x"), IPC_OK);
	assert_int_equal(agent_upload(agent, path, AGENT_OPEN_UNIQUE, 0, "x"),
	                 IPC_BAD_NAME);
	assert_int_equal(agent_ask_path(agent, AGENT_REMOVE_FILE, path, &fd).result,
	                 IPC_OK);
	for (; len > 0; len -= len % 250 != 0 ? len % 250 : 250) {
		path[len] = '\0';
		assert_int_equal(
		    agent_ask_path(agent, AGENT_REMOVE_DIR, path, &fd).result, IPC_OK);
	}
	end(fixture);
}

static void
copy_program(const char *from, const char *to)
{
	int from_fd = open(from, O_RDONLY | O_CLOEXEC);
	int to_fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t copied = 1;

	assert_true(from_fd >= 0 && to_fd >= 0);
	while (copied > 0) {
		copied = sendfile(to_fd, from_fd, NULL, 1024 * 1024);
	}
	assert_int_equal(copied, 0);
	fd_close(&from_fd);
	fd_close(&to_fd);
}

/* A program that runs is not changed now; later it can be. */
static void
waits_for_a_program_to_end(void **state)
{
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];
	int pipe_fds[2];
	pid_t pid;

	copy_program("/bin/sleep", tree_path(&fixture->tree, "/program", text));
	tree_give(&fixture->tree, "/program");
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)execl(text, "sleep", "30", (char *)NULL);
		_exit(1);
	}
	fd_close(&pipe_fds[1]);
	/* the end of it: the program runs, or has failed to */
	assert_int_equal(read(pipe_fds[0], &(char){0}, 1), 0);
	fd_close(&pipe_fds[0]);
	start(fixture, AGENT_UPLOAD_DIRECT, true);
	assert_int_equal(
	    agent_upload(&fixture->agent, "/program", AGENT_OPEN_STORE, 0, "x"),
	    IPC_BUSY);
	end(fixture);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_TREE(appends_to_what_is_there_only),
	    WITH_TREE(keeps_no_part_over_a_running_one),
	    WITH_TREE(removes_nothing_of_another_upload),
	    WITH_TREE(ends_a_long_copy_with_the_channel),
	    WITH_TREE(leaves_parts_of_others_alone),
	    WITH_TREE(uploads_under_no_reserved_name),
	    WITH_TREE(finds_unique_names_that_fit),
	    WITH_TREE(waits_for_a_program_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
