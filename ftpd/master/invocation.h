/*
 * invocation: what the command line of deftpd asks for.
 * Runs in: master.
 * Not here: reading it; see main.c.
 */
#ifndef FTPD_MASTER_INVOCATION_H
#define FTPD_MASTER_INVOCATION_H

#include "common/base.h"

enum {
	MASTER_OVERRIDES_MAX = 256, /* -o on one command line */
};

struct tls_pair;

/* What the command line asked for; valid as long as the process. */
struct invocation {
	const char *conf_path; /* NULL: no file is read */
	const char *overrides[MASTER_OVERRIDES_MAX];
	size_t override_count;
	bool is_serving_directory; /* --serve */
	/*
	 * --serve --tls: made for this run, in no file. It stands in place of what
	 * tls.certificate names, which is "credential:self-signed" then, and of its key.
	 */
	const struct tls_pair *pair; /* NULL: none */
};

#endif
