/*
 * xferlog: one line of the transfer log, as wu-ftpd had it and most evaluating programs
 * read it.
 * Runs in: recorder. Input: paths and names from clients, hostile. Pure: no system call.
 * Source: xferlog(5) of wu-ftpd and ProFTPD. Fields are separated by blanks; evaluating
 * programs count them from both ends.
 * Not here: which transfers get a line; see report.h.
 */
#ifndef FTPD_RECORDER_XFERLOG_H
#define FTPD_RECORDER_XFERLOG_H

#include <time.h>

#include "common/addr.h"
#include "common/text.h"
#include "ftpd/ipc/record.h"
#include "common/base.h"

enum {
	XFERLOG_LINE_MAX = TEXT_ESCAPED_SIZE * (IPC_PATH_MAX + RECORD_USER_MAX) + 256,
};

/* Texts are not terminated. */
struct xferlog_entry {
	/* the end of the transfer, in the machine's time zone, as xferlog(5) has it */
	struct tm when;
	uint64_t duration_us;
	struct addr peer;
	uint64_t size_bytes;
	const char *path; /* as the client knows it, absolute */
	size_t path_len;
	unsigned flags;   /* enum record_flag */
	const char *user; /* for an anonymous client what it gave as its password */
	size_t user_len;
};

/*
 * Append one line, its line feed included:
 *   Mon Nov 23 10:00:00 2026 1 192.0.2.1 12345 /pub/a_name b _ o a user@example.com ftp 0
 *   * c
 * A blank in the path becomes an underscore, as the other servers write it: a blank would
 * shift the fields for every evaluating program. Other bytes are escaped as
 * text_add_escaped() does. The duration is in whole seconds, at least 1, since those
 * programs divide by it. An empty field is "?".
 */
void xferlog_add_line(struct text *text, const struct xferlog_entry *entry);

#endif
