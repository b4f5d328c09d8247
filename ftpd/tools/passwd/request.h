/*
 * request: what the command line asks of deftp-passwd.
 * Runs in: deftp-passwd.
 * Source: deftp-passwd(8).
 * Not here: doing it; see command.h.
 */
#ifndef FTPD_TOOLS_PASSWD_REQUEST_H
#define FTPD_TOOLS_PASSWD_REQUEST_H

#include "common/base.h"

/* How the program ends. */
enum {
	STATUS_OK = 0,
	STATUS_REFUSED = 1, /* told why on standard error; the file is as it was */
	STATUS_USAGE = 2,
};

enum verb {
	VERB_ADD,
	VERB_SET,
	VERB_DEL,
	VERB_LIST,
	VERB_VERIFY,
	VERB_HELP,
	VERB_VERSION,
};

struct request {
	enum verb verb;
	const char *path;
	const char *name;   /* NULL: none */
	const char *home;   /* NULL: not given */
	const char *method; /* NULL: the best that there is */
	bool has_uid;
	bool has_gid;
	uint32_t uid;
	uint32_t gid;
	bool is_stdin; /* the password comes from standard input */
};

/*
 * Understand the command line; what cannot be understood is told on standard error.
 * Returns: true and *ret_request; false: end with STATUS_USAGE.
 */
bool request_parse(int argc, char **argv, struct request *ret_request);

/* Say on standard error what is wrong, behind the program's name. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
