/*
 * agent_harness: the built deftpd-agent, driven over a socket pair as a worker would.
 * Runs in: tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/memory_file.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

void
tree_make(struct agent_tree *tree)
{
	(void)snprintf(tree->top, sizeof(tree->top), "/tmp/deftpd-agent-XXXXXX");
	assert_non_null(mkdtemp(tree->top));
	assert_int_equal(chmod(tree->top, 0755), 0);
	(void)snprintf(tree->root, sizeof(tree->root), "%.200s/root", tree->top);
	(void)snprintf(tree->secret, sizeof(tree->secret), "%.200s/secret", tree->top);
	assert_int_equal(mkdir(tree->root, 0755), 0);
	tree_file(tree, "/../secret", "nobody may read this");
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

/* Directories without permissions stop an ordinary user from removing what is in them. */
static int
open_up(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)where;
	if (kind == FTW_D || kind == FTW_DNR) {
		(void)chmod(path, 0700); /* removing will tell */
	}
	(void)info;
	return 0;
}

void
tree_remove(struct agent_tree *tree)
{
	(void)nftw(tree->top, open_up, 16, FTW_PHYS);
	(void)nftw(tree->top, open_up, 16, FTW_PHYS);
	assert_int_equal(nftw(tree->top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *
tree_path(const struct agent_tree *tree, const char *path, char text[HARNESS_PATH])
{
	int len = snprintf(text, HARNESS_PATH, "%s%s", tree->root, path);

	assert_in_range(len, 1, HARNESS_PATH - 1);
	return text;
}

void
tree_file(const struct agent_tree *tree, const char *path, const char *content)
{
	char text[HARNESS_PATH];
	int fd = open(tree_path(tree, path, text),
	              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, 0644), 0);
	fd_close(&fd);
}

void
tree_dir(const struct agent_tree *tree, const char *path)
{
	char text[HARNESS_PATH];

	assert_int_equal(mkdir(tree_path(tree, path, text), 0755), 0);
	assert_int_equal(chmod(text, 0755), 0);
}

void
tree_link(const struct agent_tree *tree, const char *path, const char *target)
{
	char text[HARNESS_PATH];

	assert_int_equal(symlink(target, tree_path(tree, path, text)), 0);
}

void
tree_files(const struct agent_tree *tree, const char *dir, unsigned count)
{
	char text[HARNESS_PATH];
	int dir_fd = open(tree_path(tree, dir, text), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir_fd >= 0);
	for (unsigned i = 0; i < count; i++) {
		int fd;

		/* Names of one file are made six times faster than files. */
		(void)snprintf(text, sizeof(text), "name-%05u", i);
		if (i > 0 && linkat(dir_fd, "name-00000", dir_fd, text, 0) == 0) {
			continue;
		}
		fd = openat(dir_fd, text, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		fd_close(&fd);
	}
	fd_close(&dir_fd);
}

/* Take openat2 away from this process and what it becomes. */
static bool
forbid_openat2(void)
{
	struct sock_filter program[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = ARRAY_COUNT(program), .filter = program};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* The descriptors are above those that they are to become, or -1. */
static void __attribute__((noreturn))
run_agent(int channel_fd, int start_fd, unsigned modes)
{
	char *arguments[] = {(char[]){"deftpd-agent"}, NULL};
	bool is_ready = dup3(channel_fd, IPC_START_FD, 0) == IPC_START_FD;

	if (is_ready && start_fd >= 0) {
		is_ready = dup3(start_fd, IPC_OPTIONS_FD, 0) == IPC_OPTIONS_FD;
	}
	is_ready = is_ready && fd_close_from(start_fd >= 0 ? IPC_OPTIONS_FD + 1
	                                                   : IPC_OPTIONS_FD) == 0;

	if (is_ready && (modes & HARNESS_NO_ROOT) != 0 && geteuid() == 0) {
		is_ready = setgroups(0, NULL) == 0 &&
		           setresgid(HARNESS_USER, HARNESS_USER, HARNESS_USER) == 0 &&
		           setresuid(HARNESS_USER, HARNESS_USER, HARNESS_USER) == 0;
	}
	if (is_ready && (modes & HARNESS_NO_OPENAT2) != 0) {
		is_ready = forbid_openat2();
	}
	if (is_ready) {
		(void)execv(DEFTPD_AGENT_PROGRAM, arguments);
	}
	_exit(127);
}

/* Take the first message, if there is one. */
static void
await_ready(struct agent_process *process)
{
	struct pollfd ready = {.fd = process->channel_fd, .events = POLLIN};
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_answer answer;
	ssize_t got;
	int fd;

	process->ready = IPC_RESULT_COUNT;
	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
	got = channel_recv(process->channel_fd, bytes, sizeof(bytes), MSG_DONTWAIT, &fd);
	if (got > 0) {
		assert_true(agent_answer_decode(bytes, (size_t)got, &answer));
		assert_int_equal(answer.denied_call, -1);
		assert_int_equal(fd, -1);
		process->ready = answer.result;
	}
}

void
agent_spawn_on(struct agent_process *process, int start_fd, unsigned modes)
{
	int high_fd = -1;
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (process->pid == 0) {
		/* dup3 of a descriptor onto itself would fail. */
		fds[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, 10);
		if (start_fd >= 0) {
			high_fd = fcntl(start_fd, F_DUPFD_CLOEXEC, 10);
		}
		run_agent(fds[1], high_fd, modes);
	}
	fd_close(&fds[1]);
	process->channel_fd = fds[0];
	await_ready(process);
}

void
agent_spawn(struct agent_process *process, const void *start, size_t len, unsigned modes)
{
	int start_fd;

	assert_int_equal(memory_file_make("start", start, len, &start_fd), 0);
	agent_spawn_on(process, start_fd, modes);
	fd_close(&start_fd);
}

void
agent_start_record(struct agent_process *process, const struct agent_start *start,
                   unsigned modes)
{
	struct agent_start whole = *start;
	int start_fd;

	whole.uid = start->uid == 0 ? HARNESS_USER : start->uid;
	whole.gid = start->gid == 0 ? HARNESS_USER : start->gid;
	whole.has_sandbox = (modes & HARNESS_NO_SANDBOX) == 0;
	whole.root_len = strlen(whole.root);
	whole.start = start->start == NULL ? "/" : start->start;
	whole.start_len = strlen(whole.start);
	assert_int_equal(agent_start_seal(&whole, &start_fd), 0);
	agent_spawn_on(process, start_fd, modes);
	fd_close(&start_fd);
}

void
agent_start(struct agent_process *process, const char *root, unsigned modes)
{
	struct agent_start start = {.root = root};

	agent_start_record(process, &start, modes);
}

void
agent_start_writing(struct agent_process *process, const char *root,
                    const struct agent_rights *rights, unsigned modes)
{
	struct agent_start start = {.root = root, .rights = *rights};

	agent_start_record(process, &start, modes);
	assert_int_equal(process->ready, IPC_OK);
}

bool
agent_ask(const struct agent_process *process, const struct agent_question *question,
          struct agent_answer *ret_answer, int *ret_fd)
{
	struct pollfd ready = {.fd = process->channel_fd, .events = POLLIN};
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = agent_question_encode(question, bytes, sizeof(bytes));
	ssize_t got;

	assert_true(len > 0);
	if (channel_send(process->channel_fd, bytes, len, -1) != 0) {
		return false;
	}
	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
	got =
	    channel_recv(process->channel_fd, bytes, sizeof(bytes), MSG_DONTWAIT, ret_fd);
	if (got <= 0) {
		return false;
	}
	assert_true(agent_answer_decode(bytes, (size_t)got, ret_answer));
	assert_int_equal(*ret_fd >= 0, ret_answer->result == IPC_OK &&
	                                   agent_verb_has_descriptor(question->verb));
	/* Whatever was asked: the filter must let the agent do its work. */
	assert_int_equal(ret_answer->denied_call, -1);
	return true;
}

struct agent_answer
agent_ask_path(const struct agent_process *process, enum agent_verb verb,
               const char *path, int *ret_fd)
{
	struct agent_question question = {.verb = verb,
	                                  .path = path,
	                                  .path_len = strlen(path),
	                                  .second = "/unused",
	                                  .second_len = 7,
	                                  .pattern = "",
	                                  .prefix = ""};
	struct agent_answer answer = {.result = IPC_RESULT_COUNT};

	assert_true(agent_ask(process, &question, &answer, ret_fd));
	return answer;
}

int
agent_end(struct agent_process *process)
{
	int status;

	fd_close(&process->channel_fd);
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *
agent_read_all(int fd, size_t *ret_len)
{
	size_t cap = 1 << 16;
	size_t len = 0;
	char *text = malloc(cap);

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t got;

		assert_non_null(text);
		assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
		got = read(fd, text + len, cap - len - 1);
		assert_true(got >= 0);
		if (got == 0) {
			break;
		}
		len += (size_t)got;
		if (len + 1 == cap) {
			cap *= 2;
			text = realloc(text, cap);
		}
	}
	text[len] = '\0';
	*ret_len = len;
	return text;
}

unsigned
agent_count_fds(pid_t pid)
{
	char path[64];
	unsigned count = 0;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (directory == NULL) {
		return 0; /* an ordinary user may not look into an undumpable process */
	}
	while (readdir(directory) != NULL) {
		count++;
	}
	(void)closedir(directory);
	return count - 2; /* "." and ".." */
}

enum ipc_result
agent_ask_list(const struct agent_process *process, const struct agent_question *question,
               int *ret_fd)
{
	struct agent_question whole = *question;
	struct agent_answer answer = {.result = IPC_RESULT_COUNT};

	whole.verb = AGENT_LIST;
	whole.path_len = strlen(whole.path);
	whole.pattern = question->pattern == NULL ? "" : question->pattern;
	whole.pattern_len = strlen(whole.pattern);
	whole.prefix = question->prefix == NULL ? "" : question->prefix;
	whole.prefix_len = strlen(whole.prefix);
	assert_true(agent_ask(process, &whole, &answer, ret_fd));
	return answer.result;
}

char *
agent_list(const struct agent_process *process, const struct agent_question *question,
           size_t *ret_len)
{
	char *text;
	int fd = -1;

	assert_int_equal(agent_ask_list(process, question, &fd), IPC_OK);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	text = agent_read_all(fd, ret_len);
	fd_close(&fd);
	return text;
}

void
tree_give(const struct agent_tree *tree, const char *path)
{
	char text[HARNESS_PATH];

	if (geteuid() == 0) {
		assert_int_equal(
		    lchown(tree_path(tree, path, text), HARNESS_USER, HARNESS_USER), 0);
	}
}

bool
tree_has(const struct agent_tree *tree, const char *path, const char *content)
{
	char text[HARNESS_PATH];
	char found[4096];
	int fd = open(tree_path(tree, path, text), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len;

	if (fd < 0) {
		return false;
	}
	len = read(fd, found, sizeof(found));
	fd_close(&fd);
	return len >= 0 && (size_t)len == strlen(content) &&
	       memcmp(found, content, (size_t)len) == 0;
}

bool
tree_is_there(const struct agent_tree *tree, const char *path)
{
	char text[HARNESS_PATH];
	struct stat info;

	return lstat(tree_path(tree, path, text), &info) == 0;
}

unsigned
tree_count(const struct agent_tree *tree, const char *path)
{
	char text[HARNESS_PATH];
	DIR *directory = opendir(tree_path(tree, path, text));
	unsigned count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL) {
		count++;
	}
	(void)closedir(directory);
	return count - 2; /* "." and ".." */
}

static struct agent_answer
ask_whole(const struct agent_process *process, struct agent_question *question,
          int *ret_fd)
{
	struct agent_answer answer = {.result = IPC_RESULT_COUNT};

	question->pattern = "";
	question->prefix = "";
	*ret_fd = -1;
	assert_true(agent_ask(process, question, &answer, ret_fd));
	return answer;
}

struct agent_answer
agent_ask_two(const struct agent_process *process, enum agent_verb verb, const char *path,
              const char *second, int *ret_fd)
{
	struct agent_question question = {.verb = verb,
	                                  .path = path,
	                                  .path_len = strlen(path),
	                                  .second = second,
	                                  .second_len = strlen(second)};

	return ask_whole(process, &question, ret_fd);
}

struct agent_answer
agent_open_write(const struct agent_process *process, const char *path,
                 enum agent_open how, uint64_t offset, int64_t told_size, int *ret_fd)
{
	struct agent_question question = {.verb = AGENT_OPEN_WRITE,
	                                  .path = path,
	                                  .path_len = strlen(path),
	                                  .how = how,
	                                  .offset = offset,
	                                  .has_told_size = told_size >= 0};
	struct agent_answer answer;
	struct stat info;

	question.told_size = told_size >= 0 ? (uint64_t)told_size : 0;
	answer = ask_whole(process, &question, ret_fd);
	if (answer.result == IPC_OK) {
		int flags = fcntl(*ret_fd, F_GETFL);

		assert_int_equal(flags & (O_ACCMODE | O_PATH | O_APPEND), O_WRONLY);
		assert_int_equal(fstat(*ret_fd, &info), 0);
		assert_true(S_ISREG(info.st_mode));
		assert_int_equal(lseek(*ret_fd, 0, SEEK_CUR), answer.offset);
		assert_int_equal(info.st_size, answer.offset);
	}
	return answer;
}

enum ipc_result
agent_ask_end(const struct agent_process *process, enum agent_verb verb, uint32_t upload)
{
	struct agent_question question = {
	    .verb = verb, .path = "/", .path_len = 1, .upload = upload};
	int fd;

	return ask_whole(process, &question, &fd).result;
}

static enum ipc_result
upload(const struct agent_process *process, const char *path, enum agent_open how,
       uint64_t offset, const char *content, enum agent_verb end)
{
	struct agent_answer answer;
	size_t len = strlen(content);
	int fd;

	answer = agent_open_write(process, path, how, offset, -1, &fd);
	if (answer.result != IPC_OK) {
		return answer.result;
	}
	assert_int_equal(write(fd, content, len), len);
	if (answer.upload != 0) {
		enum ipc_result result = agent_ask_end(process, end, answer.upload);

		if (end == AGENT_COMMIT) {
			answer.result = result;
		}
	}
	fd_close(&fd);
	return answer.result;
}

enum ipc_result
agent_upload(const struct agent_process *process, const char *path, enum agent_open how,
             uint64_t offset, const char *content)
{
	return upload(process, path, how, offset, content, AGENT_COMMIT);
}

enum ipc_result
agent_upload_cut(const struct agent_process *process, const char *path,
                 enum agent_open how, uint64_t offset, const char *content)
{
	return upload(process, path, how, offset, content, AGENT_DISCARD);
}
