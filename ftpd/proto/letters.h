/*
 * letters: upper and lower case and digits of ASCII, for all 256 bytes and without
 * locale, which ctype.h is not (SECURITY.md P6).
 * Runs in: deftpd-worker, deftpd-agent.
 */
#ifndef FTPD_PROTO_LETTERS_H
#define FTPD_PROTO_LETTERS_H

#include "common/base.h"

/*
 * Returns: the upper-case letter of an ASCII letter; other bytes unchanged.
 */
static inline char
letter_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/*
 * Returns: true for 0 to 9.
 */
static inline bool
letter_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Compare a text with a terminated word, in any case.
 * Returns: true if they are equal.
 */
static inline bool
letters_same(const char *text, size_t len, const char *word)
{
	size_t i = 0;

	while (i < len && word[i] != '\0' &&
	       letter_upper(text[i]) == letter_upper(word[i])) {
		i++;
	}
	return i == len && word[i] == '\0';
}

#endif
