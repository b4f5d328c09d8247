/*
 * line: assembles command lines out of what the control connection brings, whatever the pieces.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/line.h"

#include "common/base.h"

enum {
	IAC = 0xff,
	WILL = 0xfb, /* 0xfb to 0xfe: WILL, WONT, DO, DONT, each with an option byte */
	DONT = 0xfe,
};

enum telnet {
	TELNET_NONE,
	TELNET_COMMAND, /* after IAC */
	TELNET_OPTION,  /* after IAC WILL and its like */
};

static void
add(struct line *line, char *text, uint8_t byte)
{
	if (line->has_cr) {
		line->is_bad = true; /* the CR before was not followed by LF */
		line->has_cr = false;
	}
	if (byte == '\r') {
		line->has_cr = true;
		return;
	}
	if (byte == '\0') {
		line->is_bad = true;
	}
	if (line->len >= LINE_MAX_BYTES) {
		line->is_too_long = true;
		return;
	}
	text[line->len++] = (char)byte;
}

/* Returns: true if the byte belongs to a Telnet sequence and is not text. */
static bool
take_telnet(struct line *line, uint8_t byte)
{
	switch ((enum telnet)line->telnet) {
	case TELNET_NONE:
		line->telnet = byte == IAC ? TELNET_COMMAND : TELNET_NONE;
		return byte == IAC;
	case TELNET_COMMAND:
		line->telnet = byte >= WILL && byte <= DONT ? TELNET_OPTION : TELNET_NONE;
		return byte != IAC;
	case TELNET_OPTION:
		line->telnet = TELNET_NONE;
		return true;
	}
	return false;
}

static enum line_result
end(struct line *line)
{
	line->is_ready = true;
	line->has_cr = false;
	if (line->is_too_long) {
		return LINE_TOO_LONG;
	}
	return line->is_bad ? LINE_BAD : LINE_READY;
}

enum line_result
line_feed(struct line *line, char *text, const uint8_t *in, size_t in_len, size_t *ret_used)
{
	if (line->is_ready) {
		*line = (struct line){0};
	}
	for (size_t i = 0; i < in_len; i++) {
		if (take_telnet(line, in[i])) {
			continue;
		}
		if (in[i] == '\n') {
			*ret_used = i + 1;
			return end(line);
		}
		add(line, text, in[i]);
	}
	*ret_used = in_len;
	return LINE_MORE;
}

bool
line_is_empty(const struct line *line)
{
	return line->is_ready || (line->len == 0 && line->telnet == TELNET_NONE &&
	                          !line->has_cr && !line->is_bad && !line->is_too_long);
}
