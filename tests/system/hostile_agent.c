/*
 * hostile_agent: a taken-over worker speaks to a real agent in every wrong order, size
 * and phase, and gets nothing that a client could not have had by FTP.
 * Runs in: tests. Each datagram must end in one of two ways: a decodable answer, whose
 * descriptor is a regular file below the root
 *          open for reading or, of an agent that writes, for writing, or the reading end
 *          of a pipe; or the agent's end with
 *          AGENT_EXIT_PROTOCOL.
 * Source: DESIGN.md section 3, rules 3, 5 and 12; SECURITY.md 4.1, F24, R11.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/ipc/master_worker.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	RANDOM_DATAGRAMS = 10000,
	RACE_ROUNDS = 20000,
	MAX_PASSED = 253,         /* the kernel's limit for one datagram */
	MAX_TO_SEND = 256 * 1024, /* above every socket buffer here */
	MAX_IN_FLIGHT = 8,
};

struct fixture {
	struct agent_tree tree;
	struct stat secret;
	struct agent_process agent;
	bool is_writing;
	uint64_t random;
	unsigned ended;    /* datagrams that ended an agent */
	unsigned answered; /* and those that were answered */
};

/* xorshift64: the same datagrams in each run, so that a failure can be repeated. */
static uint32_t
next_random(struct fixture *fixture)
{
	fixture->random ^= fixture->random << 13;
	fixture->random ^= fixture->random >> 7;
	fixture->random ^= fixture->random << 17;
	return (uint32_t)(fixture->random >> 32);
}

static void
start(struct fixture *fixture)
{
	struct agent_rights rights = {
	    .may_write = true, .mode = AGENT_UPLOAD_ATOMIC, .keeps_partial = true};

	if (fixture->is_writing) {
		agent_start_writing(&fixture->agent, fixture->tree.root, &rights, 0);
	} else {
		agent_start(&fixture->agent, fixture->tree.root, 0);
	}
}

static int
set_up_with(void **state, bool is_writing)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char text[HARNESS_PATH];

	assert_non_null(fixture);
	fixture->random = 0x9e3779b97f4a7c15;
	tree_make(&fixture->tree);
	assert_int_equal(chmod(fixture->tree.secret, 0644), 0);
	assert_int_equal(stat(fixture->tree.secret, &fixture->secret), 0);
	tree_dir(&fixture->tree, "/pub");
	tree_dir(&fixture->tree, "/pub/deeper");
	tree_file(&fixture->tree, "/pub/file", "content\n");
	tree_file(&fixture->tree, "/pub/deeper/file", "content\n");
	tree_link(&fixture->tree, "/pub/link", "file");
	tree_link(&fixture->tree, "/pub/out", "../../secret");
	tree_link(&fixture->tree, "/pub/out-absolute", fixture->tree.secret);
	tree_link(&fixture->tree, "/pub/up", "..");
	assert_int_equal(mkfifo(tree_path(&fixture->tree, "/pub/fifo", text), 0644), 0);
	fixture->is_writing = is_writing;
	if (is_writing) {
		static const char *const given[] = {"/", "/pub", "/pub/deeper",
		                                    "/pub/file", "/pub/deeper/file"};

		for (size_t i = 0; i < ARRAY_COUNT(given); i++) {
			tree_give(&fixture->tree, given[i]);
		}
		/* what is outside could be written, if it could be reached */
		tree_give(&fixture->tree, "/../secret");
	}
	start(fixture);
	*state = fixture;
	return 0;
}

static int
set_up(void **state)
{
	return set_up_with(state, false);
}

static int
set_up_writing(void **state)
{
	return set_up_with(state, true);
}

/* Whatever was asked: outside the root all is as it was. */
static void
check_outside(const struct fixture *fixture)
{
	struct stat info;

	assert_true(tree_has(&fixture->tree, "/../secret", "nobody may read this"));
	assert_int_equal(stat(fixture->tree.secret, &info), 0);
	assert_int_equal(info.st_mode, fixture->secret.st_mode);
	assert_int_equal(info.st_mtime, fixture->secret.st_mtime);
	assert_int_equal(info.st_nlink, 1);
	/* the root, the file, and what start_swapping() was about to move */
	assert_in_range(tree_count(&fixture->tree, "/.."), 2, 3);
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	assert_int_equal(agent_ask_path(&fixture->agent, AGENT_STAT, "/", &fd).result,
	                 IPC_OK);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
	check_outside(fixture);
	tree_remove(&fixture->tree);
	free(fixture);
	return 0;
}

