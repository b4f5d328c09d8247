/*
 * test_agent_upload: OPEN_WRITE, COMMIT and DISCARD of the real agent in every mode.
 * Source: deftpd.conf(5), uploads.mode; RFC 959 (STOR, APPE, STOU, REST); SECURITY.md F5,
 * F11, F12, F17, F18, F21.
 * Not here: kill -9 and full disks; see test_agent_upload_faults.c. Others in the way;
 * see test_agent_upload_shared.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	UNIQUE_ROUNDS = 200,
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

static void
stores_and_replaces(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		for (unsigned keeps = 0; keeps <= 1; keeps++) {
			start(fixture, modes[i], keeps == 1);
			assert_int_equal(agent_upload(&fixture->agent, "/new",
			                              AGENT_OPEN_STORE, 0, "longer one"),
			                 IPC_OK);
			assert_true(tree_has(&fixture->tree, "/new", "longer one"));
			assert_int_equal(agent_upload(&fixture->agent, "/new",
			                              AGENT_OPEN_STORE, 0, "short"),
			                 IPC_OK);
			assert_true(tree_has(&fixture->tree, "/new", "short"));
			assert_int_equal(agent_upload(&fixture->agent, "/new",
			                              AGENT_OPEN_APPEND, 0, " and more"),
			                 IPC_OK);
			assert_true(tree_has(&fixture->tree, "/new", "short and more"));
			assert_int_equal(agent_upload(&fixture->agent, "/other",
			                              AGENT_OPEN_APPEND, 0, "fresh"),
			                 IPC_OK);
			assert_true(tree_has(&fixture->tree, "/other", "fresh"));
			/* nothing under a reserved name is left */
			assert_int_equal(tree_count(&fixture->tree, "/"), 2);
			assert_int_equal(agent_ask_end(&fixture->agent, AGENT_COMMIT, 77),
			                 IPC_NOT_FOUND);
			end(fixture);
			assert_int_equal(unlink(tree_path(&fixture->tree, "/new",
			                                  (char[HARNESS_PATH]){0})),
			                 0);
			assert_int_equal(unlink(tree_path(&fixture->tree, "/other",
			                                  (char[HARNESS_PATH]){0})),
			                 0);
		}
	}
}

/* The old file is whole until the new one is. */
static void
never_shows_half_a_file(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 1; i < ARRAY_COUNT(modes); i++) {
		struct agent_answer answer;
		int fd;

		start(fixture, modes[i], true);
		tree_file(&fixture->tree, "/file", "old");
		tree_give(&fixture->tree, "/file");
		answer = agent_open_write(&fixture->agent, "/file", AGENT_OPEN_STORE, 0,
		                          -1, &fd);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_not_equal(answer.upload, 0);
		assert_int_equal(write(fd, "new", 3), 3);
		assert_true(tree_has(&fixture->tree, "/file", "old"));
		assert_true(tree_has(&fixture->tree, "/.file.deftpd-new", "new"));
		assert_int_equal(
		    agent_ask_end(&fixture->agent, AGENT_COMMIT, answer.upload), IPC_OK);
		assert_true(tree_has(&fixture->tree, "/file", "new"));
		/* it has ended: once only */
		assert_int_equal(
		    agent_ask_end(&fixture->agent, AGENT_COMMIT, answer.upload),
		    IPC_NOT_FOUND);
		fd_close(&fd);
		end(fixture);
		assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	}
}

