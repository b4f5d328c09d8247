/*
 * request: a command line with its word looked up and its argument typed.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 959 5.3.
 * Not here: whether the command is permitted now; see ftpd/worker/gate.c.
 *
 * The rule: the word ends at the first space or the end. That one space is dropped; all
 * further bytes, spaces at both ends included, belong to the argument. There are no
 * quotes and no escapes. An empty argument and none are the same.
 */
#ifndef FTPD_PROTO_REQUEST_H
#define FTPD_PROTO_REQUEST_H

#include "common/addr.h"
#include "ftpd/proto/arg.h"
#include "ftpd/proto/arg_tls.h"
#include "ftpd/proto/command.h"
#include "ftpd/proto/list_options.h"
#include "ftpd/proto/mff.h"
#include "common/base.h"

enum request_result {
	REQUEST_OK,
	REQUEST_UNKNOWN,     /* 500: no such word. id is CMD_COUNT */
	REQUEST_SYNTAX,      /* 501 */
	REQUEST_UNSUPPORTED, /* 504 */
	REQUEST_FAMILY,      /* 522 */
};

/* A typed argument; the command's row says which. Texts point into the line. */
struct request {
	enum command_id id;
	const char *text; /* the whole argument, raw; never NULL */
	size_t text_len;
	union {
		struct list_options list; /* COMMAND_ARG_LIST */
		uint64_t number;          /* COMMAND_ARG_OFFSET, COMMAND_ARG_ALLOCATE */
		enum arg_type type;       /* COMMAND_ARG_TYPE */
		enum arg_epsv epsv;       /* COMMAND_ARG_EPSV */
		struct addr addr;         /* COMMAND_ARG_HOST_PORT, COMMAND_ARG_EPRT */
		struct arg_opts opts;     /* COMMAND_ARG_OPTS */
		enum arg_auth auth;       /* COMMAND_ARG_AUTH */
		enum arg_prot prot;       /* COMMAND_ARG_PROT */
		/*
		 * COMMAND_ARG_TIME_PATH, COMMAND_ARG_FACTS_PATH and, perhaps with nothing
		 * to set, COMMAND_ARG_MAYBE_TIME_PATH
		 */
		struct {
			struct mff set;
			const char *path;
			size_t path_len;
		} facts;
	} value; /* other kinds: text is all there is */
};

/*
 * Parse a line.
 * In:      line, len: from line_feed.
 * Out:     ret_request: id, text and text_len are always set, so that the gate can refuse
 *          before the argument is judged; value only when REQUEST_OK.
 * Returns: REQUEST_OK, or which reply is due if the gate lets the command pass.
 */
enum request_result request_parse(const char *line, size_t len,
                                  struct request *ret_request);

#endif