/* Send a datagram with descriptors, as only who owns the socket can. */
static int
send_raw(int channel_fd, const void *bytes, size_t len, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MAX_PASSED * sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_len = len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	memcpy(&part.iov_base, &bytes, sizeof(bytes)); /* sendmsg only reads */
	if (fd_count != 0) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
	}
	return sendmsg(channel_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? 0
	                                                                       : -errno;
}

/* What came with an answer must be worth nothing to a thief: rule 3. */
static void
check_descriptor(const struct fixture *fixture, int fd)
{
	struct stat info;
	int flags = fcntl(fd, F_GETFL);

	assert_true(flags >= 0);
	flags &= O_ACCMODE | O_PATH | O_DIRECTORY;
	assert_true(flags == O_RDONLY || (flags == O_WRONLY && fixture->is_writing));
	assert_int_equal(fstat(fd, &info), 0);
	assert_true(S_ISREG(info.st_mode) ||
	            (S_ISFIFO(info.st_mode) && flags == O_RDONLY));
	assert_false(info.st_ino == fixture->secret.st_ino &&
	             info.st_dev == fixture->secret.st_dev);
	assert_int_equal(write(fd, "x", 1), flags == O_WRONLY ? 1 : -1);
}

/*
 * Wait for what the agent does about a datagram; start another one if that was its end.
 * Returns: true if it answered.
 */
static bool
await_reaction(struct fixture *fixture)
{
	struct pollfd ready = {.fd = fixture->agent.channel_fd, .events = POLLIN};
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_answer answer;
	ssize_t got;
	int fd = -1;

	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
	got = channel_recv(fixture->agent.channel_fd, bytes, sizeof(bytes), MSG_DONTWAIT,
	                   &fd);
	if (got > 0) {
		assert_true(agent_answer_decode(bytes, (size_t)got, &answer));
		assert_int_equal(answer.denied_call, -1);
		assert_true(fd < 0 || answer.result == IPC_OK);
		if (fd >= 0) {
			check_descriptor(fixture, fd);
			fd_close(&fd);
		}
		fixture->answered++;
		return true;
	}
	assert_true(got == 0 || got == -ECONNRESET);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_PROTOCOL);
	fixture->ended++;
	start(fixture);
	return false;
}

static bool
provoke(struct fixture *fixture, const void *bytes, size_t len)
{
	assert_int_equal(send_raw(fixture->agent.channel_fd, bytes, len, NULL, 0), 0);
	return await_reaction(fixture);
}

/* A well-formed question of each verb. */
static size_t
make_question(enum agent_verb verb, uint8_t bytes[IPC_MESSAGE_MAX])
{
	struct agent_question question = {
	    .verb = verb,
	    .path = "/pub/file",
	    .path_len = 9,
	    .second = "/pub/second",
	    .second_len = 11,
	    .how = AGENT_OPEN_STORE,
	    .upload = 1,
	    .time_s = 1000000000,
	    .mode = 0644,
	    .format = AGENT_FORMAT_LONG,
	    .options = AGENT_LIST_HIDDEN,
	    .facts = 63,
	    .pattern = "f*",
	    .pattern_len = 2,
	    .prefix = "pub/",
	    .prefix_len = 4,
	};
	size_t len;

	if (verb == AGENT_LIST) {
		question.path_len = 4; /* /pub */
	}
	len = agent_question_encode(&question, bytes, IPC_MESSAGE_MAX);
	assert_true(len > 0);
	return len;
}

