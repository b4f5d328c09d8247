/*
 * ascii: line ends of TYPE A, on their way out and in.
 * Runs in: deftpd-worker (transfers), deftpd-agent (SIZE in TYPE A).
 * Source: RFC 959 3.1.1.1; RFC 3659 4.1 and 5.3 (SIZE and REST count the octets as
 * transferred); SECURITY.md P17.
 * Not here: listings, whose lines end in CRLF already.
 *
 * The rule on the way in: CR LF becomes LF; a CR or LF alone stays.
 *
 * The rule on the way out: LF without a CR before it becomes CR LF; everything else
 * stays. So a text with CRLF line ends passes unchanged, and a file converted twice is
 * the same as converted once.
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

/*
 * Convert the next piece of what is received. A CR at its end is kept back until it is
 * known what follows.
 * In:      out: room for len + 1 bytes; may begin one byte before `in`, so that a piece
 *          is converted in its place.
 * Returns: bytes in out.
 */
size_t ascii_restore(struct ascii *ascii, const uint8_t *in, size_t len, char *out);

/*
 * Nothing more is received.
 * Returns: true if a CR that was kept back is still to be written.
 */
bool ascii_restore_end(struct ascii *ascii);

#endif
