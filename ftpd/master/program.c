/*
 * program: finds and starts the other programs: a channel, the options, nothing else.
 * Runs in: master, and in its child up to exec.
 */
#include "ftpd/master/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/ipc/message.h"
#include "common/base.h"

enum {
	/* Above every number that is about to be filled. */
	FD_ASIDE = 16,
	NUMBER_TEXT_MAX = 16,
	/* Descriptors beside the standard streams: IPC_START_FD and those behind it. */
	KEPT_COUNT = IPC_TLS_FD - IPC_START_FD + 1,
	/* Name, uid, gid and the end. */
	ARGUMENTS_BESIDE = 4,
};

static const char *const program_names[PROGRAM_COUNT] = {
    [PROGRAM_WORKER] = "deftpd-worker",
    [PROGRAM_AUTH] = "deftpd-auth",
    [PROGRAM_AGENT] = "deftpd-agent",
    [PROGRAM_RECORDER] = "deftpd-recorder",
};

static bool
has_all(const char *dir)
{
	char path[MASTER_PATH_MAX];

	for (int i = 0; i < PROGRAM_COUNT; i++) {
		int len = snprintf(path, sizeof(path), "%s/%s", dir, program_names[i]);

		if (len < 0 || (size_t)len >= sizeof(path) || access(path, X_OK) != 0) {
			return false;
		}
	}
	return true;
}

bool
program_find(char dir[MASTER_PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", dir, MASTER_PATH_MAX - 1);
	char *slash;

	if (len > 0) {
		dir[len] = '\0';
		slash = strrchr(dir, '/');
		if (slash != NULL) {
			*slash = '\0';
		}
		if (has_all(dir)) {
			return true;
		}
	}
	(void)snprintf(dir, MASTER_PATH_MAX, "%s", DEFTPD_LIBEXEC_DIR);
	if (has_all(dir)) {
		return true;
	}
	master_complain(
	    "%s, %s, %s and %s are neither beside this program nor in %s; install them "
	    "there",
	    program_names[PROGRAM_WORKER], program_names[PROGRAM_AUTH],
	    program_names[PROGRAM_AGENT], program_names[PROGRAM_RECORDER],
	    DEFTPD_LIBEXEC_DIR);
	return false;
}

/*
 * In the child: put `from` at 3 and behind, and close the rest. -1 leaves a number free.
 * What stays open on 1 and 2 is standard error, for the last words of a program that
 * cannot start.
 */
static bool
arrange_descriptors(const int from[KEPT_COUNT])
{
	int aside[KEPT_COUNT];
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		return false;
	}
	for (int i = 0; i < KEPT_COUNT; i++) {
		aside[i] = from[i] >= 0 ? fcntl(from[i], F_DUPFD_CLOEXEC, FD_ASIDE) : -1;
		if (from[i] >= 0 && aside[i] < 0) {
			return false;
		}
	}
	for (int i = 0; i < KEPT_COUNT; i++) {
		if (aside[i] < 0) {
			(void)close(IPC_START_FD + i); /* rarely is anything there */
		} else if (dup2(aside[i], IPC_START_FD + i) < 0) {
			return false;
		}
	}
	return fd_close_from(IPC_START_FD + KEPT_COUNT) == 0;
}

/*
 * In the child: nothing of the master's signal handling, and a group of its own, which
 * the terminal's Ctrl-C spares.
 */
static void
reset_process(void)
{
	sigset_t none;

	(void)setpgid(0, 0); /* fails only for a session leader, which a child is not */
	(void)signal(SIGPIPE, SIG_DFL); /* a valid signal */
	(void)sigemptyset(&none);       /* cannot fail */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
add_argument(char *arguments[], size_t *count, const char *text)
{
	char *copy = strdup(text); /* lives until exec */

	if (copy != NULL) {
		arguments[(*count)++] = copy;
	}
}

static void
add_number(char *arguments[], size_t *count, unsigned number)
{
	char text[NUMBER_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%u", number);
	add_argument(arguments, count, text);
}

__attribute__((noreturn)) static void
become_program(const char *path, const struct program_order *order)
{
	char *arguments[PROGRAM_ARGUMENTS_MAX + ARGUMENTS_BESIDE] = {NULL};
	char *environment[] = {NULL};
	const int from[KEPT_COUNT] = {order->channel_fd, order->options_fd,
	                              order->tls_fd};
	size_t count = 0;

	add_argument(arguments, &count, program_names[order->kind]);
	for (size_t i = 0; order->arguments != NULL && order->arguments[i] != NULL &&
	                   i < PROGRAM_ARGUMENTS_MAX;
	     i++) {
		add_argument(arguments, &count, order->arguments[i]);
	}
	if (order->identity != NULL) {
		add_number(arguments, &count, (unsigned)order->identity->uid);
		add_number(arguments, &count, (unsigned)order->identity->gid);
	}
	reset_process();
	if (arrange_descriptors(from)) {
		(void)execve(path, arguments, environment);
	}
	master_complain("%s cannot be started: %s", path, strerror(errno));
	_exit(127);
}

int
program_spawn(const char *dir, const struct program_order *order, pid_t *ret_pid)
{
	char path[MASTER_PATH_MAX + NAME_MAX];
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, program_names[order->kind]);
	pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		become_program(path, order);
	}
	*ret_pid = pid;
	return 0;
}

int
program_start(struct master *master, const struct program_order *order, pid_t *ret_pid)
{
	pid_t pid = 0;
	int result = program_spawn(master->program_dir, order, &pid);

	if (result != 0) {
		return result;
	}
	result = children_add(&master->children, pid, order->ended, order->owner, NULL);
	if (result != 0) {
		/* Nobody would look after it; it is our unreaped child. */
		(void)kill(pid, SIGKILL);
		return result;
	}
	*ret_pid = pid;
	return 0;
}

pid_t
program_fork(const int keep_fds[2])
{
	pid_t pid = fork();

	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		const int from[KEPT_COUNT] = {keep_fds[0], keep_fds[1], -1};

		reset_process();
		if (!arrange_descriptors(from)) {
			_exit(127);
		}
	}
	return pid;
}
