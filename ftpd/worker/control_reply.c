/*
 * control_reply: replies of one line, written as printf(3) does, and of several; see
 * control.h.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.2.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ftpd/proto/reply.h"
#include "ftpd/worker/control.h"
#include "common/base.h"

enum {
	SHORT_REPLY = 512, /* as nearly all are */
	LONG_REPLY = 5 * 1024,
};

/* Apart, so that only a long reply touches, and keeps, so much of the stack. */
static __attribute__((noinline, format(printf, 3, 0))) void
reply_at_length(struct session *session, enum reply_code code, const char *format,
                va_list arguments)
{
	char text[REPLY_LINE_MAX] = "";
	char line[REPLY_LINE_MAX];

	(void)vsnprintf(text, sizeof(text), format, arguments); /* or cut off */
	control_send(session, line,
	             reply_format(line, sizeof(line), code, text, strlen(text)));
}

void
control_reply(struct session *session, enum reply_code code, const char *format, ...)
{
	char text[SHORT_REPLY];
	char line[2 * SHORT_REPLY + 16]; /* each byte may have to be doubled */
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	va_start(arguments, format);
	if (len < 0 || len >= (int)sizeof(text)) {
		reply_at_length(session, code, format, arguments);
	} else {
		control_send(session, line,
		             reply_format(line, sizeof(line), code, text, (size_t)len));
	}
	va_end(arguments);
}

void
control_reply_lines(struct session *session, enum reply_code code, const char *text,
                    size_t len, const char *last)
{
	char lines[LONG_REPLY];
	size_t at = 0;

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end != NULL ? (size_t)(end - text) : len;
		size_t used = end != NULL ? line_len + 1 : line_len;

		/* room for this line, and for the last one */
		if (2 * line_len + 256 > sizeof(lines) - at) {
			break;
		}
		at += at == 0 ? reply_format_first(lines, sizeof(lines) - at, code, text,
		                                   line_len)
		              : reply_format_middle(lines + at, sizeof(lines) - at, text,
		                                    line_len);
		text += used;
		len -= used;
	}
	at += reply_format(lines + at, sizeof(lines) - at, code, last, strlen(last));
	control_send(session, lines, at);
}
