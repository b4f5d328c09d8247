/*
 * mff: facts that a client sets: the argument of MFF, and the answer to it.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/proto/mff.h"

#include <string.h>

#include "ftpd/proto/datetime.h"
#include "ftpd/proto/letters.h"
#include "ftpd/proto/out.h"
#include "common/base.h"

enum {
	MODE_DIGITS_MAX = 4,
};

bool
mff_parse_mode(const char *text, size_t len, uint32_t *ret_mode)
{
	uint32_t mode = 0;

	if (len == 0 || len > MODE_DIGITS_MAX) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '7') {
			return false;
		}
		mode = mode * 8 + (uint32_t)(text[i] - '0');
	}
	if (mode > MFF_MODE_MAX) {
		return false;
	}
	*ret_mode = mode;
	return true;
}

/* One fact, without its semicolon. */
static enum arg_result
parse_fact(const char *text, size_t len, struct mff *mff)
{
	const char *equals = len > 0 ? memchr(text, '=', len) : NULL;
	size_t name_len = equals != NULL ? (size_t)(equals - text) : 0;
	const char *value = text + name_len + 1;
	size_t value_len = len - name_len - 1;

	if (name_len == 0) {
		return ARG_SYNTAX;
	}
	if (letters_same(text, name_len, "Modify")) {
		if (mff->has_time || !datetime_parse(value, value_len, &mff->time_s)) {
			return ARG_SYNTAX;
		}
		mff->has_time = true;
		return ARG_OK;
	}
	if (letters_same(text, name_len, "UNIX.mode")) {
		if (mff->has_mode || !mff_parse_mode(value, value_len, &mff->mode)) {
			return ARG_SYNTAX;
		}
		mff->has_mode = true;
		return ARG_OK;
	}
	return ARG_UNSUPPORTED;
}

enum arg_result
mff_parse(const char *text, size_t len, struct mff *ret_mff, const char **ret_path,
          size_t *ret_path_len)
{
	const char *space = len > 0 ? memchr(text, ' ', len) : NULL;
	size_t facts_len = space != NULL ? (size_t)(space - text) : 0;
	size_t path_len = space != NULL ? len - facts_len - 1 : 0;
	struct mff mff = {.has_time = false};

	if (facts_len == 0 || path_len == 0 || text[facts_len - 1] != ';') {
		return ARG_SYNTAX;
	}
	for (size_t at = 0; at < facts_len;) {
		const char *end = memchr(text + at, ';', facts_len - at);
		size_t fact_len = (size_t)(end - (text + at));
		enum arg_result result = parse_fact(text + at, fact_len, &mff);

		if (result != ARG_OK) {
			return result;
		}
		at += fact_len + 1;
	}
	*ret_mff = mff;
	*ret_path = space + 1;
	*ret_path_len = path_len;
	return ARG_OK;
}

size_t
mff_format(const struct mff *mff, char *out, size_t cap)
{
	struct out text = out_begin(out, cap);
	char time[DATETIME_TEXT_BYTES];

	if (mff->has_time) {
		datetime_format(mff->time_s, time);
		out_text(&text, "Modify=");
		out_bytes(&text, time, sizeof(time));
		out_char(&text, ';');
	}
	if (mff->has_mode) {
		out_text(&text, "UNIX.mode=");
		out_number_base(&text, mff->mode, 8, MODE_DIGITS_MAX);
		out_char(&text, ';');
	}
	return out_end(&text);
}
