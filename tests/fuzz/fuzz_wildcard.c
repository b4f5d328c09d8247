/*
 * fuzz_wildcard: any pattern against any name.
 * Wanted:  the same answer as a slow reference that tries everything (for small inputs),
 *          and the bound on steps that the header promises (for all).
 */
#include "ftpd/proto/wildcard.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "common/base.h"

enum {
	NAME_MAX_BYTES = 255,
	SMALL_PATTERN = 64,
	SMALL_NAME = 64,
	ELEMENTS_MAX = SMALL_PATTERN,
};

/* One element of a pattern, taken apart before anything is compared. */
struct element {
	bool is_star;
	bool matches[256];
};

/* Returns: the byte at *at, or the one behind a backslash, and moves on. */
static unsigned char
escaped(const char *pattern, size_t len, size_t *at)
{
	if (pattern[*at] == '\\' && *at + 1 < len) {
		++*at;
	}
	return (unsigned char)pattern[(*at)++];
}

/*
 * Returns: true if a whole bracket expression begins at *at; then the element and the
 *          place behind it.
 */
static bool
take_bracket(const char *pattern, size_t len, size_t *at, struct element *element)
{
	size_t i = *at + 1;
	bool is_not = i < len && (pattern[i] == '!' || pattern[i] == '^');
	size_t first;

	memset(element, 0, sizeof(*element));
	i += is_not ? 1 : 0;
	first = i;
	while (i < len && (i == first || pattern[i] != ']')) {
		unsigned low = escaped(pattern, len, &i);
		unsigned high = low;

		if (i + 1 < len && pattern[i] == '-' && pattern[i + 1] != ']') {
			i++;
			high = escaped(pattern, len, &i);
		}
		for (unsigned byte = low; byte <= high; byte++) {
			element->matches[byte] = true;
		}
	}
	if (i >= len) {
		return false;
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		element->matches[byte] = element->matches[byte] != is_not;
	}
	*at = i + 1;
	return true;
}

static size_t
compile(const char *pattern, size_t len, struct element elements[ELEMENTS_MAX])
{
	size_t count = 0;
	size_t at = 0;

	while (at < len) {
		struct element *element = &elements[count++];

		if (pattern[at] == '[' && take_bracket(pattern, len, &at, element)) {
			continue;
		}
		memset(element, 0, sizeof(*element));
		if (pattern[at] == '*') {
			element->is_star = true;
			at++;
		} else if (pattern[at] == '?') {
			memset(element->matches, 1, sizeof(element->matches));
			at++;
		} else {
			element->matches[escaped(pattern, len, &at)] = true;
		}
	}
	return count;
}

/*
 * The reference: which prefixes of the pattern match which prefixes of the name, all of
 * them.
 */
static bool
match_slowly(const char *pattern, size_t pattern_len, const char *name, size_t name_len)
{
	struct element elements[ELEMENTS_MAX];
	bool matches[ELEMENTS_MAX + 1][SMALL_NAME + 1] = {{true}};
	size_t count = compile(pattern, pattern_len, elements);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j <= name_len; j++) {
			if (elements[i].is_star) {
				matches[i + 1][j] =
				    matches[i][j] || (j > 0 && matches[i + 1][j - 1]);
			} else {
				matches[i + 1][j] =
				    j > 0 && matches[i][j - 1] &&
				    elements[i].matches[(unsigned char)name[j - 1]];
			}
		}
	}
	return matches[count][name_len];
}

static bool
has_magic(const char *pattern, size_t len)
{
	struct element element;

	for (size_t at = 0; at < len; at++) {
		size_t end = at;

		if (pattern[at] == '*' || pattern[at] == '?' ||
		    (pattern[at] == '[' && take_bracket(pattern, len, &end, &element))) {
			return true;
		}
		at += pattern[at] == '\\' ? 1 : 0;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.data = data, .size = size};
	size_t pattern_len;
	size_t name_len;
	const char *pattern = fuzz_take_text(&input, 4096, &pattern_len);
	const char *name = fuzz_take_text(&input, NAME_MAX_BYTES, &name_len);
	uint64_t steps;
	bool is_match =
	    wildcard_match_counted(pattern, pattern_len, name, name_len, &steps);

	fuzz_require(steps <= (name_len + 1) * (pattern_len + 1) + pattern_len);
	fuzz_require(wildcard_match(pattern, pattern_len, name, name_len) == is_match);
	if (pattern_len <= SMALL_PATTERN && name_len <= SMALL_NAME) {
		fuzz_require(match_slowly(pattern, pattern_len, name, name_len) ==
		             is_match);
		fuzz_require(has_magic(pattern, pattern_len) ==
		             wildcard_is_pattern(pattern, pattern_len));
	}
	return 0;
}
