/*
 * main: start-up of the recorder: what needs the file system first, then confinement,
 * then work.
 * Runs in: deftpd-recorder.
 * Source: DESIGN.md section 2.
 * Usage:   deftpd-recorder UID GID, with the master's channel as descriptor 3 and the
 *          sealed options as 4. Only the master starts it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/fd.h"
#include "ftpd/ipc/message.h"
#include "ftpd/recorder/journal.h"
#include "ftpd/recorder/recorder.h"
#include "ftpd/recorder/sandbox.h"
#include "common/base.h"

static int
fail(const char *what, int negative_errno)
{
	(void)fprintf(stderr, "deftpd-recorder: %s: %s\n", what,
	              strerror(-negative_errno));
	return 1;
}

int
main(int argc, char **argv)
{
	static struct options options; /* 12 KiB: too much for a stack of our limit */
	struct recorder *recorder;
	struct identity identity;
	const char *failed = "";
	unsigned layers = 0;
	int options_fd = IPC_OPTIONS_FD;
	int journal_fd;
	int result;

	if (argc != 3 || !privilege_parse(argv[1], argv[2], &identity)) {
		(void)fprintf(stderr,
		              "deftpd-recorder is started by deftpd, not by hand.\n");
		return 2;
	}
	result = conf_unseal(options_fd, &options);
	if (result != 0) {
		return fail("reading the options", result);
	}
	fd_close(&options_fd);
	(void)signal(SIGPIPE, SIG_IGN); /* valid signal and action */
	tzset();                        /* the time zone's file cannot be opened later */
	journal_fd = journal_connect(JOURNAL_SOCKET_PATH);
	recorder = recorder_new();
	if (recorder == NULL) {
		return fail("starting", -ENOMEM);
	}
	result = sandbox_confine_recorder(&identity, &options, &layers, &failed);
	if (result != 0) {
		return fail(failed, result);
	}
	return recorder_run(recorder, IPC_START_FD, layers, journal_fd);
}
