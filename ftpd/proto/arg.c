/*
 * arg: parsers for the argument part of a control line.
 * Runs in: deftpd-worker (unprivileged). Input: hostile.
 */
#include "ftpd/proto/arg.h"

#include <string.h>

#include "ftpd/proto/entry.h"
#include "ftpd/proto/letters.h"
#include "common/base.h"

enum {
	FAMILY_IPV4 = 1, /* address family numbers of RFC 2428 2 */
	FAMILY_IPV6 = 2,
	FAMILY_MAX = 65535,
	PORT_MAX = 65535,
};

/* Returns: true and *ret_value if the text is decimal digits and at most max. */
static bool
parse_digits(const char *text, size_t len, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (len == 0) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		uint64_t digit;

		if (!letter_is_digit(text[i])) {
			return false;
		}
		digit = (uint64_t)(text[i] - '0');
		if (value > (max - digit) / 10) {
			return false;
		}
		value = value * 10 + digit;
	}
	*ret_value = value;
	return true;
}

/*
 * Cut the piece up to `end` off a text. Returns: true, the piece, and the text behind
 * `end`.
 */
static bool
cut(const char **text, size_t *len, char end, const char **ret_piece,
    size_t *ret_piece_len)
{
	const char *found = *len > 0 ? memchr(*text, end, *len) : NULL;

	if (found == NULL) {
		return false;
	}
	*ret_piece = *text;
	*ret_piece_len = (size_t)(found - *text);
	*text = found + 1;
	*len -= *ret_piece_len + 1;
	return true;
}

enum arg_result
arg_host_port(const char *text, size_t len, struct addr *ret_addr)
{
	uint8_t bytes[6];
	struct addr addr = {.family = ADDR_IPV4};

	for (size_t i = 0; i < sizeof(bytes); i++) {
		const char *piece = text;
		size_t piece_len = len;
		uint64_t value;

		if (i + 1 < sizeof(bytes) && !cut(&text, &len, ',', &piece, &piece_len)) {
			return ARG_SYNTAX;
		}
		if (piece_len > 3 || !parse_digits(piece, piece_len, UINT8_MAX, &value)) {
			return ARG_SYNTAX;
		}
		bytes[i] = (uint8_t)value;
	}
	memcpy(addr.bytes, bytes, ADDR_IPV4_BYTES);
	addr.port = (uint16_t)(bytes[4] << 8 | bytes[5]);
	if (addr.port == 0) {
		return ARG_SYNTAX;
	}
	*ret_addr = addr;
	return ARG_OK;
}

/* Returns: ARG_OK for the two families that there are, ARG_FAMILY for another number. */
static enum arg_result
parse_family(const char *text, size_t len, enum addr_family *ret_family)
{
	uint64_t number;

	if (!parse_digits(text, len, FAMILY_MAX, &number)) {
		return ARG_SYNTAX;
	}
	if (number != FAMILY_IPV4 && number != FAMILY_IPV6) {
		return ARG_FAMILY;
	}
	*ret_family = number == FAMILY_IPV4 ? ADDR_IPV4 : ADDR_IPV6;
	return ARG_OK;
}

enum arg_result
arg_eprt(const char *text, size_t len, struct addr *ret_addr)
{
	const char *pieces[3];
	size_t lens[3];
	struct addr addr;
	uint64_t port;
	enum addr_family family;
	enum arg_result result;
	char delimiter;

	if (len == 0 || text[0] <= ' ' || text[0] > '~') {
		return ARG_SYNTAX;
	}
	delimiter = text[0];
	text++;
	len--;
	for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
		if (!cut(&text, &len, delimiter, &pieces[i], &lens[i])) {
			return ARG_SYNTAX;
		}
	}
	if (len > 0) {
		return ARG_SYNTAX;
	}
	result = parse_family(pieces[0], lens[0], &family);
	if (result != ARG_OK) {
		return result;
	}
	if (!addr_parse(pieces[1], lens[1], &addr) || addr.family != family ||
	    !parse_digits(pieces[2], lens[2], PORT_MAX, &port) || port == 0) {
		return ARG_SYNTAX;
	}
	addr.port = (uint16_t)port;
	*ret_addr = addr;
	return ARG_OK;
}

enum arg_result
arg_epsv(const char *text, size_t len, enum arg_epsv *ret_epsv)
{
	enum addr_family family;
	enum arg_result result;

	if (len == 0) {
		*ret_epsv = ARG_EPSV_ANY;
		return ARG_OK;
	}
	if (letters_same(text, len, "ALL")) {
		*ret_epsv = ARG_EPSV_ALL;
		return ARG_OK;
	}
	result = parse_family(text, len, &family);
	if (result == ARG_OK) {
		*ret_epsv = family == ADDR_IPV4 ? ARG_EPSV_IPV4 : ARG_EPSV_IPV6;
	}
	return result;
}

enum arg_result
arg_number(const char *text, size_t len, uint64_t *ret_number)
{
	return parse_digits(text, len, INT64_MAX, ret_number) ? ARG_OK : ARG_SYNTAX;
}

