/*
 * test_agent_upload_faults: uploads to the real agent when it is killed, when the disk is
 * full, and where nobody can write.
 * Source: SECURITY.md F14 and F15; deftpd.conf(5), uploads.mode.
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
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	KILL_ROUNDS = 60,
	OLD_BYTES = 64 * 1024,
};

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

/* A file of one byte over and over. */
static void
fill(char *bytes, size_t len, char byte)
{
	memset(bytes, byte, len);
	bytes[len] = '\0';
}

/*
 * Ask in a child of the test, which must not fail as a test does when the agent is gone.
 */
static struct agent_answer
ask_or_exit(struct agent_process *agent, enum agent_verb verb, uint32_t upload,
            int *ret_fd)
{
	struct pollfd ready = {.fd = agent->channel_fd, .events = POLLIN};
	struct agent_question question = {
	    .verb = verb, .path = "/file", .path_len = 5, .upload = upload};
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = agent_question_encode(&question, bytes, sizeof(bytes));
	struct agent_answer answer;
	ssize_t got;

	if (channel_send(agent->channel_fd, bytes, len, -1) != 0 ||
	    poll(&ready, 1, HARNESS_WAIT_MS) != 1) {
		_exit(1);
	}
	got = channel_recv(agent->channel_fd, bytes, sizeof(bytes), MSG_DONTWAIT, ret_fd);
	if (got <= 0 || !agent_answer_decode(bytes, (size_t)got, &answer)) {
		_exit(1);
	}
	return answer;
}

/* Upload without end, new content each time, until killed. */
static void __attribute__((noreturn))
upload_for_ever(struct agent_process *agent, unsigned seed)
{
	char *content = malloc(OLD_BYTES + 1);

	if (content == NULL) {
		_exit(1);
	}
	for (unsigned i = 0;; i++) {
		struct agent_answer answer;
		int unused_fd;
		int fd;

		fill(content, OLD_BYTES, (char)('a' + (seed + i) % 26));
		answer = ask_or_exit(agent, AGENT_OPEN_WRITE, 0, &fd);
		for (size_t at = 0; at < OLD_BYTES; at += 4096) {
			if (write(fd, content + at, 4096) != 4096) {
				_exit(1);
			}
		}
		(void)ask_or_exit(agent, AGENT_COMMIT, answer.upload, &unused_fd);
		fd_close(&fd);
	}
}

/* Under its name there is a whole file, whenever the agent is killed. */
static void
survives_kill_9_at_any_point(void **state)
{
	struct fixture *fixture = *state;
	char *content = malloc(OLD_BYTES + 1);
	char text[HARNESS_PATH];

	assert_non_null(content);
	for (unsigned i = 0; i < KILL_ROUNDS; i++) {
		struct stat info;
		pid_t uploader;
		int fd;

		start(fixture, i % 2 == 0 ? AGENT_UPLOAD_ATOMIC : AGENT_UPLOAD_DURABLE,
		      true);
		uploader = fork();
		if (uploader == 0) {
			upload_for_ever(&fixture->agent, i);
		}
		assert_int_equal(usleep(1000 + i * 1370 % 20000), 0);
		assert_int_equal(kill(fixture->agent.pid, SIGKILL), 0);
		assert_int_equal(kill(uploader, SIGKILL), 0);
		assert_int_equal(waitpid(uploader, NULL, 0), uploader);
		assert_int_equal(agent_end(&fixture->agent), -1);
		fd = open(tree_path(&fixture->tree, "/file", text), O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			continue; /* not even the first one was whole */
		}
		assert_int_equal(fstat(fd, &info), 0);
		assert_int_equal(info.st_size, OLD_BYTES);
		assert_int_equal(read(fd, content, OLD_BYTES), OLD_BYTES);
		for (size_t j = 1; j < OLD_BYTES; j++) {
			if (content[j] != content[0]) {
				fail_msg("half of two files");
			}
		}
		fd_close(&fd);
	}
	/* and the name is as good as ever */
	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	assert_int_equal(
	    agent_upload(&fixture->agent, "/file", AGENT_OPEN_STORE, 0, "end"), IPC_OK);
	assert_true(tree_has(&fixture->tree, "/file", "end"));
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	end(fixture);
	free(content);
}

