/*
 * text: building a line of text in a buffer of fixed size, and making foreign bytes
 * harmless in it.
 * Runs in: recorder, tests.
 */
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"

/*
 * A range of characters that would confuse who reads a log: invisible, or moving what
 * stands around them.
 */
struct range {
	uint32_t first;
	uint32_t last;
};

static const struct range confusing[] = {
    {0x80, 0x9f},     /* C1 controls */
    {0x61c, 0x61c},   /* Arabic letter mark */
    {0x200e, 0x200f}, /* left-to-right and right-to-left marks */
    {0x2028, 0x202e}, /* line and paragraph separators, embeddings and overrides */
    {0x2066, 0x2069}, /* isolates */
    {0xfeff, 0xfeff}, /* byte order mark */
};

void
text_init(struct text *text, char *bytes, size_t cap)
{
	*text = (struct text){.bytes = bytes, .cap = cap};
	bytes[0] = '\0';
}

void
text_add_bytes(struct text *text, const char *bytes, size_t len)
{
	size_t room = text->cap - 1 - text->len;

	if (len > room) {
		len = room;
		text->is_cut = true;
	}
	if (len > 0) {
		memcpy(text->bytes + text->len, bytes, len);
	}
	text->len += len;
	text->bytes[text->len] = '\0';
}

void
text_add(struct text *text, const char *format, ...)
{
	size_t room = text->cap - text->len;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text->bytes + text->len, room, format, arguments);
	va_end(arguments);
	if (len < 0) {
		text->bytes[text->len] = '\0';
		text->is_cut = true;
	} else if ((size_t)len >= room) {
		text->len = text->cap - 1;
		text->is_cut = true;
	} else {
		text->len += (size_t)len;
	}
}

/*
 * How many bytes the sequence takes that begins with this byte; 0: none can begin with
 * it. Minimum: its smallest character.
 */
static size_t
sequence_length(uint8_t first, uint32_t *ret_minimum)
{
	if (first < 0x80) {
		*ret_minimum = 0;
		return 1;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*ret_minimum = 0x80;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*ret_minimum = 0x800;
		return 3;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*ret_minimum = 0x10000;
		return 4;
	}
	return 0;
}

/*
 * Read one character. Returns its length in bytes; 0 where the bytes are not well-formed
 * UTF-8.
 */
static size_t
decode(const uint8_t *bytes, size_t len, uint32_t *ret_character)
{
	uint32_t minimum = 0;
	size_t size = sequence_length(bytes[0], &minimum);
	uint32_t character;

	if (size == 0 || size > len) {
		return 0;
	}
	character = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			return 0;
		}
		character = character << 6 | (bytes[i] & 0x3fU);
	}
	if (character < minimum || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff)) {
		return 0;
	}
	*ret_character = character;
	return size;
}

static bool
is_harmless(uint32_t character, unsigned escape)
{
	if (character < 0x20 || character == 0x7f || character == '\\') {
		return false;
	}
	if (character == '"') {
		return (escape & (TEXT_ESCAPE_QUOTED | TEXT_ESCAPE_WORD)) == 0;
	}
	if (character == ' ' || character == ':' || character == '=') {
		return (escape & TEXT_ESCAPE_WORD) == 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(confusing); i++) {
		if (character >= confusing[i].first && character <= confusing[i].last) {
			return false;
		}
	}
	return true;
}

/* Append all of these bytes or none. */
static void
add_whole(struct text *text, const char *bytes, size_t len)
{
	if (text->is_cut || text->cap - 1 - text->len < len) {
		text->is_cut = true;
		return;
	}
	text_add_bytes(text, bytes, len);
}

static void
add_hex(struct text *text, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char escaped[TEXT_ESCAPED_SIZE + 1];

		(void)snprintf(escaped, sizeof(escaped), "\\x%02x",
		               (unsigned)(uint8_t)bytes[i]);
		add_whole(text, escaped, TEXT_ESCAPED_SIZE);
	}
}

void
text_add_escaped(struct text *text, const char *bytes, size_t len, unsigned escape)
{
	for (size_t at = 0; at < len && !text->is_cut;) {
		uint32_t character = 0;
		size_t size = decode((const uint8_t *)bytes + at, len - at, &character);

		if (size == 0) {
			add_hex(text, bytes + at, 1);
			size = 1;
		} else if (character == ' ' && (escape & TEXT_ESCAPE_UNDERSCORE) != 0) {
			add_whole(text, "_", 1);
		} else if (is_harmless(character, escape)) {
			add_whole(text, bytes + at, size);
		} else {
			add_hex(text, bytes + at, size);
		}
		at += size;
	}
}
