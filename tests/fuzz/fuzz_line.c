/*
 * fuzz_line: any bytes on a control connection, in any pieces.
 * Wanted:  the same lines as a slow reference reads from all bytes at once, however they
 *          are cut; never a byte taken beyond a line's end; a copy of the state fed first
 *          (as over MSG_PEEK) changes nothing.
 */
#include "ftpd/proto/line.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "common/base.h"

/* A line as the reference reads it. text is as long as all input. */
struct wanted {
	char *text;
	size_t len;
	enum line_result result;
	size_t used;
};

/*
 * What a Telnet command takes of the bytes behind IAC, by looking at all of them.
 * Returns: number of bytes; 0 if the command is not complete. *ret_is_bad: a
 *          subnegotiation that is too long.
 */
static size_t
telnet_len(const uint8_t *in, size_t len, bool *ret_is_bad)
{
	if (len == 0) {
		return 0;
	}
	if (in[0] >= 251 && in[0] <= 254) {
		return len >= 2 ? 2 : 0;
	}
	if (in[0] != 250) {
		return 1;
	}
	for (size_t i = 1; i < len; i++) {
		if (in[i] == 255 && i + 1 < len && in[i + 1] == 240 &&
		    i <= LINE_SUBNEGOTIATION_MAX) {
			return i + 2;
		}
		if (i > LINE_SUBNEGOTIATION_MAX) {
			*ret_is_bad = true;
			return i + 1;
		}
		/* IAC and what follows it are a pair. */
		if (in[i] == 255) {
			i++;
			if (i > LINE_SUBNEGOTIATION_MAX && i < len) {
				*ret_is_bad = true;
				return i + 1;
			}
		}
	}
	return 0;
}

/*
 * The reference. Returns: the first line of the bytes; LINE_MORE with used == len if
 * there is none.
 */
static struct wanted
read_slowly(const uint8_t *in, size_t len, char *text)
{
	struct wanted wanted = {.text = text, .result = LINE_READY};
	bool is_bad = false;
	size_t at = 0;

	while (at < len && in[at] != '\n') {
		bool is_command = in[at] == 255 && (at + 1 == len || in[at + 1] >= 236);

		if (is_command && at + 1 < len && in[at + 1] == 255) {
			wanted.text[wanted.len++] = (char)255;
			at += 2;
		} else if (is_command) {
			size_t taken = telnet_len(in + at + 1, len - at - 1, &is_bad);

			if (taken == 0) {
				at = len;
				break;
			}
			at += 1 + taken;
		} else {
			wanted.text[wanted.len++] = (char)in[at++];
		}
	}
	if (at == len) {
		wanted.result = LINE_MORE;
		wanted.used = len;
		return wanted;
	}
	wanted.used = at + 1;
	if (wanted.len > 0 && wanted.text[wanted.len - 1] == '\r') {
		wanted.len--;
	}
	/* CR is not stored and so not counted. */
	for (size_t i = 0; i < wanted.len; i++) {
		is_bad = is_bad || wanted.text[i] == '\0' || wanted.text[i] == '\r';
	}
	wanted.result = is_bad ? LINE_BAD : LINE_READY;
	return wanted;
}

static size_t
count_stored(const struct wanted *wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < wanted->len; i++) {
		count += wanted->text[i] != '\r' ? 1 : 0;
	}
	return count;
}

/* Feed one line in pieces. Returns: the result; *ret_used: bytes taken in all. */
static enum line_result
feed(struct line *line, char *text, const uint8_t *in, size_t len, uint8_t *pieces,
     size_t *ret_used)
{
	size_t total = 0;

	while (total < len) {
		size_t piece = 1 + *pieces % 7;
		size_t used;
		enum line_result result;

		*pieces = (uint8_t)(*pieces * 5 + 1);
		piece = piece > len - total ? len - total : piece;
		result = line_feed(line, text, in + total, piece, &used);
		fuzz_require(used <= piece);
		total += used;
		if (result != LINE_MORE) {
			fuzz_require(in[total - 1] == '\n');
			*ret_used = total;
			return result;
		}
		fuzz_require(used == piece);
	}
	*ret_used = total;
	return LINE_MORE;
}

static void
check_line(struct line *line, char *text, const struct wanted *wanted,
           enum line_result result)
{
	if (wanted->result != LINE_MORE && count_stored(wanted) > LINE_MAX_BYTES) {
		fuzz_require(result == LINE_TOO_LONG);
		return;
	}
	fuzz_require(result == wanted->result);
	if (result == LINE_READY) {
		fuzz_require(line->len == wanted->len);
		fuzz_require(memcmp(text, wanted->text, line->len) == 0);
	}
	fuzz_require(result == LINE_MORE || line_is_empty(line));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line line = {0};
	char *text = malloc(LINE_MAX_BYTES);
	char *peeked = malloc(LINE_MAX_BYTES);
	char *slow = malloc(size + 1);
	uint8_t pieces = 0;
	size_t at = 1;

	fuzz_require(text != NULL && peeked != NULL && slow != NULL);
	pieces = size > 0 ? data[0] : 0;
	while (at < size) {
		struct wanted wanted = read_slowly(data + at, size - at, slow);
		struct line copy = line;
		size_t peek_used;
		size_t used;
		enum line_result peek =
		    line_feed(&copy, peeked, data + at, size - at, &peek_used);
		enum line_result result =
		    feed(&line, text, data + at, size - at, &pieces, &used);

		check_line(&line, text, &wanted, result);
		fuzz_require(used == wanted.used && used == peek_used && result == peek);
		fuzz_require(memcmp(&copy, &line, sizeof(line)) == 0);
		fuzz_require(result != LINE_READY || memcmp(text, peeked, line.len) == 0);
		at += used;
	}
	free(text);
	free(peeked);
	free(slow);
	return 0;
}
