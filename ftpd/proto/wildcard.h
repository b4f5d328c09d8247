/*
 * wildcard: matches a name against a pattern, in bounded time.
 * Runs in: deftpd-agent. Input: hostile.
 * Source: glob(7); SECURITY.md G1 to G4.
 * Not here: braces and tilde (bytes like any other); directories (a pattern is for one
 *           component); that names with a leading dot are hidden (the lister's).
 *
 *   *       any bytes, also none
 *   ?       one byte. A UTF-8 letter of two bytes takes two.
 *   [a-z]   one byte out of these; [!...] or [^...] one that is not. A "]" right after
 *           the opening is itself. Ends of a range are bytes; an empty range matches
 *           nothing. Without its end, "[" is a byte like any other.
 *   \x      the byte x, also inside brackets; a "\" at the pattern's end is itself.
 *
 * Bound: on a mismatch matching goes back to the last "*" only, which then takes one byte
 * more. So a pattern is walked at most once for each byte of the name, and one more time.
 * A "[" without an end is searched for one only once. So at most
 * (name_len + 1) * (pattern_len + 1) + pattern_len pattern bytes are looked at.
 */
#ifndef FTPD_PROTO_WILDCARD_H
#define FTPD_PROTO_WILDCARD_H

#include "common/base.h"

/*
 * Ask whether the whole name matches the whole pattern.
 * Returns: true if so.
 */
bool wildcard_match(const char *pattern, size_t pattern_len, const char *name,
                    size_t name_len);

/*
 * As wildcard_match, counting the pattern bytes that were looked at, for the test of the
 * bound above.
 * Out:     ret_steps: written always.
 * Returns: as wildcard_match.
 */
bool wildcard_match_counted(const char *pattern, size_t pattern_len, const char *name,
                            size_t name_len, uint64_t *ret_steps);

/*
 * Ask whether a text is a pattern: has "*", "?" or a whole bracket expression that is not
 * behind a "\".
 * Returns: true if so. A text for which this is false is to be taken literally, byte by
 *          byte.
 */
bool wildcard_is_pattern(const char *text, size_t len);

#endif
