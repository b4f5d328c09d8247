/*
 * line: puts the bytes of a control connection together into command lines.
 * Runs in: deftpd-worker (unprivileged). Input: hostile.
 */
#include "ftpd/proto/line.h"

#include <string.h>

#include "common/base.h"

enum {
	TELNET_COMMAND_FIRST = 236, /* EOF, the lowest command there is (RFC 1184) */
	TELNET_SE = 240,
	TELNET_SB = 250,
	TELNET_WILL = 251, /* WONT, DO and DONT follow */
	TELNET_DONT = 254,
	TELNET_IAC = 255,
};

enum telnet_state {
	TELNET_IN_DATA,
	TELNET_IN_COMMAND, /* after IAC */
	TELNET_IN_OPTION,  /* after IAC WILL and the like */
	TELNET_IN_SUBNEGOTIATION,
	TELNET_IN_SUBNEGOTIATION_IAC, /* after IAC inside of one */
};

/* Store one byte of data, which is not a line's end. */
static void
put(struct line *line, char *text, uint8_t byte)
{
	/* The CR before was not the first half of a line's end. */
	if (line->has_cr || byte == '\0') {
		line->is_bad = true;
	}
	line->has_cr = byte == '\r';
	if (line->has_cr) {
		return;
	}
	if (line->len == LINE_MAX_BYTES) {
		line->is_too_long = true;
		return;
	}
	text[line->len++] = (char)byte;
}

/*
 * A byte after IAC. Returns: true if it was a Telnet command or belongs to one, false if
 * it is data as well as ended.
 */
static bool
take_command(struct line *line, char *text, uint8_t byte)
{
	line->telnet = TELNET_IN_DATA;
	if (byte == TELNET_IAC) {
		put(line, text, TELNET_IAC);
		return true;
	}
	if (byte < TELNET_COMMAND_FIRST) {
		put(line, text, TELNET_IAC);
		return false;
	}
	if (byte == TELNET_SB) {
		line->telnet = TELNET_IN_SUBNEGOTIATION;
		line->subnegotiation_len = 0;
	} else if (byte >= TELNET_WILL && byte <= TELNET_DONT) {
		line->telnet = TELNET_IN_OPTION;
	}
	return true;
}

static void
take_subnegotiation(struct line *line, uint8_t byte)
{
	if (line->telnet == TELNET_IN_SUBNEGOTIATION_IAC && byte == TELNET_SE) {
		line->telnet = TELNET_IN_DATA;
		return;
	}
	if (line->telnet == TELNET_IN_SUBNEGOTIATION && byte == TELNET_IAC) {
		line->telnet = TELNET_IN_SUBNEGOTIATION_IAC;
	} else {
		line->telnet = TELNET_IN_SUBNEGOTIATION;
	}
	if (++line->subnegotiation_len > LINE_SUBNEGOTIATION_MAX) {
		line->telnet = TELNET_IN_DATA;
		line->is_bad = true;
	}
}

/* Returns: true if the byte was Telnet's, false if it is data. */
static bool
take_telnet(struct line *line, char *text, uint8_t byte)
{
	switch ((enum telnet_state)line->telnet) {
	case TELNET_IN_DATA:
		if (byte != TELNET_IAC) {
			return false;
		}
		line->telnet = TELNET_IN_COMMAND;
		return true;
	case TELNET_IN_COMMAND: return take_command(line, text, byte);
	case TELNET_IN_OPTION: line->telnet = TELNET_IN_DATA; return true;
	case TELNET_IN_SUBNEGOTIATION:
	case TELNET_IN_SUBNEGOTIATION_IAC: take_subnegotiation(line, byte); return true;
	}
	return false;
}

enum line_result
line_feed(struct line *line, char *text, const uint8_t *in, size_t in_len,
          size_t *ret_used)
{
	*ret_used = in_len;
	for (size_t i = 0; i < in_len; i++) {
		if (line->is_ended) {
			memset(line, 0, sizeof(*line));
		}
		if (take_telnet(line, text, in[i])) {
			continue;
		}
		if (in[i] != '\n') {
			put(line, text, in[i]);
			continue;
		}
		*ret_used = i + 1;
		line->is_ended = true;
		if (line->is_too_long) {
			return LINE_TOO_LONG;
		}
		return line->is_bad ? LINE_BAD : LINE_READY;
	}
	return LINE_MORE;
}

bool
line_is_empty(const struct line *line)
{
	return line->is_ended || (line->len == 0 && line->telnet == TELNET_IN_DATA &&
	                          !line->has_cr && !line->is_too_long && !line->is_bad);
}
