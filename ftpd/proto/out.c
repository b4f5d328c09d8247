/*
 * out: text put together piece by piece in a caller's buffer, never beyond its end.
 * Runs in: deftpd-worker, deftpd-agent.
 */
#include "ftpd/proto/out.h"

#include <string.h>

#include "common/base.h"

enum {
	NUMBER_DIGITS_MAX = 22, /* 2^64-1 in base 8 */
};

struct out
out_begin(char *bytes, size_t cap)
{
	struct out out = {.bytes = bytes, .cap = cap};

	return out;
}

void
out_bytes(struct out *out, const char *bytes, size_t len)
{
	if (out->has_failed || len > out->cap - out->len) {
		out->has_failed = true;
		return;
	}
	if (len > 0) {
		memcpy(out->bytes + out->len, bytes, len);
		out->len += len;
	}
}

void
out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

/* Write the digits, which end the array, with what fills the width before them. */
static void
put_digits(struct out *out, const char digits[NUMBER_DIGITS_MAX], size_t at, size_t width,
           char pad)
{
	for (size_t i = NUMBER_DIGITS_MAX - at; i < width; i++) {
		out_char(out, pad);
	}
	out_bytes(out, digits + at, NUMBER_DIGITS_MAX - at);
}

void
out_number(struct out *out, uint64_t value, size_t width)
{
	char digits[NUMBER_DIGITS_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	put_digits(out, digits, at, width, ' ');
}

void
out_number_base(struct out *out, uint64_t value, unsigned base, size_t width)
{
	char digits[NUMBER_DIGITS_MAX];
	unsigned bits = base == 16 ? 4 : 3;
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value & ((1U << bits) - 1)];
		value >>= bits;
	} while (value > 0);
	put_digits(out, digits, at, width, '0');
}

void
out_text_padded(struct out *out, const char *text, size_t width)
{
	size_t len = strlen(text);

	out_bytes(out, text, len);
	for (; len < width; len++) {
		out_char(out, ' ');
	}
}

size_t
out_end(const struct out *out)
{
	return out->has_failed ? 0 : out->len;
}