static void
shortened_and_lengthened_questions_end_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];

	for (enum agent_verb verb = 0; verb < AGENT_READY; verb++) {
		size_t len = make_question(verb, bytes);

		assert_true(provoke(fixture, bytes, len));
		for (size_t i = 0; i < len; i++) {
			assert_false(provoke(fixture, bytes, i));
		}
		memset(bytes + len, 0, sizeof(bytes) - len);
		for (size_t i = 1; i <= 8; i++) {
			assert_false(provoke(fixture, bytes, len + i));
		}
		assert_false(provoke(fixture, bytes, sizeof(bytes)));
	}
}

/* Each byte of each question, changed in several ways. */
static void
changed_bytes_get_nothing(void **state)
{
	static const uint8_t values[] = {0, 1, 2, 5, '.', '/', 0x7f, 0x80, 0xff};
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];

	for (enum agent_verb verb = 0; verb < AGENT_READY; verb++) {
		size_t len = make_question(verb, bytes);

		for (size_t i = 0; i < len; i++) {
			uint8_t right = bytes[i];

			for (size_t j = 0; j < ARRAY_COUNT(values); j++) {
				bytes[i] = values[j];
				/* either way is right */
				(void)provoke(fixture, bytes, len);
			}
			bytes[i] = right;
		}
	}
	assert_true(fixture->answered > 0);
	assert_true(fixture->ended > 0);
}

/* Messages of the other channels, and those that only the other side may send. */
static void
messages_of_other_phases_end_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_start start = {.uid = 0,
	                            .gid = 0,
	                            .has_sandbox = false,
	                            .root = "/",
	                            .root_len = 1,
	                            .start = "/",
	                            .start_len = 1};
	struct agent_answer answer = {.result = IPC_OK, .denied_call = -1};
	size_t len;

	len = agent_start_encode(&start, bytes, sizeof(bytes));
	assert_false(provoke(fixture, bytes, len));
	assert_true(provoke(fixture, bytes, make_question(AGENT_STAT, bytes)));
	len = agent_start_encode(&start, bytes, sizeof(bytes));
	assert_false(provoke(fixture, bytes, len)); /* also after it has served */

	len = agent_answer_encode(&answer, bytes, sizeof(bytes));
	assert_false(provoke(fixture, bytes, len));

	for (enum mw_type type = 0; type < MW_COUNT; type++) {
		struct mw_message message = {.type = type};

		len = mw_encode(&message, bytes, sizeof(bytes));
		assert_true(len > 0);
		assert_false(provoke(fixture, bytes, len));
	}
}

static void
giant_datagrams_end_it(void **state)
{
	static const size_t sizes[] = {IPC_MESSAGE_MAX, IPC_MESSAGE_MAX + 1, 32768, 65536,
	                               131072};
	struct fixture *fixture = *state;
	uint8_t *bytes = malloc(MAX_TO_SEND);

	assert_non_null(bytes);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		/* It begins as a good question does. */
		memset(bytes, 0, MAX_TO_SEND);
		(void)make_question(AGENT_OPEN_READ, bytes);
		assert_false(provoke(fixture, bytes, sizes[i]));
	}
	free(bytes);
}

/*
 * Descriptors that nobody asked for: the kernel drops them, and questions that carry them
 * are answered as ever.
 */
static void
passed_descriptors_are_dropped(void **state)
{
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];
	int fds[MAX_PASSED];
	int pair[2];
	unsigned before;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < MAX_PASSED; i++) {
		fds[i] = i % 3 == 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
		                    : fcntl(pair[i % 3 - 1], F_DUPFD_CLOEXEC, 0);
		assert_true(fds[i] >= 0);
	}
	assert_true(provoke(fixture, bytes, make_question(AGENT_STAT, bytes)));
	before = agent_count_fds(fixture->agent.pid);
	for (size_t count = 1; count <= MAX_PASSED; count += 21) {
		for (enum agent_verb verb = 0; verb < AGENT_READY; verb++) {
			size_t len = make_question(verb, bytes);
			int result =
			    send_raw(fixture->agent.channel_fd, bytes, len, fds, count);

			assert_int_equal(result, 0);
			assert_true(await_reaction(fixture));
		}
	}
	/* What was opened for writing is kept until it ends. */
	for (uint32_t i = 1; fixture->is_writing && i <= 64; i++) {
		(void)agent_ask_end(&fixture->agent, AGENT_DISCARD, i);
	}
	/* Listings may still be ending. */
	for (unsigned i = 0; i < 1000 && agent_count_fds(fixture->agent.pid) != before;
	     i++) {
		assert_int_equal(usleep(1000), 0);
	}
	assert_int_equal(agent_count_fds(fixture->agent.pid), before);
	for (size_t i = 0; i < MAX_PASSED; i++) {
		fd_close(&fds[i]);
	}
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

