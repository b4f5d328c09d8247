/*
 * reply: reply codes by meaning, and how a reply is written.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/reply.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"

enum {
	LINE_END_BYTES = 2,
	IAC = 0xff,
};

/* A text being written; the two bytes of the line end are always kept free. */
struct text {
	char *buffer;
	size_t cap;
	size_t len;
};

static void
put(struct text *text, char byte)
{
	if (text->len + LINE_END_BYTES < text->cap) {
		text->buffer[text->len++] = byte;
	}
}

static void
put_clean(struct text *text, char byte)
{
	if (byte == '\r' || byte == '\n' || byte == '\0') {
		byte = '?';
	}
	if ((unsigned char)byte == IAC) {
		if (text->len + 1 + LINE_END_BYTES >= text->cap) {
			return; /* half an escape would swallow what follows */
		}
		put(text, byte);
	}
	put(text, byte);
}

static void
put_clean_bytes(struct text *text, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		put_clean(text, bytes[i]);
	}
}

static void
put_code(struct text *text, enum reply_code code, char separator)
{
	put(text, (char)('0' + (unsigned)code / 100));
	put(text, (char)('0' + (unsigned)code / 10 % 10));
	put(text, (char)('0' + (unsigned)code % 10));
	put(text, separator);
}

static size_t
end_line(struct text *text)
{
	text->buffer[text->len++] = '\r';
	text->buffer[text->len++] = '\n';
	return text->len;
}

size_t
reply_format(char *buffer, size_t cap, enum reply_code code, const char *format,
             va_list arguments)
{
	char raw[REPLY_MAX_BYTES];
	struct text text = {.buffer = buffer, .cap = cap};
	int len = vsnprintf(raw, sizeof(raw), format, arguments);
	size_t raw_len = len < 0 ? 0 : (size_t)len;

	put_code(&text, code, ' ');
	put_clean_bytes(&text, raw, raw_len < sizeof(raw) ? raw_len : sizeof(raw) - 1);
	return end_line(&text);
}

size_t
reply_format_line(char *buffer, size_t cap, enum reply_code code, bool is_first,
                  const char *bytes, size_t len)
{
	struct text text = {.buffer = buffer, .cap = cap};

	if (is_first) {
		put_code(&text, code, '-');
	} else {
		put(&text, ' ');
	}
	put_clean_bytes(&text, bytes, len);
	return end_line(&text);
}

size_t
reply_format_path(char *buffer, size_t cap, const char *path, size_t len, const char *sentence)
{
	struct text text = {.buffer = buffer, .cap = cap};

	put_code(&text, REPLY_PATH, ' ');
	put(&text, '"');
	for (size_t i = 0; i < len; i++) {
		if (path[i] == '"') {
			put(&text, '"');
		}
		put_clean(&text, path[i]);
	}
	put(&text, '"');
	put(&text, ' ');
	put_clean_bytes(&text, sentence, strlen(sentence));
	return end_line(&text);
}