/* What was cut waits, and only STOR with REST goes on with it. */
static void
continues_what_was_cut(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	struct agent_answer answer;
	int fd;

	for (size_t i = 1; i < ARRAY_COUNT(modes); i++) {
		tree_file(&fixture->tree, "/file", "the old one");
		tree_give(&fixture->tree, "/file");
		start(fixture, modes[i], true);
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "12345"),
		    IPC_OK);
		assert_true(tree_has(&fixture->tree, "/file", "the old one"));
		assert_true(tree_has(&fixture->tree, "/.file.deftpd-part", "12345"));
		/* SIZE is that of the file that RETR would send */
		answer = agent_ask_path(agent, AGENT_STAT, "/file", &fd);
		assert_int_equal(answer.size_bytes, 11);
		assert_false(answer.is_part);
		/* nothing of the old file is ever part of the new one */
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 6, "x"),
		                 IPC_BAD_OFFSET);
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_APPEND, 0, "x"),
		                 IPC_BAD_OFFSET);
		assert_true(tree_has(&fixture->tree, "/.file.deftpd-part", "12345"));
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 3, "xyz"), IPC_OK);
		assert_true(tree_has(&fixture->tree, "/.file.deftpd-part", "123xyz"));
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 6, "!"),
		                 IPC_OK);
		assert_true(tree_has(&fixture->tree, "/file", "123xyz!"));
		assert_int_equal(tree_count(&fixture->tree, "/"), 1);
		/* and without REST it begins anew */
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "12"), IPC_OK);
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "abc"),
		                 IPC_OK);
		assert_int_equal(tree_count(&fixture->tree, "/"), 1);
		/* DELE takes both */
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "12"), IPC_OK);
		assert_int_equal(
		    agent_ask_path(agent, AGENT_REMOVE_FILE, "/file", &fd).result,
		    IPC_OK);
		assert_int_equal(tree_count(&fixture->tree, "/"), 0);
		end(fixture);
	}
}

/* Clients that know no REST with STOR ask SIZE and send APPE. */
static void
continues_by_size_and_append(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	struct agent_answer answer;
	int fd;

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	assert_int_equal(agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "12345"),
	                 IPC_OK);
	answer = agent_ask_path(agent, AGENT_STAT, "/file", &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_true(answer.is_part);
	assert_int_equal(answer.size_bytes, 5);
	/* who was told another size means another file */
	answer = agent_open_write(agent, "/file", AGENT_OPEN_APPEND, 0, 4, &fd);
	assert_int_equal(answer.offset, 0);
	assert_int_equal(agent_ask_end(agent, AGENT_DISCARD, answer.upload), IPC_OK);
	fd_close(&fd);
	answer = agent_open_write(agent, "/file", AGENT_OPEN_APPEND, 0, 5, &fd);
	assert_int_equal(answer.offset, 5);
	assert_int_equal(write(fd, "67", 2), 2);
	assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, answer.upload), IPC_OK);
	fd_close(&fd);
	assert_true(tree_has(&fixture->tree, "/file", "1234567"));
	/* a cut APPE keeps nothing: the file is as it was */
	assert_int_equal(agent_upload_cut(agent, "/file", AGENT_OPEN_APPEND, 0, "89"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/file", "1234567"));
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	end(fixture);
}

static void
keeps_nothing_where_told(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		start(fixture, modes[i], false);
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "12345"),
		    IPC_OK);
		assert_int_equal(tree_count(&fixture->tree, "/"), 0);
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "abc"),
		                 IPC_OK);
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_APPEND, 0, "45"), IPC_OK);
		assert_true(tree_has(&fixture->tree, "/file", "abc"));
		/* an empty file was there, too */
		assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, ""),
		                 IPC_OK);
		assert_int_equal(
		    agent_upload_cut(agent, "/file", AGENT_OPEN_APPEND, 0, "45"), IPC_OK);
		assert_true(tree_has(&fixture->tree, "/file", ""));
		assert_int_equal(
		    agent_upload_cut(agent, "/none", AGENT_OPEN_APPEND, 0, "45"), IPC_OK);
		assert_false(tree_is_there(&fixture->tree, "/none"));
		assert_int_equal(
		    agent_ask_path(agent, AGENT_REMOVE_FILE, "/file", &(int){-1}).result,
		    IPC_OK);
		end(fixture);
	}
}

