/*
 * arg: parsers for the argument part of a control line.
 * Runs in: deftpd-worker (unprivileged). Input: hostile.
 * Source: RFC 959 4.1.2, 5.3.1 and 5.3.2; RFC 2428 2 and 3; RFC 2389 4; RFC 2640;
 *         RFC 3659 2.3, 5.3 and 7; SECURITY.md P8, P19.
 * Not here: whether an address may be used (the master decides), which command has which
 *           argument (command.h), those of TLS (arg_tls.h).
 *
 * In all of them text is as received, without CR LF and not terminated. Numbers are plain
 * decimal digits: no sign, no space, no hexadecimal, and refused when they do not fit.
 * The out-parameter is written only on ARG_OK.
 */
#ifndef FTPD_PROTO_ARG_H
#define FTPD_PROTO_ARG_H

#include "common/addr.h"
#include "common/base.h"

enum arg_result {
	ARG_OK,
	ARG_SYNTAX,      /* 501 */
	ARG_UNSUPPORTED, /* 504: well-formed, but not for us: TYPE E, MODE B */
	/* 522: EPRT or EPSV with a network protocol other than 1 and 2 */
	ARG_FAMILY,
};

/*
 * Parse PORT's argument: six numbers 0 to 255, of one to three digits. Port 0 is
 * ARG_SYNTAX.
 * Returns: ARG_OK and *ret_addr (IPv4), or ARG_SYNTAX.
 */
enum arg_result arg_host_port(const char *text, size_t len, struct addr *ret_addr);

/*
 * Parse EPRT's argument: |1|192.0.2.1|1025| or |2|2001:db8::1|1025|, any delimiter of 33
 * to 126.
 * Returns: ARG_OK and *ret_addr, ARG_SYNTAX, ARG_FAMILY.
 */
enum arg_result arg_eprt(const char *text, size_t len, struct addr *ret_addr);

enum arg_epsv {
	ARG_EPSV_ANY, /* no argument: the family of the control connection */
	ARG_EPSV_IPV4,
	ARG_EPSV_IPV6,
	ARG_EPSV_ALL,
};

/*
 * Parse EPSV's argument: nothing, a network protocol number, or ALL in any case.
 * Returns: ARG_OK and *ret_epsv, ARG_SYNTAX, ARG_FAMILY.
 */
enum arg_result arg_epsv(const char *text, size_t len, enum arg_epsv *ret_epsv);

/*
 * Parse an octet count, as REST has it: 0 to 2^63-1, leading zeros allowed.
 * Returns: ARG_OK and *ret_number, or ARG_SYNTAX.
 */
enum arg_result arg_number(const char *text, size_t len, uint64_t *ret_number);

/*
 * Parse ALLO's argument: "n" or "n R n".
 * Out:     ret_size: the first number; the record size means nothing in file structure.
 * Returns: ARG_OK and *ret_size, or ARG_SYNTAX.
 */
enum arg_result arg_allocate(const char *text, size_t len, uint64_t *ret_size);

enum arg_type {
	ARG_TYPE_ASCII, /* A, A N */
	ARG_TYPE_IMAGE, /* I, L 8 */
};

/*
 * Parse TYPE's argument, in any case.
 * Returns: ARG_OK and *ret_type; ARG_UNSUPPORTED for A T, A C, E and its forms, L n;
 *          ARG_SYNTAX for the rest.
 */
enum arg_result arg_type(const char *text, size_t len, enum arg_type *ret_type);

/*
 * Check MODE's argument.
 * Returns: ARG_OK for S, ARG_UNSUPPORTED for B, C and Z (a draft), ARG_SYNTAX for the
 *          rest.
 */
enum arg_result arg_mode(const char *text, size_t len);

/*
 * Check STRU's argument.
 * Returns: ARG_OK for F, ARG_UNSUPPORTED for R and P, ARG_SYNTAX for the rest.
 */
enum arg_result arg_structure(const char *text, size_t len);

enum arg_opts_kind {
	ARG_OPTS_UTF8, /* "UTF8", "UTF8 ON", also spelled UTF-8: names are UTF-8 always */
	ARG_OPTS_MLST, /* facts is the new selection */
};

struct arg_opts {
	enum arg_opts_kind kind;
	unsigned facts; /* mask of enum entry_fact */
};

/*
 * Parse OPTS's argument.
 * Returns: ARG_OK and *ret_opts; ARG_SYNTAX for options of another command and "UTF8
 *          OFF": RFC 2389 4 has 501 for all of it.
 */
enum arg_result arg_opts(const char *text, size_t len, struct arg_opts *ret_opts);

/*
 * Parse a list of facts: "type;size;". Unknown facts are left out (RFC 3659 7.9), case
 * does not matter, the last semicolon may be missing; nothing selects nothing.
 * Returns: ARG_OK and *ret_facts, ARG_SYNTAX for a space in it.
 */
enum arg_result arg_facts(const char *text, size_t len, unsigned *ret_facts);

enum {
	ARG_HOST_MAX = 253, /* a whole domain name, RFC 1035 */
	ARG_LABEL_MAX = 63,
};

/*
 * Check the name of a virtual host: labels of letters, digits and hyphens (RFC 1123 2.1,
 * and the underscore that people use), or an address, IPv6 in brackets.
 * Returns: ARG_OK, or ARG_SYNTAX.
 * Source:  RFC 7151 3.1.
 */
enum arg_result arg_host(const char *text, size_t len);

#endif
