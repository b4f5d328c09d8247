/*
 * main: start-up of the agent: read the start record, become the user, serve.
 * Runs in: deftpd-agent. Started by exec, by the master or by what was an authenticator,
 * with its channel as descriptor 3, its start record as 4, and nothing else.
 * Source: SECURITY.md 3.3, "agent".
 * Not here: a word to anybody: what went wrong is the exit status, and who
 * started it has the log.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/become.h"
#include "ftpd/agent/fsops.h"
#include "ftpd/agent/serve.h"
#include "ftpd/agent/start.h"
#include "ftpd/agent/viewer.h"
#include "common/base.h"

/*
 * The send buffer is made as small as the kernel allows: about five answers. So a worker
 * that asks and asks without taking what it is given cannot pile up descriptors in
 * flight, which are counted for the whole user.
 */
static bool
prepare_channel(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	int smallest = 1;

	/* SIGXFSZ: who started us may have limited file sizes, as pam_limits does. */

	return fd_close_from(IPC_OPTIONS_FD + 1) == 0 &&
	       fd_set_nonblocking(IPC_START_FD, false) == 0 &&
	       setsockopt(IPC_START_FD, SOL_SOCKET, SO_SNDBUF, &smallest,
	                  sizeof(smallest)) == 0 &&
	       sigaction(SIGPIPE, &ignore, NULL) == 0 &&
	       sigaction(SIGXFSZ, &ignore, NULL) == 0;
}

/* A directory that the user may enter. */
static bool
is_home(struct rulebook *book, const struct agent_start *start)
{
	const struct agent_question question = {.verb = AGENT_CHECK_DIR};
	struct agent_answer answer = {0};
	char path[IPC_PATH_MAX + 1];
	struct place place;

	memcpy(path, start->start, start->start_len);
	path[start->start_len] = '\0';
	if (place_find(book, &question, path, false, &place) != IPC_OK) {
		return false;
	}
	fsops_check_dir(&place, &answer);
	place_close(&place);
	return answer.result == IPC_OK;
}

/* What become.h says about its steps, in the terms of a client. */
static enum ipc_result
result_of(enum agent_exit failure)
{
	switch (failure) {
	case AGENT_EXIT_DONE: return IPC_OK;
	case AGENT_EXIT_ROOT: return IPC_NOT_FOUND;
	case AGENT_EXIT_HOME: return IPC_NOT_A_DIRECTORY;
	case AGENT_EXIT_START:
	case AGENT_EXIT_BECOME:
	case AGENT_EXIT_SANDBOX:
	case AGENT_EXIT_PROTOCOL: return IPC_LOCAL_ERROR;
	}
	return IPC_LOCAL_ERROR;
}

/*
 * Become what the start record says.
 * Returns: AGENT_EXIT_DONE with everything ready to serve, or what failed.
 */
static enum agent_exit
begin(struct resolver *resolver, struct rulebook *book, struct viewer *viewer)
{
	struct agent_start start;
	enum agent_exit result;
	int root_fd;

	if (!prepare_channel() || !start_read(&start)) {
		return AGENT_EXIT_START;
	}
	(void)umask(077); /* cannot fail */
	root_fd = become_open_root(start.root);
	if (root_fd < 0) {
		return AGENT_EXIT_ROOT;
	}
	result = become_user(&start, root_fd);
	if (result != AGENT_EXIT_DONE) {
		return result;
	}
	if (viewer_init(viewer) != 0) { /* asks what the filter forbids */
		return AGENT_EXIT_BECOME;
	}
	result = become_confined(&start, root_fd);
	if (result != AGENT_EXIT_DONE) {
		return result;
	}
	resolver_init(resolver, root_fd);
	if (rulebook_init(book, resolver, &start) != 0) {
		return AGENT_EXIT_ROOT;
	}
	return is_home(book, &start) ? AGENT_EXIT_DONE : AGENT_EXIT_HOME;
}

/* All that lasts as long as the process; the table of rules, mostly empty, comes last. */
struct agent {
	struct resolver resolver;
	struct viewer viewer;
	struct rulebook book;
};

static enum agent_exit
run(void)
{
	/* Mapped, so that of its tables only what is used takes memory. */
	struct agent *agent = mmap(NULL, sizeof(*agent), PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum agent_exit result;
	bool is_told;

	if (agent == MAP_FAILED) {
		return AGENT_EXIT_START;
	}
	result = begin(&agent->resolver, &agent->book, &agent->viewer);
	is_told = serve_tell_ready(IPC_START_FD, result_of(result));
	if (result != AGENT_EXIT_DONE || !is_told) {
		return result; /* nobody listens: as if the channel had ended later */
	}
	return serve_run(IPC_START_FD, &agent->book, &agent->viewer);
}

int
main(void)
{
	/*
	 * Not exit: nothing is to be flushed, and a leak checker could not run in this
	 * confinement.
	 */
	_exit((int)run());
}
