/*
 * serve_dir: deftpd --serve: what it means in terms of the configuration.
 * Runs in: master, while the command line is read.
 * Source: DESIGN.md section 6.
 */
#ifndef FTPD_MASTER_SERVE_DIR_H
#define FTPD_MASTER_SERVE_DIR_H

#include "ftpd/master/master.h"
#include "common/base.h"

enum {
	SERVE_OVERRIDES = 10,
	SERVE_TEXT_MAX = MASTER_PATH_MAX + 64,
	SERVE_PORT = 2121,
};

/* What the command line says about it. */
struct serve_request {
	const char *directory;
	const char *port;    /* NULL: SERVE_PORT */
	const char *address; /* NULL: all */
	bool is_writable;
};

/* Where the overrides' texts live. */
struct serve_texts {
	char text[SERVE_OVERRIDES][SERVE_TEXT_MAX];
	size_t count;
};

/*
 * Put the overrides in front of those of the command line, which win.
 * In:      invocation: has room for SERVE_OVERRIDES more.
 *          texts: must live as long as the invocation.
 * Returns: true; false when the directory cannot be used, which has been complained of.
 */
bool serve_dir_apply(const struct serve_request *request, struct serve_texts *texts,
                     struct invocation *invocation);

#endif