/* Bytes of all kinds, and questions whose form is right and whose fields are not. */
static size_t
make_random(struct fixture *fixture, uint8_t bytes[IPC_MESSAGE_MAX])
{
	static const char alphabet[] = "/////...pubfiledeeperoutlink*?[]\\-\xff\r\n%s ";
	char text[4][IPC_PATH_MAX];
	uint32_t kind = next_random(fixture);
	struct agent_question question = {
	    .path = text[0], .pattern = text[1], .prefix = text[2], .second = text[3]};
	size_t len;

	if (kind % 2 == 0) {
		len = 1 + next_random(fixture) % (kind % 64 == 0 ? IPC_MESSAGE_MAX : 48);
		for (size_t i = 0; i < len; i++) {
			bytes[i] = (uint8_t)next_random(fixture);
		}
		bytes[0] = (uint8_t)(next_random(fixture) % (AGENT_VERB_COUNT + 1));
		return len;
	}
	for (size_t i = 0; i < ARRAY_COUNT(text); i++) {
		for (size_t j = 0; j < sizeof(text[i]); j++) {
			text[i][j] =
			    alphabet[next_random(fixture) % (sizeof(alphabet) - 1)];
		}
	}
	text[0][0] = '/';
	text[3][0] = '/';
	question.verb = next_random(fixture) % AGENT_VERB_COUNT;
	question.path_len =
	    1 + next_random(fixture) % (kind % 32 == 1 ? IPC_PATH_MAX : 16);
	question.second_len = 1 + next_random(fixture) % 16;
	question.how = next_random(fixture) % AGENT_OPEN_COUNT;
	question.offset = next_random(fixture) % 8;
	question.told_size = next_random(fixture) % 8;
	question.has_told_size = next_random(fixture) % 2 == 0;
	question.upload = next_random(fixture) % 4;
	question.time_s = (int64_t)next_random(fixture) << (kind >> 8 & 31);
	question.mode = next_random(fixture) & AGENT_MODE_MAX;
	question.format = next_random(fixture) % AGENT_FORMAT_COUNT;
	question.options = next_random(fixture) & AGENT_OPTION_ALL;
	question.facts = next_random(fixture) & 0xffff;
	question.pattern_len = next_random(fixture) % 8;
	question.prefix_len = next_random(fixture) % (kind % 32 == 3 ? IPC_PATH_MAX : 8);
	len = agent_question_encode(&question, bytes, IPC_MESSAGE_MAX);
	assert_true(len > 0);
	return len;
}

static void
random_datagrams_get_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];

	/* Starting another agent takes a sanitizer build twenty times as long. */
	unsigned count = sandbox_is_built() ? RANDOM_DATAGRAMS : RANDOM_DATAGRAMS / 10;

	for (unsigned i = 0; i < count; i++) {
		/* either way is right */
		(void)provoke(fixture, bytes, make_random(fixture, bytes));
	}
	assert_true(fixture->answered > count / 4);
	assert_true(fixture->ended > count / 4);
}

/*
 * Questions without end and no answer taken: few descriptors in flight, and the agent's
 * end.
 */
static void
floods_end_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct pollfd ready = {.fd = fixture->agent.channel_fd};
	unsigned taken = 0;
	size_t len = make_question(AGENT_LIST, bytes);
	int result = 0;

	for (unsigned i = 0; i < 100000 && (result == 0 || result == -EAGAIN); i++) {
		result = send_raw(fixture->agent.channel_fd, bytes, len, NULL, 0);
	}
	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
	for (;;) {
		int fd = -1;
		ssize_t got = channel_recv(fixture->agent.channel_fd, bytes,
		                           sizeof(bytes), MSG_DONTWAIT, &fd);

		fd_close(&fd);
		if (got == -ECONNRESET && taken == 0) {
			/* it left with questions unread; its answers come next */
			continue;
		}
		if (got <= 0) {
			break;
		}
		taken++;
	}
	assert_in_range(taken, 1, MAX_IN_FLIGHT);
	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_PROTOCOL);
	start(fixture);
}

