/*
 * wildcard: matches a name against a pattern, in bounded time.
 * Runs in: deftpd-agent. Input: hostile.
 */
#include "ftpd/proto/wildcard.h"

#include "common/base.h"

/* A pattern being walked. */
struct walk {
	const char *pattern;
	size_t len;
	size_t at;
	/*
	 * From here on no "[" has an end. One search that finds none tells for all later
	 * ones, so it is made once.
	 */
	size_t literal_from;
	uint64_t steps;
};

/* Take one byte of a bracket expression, which a "\" may precede. at < len. */
static unsigned char
bracket_byte(struct walk *walk, size_t *at)
{
	if (walk->pattern[*at] == '\\' && *at + 1 < walk->len) {
		++*at;
		walk->steps++;
	}
	walk->steps++;
	return (unsigned char)walk->pattern[(*at)++];
}

/*
 * Compare a byte with the bracket expression at walk->at.
 * Returns: true if the expression has an end, and then *ret_end behind it and
 *          *ret_is_match.
 */
static bool
match_bracket(struct walk *walk, unsigned char byte, size_t *ret_end, bool *ret_is_match)
{
	size_t at = walk->at + 1;
	bool is_negated =
	    at < walk->len && (walk->pattern[at] == '!' || walk->pattern[at] == '^');
	bool is_match = false;
	bool is_first = true;

	at += is_negated ? 1 : 0;
	for (; at < walk->len; is_first = false) {
		unsigned char low;
		unsigned char high;

		if (walk->pattern[at] == ']' && !is_first) {
			*ret_end = at + 1;
			*ret_is_match = is_match != is_negated;
			return true;
		}
		low = bracket_byte(walk, &at);
		high = low;
		if (at + 1 < walk->len && walk->pattern[at] == '-' &&
		    walk->pattern[at + 1] != ']') {
			at++;
			high = bracket_byte(walk, &at);
		}
		is_match = is_match || (low <= byte && byte <= high);
	}
	return false;
}

/*
 * Compare a byte with the element at walk->at, not a star, and go on to the next if they
 * match.
 */
static bool
match_element(struct walk *walk, unsigned char byte)
{
	char c = walk->pattern[walk->at];
	size_t end = walk->at + 1;
	bool is_match;

	walk->steps++;
	if (c == '[' && walk->at < walk->literal_from) {
		if (match_bracket(walk, byte, &end, &is_match)) {
			walk->at = is_match ? end : walk->at;
			return is_match;
		}
		walk->literal_from = walk->at;
	}
	if (c == '\\' && end < walk->len) {
		c = walk->pattern[end++];
		is_match = (unsigned char)c == byte;
	} else {
		is_match = c == '?' || (unsigned char)c == byte;
	}
	walk->at = is_match ? end : walk->at;
	return is_match;
}

bool
wildcard_match_counted(const char *pattern, size_t pattern_len, const char *name,
                       size_t name_len, uint64_t *ret_steps)
{
	struct walk walk = {
	    .pattern = pattern, .len = pattern_len, .literal_from = pattern_len};
	size_t name_at = 0;
	size_t after_star = 0; /* where to begin again; 0: no star yet */
	size_t star_end = 0;   /* the star has taken the name up to here */

	while (name_at < name_len) {
		if (walk.at < walk.len && pattern[walk.at] == '*') {
			walk.steps++;
			after_star = ++walk.at;
			star_end = name_at;
		} else if (walk.at < walk.len &&
		           match_element(&walk, (unsigned char)name[name_at])) {
			name_at++;
		} else if (after_star > 0) {
			walk.at = after_star;
			name_at = ++star_end;
		} else {
			break;
		}
	}
	while (walk.at < walk.len && pattern[walk.at] == '*') {
		walk.steps++;
		walk.at++;
	}
	*ret_steps = walk.steps;
	return name_at == name_len && walk.at == walk.len;
}

bool
wildcard_match(const char *pattern, size_t pattern_len, const char *name, size_t name_len)
{
	uint64_t steps;

	return wildcard_match_counted(pattern, pattern_len, name, name_len, &steps);
}

bool
wildcard_is_pattern(const char *text, size_t len)
{
	struct walk walk = {.pattern = text, .len = len, .literal_from = len};
	bool is_match;
	size_t end;

	for (; walk.at < len; walk.at++) {
		if (text[walk.at] == '*' || text[walk.at] == '?') {
			return true;
		}
		if (text[walk.at] == '[' && walk.at < walk.literal_from) {
			if (match_bracket(&walk, 0, &end, &is_match)) {
				return true;
			}
			walk.literal_from = walk.at;
		}
		walk.at += text[walk.at] == '\\' ? 1 : 0;
	}
	return false;
}
