/*
 * arg_tls: parsers for the arguments of AUTH, PBSZ and PROT.
 * Runs in: deftpd-worker (unprivileged). Input: hostile.
 * Source: RFC 2228 3; RFC 4217 8 and 9.
 * Not here: whether TLS may begin; see ftpd/worker/cmd_tls.c.
 *
 * As in arg.h text is as received, and the out-parameter is written only on ARG_OK.
 */
#ifndef FTPD_PROTO_ARG_TLS_H
#define FTPD_PROTO_ARG_TLS_H

#include "ftpd/proto/arg.h"
#include "common/base.h"

/* What AUTH may ask for: all of it is TLS, and some names mean protected data, too. */
enum arg_auth {
	ARG_AUTH_TLS,  /* TLS, TLS-C: data stays in clear until PROT P */
	ARG_AUTH_DATA, /* SSL, TLS-P: as after PBSZ 0 and PROT P */
};

/*
 * Parse AUTH's argument, in any case.
 * Returns: ARG_OK and *ret_auth; ARG_UNSUPPORTED for other mechanisms; ARG_SYNTAX for
 *          nothing.
 * Source:  RFC 4217 8; TLS-C, TLS-P and SSL are of its drafts, and clients still have
 *          them.
 */
enum arg_result arg_auth(const char *text, size_t len, enum arg_auth *ret_auth);

/*
 * Check PBSZ's argument: a number below 2^32, whose value means nothing to TLS.
 * Returns: ARG_OK or ARG_SYNTAX.
 * Source:  RFC 2228 3, RFC 4217 9.
 */
enum arg_result arg_buffer_size(const char *text, size_t len);

/* RFC 2228 3: the protection levels of data. */
enum arg_prot {
	ARG_PROT_CLEAR,        /* C */
	ARG_PROT_SAFE,         /* S: TLS has no integrity alone */
	ARG_PROT_CONFIDENTIAL, /* E: nor the opposite */
	ARG_PROT_PRIVATE,      /* P */
};

/*
 * Parse PROT's argument, in any case.
 * Returns: ARG_OK and *ret_prot; ARG_UNSUPPORTED for other levels; ARG_SYNTAX for
 *          nothing.
 */
enum arg_result arg_prot(const char *text, size_t len, enum arg_prot *ret_prot);

#endif
