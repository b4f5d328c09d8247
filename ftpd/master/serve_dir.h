/*
 * serve_dir: deftpd --serve: what it means in terms of the configuration.
 * Runs in: master, while the command line is read.
 * Source: DESIGN.md section 6.
 */
#ifndef FTPD_MASTER_SERVE_DIR_H
#define FTPD_MASTER_SERVE_DIR_H

#include "ftpd/master/master.h"
#include "ftpd/master/tls_program.h"
#include "common/base.h"

enum {
	SERVE_OVERRIDES = 11,
	SERVE_TEXT_MAX = MASTER_PATH_MAX + 64,
	SERVE_PORT = 2121,
};

/* What the command line says about it. */
struct serve_request {
	const char *directory;
	const char *port;    /* NULL: SERVE_PORT */
	const char *address; /* NULL: all */
	bool is_writable;
	bool has_tls;
};

/* Where the overrides' texts live, and the certificate of --tls with its key. */
struct serve_texts {
	char text[SERVE_OVERRIDES][SERVE_TEXT_MAX];
	size_t count;
	struct tls_pair pair; /* the caller wipes it */
};

/*
 * Put the overrides in front of those of the command line, which win.
 * In:      invocation: has room for SERVE_OVERRIDES more.
 *          texts: must live as long as the invocation.
 * Returns: true; false when the directory cannot be used or no certificate be made, which
 *          has been complained of.
 */
bool serve_dir_apply(const struct serve_request *request, struct serve_texts *texts,
                     struct invocation *invocation);

#endif
