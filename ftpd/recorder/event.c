/*
 * event: one thing that is worth a line for the administrator, and the two forms in which
 * it is written.
 * Runs in: recorder.
 */
#include "ftpd/recorder/event.h"

#include <syslog.h>
#include <time.h>

#include "common/base.h"

static const char *const level_names[RECORD_LEVEL_COUNT] = {
    [RECORD_ERROR] = "error",
    [RECORD_WARNING] = "warning",
    [RECORD_INFO] = "info",
    [RECORD_DEBUG] = "debug",
};

static const int level_priorities[RECORD_LEVEL_COUNT] = {
    [RECORD_ERROR] = LOG_ERR,
    [RECORD_WARNING] = LOG_WARNING,
    [RECORD_INFO] = LOG_INFO,
    [RECORD_DEBUG] = LOG_DEBUG,
};

static void
add_time(struct text *text, int64_t when_s)
{
	time_t when = (time_t)when_s;
	struct tm utc = {0};

	/* fails only for years beyond int, which then read as 1900 */
	(void)gmtime_r(&when, &utc);
	text_add(text, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900,
	         utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void
event_add_line(struct text *text, const struct event *event)
{
	char peer[ADDR_TEXT_MAX];

	add_time(text, event->when_s);
	text_add(text, " %s", level_names[event->level]);
	if (event->session != 0) {
		text_add(text, " session=%u", event->session);
	}
	if (event->peer.family != ADDR_NONE) {
		(void)addr_format(&event->peer, peer); /* always terminated */
		text_add(text, " peer=%s", peer);
	}
	if (event->user_len > 0) {
		text_add(text, " user=");
		text_add_escaped(text, event->user, event->user_len, TEXT_ESCAPE_WORD);
	}
	text_add(text, ": ");
	text_add_bytes(text, event->message, event->message_len);
	text_add(text, "\n");
}

void
event_add_journal(struct text *text, const struct event *event)
{
	char peer[ADDR_TEXT_MAX];

	text_add(text, "MESSAGE=");
	text_add_bytes(text, event->message, event->message_len);
	text_add(text, "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=deftpd\nSYSLOG_FACILITY=%d\n",
	         level_priorities[event->level], LOG_FAC(LOG_FTP));
	if (event->session != 0) {
		text_add(text, "FTP_SESSION=%u\n", event->session);
	}
	if (event->peer.family != ADDR_NONE) {
		(void)addr_format(&event->peer, peer); /* always terminated */
		text_add(text, "FTP_REMOTE=%s\n", peer);
	}
	if (event->user_len > 0) {
		text_add(text, "FTP_USER=");
		text_add_escaped(text, event->user, event->user_len, TEXT_ESCAPE_LINE);
		text_add(text, "\n");
	}
	if (event->path_len > 0) {
		text_add(text, "FTP_PATH=");
		text_add_escaped(text, event->path, event->path_len, TEXT_ESCAPE_LINE);
		text_add(text, "\n");
	}
}
