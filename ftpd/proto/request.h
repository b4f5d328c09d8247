/*
 * request: a line becomes a command with a typed argument.
 * Runs in: deftpd-worker. Pure. Input: hostile.
 * Source: RFC 959 5.3; the argument of each command is in ftpd/proto/command.c.
 * Not here: whether the command may be used now; see ftpd/worker/gate.c.
 *
 * One space separates word and argument; everything behind it belongs to the argument, so a path may begin or end with a space.
 */
#ifndef FTPD_PROTO_REQUEST_H
#define FTPD_PROTO_REQUEST_H

#include "common/addr.h"
#include "ftpd/proto/command.h"
#include "common/base.h"

enum request_result {
	REQUEST_OK,
	REQUEST_UNKNOWN,       /* no such command: 500 */
	REQUEST_BAD_ARGUMENT,  /* 501 */
	REQUEST_NOT_SUPPORTED, /* well-formed, but a value that deftpd does not do: 504 */
	REQUEST_BAD_FAMILY,    /* EPRT, EPSV: unknown network protocol: 522 */
};

/* Bits of request.options, as ftpd/ipc/agent.h has them. */
enum request_option {
	REQUEST_LIST_HIDDEN = 1,
	REQUEST_LIST_BY_TIME = 2,
	REQUEST_LIST_REVERSE = 4,
	REQUEST_LIST_RECURSIVE = 8,
	REQUEST_LIST_BY_SIZE = 16,
	REQUEST_LIST_CLASSIFY = 32,
	REQUEST_LIST_DIRECTORY = 64,
	REQUEST_LIST_LONG = 128,
};

enum request_epsv {
	REQUEST_EPSV_ANY,
	REQUEST_EPSV_IPV4,
	REQUEST_EPSV_IPV6,
	REQUEST_EPSV_ALL,
};

struct request {
	enum command_id id;
	const char *text; /* the argument, or the path of a listing; points into the line; not terminated */
	size_t text_len;
	uint64_t number;        /* ARG_NUMBER, ARG_ALLOCATION */
	char letter;            /* ARG_TYPE, ARG_MODE, ARG_STRUCTURE: upper case; TYPE L 8 comes as 'I' */
	struct addr addr;       /* ARG_HOST_PORT, ARG_EXTENDED_PORT */
	enum request_epsv epsv; /* ARG_EXTENDED_PASV */
	unsigned options;       /* ARG_LISTING */
};

/*
 * Parse a line.
 * In:      line: as line_feed made it, at most LINE_MAX_BYTES; no CR, LF, NUL.
 * Out:     ret_request: id is set (CMD_COUNT for an unknown word) whatever is returned; the rest only with REQUEST_OK.
 * Returns: see enum request_result.
 */
enum request_result request_parse(const char *line, size_t len, struct request *ret_request);

#endif
