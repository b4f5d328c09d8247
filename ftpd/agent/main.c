/*
 * main: start-up of the agent: read the start record, become the user, serve.
 * Runs in: deftpd-agent. Started by the master by exec, with its channel as descriptor 3
 * and nothing else.
 * Source: SECURITY.md 3.3, "agent".
 * Not here: a word to anybody: what went wrong is the exit status, and the master has the
 * log.
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/become.h"
#include "ftpd/agent/serve.h"
#include "ftpd/agent/viewer.h"
#include "common/base.h"

enum {
	START_MAX = IPC_PATH_MAX + 64,
};

/*
 * Read the start record. Its root is copied out and terminated.
 * Returns: true if it is well-formed.
 */
static bool
read_start(struct agent_start *ret_start, char root[IPC_PATH_MAX + 1])
{
	uint8_t bytes[START_MAX];
	struct agent_start start;
	ssize_t len = channel_recv_plain(IPC_START_FD, bytes, sizeof(bytes), 0);

	if (len <= 0 || !agent_start_decode(bytes, (size_t)len, &start)) {
		return false;
	}
	memcpy(root, start.root, start.root_len);
	root[start.root_len] = '\0';
	*ret_start = start;
	ret_start->root = root;
	return true;
}

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

	return fd_close_from(IPC_START_FD + 1) == 0 &&
	       fd_set_nonblocking(IPC_START_FD, false) == 0 &&
	       setsockopt(IPC_START_FD, SOL_SOCKET, SO_SNDBUF, &smallest,
	                  sizeof(smallest)) == 0 &&
	       sigaction(SIGPIPE, &ignore, NULL) == 0;
}

/*
 * Become what the start record says, and serve.
 * Returns: the exit status.
 */
static enum agent_exit
run(void)
{
	char root[IPC_PATH_MAX + 1];
	struct agent_start start;
	struct resolver resolver;
	struct viewer viewer;
	enum agent_exit result;
	int root_fd;

	if (!prepare_channel() || !read_start(&start, root)) {
		return AGENT_EXIT_START;
	}
	(void)umask(077); /* cannot fail */
	root_fd = become_open_root(root);
	if (root_fd < 0) {
		return AGENT_EXIT_ROOT;
	}
	result = become_user(&start, root_fd);
	if (result == AGENT_EXIT_DONE) {
		viewer_init(&viewer); /* asks what the filter forbids */
		result = become_confined(&start, root_fd);
	}
	if (result == AGENT_EXIT_DONE) {
		resolver_init(&resolver, root_fd);
		result = serve_run(IPC_START_FD, &resolver, &viewer);
	}
	return result;
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