/* The worker is gone: as if it had said that all was cut. */
static void
end_of_channel_cuts(void **state)
{
	static const struct {
		enum agent_upload_mode mode;
		bool keeps_partial;
		const char *left; /* the one name, or none */
	} cases[] = {
	    {AGENT_UPLOAD_DIRECT, true, "/file"},
	    {AGENT_UPLOAD_DIRECT, false, NULL},
	    {AGENT_UPLOAD_ATOMIC, true, "/.file.deftpd-part"},
	    {AGENT_UPLOAD_ATOMIC, false, NULL},
	    {AGENT_UPLOAD_DURABLE, true, "/.file.deftpd-part"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct agent_answer answer;
		char text[HARNESS_PATH];
		int fd;

		start(fixture, cases[i].mode, cases[i].keeps_partial);
		answer = agent_open_write(&fixture->agent, "/file", AGENT_OPEN_STORE, 0,
		                          -1, &fd);
		assert_int_equal(answer.result, IPC_OK);
		assert_int_equal(write(fd, "half", 4), 4);
		end(fixture);
		fd_close(&fd);
		if (cases[i].left == NULL) {
			assert_int_equal(tree_count(&fixture->tree, "/"), 0);
			continue;
		}
		assert_int_equal(tree_count(&fixture->tree, "/"), 1);
		assert_true(tree_has(&fixture->tree, cases[i].left, "half"));
		assert_int_equal(unlink(tree_path(&fixture->tree, cases[i].left, text)),
		                 0);
	}
}

/* REST beyond what is there would make a file of nothing (F11). */
static void
refuses_holes(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;

	start(fixture, AGENT_UPLOAD_DIRECT, true);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 1, "x"),
	                 IPC_NOT_FOUND);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "12345"),
	                 IPC_OK);
	assert_int_equal(
	    agent_upload(agent, "/file", AGENT_OPEN_STORE, UINT64_C(1) << 40, "x"),
	    IPC_BAD_OFFSET);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 6, "x"),
	                 IPC_BAD_OFFSET);
	assert_true(tree_has(&fixture->tree, "/file", "12345"));
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 5, "6"), IPC_OK);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 2, "x"), IPC_OK);
	assert_true(tree_has(&fixture->tree, "/file", "12x"));
	end(fixture);
}

/* FIFOs, sockets, devices, directories: at once, and without doing anything (F5). */
static void
writes_plain_files_only(void **state)
{
	static const enum agent_open ways[] = {AGENT_OPEN_STORE, AGENT_OPEN_APPEND};
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];

	tree_dir(&fixture->tree, "/dir");
	assert_int_equal(mkfifo(tree_path(&fixture->tree, "/fifo", text), 0666), 0);
	assert_int_equal(chmod(text, 0666), 0);
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		start(fixture, modes[i], true);
		for (size_t j = 0; j < ARRAY_COUNT(ways); j++) {
			int reader = -1;

			assert_int_equal(
			    agent_upload(&fixture->agent, "/dir", ways[j], 0, ""),
			    IPC_NOT_A_FILE);
			assert_int_equal(
			    agent_upload(&fixture->agent, "/", ways[j], 0, ""),
			    IPC_NOT_A_FILE);
			assert_int_equal(
			    agent_upload(&fixture->agent, "/fifo", ways[j], 0, ""),
			    IPC_NOT_A_FILE);
			reader = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
			assert_int_equal(
			    agent_upload(&fixture->agent, "/fifo", ways[j], 0, ""),
			    IPC_NOT_A_FILE);
			fd_close(&reader);
		}
		end(fixture);
	}
	assert_int_equal(tree_count(&fixture->tree, "/"), 2);
}

