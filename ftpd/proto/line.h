/*
 * line: puts the bytes of a control connection together into command lines.
 * Runs in: deftpd-worker (unprivileged). Input: hostile.
 * Source: RFC 959 4.1.3 and 5.3 (CRLF), RFC 854 (Telnet), RFC 1123 4.1.2.12; SECURITY.md
 * P1, P3, P4, P15.
 * Not here: receiving, and what a line means (request.h).
 *
 * The one rule for odd bytes:
 *   LF       ends the line, with or without one CR before it (RFC 1123: be liberal).
 *   CR       anywhere else makes the line LINE_BAD; so does CR NUL, Telnet's bare
 *            carriage return.
 *   NUL      makes the line LINE_BAD: no name may mean one thing up to it and another
 *            with it.
 *   IAC IAC  is the data byte 255.
 *   IAC WILL, WONT, DO, DONT x  are dropped, all three bytes: we negotiate nothing and
 *            need not answer.
 *   IAC SB ... IAC SE  is dropped; one above LINE_SUBNEGOTIATION_MAX makes the line
 *            LINE_BAD and ends there, so that it cannot swallow a session.
 *   IAC x    any other command, 236 (EOF) and above (IP, DM, AO, ...), is dropped. Synch
 *            arrives inline, so DM has no further meaning.
 *   255 x    with x below 236 is no Telnet command: 255 is data and x is judged by these
 *            rules. Clients that know nothing of Telnet send a 255 in a name single, and
 *            must not lose the line's end by it.
 *   All else is data, including bytes 1 to 31 and 128 to 254: names may have them.
 * A line that is both too long and bad is LINE_TOO_LONG.
 */
#ifndef FTPD_PROTO_LINE_H
#define FTPD_PROTO_LINE_H

#include "common/base.h"

enum {
	/*
	 * A path of 4,095 bytes, and room for the word and what stands before the path
	 * (facts, a time, options).
	 * At the limit: the whole line is discarded up to its LF and reported once as
	 * LINE_TOO_LONG.
	 */
	LINE_MAX_BYTES = 4096 + 256,
	LINE_SUBNEGOTIATION_MAX = 64,
};

enum line_result {
	LINE_MORE, /* all input is used; the line has no end yet */
	/* text[0 .. line->len) is a line, without its end; it may be empty */
	LINE_READY,
	LINE_TOO_LONG, /* a line above LINE_MAX_BYTES has ended: 500 */
	LINE_BAD,      /* a line with a refused byte has ended: 501 */
};

/*
 * Where we are in a line. Zeroed memory is the beginning. It may be copied, and a copy be
 * fed with bytes that were only looked at (MSG_PEEK), with another text buffer.
 */
struct line {
	/* bytes in text; after LINE_READY the line's length */
	uint16_t len;
	uint8_t telnet;             /* private: where we are in an IAC sequence */
	uint8_t subnegotiation_len; /* private */
	bool is_ended;              /* private: the next byte begins a new line */
	bool has_cr;                /* private: the last data byte was CR */
	bool is_too_long;           /* private */
	bool is_bad;                /* private */
};

/*
 * Take bytes up to the end of a line.
 * In:      text: LINE_MAX_BYTES, the same buffer on each call for one line; needed only
 *          between the first byte of a line and its end. in, in_len: what came; may be
 *          empty.
 * Out:     ret_used: bytes taken, never beyond the LF; equal to in_len for LINE_MORE.
 *          Written always.
 * Returns: what there is. Except after LINE_MORE, the next call begins a new line.
 */
enum line_result line_feed(struct line *line, char *text, const uint8_t *in,
                           size_t in_len, size_t *ret_used);

/*
 * Ask whether nothing is pending: no byte of an unfinished line and no half Telnet
 * sequence.
 * Returns: true at the beginning and after the end of a line; the text buffer is not
 *          needed then.
 */
bool line_is_empty(const struct line *line);

#endif