/* Half-closed channels are the end, not a puzzle. */
static void
half_closed_channels_end_it(void **state)
{
	static const int ways[] = {SHUT_WR, SHUT_RDWR};
	struct fixture *fixture = *state;
	uint8_t bytes[IPC_MESSAGE_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		int status;

		assert_true(provoke(fixture, bytes, make_question(AGENT_STAT, bytes)));
		assert_int_equal(shutdown(fixture->agent.channel_fd, ways[i]), 0);
		assert_int_equal(waitpid(fixture->agent.pid, &status, 0),
		                 fixture->agent.pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), AGENT_EXIT_DONE);
		fd_close(&fixture->agent.channel_fd);
		start(fixture);
	}
}

/*
 * Put a thing at top/next and move it over root/pub/flip, again and again, at the latest
 * until this process ends.
 */
static pid_t
start_swapping(const struct agent_tree *tree)
{
	char next[HARNESS_PATH];
	char flip[HARNESS_PATH];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0) {
		return pid;
	}
	(void)tree_path(tree, "/../next", next);
	(void)tree_path(tree, "/pub/flip", flip);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1) {
		_exit(1);
	}
	for (unsigned i = 0;; i++) {
		int fd = -1;
		int result = 0;

		switch (i % 4) {
		case 0:
			fd = open(next, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
			result = fd >= 0 ? 0 : -1;
			fd_close(&fd);
			break;
		case 1: result = symlink("../../secret", next); break;
		case 2: result = mkfifo(next, 0644); break;
		case 3: result = symlink(tree->secret, next); break;
		}
		/* The agent may have made a directory of that name, or moved it away. */
		if ((result != 0 && errno != EEXIST) ||
		    (rename(next, flip) != 0 && remove(flip) != 0 && errno != ENOENT)) {
			_exit(1);
		}
	}
}

/*
 * A name that is a file, a link out, a FIFO in turn, while it is asked for: always a file
 * below the root, or nothing.
 */