static void
treats_links_by_mode(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;

	tree_dir(&fixture->tree, "/dir");
	tree_give(&fixture->tree, "/dir");
	tree_link(&fixture->tree, "/link", "dir/target");
	tree_link(&fixture->tree, "/out", "../secret");
	tree_link(&fixture->tree, "/out-absolute", fixture->tree.secret);
	start(fixture, AGENT_UPLOAD_DIRECT, true);
	assert_int_equal(agent_upload(agent, "/link", AGENT_OPEN_STORE, 0, "through"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/dir/target", "through"));
	assert_int_equal(agent_upload(agent, "/out-absolute", AGENT_OPEN_STORE, 0, "x"),
	                 IPC_NOT_FOUND);
	/* leads to /secret inside */
	assert_int_equal(agent_upload(agent, "/out", AGENT_OPEN_STORE, 0, "in"), IPC_OK);
	assert_true(tree_has(&fixture->tree, "/secret", "in"));
	assert_true(tree_has(&fixture->tree, "/../secret", "nobody may read this"));
	end(fixture);
	/* with and without the short way */
	start(fixture, AGENT_UPLOAD_DIRECT, false);
	assert_int_equal(agent_upload(agent, "/link", AGENT_OPEN_STORE, 0, "again"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/dir/target", "again"));
	assert_int_equal(agent_upload(agent, "/out", AGENT_OPEN_STORE, 0, "out"), IPC_OK);
	assert_true(tree_has(&fixture->tree, "/secret", "out"));
	end(fixture);
	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	assert_int_equal(agent_upload(agent, "/link", AGENT_OPEN_STORE, 0, "instead"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/link", "instead"));
	assert_true(tree_has(&fixture->tree, "/dir/target", "again"));
	end(fixture);
	assert_true(tree_has(&fixture->tree, "/../secret", "nobody may read this"));
}

static mode_t
mode_of(const struct fixture *fixture, const char *path)
{
	char text[HARNESS_PATH];
	struct stat info;

	assert_int_equal(lstat(tree_path(&fixture->tree, path, text), &info), 0);
	return info.st_mode & 07777;
}

/* Permission bits of what is new, and of what is replaced (F21). */
static void
sets_the_documented_modes(void **state)
{
	static const struct {
		mode_t umask;
		mode_t file;
	} cases[] = {{0, 0666}, {022, 0644}, {077, 0600}, {027, 0640}, {0777, 0}};
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(cases); j++) {
			struct agent_rights rights = {.may_write = true,
			                              .mode = modes[i],
			                              .keeps_partial = true,
			                              .umask = cases[j].umask};
			struct agent_process *agent = &fixture->agent;

			agent_start_writing(agent, fixture->tree.root, &rights, 0);
			assert_int_equal(
			    agent_upload(agent, "/new", AGENT_OPEN_STORE, 0, "x"),
			    IPC_OK);
			assert_int_equal(mode_of(fixture, "/new"), cases[j].file);
			assert_int_equal(
			    chmod(tree_path(&fixture->tree, "/new", text), 0751), 0);
			assert_int_equal(
			    agent_upload(agent, "/new", AGENT_OPEN_STORE, 0, "y"),
			    IPC_OK);
			assert_int_equal(mode_of(fixture, "/new"), 0751);
			assert_int_equal(
			    agent_upload(agent, "/new", AGENT_OPEN_APPEND, 0, "y"),
			    IPC_OK);
			assert_int_equal(mode_of(fixture, "/new"), 0751);
			/* a set-user-ID file does not stay one with other content */
			assert_int_equal(chmod(text, 04755), 0);
			assert_int_equal(
			    agent_upload(agent, "/new", AGENT_OPEN_STORE, 0, "z"),
			    IPC_OK);
			if (modes[i] != AGENT_UPLOAD_DIRECT) {
				assert_int_equal(mode_of(fixture, "/new"), 0755);
			}
			end(fixture);
			assert_int_equal(unlink(text), 0);
		}
	}
}

/* A file that may not be written is not replaced either, in any mode. */
static void
replaces_only_what_it_may_write(void **state)
{
	struct fixture *fixture = *state;
	char text[HARNESS_PATH];

	tree_file(&fixture->tree, "/closed", "closed");
	tree_give(&fixture->tree, "/closed");
	assert_int_equal(chmod(tree_path(&fixture->tree, "/closed", text), 0444), 0);
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		struct agent_rights rights = {
		    .may_write = true, .mode = modes[i], .keeps_partial = true};

		agent_start_writing(&fixture->agent, fixture->tree.root, &rights,
		                    HARNESS_NO_ROOT);
		assert_int_equal(
		    agent_upload(&fixture->agent, "/closed", AGENT_OPEN_STORE, 0, "x"),
		    IPC_DENIED);
		assert_int_equal(
		    agent_upload(&fixture->agent, "/closed", AGENT_OPEN_APPEND, 0, "x"),
		    IPC_DENIED);
		end(fixture);
		assert_true(tree_has(&fixture->tree, "/closed", "closed"));
	}
}

/* max_file_bytes: told, and checked at the end whatever the worker did (F12). */
static void
holds_the_size_limit(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	char text[HARNESS_PATH];
	struct stat info;

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		for (unsigned keeps = 0; keeps <= 1; keeps++) {
			struct agent_rights rights = {.may_write = true,
			                              .mode = modes[i],
			                              .keeps_partial = keeps == 1,
			                              .max_file_bytes = 4};
			struct agent_answer answer;
			int fd;

			agent_start_writing(agent, fixture->tree.root, &rights, 0);
			assert_int_equal(
			    agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "1234"),
			    IPC_OK);
			answer = agent_open_write(agent, "/file", AGENT_OPEN_APPEND, 0,
			                          -1, &fd);
			assert_int_equal(answer.limit_bytes, 4);
			assert_int_equal(
			    agent_ask_end(agent, AGENT_DISCARD, answer.upload), IPC_OK);
			fd_close(&fd);
			assert_int_equal(
			    agent_upload(agent, "/file", AGENT_OPEN_APPEND, 0, "5"),
			    IPC_TOO_LARGE);
			assert_int_equal(
			    agent_upload(agent, "/large", AGENT_OPEN_STORE, 0, "12345"),
			    IPC_TOO_LARGE);
			if (stat(tree_path(&fixture->tree, "/large", text), &info) == 0) {
				assert_in_range(info.st_size, 0, 4);
				assert_int_equal(unlink(text), 0);
			}
			assert_true(tree_has(&fixture->tree, "/file", "1234"));
			assert_int_equal(tree_count(&fixture->tree, "/"), 1);
			assert_int_equal(unlink(tree_path(&fixture->tree, "/file", text)),
			                 0);
			end(fixture);
		}
	}
}

/* Two uploads of one name: each is whole, the last one stays (F17). */
static void
keeps_parallel_uploads_apart(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	struct agent_answer answers[11];
	int fds[11];
	char text[] = "0 whole";

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		answers[i] =
		    agent_open_write(agent, "/file", AGENT_OPEN_STORE, 0, -1, &fds[i]);
		assert_int_equal(answers[i].result, i < 10 ? IPC_OK : IPC_BUSY);
	}
	for (size_t i = 0; i < 10; i++) {
		text[0] = (char)('0' + i);
		assert_int_equal(write(fds[i], text, strlen(text)), strlen(text));
	}
	for (size_t i = 10; i > 0; i--) {
		assert_int_equal(
		    agent_ask_end(agent, AGENT_COMMIT, answers[i - 1].upload), IPC_OK);
		text[0] = (char)('0' + i - 1);
		assert_true(tree_has(&fixture->tree, "/file", text));
		fd_close(&fds[i - 1]);
	}
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	/* what is being continued is nobody else's */
	assert_int_equal(agent_upload_cut(agent, "/file", AGENT_OPEN_STORE, 0, "123"),
	                 IPC_OK);
	answers[0] = agent_open_write(agent, "/file", AGENT_OPEN_STORE, 3, -1, &fds[0]);
	assert_int_equal(answers[0].result, IPC_OK);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 3, "x"),
	                 IPC_BUSY);
	assert_int_equal(agent_ask_end(agent, AGENT_COMMIT, answers[0].upload), IPC_OK);
	fd_close(&fds[0]);
	end(fixture);
}

