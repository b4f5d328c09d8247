/*
 * logs: opens the log files for the recorder, which may open nothing.
 * Runs in: master.
 */
#include "ftpd/master/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

enum {
	LOG_MODE = 0640,
	/* Above the descriptors that programs are started with. */
	FD_ASIDE = 5,
};

/*
 * O_NOFOLLOW: the directory may belong to the recorder's user, who must not lead root's
 * open elsewhere. O_NONBLOCK: a FIFO in the file's place must not stop the master, and a
 * reader that sleeps must not stop the recorder.
 */
static int
open_file(const char *path, char mistake[LOGS_MISTAKE_MAX])
{
	int fd = open(path,
	              O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	              LOG_MODE);

	if (fd < 0) {
		(void)snprintf(
		    mistake, LOGS_MISTAKE_MAX,
		    "log %s cannot be opened: %s; create its directory and let only "
		    "the administrator write there",
		    path, strerror(errno));
	}
	return fd;
}

static int
open_transfers(const struct options_log *options, char mistake[LOGS_MISTAKE_MAX])
{
	if (options->transfers[0] == '\0') {
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	return open_file(options->transfers, mistake);
}

/* Returns: false when the log cannot be opened. */
static bool
open_events(const struct options_log *options, int *ret_fd,
            char mistake[LOGS_MISTAKE_MAX])
{
	if (strcmp(options->events, "journal") == 0) {
		*ret_fd = -1;
		/*
		 * A container has no journal; standard error is what its engine collects.
		 */
		if (access("/run/systemd/journal/socket", F_OK) == 0) {
			return true;
		}
	} else if (strcmp(options->events, "stderr") != 0) {
		*ret_fd = open_file(options->events, mistake);
		return *ret_fd >= 0;
	}
	*ret_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_ASIDE);
	if (*ret_fd < 0) {
		*ret_fd = open("/dev/null",
		               O_WRONLY | O_CLOEXEC); /* it was closed when we started */
	}
	return *ret_fd >= 0;
}

bool
logs_open(const struct options_log *options, struct logs *ret_logs,
          char mistake[LOGS_MISTAKE_MAX])
{
	struct logs logs;

	(void)snprintf(mistake, LOGS_MISTAKE_MAX, "descriptors have run out");
	logs.transfers_fd = open_transfers(options, mistake);
	if (logs.transfers_fd < 0) {
		return false;
	}
	if (!open_events(options, &logs.events_fd, mistake)) {
		fd_close(&logs.transfers_fd);
		return false;
	}
	*ret_logs = logs;
	return true;
}

void
logs_close(struct logs *logs)
{
	fd_close(&logs->transfers_fd);
	fd_close(&logs->events_fd);
}
