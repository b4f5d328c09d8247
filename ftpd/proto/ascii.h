/*
 * ascii: line ends of TYPE A, on their way out.
 * Runs in: deftpd-worker (downloads), deftpd-agent (SIZE in TYPE A).
 * Source: RFC 959 3.1.1.1; RFC 3659 4.1 and 5.3 (SIZE and REST count the octets as
 * transferred); SECURITY.md P17.
 * Not here: uploads; listings, whose lines end in CRLF already.
 *
 * The rule: LF without a CR before it becomes CR LF; everything else stays. So a text
 * with CRLF line ends passes unchanged, and a file converted twice is the same as
 * converted once.
 */
#ifndef FTPD_PROTO_ASCII_H
#define FTPD_PROTO_ASCII_H

#include "common/base.h"

/* Between two pieces of a file. Zeroed memory is the beginning. */
struct ascii {
	bool has_cr; /* the last byte was CR */
};

/*
 * Convert the next piece.
 * In:      out: room for 2 * len bytes.
 * Returns: bytes in out, at least len and at most 2 * len.
 */
size_t ascii_convert(struct ascii *ascii, const uint8_t *in, size_t len, char *out);

/*
 * Count what ascii_convert would write.
 * Returns: the number of octets.
 */
size_t ascii_count(struct ascii *ascii, const uint8_t *in, size_t len);

/*
 * Take REST's offset off a converted piece.
 * In:      skip: octets still to be left out; lowered by what is left out of this piece.
 * Returns: how many of the len octets to leave out.
 */
size_t ascii_skip(uint64_t *skip, size_t len);

#endif