/* More than one agent may hold: then the next one waits. */
static void
holds_a_bounded_number(void **state)
{
	struct fixture *fixture = *state;
	unsigned opened = 0;
	int fds[100];

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	for (unsigned i = 0; i < ARRAY_COUNT(fds); i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/file-%u", i);
		if (agent_open_write(&fixture->agent, path, AGENT_OPEN_STORE, 0, -1,
		                     &fds[i])
		        .result == IPC_OK) {
			opened++;
		}
		fd_close(&fds[i]);
	}
	assert_in_range(opened, 32, 99);
	if (geteuid() == 0) {
		int fd;

		/* What was open for the last question is closed before the next. */
		(void)agent_ask_path(&fixture->agent, AGENT_CHECK_DIR, "/", &fd);
		/* 0, 1, 2, channel, root; and of each upload, file and directory */
		assert_int_equal(agent_count_fds(fixture->agent.pid), 5 + 2 * opened);
	}
	end(fixture);
	assert_int_equal(tree_count(&fixture->tree, "/"), 0); /* all were empty */
}

/* STOU: each gets a name of its own, and nothing is replaced or followed (F18). */
static void
finds_unique_names(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		start(fixture, modes[i], true);
		tree_link(&fixture->tree, "/wish", "elsewhere");
		for (unsigned j = 0; j < UNIQUE_ROUNDS; j++) {
			struct agent_answer answer;
			int fd;

			answer = agent_open_write(agent, j % 2 == 0 ? "/wish" : "/other",
			                          AGENT_OPEN_UNIQUE, 0, -1, &fd);
			assert_int_equal(answer.result, IPC_OK);
			assert_true(answer.name_len > 1);
			assert_int_equal(write(fd, "u", 1), 1);
			if (answer.upload != 0) {
				assert_int_equal(
				    agent_ask_end(agent, AGENT_COMMIT, answer.upload),
				    IPC_OK);
			}
			fd_close(&fd);
		}
		assert_false(tree_is_there(&fixture->tree, "/elsewhere"));
		assert_int_equal(tree_count(&fixture->tree, "/"), UNIQUE_ROUNDS + 1);
		end(fixture);
		tree_remove(&fixture->tree);
		tree_make(&fixture->tree);
		tree_give(&fixture->tree, "/");
	}
}

