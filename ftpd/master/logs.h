/*
 * logs: opens the log files for the recorder, which may open nothing.
 * Runs in: master.
 * Source: log in deftpd.conf(5).
 * Not here: writing; see ftpd/recorder.
 */
#ifndef FTPD_MASTER_LOGS_H
#define FTPD_MASTER_LOGS_H

#include "ftpd/conf/options.h"
#include "common/base.h"

enum {
	LOGS_MISTAKE_MAX = OPTIONS_TEXT_MAX + 128,
};

/*
 * Open logs. A log that is not to be written is /dev/null; only the journal has no
 * descriptor.
 */
struct logs {
	int transfers_fd;
	int events_fd; /* -1: the journal */
};

/*
 * Open both logs for appending.
 * Out:     mistake: when false, what is wrong and the remedy.
 * Returns: true and *ret_logs, the caller's to close or to pass on; false and nothing is
 *          open.
 */
bool logs_open(const struct options_log *options, struct logs *ret_logs,
               char mistake[LOGS_MISTAKE_MAX]);

/* Close both; harmless when they are closed. */
void logs_close(struct logs *logs);

#endif
