/*
 * arg_tls: parsers for the arguments of AUTH, PBSZ and PROT.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/proto/arg_tls.h"

#include "ftpd/proto/letters.h"
#include "common/base.h"

enum arg_result
arg_auth(const char *text, size_t len, enum arg_auth *ret_auth)
{
	static const struct {
		const char *name;
		enum arg_auth auth;
	} names[] = {
	    {"TLS", ARG_AUTH_TLS},
	    {"TLS-C", ARG_AUTH_TLS},
	    {"SSL", ARG_AUTH_DATA},
	    {"TLS-P", ARG_AUTH_DATA},
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (letters_same(text, len, names[i].name)) {
			*ret_auth = names[i].auth;
			return ARG_OK;
		}
	}
	return len > 0 ? ARG_UNSUPPORTED : ARG_SYNTAX;
}

enum arg_result
arg_buffer_size(const char *text, size_t len)
{
	uint64_t size;

	return arg_number(text, len, &size) == ARG_OK && size <= UINT32_MAX ? ARG_OK
	                                                                    : ARG_SYNTAX;
}

enum arg_result
arg_prot(const char *text, size_t len, enum arg_prot *ret_prot)
{
	static const char *const names[] = {
	    [ARG_PROT_CLEAR] = "C",
	    [ARG_PROT_SAFE] = "S",
	    [ARG_PROT_CONFIDENTIAL] = "E",
	    [ARG_PROT_PRIVATE] = "P",
	};

	for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
		if (letters_same(text, len, names[i])) {
			*ret_prot = (enum arg_prot)i;
			return ARG_OK;
		}
	}
	return len > 0 ? ARG_UNSUPPORTED : ARG_SYNTAX;
}