/* Two at a time that wish for the same name. */
static void
finds_unique_names_in_parallel(void **state)
{
	struct fixture *fixture = *state;
	struct agent_answer answers[5];
	int fds[5];

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		answers[i] = agent_open_write(&fixture->agent, "/wish", AGENT_OPEN_UNIQUE,
		                              0, -1, &fds[i]);
		assert_int_equal(answers[i].result, IPC_OK);
		assert_int_equal(write(fds[i], "u", 1), 1);
	}
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		assert_int_equal(
		    agent_ask_end(&fixture->agent, AGENT_COMMIT, answers[i].upload),
		    IPC_OK);
		fd_close(&fds[i]);
	}
	assert_int_equal(tree_count(&fixture->tree, "/"), ARRAY_COUNT(fds));
	end(fixture);
}

/* The longest names there are have a place to grow, too. */
static void
takes_long_names(void **state)
{
	struct fixture *fixture = *state;
	char path[NAME_MAX + 3] = "/";

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	for (size_t len = 235; len <= NAME_MAX + 1; len++) {
		struct agent_answer answer;
		int fd;

		memset(path + 1, 'n', len);
		path[1 + len] = '\0';
		if (len > NAME_MAX) {
			answer = agent_open_write(&fixture->agent, path, AGENT_OPEN_STORE,
			                          0, -1, &fd);
			assert_int_not_equal(answer.result, IPC_OK);
			continue;
		}
		assert_int_equal(
		    agent_upload_cut(&fixture->agent, path, AGENT_OPEN_STORE, 0, "12"),
		    IPC_OK);
		assert_int_equal(
		    agent_upload(&fixture->agent, path, AGENT_OPEN_STORE, 2, "3"),
		    IPC_OK);
	}
	assert_int_equal(tree_count(&fixture->tree, "/"), NAME_MAX - 235 + 1);
	end(fixture);
}

/* What a killed process has left is made anew, and never continued. */
static void
does_not_trust_what_was_left(void **state)
{
	struct fixture *fixture = *state;
	struct agent_process *agent = &fixture->agent;
	int fd;

	start(fixture, AGENT_UPLOAD_ATOMIC, true);
	tree_file(&fixture->tree, "/.file.deftpd-new", "who knows what");
	tree_give(&fixture->tree, "/.file.deftpd-new");
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 3, "x"),
	                 IPC_BAD_OFFSET);
	assert_int_equal(agent_ask_path(agent, AGENT_STAT, "/file", &fd).result,
	                 IPC_NOT_FOUND);
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "right"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/file", "right"));
	assert_int_equal(tree_count(&fixture->tree, "/"), 1);
	/* a link that somebody has planted there is passed by */
	tree_link(&fixture->tree, "/.file.deftpd-new", "../secret");
	assert_int_equal(agent_upload(agent, "/file", AGENT_OPEN_STORE, 0, "again"),
	                 IPC_OK);
	assert_true(tree_has(&fixture->tree, "/file", "again"));
	assert_true(tree_is_there(&fixture->tree, "/.file.deftpd-new"));
	assert_false(tree_is_there(&fixture->tree, "/secret"));
	end(fixture);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_TREE(stores_and_replaces),
	    WITH_TREE(never_shows_half_a_file),
	    WITH_TREE(continues_what_was_cut),
	    WITH_TREE(continues_by_size_and_append),
	    WITH_TREE(keeps_nothing_where_told),
	    WITH_TREE(end_of_channel_cuts),
	    WITH_TREE(refuses_holes),
	    WITH_TREE(writes_plain_files_only),
	    WITH_TREE(treats_links_by_mode),
	    WITH_TREE(sets_the_documented_modes),
	    WITH_TREE(replaces_only_what_it_may_write),
	    WITH_TREE(holds_the_size_limit),
	    WITH_TREE(keeps_parallel_uploads_apart),
	    WITH_TREE(holds_a_bounded_number),
	    WITH_TREE(finds_unique_names),
	    WITH_TREE(finds_unique_names_in_parallel),
	    WITH_TREE(takes_long_names),
	    WITH_TREE(does_not_trust_what_was_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
