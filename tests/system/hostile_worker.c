/*
 * hostile_worker: stands in for deftpd-worker in hostile_worker.py. As long as nobody
 * listens at `control` beside the program, its children are honest workers; then each
 * child hands its channel to the listener, who speaks for it.
 * Usage: copied as deftpd-worker into a directory with copies of the other programs; the
 * master starts it.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/forkserver.h"
#include "ftpd/ipc/message.h"
#include "ftpd/worker/setup.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/* Returns: a connection to the test, or -1 when it does not listen. */
static int
connect_to_test(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;
	int fd;

	if (len < 0) {
		return -1;
	}
	program[len] = '\0';
	slash = strrchr(program, '/');
	if (slash == NULL) {
		return -1;
	}
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.*s/control",
	               (int)(slash - program), program);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		fd_close(&fd);
	}
	return fd;
}

static int
run_child(uint8_t kind, int channel_fd, void *context)
{
	int test_fd = connect_to_test();
	char byte;

	if (test_fd < 0) {
		return worker_run(kind == WORKER_SHARED ? WORKER_SHARED : WORKER_PRIVATE,
		                  channel_fd, context);
	}
	if (channel_send(test_fd, &kind, sizeof(kind), channel_fd) != 0) {
		return 1;
	}
	fd_close(&channel_fd);
	/* until the test has had enough of it */
	(void)channel_recv_plain(test_fd, &byte, sizeof(byte), 0);
	return 0;
}

int
main(void)
{
	static struct worker_setup setup; /* too large for a stack */
	struct tls_files files = {0};
	const char *failed = "";

	if (setup_read(&setup, &files, &failed) != 0) {
		return 1;
	}
	tls_files_free(&files);
	(void)signal(SIGPIPE, SIG_IGN); /* valid signal and action */
	return forkserver_run(IPC_START_FD, 0, run_child, &setup);
}