enum arg_result
arg_allocate(const char *text, size_t len, uint64_t *ret_size)
{
	const char *size = text;
	size_t size_len = len;
	uint64_t value;
	uint64_t record_size;

	if (cut(&text, &len, ' ', &size, &size_len)) {
		if (len < 2 || letter_upper(text[0]) != 'R' || text[1] != ' ' ||
		    !parse_digits(text + 2, len - 2, INT64_MAX, &record_size)) {
			return ARG_SYNTAX;
		}
	}
	if (!parse_digits(size, size_len, INT64_MAX, &value)) {
		return ARG_SYNTAX;
	}
	*ret_size = value;
	return ARG_OK;
}

enum arg_result
arg_type(const char *text, size_t len, enum arg_type *ret_type)
{
	uint64_t bits;

	if (letters_same(text, len, "A") || letters_same(text, len, "A N")) {
		*ret_type = ARG_TYPE_ASCII;
		return ARG_OK;
	}
	if (letters_same(text, len, "I") || letters_same(text, len, "L 8")) {
		*ret_type = ARG_TYPE_IMAGE;
		return ARG_OK;
	}
	if (letters_same(text, len, "A T") || letters_same(text, len, "A C") ||
	    letters_same(text, len, "E") || letters_same(text, len, "E N") ||
	    letters_same(text, len, "E T") || letters_same(text, len, "E C")) {
		return ARG_UNSUPPORTED;
	}
	if (len > 2 && letters_same(text, 2, "L ") &&
	    parse_digits(text + 2, len - 2, UINT8_MAX, &bits)) {
		return ARG_UNSUPPORTED;
	}
	return ARG_SYNTAX;
}

/* Compare with the one letter that we have, and with those that others may have. */
static enum arg_result
check_letter(const char *text, size_t len, char ours, const char *others)
{
	if (len != 1) {
		return ARG_SYNTAX;
	}
	if (letter_upper(text[0]) == ours) {
		return ARG_OK;
	}
	for (; *others != '\0'; others++) {
		if (letter_upper(text[0]) == *others) {
			return ARG_UNSUPPORTED;
		}
	}
	return ARG_SYNTAX;
}

enum arg_result
arg_mode(const char *text, size_t len)
{
	return check_letter(text, len, 'S', "BCZ");
}

enum arg_result
arg_structure(const char *text, size_t len)
{
	return check_letter(text, len, 'F', "RP");
}

/* Returns: true for one label of a domain name. */
static bool
is_label(const char *text, size_t len)
{
	if (len == 0 || len > ARG_LABEL_MAX || text[0] == '-' || text[len - 1] == '-') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		char upper = letter_upper(text[i]);

		if (!letter_is_digit(upper) && !(upper >= 'A' && upper <= 'Z') &&
		    upper != '-' && upper != '_') {
			return false;
		}
	}
	return true;
}

enum arg_result
arg_host(const char *text, size_t len)
{
	struct addr addr;
	const char *label;
	size_t label_len;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		return addr_parse(text + 1, len - 2, &addr) && addr.family == ADDR_IPV6
		           ? ARG_OK
		           : ARG_SYNTAX;
	}
	if (len == 0 || len > ARG_HOST_MAX) {
		return ARG_SYNTAX;
	}
	while (cut(&text, &len, '.', &label, &label_len)) {
		if (!is_label(label, label_len)) {
			return ARG_SYNTAX;
		}
	}
	return is_label(text, len) ? ARG_OK : ARG_SYNTAX;
}

enum arg_result
arg_opts(const char *text, size_t len, struct arg_opts *ret_opts)
{
	const char *word = text;
	size_t word_len = len;
	unsigned facts;

	if (!cut(&text, &len, ' ', &word, &word_len)) {
		len = 0;
	}
	if (letters_same(word, word_len, "UTF8") ||
	    letters_same(word, word_len, "UTF-8")) {
		if (len > 0 && !letters_same(text, len, "ON")) {
			return ARG_SYNTAX;
		}
		ret_opts->kind = ARG_OPTS_UTF8;
		ret_opts->facts = 0;
		return ARG_OK;
	}
	if (!letters_same(word, word_len, "MLST") ||
	    arg_facts(text, len, &facts) != ARG_OK) {
		return ARG_SYNTAX;
	}
	ret_opts->kind = ARG_OPTS_MLST;
	ret_opts->facts = facts;
	return ARG_OK;
}

enum arg_result
arg_facts(const char *text, size_t len, unsigned *ret_facts)
{
	unsigned facts = 0;

	if (len > 0 && memchr(text, ' ', len) != NULL) {
		return ARG_SYNTAX;
	}
	while (len > 0) {
		const char *name = text;
		size_t name_len = len;

		if (!cut(&text, &len, ';', &name, &name_len)) {
			len = 0;
		}
		facts |= entry_fact_find(name, name_len);
	}
	*ret_facts = facts;
	return ARG_OK;
}
