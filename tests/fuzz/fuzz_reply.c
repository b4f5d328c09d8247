/*
 * fuzz_reply: any text in a reply, any size of the buffer.
 * Wanted:  exactly one line that ends in CRLF, without control characters, with byte 255
 *          always doubled; a strict reader gets the text back but for what the rule
 *          replaces; a quoted path comes back whole.
 */
#include "ftpd/proto/reply.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "common/base.h"

/*
 * Compare a line, without what stands before the text, with the text that it was made of.
 */
static void
check_text(const char *line, size_t len, const char *text, size_t text_len, bool is_whole)
{
	size_t at = 0;
	size_t i = 0;

	fuzz_require(len >= 2 && line[len - 2] == '\r' && line[len - 1] == '\n');
	len -= 2;
	for (; at < len; i++, at++) {
		unsigned char byte = (unsigned char)line[at];
		unsigned char wanted;

		fuzz_require(i < text_len);
		wanted = (unsigned char)text[i];
		wanted = wanted < 32 || wanted == 127 ? '?' : wanted;
		fuzz_require(byte == wanted && byte >= 32 && byte != 127);
		if (byte == 255) {
			at++;
			fuzz_require(at < len && (unsigned char)line[at] == 255);
		}
	}
	fuzz_require(!is_whole || i == text_len);
}

static void
check_quoted(const char *path, size_t path_len)
{
	char *quoted = malloc(2 * path_len + 2);
	size_t len;
	size_t i = 0;

	fuzz_require(quoted != NULL);
	len = reply_quote(quoted, 2 * path_len + 2, path, path_len);
	fuzz_require(len >= 2 && quoted[0] == '"' && quoted[len - 1] == '"');
	for (size_t at = 1; at < len - 1; at++, i++) {
		if (quoted[at] == '"') {
			at++;
			fuzz_require(at < len - 1 && quoted[at] == '"');
		}
		fuzz_require(i < path_len && quoted[at] == path[i]);
	}
	fuzz_require(i == path_len);
	free(quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.data = data, .size = size};
	size_t cap = 8 + (size_t)fuzz_take_byte(&input) * 4;
	const char *text = input.size > 0 ? (const char *)input.data : "";
	bool is_whole = 2 * input.size + 6 <= cap;
	char *line = malloc(cap);
	size_t len;

	fuzz_require(line != NULL);
	len = reply_format(line, cap, REPLY_PATH, text, input.size);
	fuzz_require(len <= cap && memcmp(line, "257 ", 4) == 0);
	check_text(line + 4, len - 4, text, input.size, is_whole);

	len = reply_format_first(line, cap, REPLY_STATUS, text, input.size);
	fuzz_require(len <= cap && memcmp(line, "211-", 4) == 0);
	check_text(line + 4, len - 4, text, input.size, is_whole);

	len = reply_format_middle(line, cap, text, input.size);
	fuzz_require(len <= cap && line[0] == ' ');
	check_text(line + 1, len - 1, text, input.size, is_whole);

	fuzz_require(reply_quote(line, cap, text, input.size) <= cap);
	check_quoted(text, input.size);
	free(line);
	return 0;
}