static void
exchanged_names_get_nothing(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid = start_swapping(&fixture->tree);
	unsigned opened = 0;

	for (unsigned i = 0; i < RACE_ROUNDS; i++) {
		struct agent_answer answer;
		int fd;

		answer =
		    agent_ask_path(&fixture->agent, AGENT_OPEN_READ, "/pub/flip", &fd);
		if (answer.result == IPC_OK) {
			struct stat info;

			check_descriptor(fixture, fd);
			assert_int_equal(fstat(fd, &info), 0);
			assert_true(S_ISREG(info.st_mode));
			assert_int_equal(info.st_ino, answer.inode);
			opened++;
		}
		fd_close(&fd);
		answer = agent_ask_path(&fixture->agent, AGENT_STAT, "/pub/flip", &fd);
		assert_true(answer.result != IPC_OK ||
		            answer.inode != fixture->secret.st_ino);
	}
	assert_true(opened > 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Everything that changes, while the name is exchanged (F1, F24). */
static void
exchanged_names_change_nothing_else(void **state)
{
	static const enum agent_verb verbs[] = {
	    AGENT_OPEN_WRITE, AGENT_SET_MODE, AGENT_SET_TIME,   AGENT_REMOVE_FILE,
	    AGENT_RENAME,     AGENT_MAKE_DIR, AGENT_REMOVE_DIR, AGENT_COPY,
	};
	static const struct agent_rights rights[] = {
	    {.may_write = true, .keeps_partial = true},
	    {.may_write = true, .keeps_partial = false},
	    {.may_write = true, .mode = AGENT_UPLOAD_ATOMIC},
	};
	struct fixture *fixture = *state;
	unsigned done = 0;

	assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
	for (size_t r = 0; r < ARRAY_COUNT(rights); r++) {
		pid_t pid = start_swapping(&fixture->tree);

		/* Without a root of its own: only the resolution keeps it inside. */
		agent_start_writing(&fixture->agent, fixture->tree.root, &rights[r],
		                    HARNESS_NO_ROOT | HARNESS_NO_SANDBOX);
		for (unsigned i = 0; i < RACE_ROUNDS / 4; i++) {
			struct agent_question question = {
			    .verb = verbs[i % ARRAY_COUNT(verbs)],
			    .path = "/pub/flip",
			    .path_len = 9,
			    .second = "/pub/deeper/flop",
			    .second_len = 16,
			    .how = i / 8 % 2 == 0 ? AGENT_OPEN_STORE : AGENT_OPEN_APPEND,
			    .mode = 0777,
			    .pattern = "",
			    .prefix = "",
			};
			struct agent_answer answer;
			int fd = -1;

			assert_true(agent_ask(&fixture->agent, &question, &answer, &fd));
			if (answer.result == IPC_OK) {
				done++;
			}
			if (fd >= 0 && question.verb == AGENT_OPEN_WRITE) {
				check_descriptor(fixture, fd);
			}
			fd_close(&fd);
			if (answer.upload != 0) {
				(void)agent_ask_end(&fixture->agent,
				                    i % 3 == 0 ? AGENT_DISCARD
				                               : AGENT_COMMIT,
				                    answer.upload);
			}
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(agent_end(&fixture->agent), AGENT_EXIT_DONE);
		check_outside(fixture);
	}
	assert_true(done > 100);
	start(fixture);
}

/* Numbers of uploads that are none, and the end of one twice. */
static void
strange_upload_numbers_get_nothing(void **state)
{
	static const uint32_t numbers[] = {0, 2, 63, 64, 65, 1U << 31, UINT32_MAX};
	struct fixture *fixture = *state;
	struct agent_answer answer;
	int fd;

	answer =
	    agent_open_write(&fixture->agent, "/pub/new", AGENT_OPEN_STORE, 0, -1, &fd);
	assert_int_equal(answer.result, IPC_OK);
	assert_int_equal(answer.upload, 1);
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		assert_int_equal(agent_ask_end(&fixture->agent, AGENT_COMMIT, numbers[i]),
		                 IPC_NOT_FOUND);
		assert_int_equal(
		    agent_ask_end(&fixture->agent, AGENT_DISCARD, numbers[i]),
		    IPC_NOT_FOUND);
	}
	assert_int_equal(agent_ask_end(&fixture->agent, AGENT_DISCARD, 1), IPC_OK);
	assert_int_equal(agent_ask_end(&fixture->agent, AGENT_COMMIT, 1), IPC_NOT_FOUND);
	/* what is written after that is nobody's */
	assert_int_equal(write(fd, "x", 1), 1);
	assert_false(tree_is_there(&fixture->tree, "/pub/new"));
	fd_close(&fd);
}

#define WITH_WRITER(test) cmocka_unit_test_setup_teardown(test, set_up_writing, tear_down)
#define WITH_AGENT(test)  cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_AGENT(shortened_and_lengthened_questions_end_it),
	    WITH_AGENT(changed_bytes_get_nothing),
	    WITH_AGENT(messages_of_other_phases_end_it),
	    WITH_AGENT(giant_datagrams_end_it),
	    WITH_AGENT(passed_descriptors_are_dropped),
	    WITH_AGENT(random_datagrams_get_nothing),
	    WITH_AGENT(floods_end_it),
	    WITH_AGENT(half_closed_channels_end_it),
	    WITH_AGENT(exchanged_names_get_nothing),
	    WITH_WRITER(shortened_and_lengthened_questions_end_it),
	    WITH_WRITER(changed_bytes_get_nothing),
	    WITH_WRITER(passed_descriptors_are_dropped),
	    WITH_WRITER(random_datagrams_get_nothing),
	    WITH_WRITER(exchanged_names_change_nothing_else),
	    WITH_WRITER(strange_upload_numbers_get_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