/* No room: the result says so, the old file stays, others are served (F14). */
static void
tells_that_the_disk_is_full(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	char text[HARNESS_PATH];
	int fd;

	tree_dir(&fixture->tree, "/small");
	(void)tree_path(&fixture->tree, "/small", text);
	if (geteuid() != 0 || mount("tmpfs", text, "tmpfs", MS_NOSUID,
	                            "size=1m,nr_inodes=20,mode=0777") != 0) {
		print_message("only root can mount a small file system\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		struct agent_rights rights = {.may_write = true,
		                              .mode = modes[i],
		                              .keeps_partial = true,
		                              .min_free_bytes = 512 * 1024};
		struct agent_answer answer;
		char *large = calloc(1, 700 * 1024);
		unsigned made = 0;

		agent_start_writing(agent, fixture->tree.root, &rights, 0);
		assert_int_equal(
		    agent_upload(agent, "/small/file", AGENT_OPEN_STORE, 0, "old"),
		    IPC_OK);
		answer = agent_ask_path(agent, AGENT_SPACE, "/small", &fd);
		assert_int_equal(answer.result, IPC_OK);
		assert_in_range(answer.size_bytes, 400 * 1024, 512 * 1024);
		answer =
		    agent_open_write(agent, "/small/big", AGENT_OPEN_STORE, 0, -1, &fd);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(write(fd, large, 700 * 1024), 700 * 1024);
		/* less than min_free_bytes is left now */
		assert_int_equal(
		    agent_upload(agent, "/small/file", AGENT_OPEN_STORE, 0, "new"),
		    IPC_NO_SPACE);
		assert_true(tree_has(&fixture->tree, "/small/file", "old"));
		if (answer.upload != 0) {
			assert_int_equal(
			    agent_ask_end(agent, AGENT_DISCARD, answer.upload), IPC_OK);
		}
		fd_close(&fd);
		assert_int_equal(
		    agent_ask_path(agent, AGENT_REMOVE_FILE, "/small/big", &fd).result,
		    IPC_OK);
		/* nor does the copy that APPE begins with take what must stay free */
		answer =
		    agent_open_write(agent, "/small/half", AGENT_OPEN_STORE, 0, -1, &fd);
		assert_int_equal(write(fd, large, 300 * 1024), 300 * 1024);
		if (answer.upload != 0) {
			assert_int_equal(
			    agent_ask_end(agent, AGENT_COMMIT, answer.upload), IPC_OK);
		}
		fd_close(&fd);
		answer =
		    agent_open_write(agent, "/small/half", AGENT_OPEN_APPEND, 0, -1, &fd);
		assert_int_equal(answer.result,
		                 modes[i] == AGENT_UPLOAD_DIRECT ? IPC_OK : IPC_NO_SPACE);
		fd_close(&fd);
		assert_int_equal(
		    agent_ask_path(agent, AGENT_REMOVE_FILE, "/small/half", &fd).result,
		    IPC_OK);
		/* no inode is left */
		while (made < 30) {
			char path[32];

			(void)snprintf(path, sizeof(path), "/small/dir%u", made);
			if (agent_ask_path(agent, AGENT_MAKE_DIR, path, &fd).result !=
			    IPC_OK) {
				break;
			}
			made++;
		}
		assert_in_range(made, 1, 29);
		assert_int_equal(
		    agent_upload(agent, "/small/other", AGENT_OPEN_STORE, 0, "x"),
		    IPC_NO_SPACE);
		assert_int_equal(
		    agent_ask_path(agent, AGENT_MAKE_DIR, "/small/dir", &fd).result,
		    IPC_NO_SPACE);
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "x"),
		                 IPC_OK);
		while (made > 0) {
			char path[32];

			(void)snprintf(path, sizeof(path), "/small/dir%u", --made);
			assert_int_equal(
			    agent_ask_path(agent, AGENT_REMOVE_DIR, path, &fd).result,
			    IPC_OK);
		}
		end(fixture);
		free(large);
	}
	assert_int_equal(umount(text), 0);
}

/* A file system that nobody can write to. */
static void
tells_that_it_is_read_only(void **state)
{
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];
	int fd;

	tree_dir(&fixture->tree, "/ro");
	(void)tree_path(&fixture->tree, "/ro", text);
	if (geteuid() != 0 ||
	    mount("tmpfs", text, "tmpfs", MS_RDONLY, "mode=0777") != 0) {
		print_message("only root can mount a file system\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		start(fixture, modes[i], true);
		assert_int_equal(
		    agent_upload(&fixture->agent, "/ro/file", AGENT_OPEN_STORE, 0, "x"),
		    IPC_READ_ONLY);
		assert_int_equal(
		    agent_ask_path(&fixture->agent, AGENT_MAKE_DIR, "/ro/dir", &fd)
			.result,
		    IPC_READ_ONLY);
		end(fixture);
	}
	assert_int_equal(umount(text), 0);
}

/* Who started us may have set a limit that we do not know. */
static void
survives_a_limit_of_file_sizes(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	char text[HARNESS_PATH];
	struct rlimit before;
	struct rlimit low;
	int fd;

	tree_file(&fixture->tree, "/large", "");
	tree_give(&fixture->tree, "/large");
	assert_int_equal(truncate(tree_path(&fixture->tree, "/large", text), 1 << 20), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = (struct rlimit){.rlim_cur = 1 << 16, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(
	    agent_open_write(agent, "/large", AGENT_OPEN_APPEND, 0, -1, &fd).result,
	    IPC_TOO_LARGE);
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	end(fixture);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_TREE(survives_kill_9_at_any_point),
	    WITH_TREE(tells_that_the_disk_is_full),
	    WITH_TREE(tells_that_it_is_read_only),
	    WITH_TREE(survives_a_limit_of_file_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
