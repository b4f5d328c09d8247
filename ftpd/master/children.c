/*
 * children: every process below the master, by its number, and who wants to know how it
 * ended.
 * Runs in: master.
 */
#include "ftpd/master/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/master.h"
#include "common/base.h"

enum {
	/* A module's helper may be a script that has started a program. */
	DEPTH_MAX = 4,
};

static struct child_bucket *
bucket_of(struct child_table *table, pid_t pid)
{
	return &table->buckets[(unsigned)pid % CHILDREN_BUCKETS];
}

static struct child *
find(struct child_table *table, pid_t pid)
{
	struct child *child;

	LIST_FOREACH(child, bucket_of(table, pid), next) {
		if (child->pid == pid) {
			return child;
		}
	}
	return NULL;
}

int
children_add(struct child_table *table, pid_t pid, child_ended *ended, void *owner,
             const void *server)
{
	struct child *child = malloc(sizeof(*child));

	if (child == NULL) {
		return -ENOMEM;
	}
	child->pid = pid;
	child->owner = owner;
	child->ended = ended;
	child->server = server;
	LIST_INSERT_HEAD(bucket_of(table, pid), child, next);
	table->count++;
	return 0;
}

void
children_disown(struct child_table *table, pid_t pid)
{
	struct child *child = find(table, pid);

	if (child != NULL) {
		child->ended = NULL;
	}
}

void
children_ended(struct master *master, pid_t pid, int status, const void *server)
{
	struct child *child = find(&master->children, pid);
	struct child taken;

	if (child == NULL || (server != NULL && child->server != server)) {
		return;
	}
	taken = *child;
	LIST_REMOVE(child, next);
	master->children.count--;
	free(child);
	if (taken.ended != NULL) {
		taken.ended(master, taken.owner, pid, status);
	}
}

void
children_reap(struct master *master)
{
	pid_t pid;
	int status;

	/*
	 * A forkserver that was killed may have told of a child that is now an orphan of
	 * ours: its words come first.
	 */
	generation_read_all(master);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		children_ended(master, pid, status, NULL);
	}
}

/* Returns: true and the beginning of a file of /proc in `text`. */
static bool
read_text(const char *path, char *text, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0) {
		return false;
	}
	len = read(fd, text, cap - 1);
	fd_close(&fd);
	text[len > 0 ? len : 0] = '\0';
	return true;
}

/* Returns: the parent of a process, 0 if it cannot be told. */
static pid_t
parent_of(pid_t pid)
{
	char text[512];
	char *at;

	(void)snprintf(text, sizeof(text), "/proc/%d/stat", (int)pid);
	if (!read_text(text, text, sizeof(text))) {
		return 0;
	}
	/*
	 * "pid (name) state parent": the name may hold anything, but no field behind it
	 * has a parenthesis.
	 */
	at = strrchr(text, ')');
	if (at == NULL || strlen(at) < sizeof(") S 1") - 1) {
		return 0;
	}
	return (pid_t)strtol(at + 4, NULL, 10);
}

static bool
is_own_child(pid_t pid)
{
	siginfo_t ignored;

	return waitid(P_PID, (id_t)pid, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/*
 * The number came from another process and may have been used again since.
 * Returns: true if it is what we think.
 */
static bool
is_ours(pid_t pid, pid_t server_pid)
{
	pid_t parent = parent_of(pid);
	/*
	 * /proc may hide the processes of other users from a root without CAP_SYS_PTRACE.
	 */
	bool is_hidden = parent == 0 && server_pid > 0 && parent_of(server_pid) == 0;

	return pid > 1 &&
	       (is_hidden || is_own_child(pid) || (parent > 1 && parent == server_pid));
}

void
children_kill(pid_t pid, pid_t server_pid)
{
	if (is_ours(pid, server_pid)) {
		(void)kill(pid, SIGKILL); /* it may have ended just now */
	}
}

/* Kill what a stopped process has started. depth: how many generations are looked for. */
static void
kill_below(pid_t pid, unsigned depth)
{
	char list[512];
	char *at = list;

	(void)snprintf(list, sizeof(list), "/proc/%d/task/%d/children", (int)pid,
	               (int)pid);
	if (depth == 0 || !read_text(list, list, sizeof(list))) {
		return;
	}
	for (;;) {
		char *end;
		pid_t child = (pid_t)strtol(at, &end, 10);

		if (end == at || *end != ' ' || child <= 1) {
			return; /* the last one, or the text was cut there */
		}
		(void)kill(child, SIGSTOP); /* it may have ended just now */
		kill_below(child, depth - 1);
		(void)kill(child, SIGKILL);
		at = end;
	}
}

void
children_kill_tree(pid_t pid, pid_t server_pid)
{
	if (is_ours(pid, server_pid)) {
		(void)kill(pid, SIGSTOP); /* so that it starts nothing more */
		kill_below(pid, DEPTH_MAX);
		(void)kill(pid, SIGKILL);
	}
}

const char *
children_describe(int status, char text[64])
{
	if (WIFSIGNALED(status)) {
		(void)snprintf(text, 64, "signal %d (%s)", WTERMSIG(status),
		               sigdescr_np(WTERMSIG(status)));
	} else {
		(void)snprintf(text, 64, "exit status %d", WEXITSTATUS(status));
	}
	return text;
}
