/*
 * main: deftpd-worker, the forkserver of the workers.
 * Runs in: deftpd-worker; the children go on in worker.c.
 * Source: DESIGN.md section 2, "forkserver".
 * Usage:   deftpd-worker UID GID, with the master's channel as descriptor 3 and the
 *          sealed options as 4. Only the master starts it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/forkserver.h"
#include "ftpd/conf/options.h"
#include "ftpd/ipc/message.h"
#include "ftpd/worker/sandbox.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

struct forkserver {
	struct options options;
	struct confinement confinement;
};

static int
run_child(uint8_t kind, int channel_fd, void *context)
{
	const struct forkserver *forkserver = context;

	return worker_run(kind == WORKER_SHARED ? WORKER_SHARED : WORKER_PRIVATE,
	                  channel_fd, &forkserver->options, &forkserver->confinement);
}

static int
fail(const char *what, int negative_errno)
{
	(void)fprintf(stderr, "deftpd-worker: %s: %s\n", what, strerror(-negative_errno));
	return 1;
}

int
main(int argc, char **argv)
{
	/* 12 KiB of options: too much for a stack of our limit */
	static struct forkserver forkserver;
	struct identity identity;
	const char *failed = "";
	int options_fd = IPC_OPTIONS_FD;
	int result;

	if (argc != 3 || !privilege_parse(argv[1], argv[2], &identity)) {
		(void)fprintf(stderr,
		              "deftpd-worker is started by deftpd, not by hand.\n");
		return 2;
	}
	result = conf_unseal(options_fd, &forkserver.options);
	if (result != 0) {
		return fail("reading the options", result);
	}
	fd_close(&options_fd);
	(void)signal(SIGPIPE, SIG_IGN); /* valid signal and action */
	result = sandbox_confine_forkserver(&identity, &forkserver.options,
	                                    &forkserver.confinement, &failed);
	if (result != 0) {
		return fail(failed, result);
	}
	return forkserver_run(IPC_START_FD, forkserver.confinement.layers, run_child,
	                      &forkserver);
}
