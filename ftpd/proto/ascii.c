/*
 * ascii: line ends of TYPE A, on their way out and in.
 * Runs in: deftpd-worker, deftpd-agent.
 */
#include "ftpd/proto/ascii.h"

#include <string.h>

#include "common/base.h"

/*
 * Returns: the length of the piece of in before the first LF that needs a CR; len if
 *          there is none.
 */
static size_t
find_bare_lf(const struct ascii *ascii, const uint8_t *in, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const uint8_t *lf = memchr(in + at, '\n', len - at);
		bool has_cr;

		if (lf == NULL) {
			return len;
		}
		at = (size_t)(lf - in);
		has_cr = at > 0 ? in[at - 1] == '\r' : ascii->has_cr;
		if (!has_cr) {
			return at;
		}
		at++;
	}
	return len;
}

/* The piece is done: remember how it ended. */
static void
note_end(struct ascii *ascii, const uint8_t *in, size_t len)
{
	if (len > 0) {
		ascii->has_cr = in[len - 1] == '\r';
	}
}

size_t
ascii_convert(struct ascii *ascii, const uint8_t *in, size_t len, char *out)
{
	size_t out_len = 0;

	while (len > 0) {
		size_t piece = find_bare_lf(ascii, in, len);

		memcpy(out + out_len, in, piece);
		out_len += piece;
		note_end(ascii, in, piece);
		if (piece == len) {
			break;
		}
		out[out_len++] = '\r';
		out[out_len++] = '\n';
		ascii->has_cr = false;
		in += piece + 1;
		len -= piece + 1;
	}
	return out_len;
}

size_t
ascii_count(struct ascii *ascii, const uint8_t *in, size_t len)
{
	size_t count = len;

	while (len > 0) {
		size_t piece = find_bare_lf(ascii, in, len);

		note_end(ascii, in, piece);
		if (piece == len) {
			break;
		}
		count++;
		ascii->has_cr = false;
		in += piece + 1;
		len -= piece + 1;
	}
	return count;
}

size_t
ascii_skip(uint64_t *skip, size_t len)
{
	size_t left_out = *skip < len ? (size_t)*skip : len;

	*skip -= left_out;
	return left_out;
}

size_t
ascii_restore(struct ascii *ascii, const uint8_t *in, size_t len, char *out)
{
	size_t out_len = 0;

	if (len > 0 && ascii->has_cr) {
		ascii->has_cr = false;
		if (in[0] != '\n') {
			out[out_len++] = '\r';
		}
	}
	while (len > 0) {
		const uint8_t *cr = memchr(in, '\r', len);
		size_t piece = cr != NULL ? (size_t)(cr - in) : len;

		memmove(out + out_len, in, piece);
		out_len += piece;
		if (cr == NULL) {
			break;
		}
		if (piece + 1 == len) {
			ascii->has_cr = true;
			break;
		}
		if (cr[1] != '\n') {
			out[out_len++] = '\r';
		}
		in += piece + 1;
		len -= piece + 1;
	}
	return out_len;
}

bool
ascii_restore_end(struct ascii *ascii)
{
	bool has_cr = ascii->has_cr;

	ascii->has_cr = false;
	return has_cr;
}
