/*
 * reply: reply codes by meaning, and lines into which no client can write a line end.
 * Runs in: deftpd-worker.
 */
#include "ftpd/proto/reply.h"

#include "common/base.h"

enum {
	TELNET_IAC = 255,
	DELETE = 127,
};

/*
 * Write a text with odd bytes replaced, as far as it fits in front of the line's end, and
 * that end.
 */
static size_t
put_line(char *out, size_t at, size_t cap, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		size_t need = byte == TELNET_IAC ? 2 : 1;

		if (need + 2 > cap - at) {
			break;
		}
		if (byte == TELNET_IAC) {
			out[at++] = text[i];
		}
		out[at++] = byte < ' ' || byte == DELETE ? '?' : text[i];
	}
	out[at++] = '\r';
	out[at++] = '\n';
	return at;
}

static size_t
put_code(char *out, enum reply_code code, char separator)
{
	out[0] = (char)('0' + (unsigned)code / 100 % 10);
	out[1] = (char)('0' + (unsigned)code / 10 % 10);
	out[2] = (char)('0' + (unsigned)code % 10);
	out[3] = separator;
	return 4;
}

size_t
reply_format(char *out, size_t cap, enum reply_code code, const char *text, size_t len)
{
	return put_line(out, put_code(out, code, ' '), cap, text, len);
}

size_t
reply_format_first(char *out, size_t cap, enum reply_code code, const char *text,
                   size_t len)
{
	return put_line(out, put_code(out, code, '-'), cap, text, len);
}

size_t
reply_format_middle(char *out, size_t cap, const char *text, size_t len)
{
	out[0] = ' ';
	return put_line(out, 1, cap, text, len);
}

size_t
reply_quote(char *out, size_t cap, const char *path, size_t len)
{
	size_t at = 0;

	if (cap < 2) {
		return 0;
	}
	out[at++] = '"';
	for (size_t i = 0; i < len; i++) {
		size_t need = path[i] == '"' ? 2 : 1;

		if (need + 1 > cap - at) {
			break;
		}
		if (path[i] == '"') {
			out[at++] = '"';
		}
		out[at++] = path[i];
	}
	out[at++] = '"';
	return at;
}
