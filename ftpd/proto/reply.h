/*
 * reply: reply codes by meaning, and lines into which no client can write a line end.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.2; RFC 1123 4.1.2.9; RFC 2228 5; RFC 2389; RFC 2428; RFC 854;
 * SECURITY.md P2, P7, P8, P22.
 * Not here: which code a command may answer (command.h), sending.
 *
 * The one rule for odd bytes in texts, wherever they come from: control characters (0 to
 * 31 and 127) become '?'; byte 255 is doubled, because the control connection is a Telnet
 * connection, whose data byte 255 is IAC IAC; all other bytes, UTF-8 or not, stay as they
 * are.
 */
#ifndef FTPD_PROTO_REPLY_H
#define FTPD_PROTO_REPLY_H

#include "common/base.h"

enum reply_code {
	/* data connection already open; transfer starting */
	REPLY_DATA_OPEN = 125,
	REPLY_DATA_OPENING = 150, /* about to open data connection */
	REPLY_OK = 200,
	REPLY_SUPERFLUOUS = 202,      /* not needed here: ALLO, ACCT */
	REPLY_STATUS = 211,           /* STAT, FEAT */
	REPLY_DIRECTORY_STATUS = 212, /* STAT of a directory */
	REPLY_FILE_STATUS = 213,      /* STAT of a file, SIZE, MDTM */
	REPLY_HELP = 214,
	REPLY_SYSTEM = 215,
	REPLY_READY = 220,
	REPLY_GOODBYE = 221,
	/* ABOR: the data connection is open, or none was; no transfer */
	REPLY_NOTHING_TO_ABORT = 225,
	REPLY_TRANSFER_COMPLETE = 226, /* also ABOR: done */
	REPLY_PASSIVE = 227,
	REPLY_EXTENDED_PASSIVE = 229,
	REPLY_LOGIN_OK = 230,
	REPLY_AUTH_OK = 234, /* AUTH: the handshake may begin, RFC 2228 5.1 */
	REPLY_FILE_OK = 250,
	REPLY_PATH = 257,
	REPLY_NEED_PASSWORD = 331,
	REPLY_NEED_ACCOUNT = 332,
	REPLY_NEED_MORE = 350, /* REST, RNFR */
	REPLY_SERVICE_CLOSING = 421,
	REPLY_NO_DATA_CONNECTION = 425,
	REPLY_TRANSFER_ABORTED = 426,
	/* RFC 2228 5.1: something that security needs cannot be had now */
	REPLY_SECURITY_UNAVAILABLE = 431,
	REPLY_FILE_BUSY = 450,
	REPLY_LOCAL_ERROR = 451,
	REPLY_NO_SPACE = 452,
	REPLY_UNKNOWN_COMMAND = 500, /* also a line too long */
	REPLY_BAD_ARGUMENT = 501,
	REPLY_NOT_IMPLEMENTED = 502,
	REPLY_BAD_SEQUENCE = 503,
	REPLY_NOT_FOR_PARAMETER = 504,
	REPLY_PROT_TOO_LOW = 521, /* RFC 4217 10: no data connection with this PROT */
	/* EPRT, EPSV: network protocol not supported, use (1,2) */
	REPLY_BAD_FAMILY = 522,
	/* RFC 4217 10: TLS could not be had on the data connection, or not as wanted */
	REPLY_DATA_NOT_SECURE = 522,
	REPLY_NOT_LOGGED_IN = 530,
	REPLY_CLEAR_REFUSED = 533, /* CCC: commands stay protected, RFC 2228 */
	REPLY_POLICY = 534,        /* request denied for policy reasons, RFC 2228 */
	REPLY_PROT_UNKNOWN = 536,  /* a level that TLS does not have: S, E */
	REPLY_FILE_UNAVAILABLE = 550,
	REPLY_EXCEEDED = 552, /* quota, or the size that a file may have */
	REPLY_NAME_NOT_ALLOWED = 553,
	REPLY_BAD_RESTART = 554, /* RFC 1123 4.1.2.9: invalid REST parameter */
};

enum {
	/*
	 * "257 " and a quoted path of 4,095 bytes, each of which doubles, and CRLF. A
	 * longer text is cut, never the line end and never between two halves of a
	 * doubled byte.
	 */
	REPLY_LINE_MAX = 2 * 4096 + 256,
};

/*
 * Write a whole reply of one line, or the last of several: "226 Done.\r\n".
 * In:      cap: at least 8; REPLY_LINE_MAX always suffices. text, len: without line end;
 *          may have hostile bytes.
 * Returns: bytes in out, which is not terminated.
 */
size_t reply_format(char *out, size_t cap, enum reply_code code, const char *text,
                    size_t len);

/*
 * Write the first of several lines: "211-Features:\r\n".
 * Returns: as reply_format.
 */
size_t reply_format_first(char *out, size_t cap, enum reply_code code, const char *text,
                          size_t len);

/*
 * Write a line between first and last: " UTF8\r\n". The space keeps its beginning from
 * looking like a code
 * (RFC 959 4.2; RFC 2389 and RFC 3659 want exactly one).
 * Returns: as reply_format.
 */
size_t reply_format_middle(char *out, size_t cap, const char *text, size_t len);

/*
 * Put a path in quotation marks and double those inside, as 257 wants it. The result
 * still has to go through reply_format.
 * In:      cap: at least 2 * len + 2, else the path is cut.
 * Returns: bytes in out, which is not terminated.
 * Source:  RFC 959 appendix II.
 */
size_t reply_quote(char *out, size_t cap, const char *path, size_t len);

#endif
