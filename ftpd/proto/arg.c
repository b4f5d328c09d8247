/*
 * arg: parsers for the argument part of a control line.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/arg.h"

#include <string.h>

#include "common/base.h"

bool
arg_number(const char *text, size_t len, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (len == 0) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit > 9 || number > ((uint64_t)INT64_MAX - digit) / 10) {
			return false;
		}
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

bool
arg_host_port(const char *text, size_t len, struct addr *ret_addr)
{
	struct addr addr = {.family = ADDR_IPV4};
	uint8_t bytes[6];
	size_t at = 0;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		const char *comma = at <= len ? memchr(text + at, ',', len - at) : NULL;
		size_t stop = comma != NULL ? (size_t)(comma - text) : len;
		uint64_t number;

		if ((comma == NULL) != (i + 1 == sizeof(bytes)) ||
		    !arg_number(text + at, stop - at, &number) || number > UINT8_MAX) {
			return false;
		}
		bytes[i] = (uint8_t)number;
		at = stop + 1;
	}
	memcpy(addr.bytes, bytes, ADDR_IPV4_BYTES);
	addr.port = (uint16_t)(bytes[4] << 8 | bytes[5]);
	*ret_addr = addr;
	return true;
}

/* One field between two delimiters. Returns: false if there is no closing one. */
static bool
take_field(const char *text, size_t len, size_t *at, const char **ret_field, size_t *ret_len)
{
	const char *stop = memchr(text + *at, text[0], len - *at);

	if (stop == NULL) {
		return false;
	}
	*ret_field = text + *at;
	*ret_len = (size_t)(stop - *ret_field);
	*at = (size_t)(stop - text) + 1;
	return true;
}

enum request_result
arg_extended_port(const char *text, size_t len, struct addr *ret_addr)
{
	const char *fields[3];
	size_t lens[3];
	uint64_t family;
	uint64_t port;
	struct addr addr;
	size_t at = 1;

	/* RFC 2428 2: the delimiter is a printable character; a digit, "." or ":" could not be told from the fields. */
	if (len == 0 || text[0] < '!' || text[0] > '~' || strchr("0123456789.:", text[0]) != NULL) {
		return REQUEST_BAD_ARGUMENT;
	}
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		if (!take_field(text, len, &at, &fields[i], &lens[i])) {
			return REQUEST_BAD_ARGUMENT;
		}
	}
	if (at != len || !arg_number(fields[0], lens[0], &family)) {
		return REQUEST_BAD_ARGUMENT;
	}
	if (family != 1 && family != 2) {
		return REQUEST_BAD_FAMILY;
	}
	if (!addr_parse(fields[1], lens[1], &addr) ||
	    addr.family != (family == 1 ? ADDR_IPV4 : ADDR_IPV6) ||
	    !arg_number(fields[2], lens[2], &port) || port == 0 || port > UINT16_MAX) {
		return REQUEST_BAD_ARGUMENT;
	}
	addr.port = (uint16_t)port;
	*ret_addr = addr;
	return REQUEST_OK;
}

enum request_result
arg_extended_pasv(const char *text, size_t len, enum request_epsv *ret_epsv)
{
	uint64_t family;

	if (len == 0) {
		*ret_epsv = REQUEST_EPSV_ANY;
		return REQUEST_OK;
	}
	if (arg_is_word(text, len, "ALL")) {
		*ret_epsv = REQUEST_EPSV_ALL;
		return REQUEST_OK;
	}
	if (!arg_number(text, len, &family)) {
		return REQUEST_BAD_ARGUMENT;
	}
	if (family != 1 && family != 2) {
		return REQUEST_BAD_FAMILY;
	}
	*ret_epsv = family == 1 ? REQUEST_EPSV_IPV4 : REQUEST_EPSV_IPV6;
	return REQUEST_OK;
}

bool
arg_allocation(const char *text, size_t len, uint64_t *ret_number)
{
	uint64_t record;
	uint64_t number;
	size_t rest;
	size_t word = arg_word(text, len, &rest);

	if (!arg_number(text, word, &number)) {
		return false;
	}
	if (rest < len) {
		text += rest;
		len -= rest;
		word = arg_word(text, len, &rest);
		if (!arg_is_word(text, word, "R") || !arg_number(text + rest, len - rest, &record)) {
			return false;
		}
	}
	*ret_number = number;
	return true;
}

enum request_result
arg_type(const char *text, size_t len, char *ret_letter)
{
	size_t rest;
	size_t word = arg_word(text, len, &rest);
	const char *second = text + rest;
	size_t second_len = len - rest;

	if (arg_is_word(text, word, "A") && (second_len == 0 || arg_is_word(second, second_len, "N"))) {
		*ret_letter = 'A';
		return REQUEST_OK;
	}
	if ((arg_is_word(text, word, "I") && second_len == 0) ||
	    (arg_is_word(text, word, "L") && arg_is_word(second, second_len, "8"))) {
		*ret_letter = 'I';
		return REQUEST_OK;
	}
	if (arg_is_word(text, word, "A") || arg_is_word(text, word, "E") ||
	    arg_is_word(text, word, "L")) {
		return REQUEST_NOT_SUPPORTED;
	}
	return REQUEST_BAD_ARGUMENT;
}

enum request_result
arg_letter(const char *text, size_t len, const char *known)
{
	char letter;

	if (len != 1) {
		return REQUEST_BAD_ARGUMENT;
	}
	letter = text[0] >= 'a' && text[0] <= 'z' ? (char)(text[0] - 'a' + 'A') : text[0];
	if (letter == known[0]) {
		return REQUEST_OK;
	}
	return letter != '\0' && strchr(known, letter) != NULL ? REQUEST_NOT_SUPPORTED
	                                                       : REQUEST_BAD_ARGUMENT;
}

static unsigned
option_of(char letter)
{
	switch (letter) {
	case 'a':
	case 'A':
		return REQUEST_LIST_HIDDEN;
	case 't':
		return REQUEST_LIST_BY_TIME;
	case 'r':
		return REQUEST_LIST_REVERSE;
	case 'R':
		return REQUEST_LIST_RECURSIVE;
	case 'S':
		return REQUEST_LIST_BY_SIZE;
	case 'F':
		return REQUEST_LIST_CLASSIFY;
	case 'd':
		return REQUEST_LIST_DIRECTORY;
	case 'l':
		return REQUEST_LIST_LONG;
	default:
		return 0;
	}
}

size_t
arg_listing(const char *text, size_t len, unsigned *ret_options)
{
	size_t at = 0;

	*ret_options = 0;
	while (at + 1 < len && text[at] == '-') {
		size_t rest;
		size_t word = arg_word(text + at, len - at, &rest);

		for (size_t i = 1; i < word; i++) {
			*ret_options |= option_of(text[at + i]);
		}
		if (word == 2 && text[at + 1] == '-') {
			return at + (rest > word ? word + 1 : word); /* one space only: the path may have more */
		}
		at += rest;
	}
	return at;
}

bool
arg_is_word(const char *text, size_t len, const char *upper_case_word)
{
	if (len != strlen(upper_case_word)) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		char byte = text[i];

		if (byte >= 'a' && byte <= 'z') {
			byte = (char)(byte - 'a' + 'A');
		}
		if (byte != upper_case_word[i]) {
			return false;
		}
	}
	return true;
}

size_t
arg_word(const char *text, size_t len, size_t *ret_rest)
{
	size_t word = 0;
	size_t rest;

	while (word < len && text[word] != ' ') {
		word++;
	}
	rest = word;
	while (rest < len && text[rest] == ' ') {
		rest++;
	}
	*ret_rest = rest;
	return word;
}
