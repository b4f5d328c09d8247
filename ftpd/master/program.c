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
program_find(struct master *master)
{
	char *dir = master->program_dir;
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(master->program_dir) - 1);
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
	(void)snprintf(dir, sizeof(master->program_dir), "%s", DEFTPD_LIBEXEC_DIR);
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
 * In the child: put `from` (two descriptors, the second may be -1) at 3 and 4, and close
 * the rest. What stays open on 1 and 2 is standard error, for the last words of a program
 * that cannot start.
 */
static bool
arrange_descriptors(const int from[2])
{
	int aside[2] = {-1, -1};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int count = from[1] >= 0 ? 2 : 1;

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		return false;
	}
	for (int i = 0; i < count; i++) {
		aside[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_ASIDE);
		if (aside[i] < 0) {
			return false;
		}
	}
	for (int i = 0; i < count; i++) {
		if (dup2(aside[i], IPC_START_FD + i) < 0) {
			return false;
		}
	}
	return fd_close_from(IPC_START_FD + count) == 0;
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

__attribute__((noreturn)) static void
become_program(const char *path, const struct program_order *order)
{
	char uid[NUMBER_TEXT_MAX];
	char gid[NUMBER_TEXT_MAX];
	char name[NUMBER_TEXT_MAX];
	char *arguments[] = {name, NULL, NULL, NULL};
	char *environment[] = {NULL};
	const int from[2] = {order->channel_fd, order->options_fd};

	(void)snprintf(name, sizeof(name), "%s", program_names[order->kind]);
	if (order->identity != NULL) {
		(void)snprintf(uid, sizeof(uid), "%u", (unsigned)order->identity->uid);
		(void)snprintf(gid, sizeof(gid), "%u", (unsigned)order->identity->gid);
		arguments[1] = uid;
		arguments[2] = gid;
	}
	reset_process();
	if (arrange_descriptors(from)) {
		(void)execve(path, arguments, environment);
	}
	master_complain("%s cannot be started: %s", path, strerror(errno));
	_exit(127);
}

int
program_start(struct master *master, const struct program_order *order, pid_t *ret_pid)
{
	char path[MASTER_PATH_MAX + NAME_MAX];
	pid_t pid;
	int result;

	(void)snprintf(path, sizeof(path), "%s/%s", master->program_dir,
	               program_names[order->kind]);
	pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		become_program(path, order);
	}
	result = children_add(&master->children, pid, order->ended, order->owner, NULL);
	if (result != 0) {
		(void)kill(
		    pid,
		    SIGKILL); /* nobody would look after it; it is our unreaped child */
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
		reset_process();
		if (!arrange_descriptors(keep_fds)) {
			_exit(127);
		}
	}
	return pid;
}
