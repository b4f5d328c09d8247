/*
 * text: building a line of text in a buffer of fixed size, and making foreign bytes
 * harmless in it.
 * Runs in: recorder, tests. Pure: no system call.
 * Source: SECURITY.md R15; RFC 3629 for what well-formed UTF-8 is.
 * Not here: the forms of lines; see ftpd/recorder.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/base.h"

/*
 * A text under construction in the caller's buffer, always terminated. What does not fit
 * is left out, and is_cut says so.
 */
struct text {
	char *bytes;
	size_t cap;
	size_t len;
	bool is_cut;
};

/* What is escaped besides what always is. */
enum text_escape {
	TEXT_ESCAPE_LINE = 0, /* nothing more: blanks and quotes stay */
	/* The quotation mark, for text between two of them. */
	TEXT_ESCAPE_QUOTED = 1,
	/*
	 * Blank, colon, equals sign and quotation mark: what comes out is one word of a
	 * line.
	 */
	TEXT_ESCAPE_WORD = 2,
	/* A blank becomes an underscore, as in transfer logs; nothing else changes. */
	TEXT_ESCAPE_UNDERSCORE = 4,
};

enum {
	/* Each byte may become \xNN. */
	TEXT_ESCAPED_SIZE = 4,
};

/* Begin an empty text. In: cap: size of the buffer, at least 1. */
void text_init(struct text *text, char *bytes, size_t cap);

/* Append bytes as they are. */
void text_add_bytes(struct text *text, const char *bytes, size_t len);

/* Append as printf does. */
void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Append foreign bytes so that the result is printable, well-formed UTF-8 on one line. A
 * byte becomes \xNN when it is a control character, a backslash, or not part of
 * well-formed UTF-8; so does each byte of a C1 control, a line or paragraph separator, a
 * byte order mark or a mark that turns the direction of writing. So no two different
 * inputs look alike, unless TEXT_ESCAPE_UNDERSCORE is asked for. An escape is never cut
 * in two.
 * In:      escape: bits of enum text_escape.
 */
void text_add_escaped(struct text *text, const char *bytes, size_t len, unsigned escape);

#endif
