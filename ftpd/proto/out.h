/*
 * out: text put together piece by piece in a caller's buffer, never beyond its end.
 * Runs in: deftpd-worker, deftpd-agent.
 * Not here: printf's formats: a listing has a hundred thousand lines, and parsing the
 *           same format for each is most of its cost.
 */
#ifndef FTPD_PROTO_OUT_H
#define FTPD_PROTO_OUT_H

#include "common/base.h"

/* After a piece that did not fit, nothing more is written. */
struct out {
	char *bytes;
	size_t cap;
	size_t len;
	bool has_failed;
};

/*
 * Begin an empty text.
 * Returns: the text.
 */
struct out out_begin(char *bytes, size_t cap);

/* Write bytes, or a terminated text. */
void out_bytes(struct out *out, const char *bytes, size_t len);
void out_text(struct out *out, const char *text);

/* Write one byte. Here for the compiler's sake: lines are full of them. */
static inline void
out_char(struct out *out, char c)
{
	if (out->has_failed || out->len == out->cap) {
		out->has_failed = true;
		return;
	}
	out->bytes[out->len++] = c;
}

/* Write a number, with spaces before it if it has fewer than `width` digits. */
void out_number(struct out *out, uint64_t value, size_t width);

/* Write a number in base 8 or 16, with at least `width` digits. */
void out_number_base(struct out *out, uint64_t value, unsigned base, size_t width);

/* Write a text, with spaces behind it if it is shorter than `width`. */
void out_text_padded(struct out *out, const char *text, size_t width);

/*
 * End the text.
 * Returns: its length; 0 if any piece did not fit.
 */
size_t out_end(const struct out *out);

#endif
