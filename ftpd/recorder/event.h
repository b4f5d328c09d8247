/*
 * event: one thing that is worth a line for the administrator, and the two forms in which
 * it is written.
 * Runs in: recorder. Input: texts from clients, hostile. Pure: no system call.
 * Source: SECURITY.md R15; systemd's "Native Journal Protocol" for the second form.
 * Not here: what is worth a line; see report.h.
 */
#ifndef FTPD_RECORDER_EVENT_H
#define FTPD_RECORDER_EVENT_H

#include "common/addr.h"
#include "common/text.h"
#include "ftpd/ipc/record.h"
#include "common/base.h"

enum {
	/*
	 * Time, level, session, address, user and a message with a path, every byte of
	 * them escaped.
	 */
	EVENT_MESSAGE_MAX = TEXT_ESCAPED_SIZE * (IPC_PATH_MAX + 256),
	/* The same and the path once more in a field of its own. */
	EVENT_FORM_MAX = 2 * EVENT_MESSAGE_MAX + 4096,
};

/*
 * Texts are not terminated; user, path: as received; message: escaped already. Absent
 * ones have length 0.
 */
struct event {
	int64_t when_s; /* UTC */
	enum record_level level;
	uint32_t session; /* 0: about none */
	struct addr peer; /* ADDR_NONE: unknown */
	const char *user;
	size_t user_len;
	const char *path;
	size_t path_len;
	const char *message;
	size_t message_len;
};

/*
 * Append one line, its line feed included:
 *   2026-11-23T10:00:00Z info session=12 peer=192.0.2.1 user=anonymous: text
 */
void event_add_line(struct text *text, const struct event *event);

/*
 * Append the event as a datagram for journald: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER,
 * SYSLOG_FACILITY, and where they are known FTP_SESSION, FTP_REMOTE, FTP_USER, FTP_PATH.
 * No value has a line feed, so none needs the binary form.
 */
void event_add_journal(struct text *text, const struct event *event);

#endif
