/*
 * site: the commands behind SITE: their table, and their arguments.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 959 4.1.3 (SITE); the forms are those of wu-ftpd (CHMOD, UMASK), of ProFTPD
 *         (UTIME, SYMLINK, CPFR, CPTO) and Pure-FTPd (UTIME).
 * Not here: what they do; see ftpd/worker/cmd_site.c.
 *
 * There are no quotes: SYMLINK's target ends at the first space, and what follows it is
 * the path, spaces included.
 */
#ifndef FTPD_PROTO_SITE_H
#define FTPD_PROTO_SITE_H

#include "common/base.h"

enum site_id {
	SITE_HELP,
	SITE_CHMOD,
	SITE_UMASK,
	SITE_UTIME,
	SITE_SYMLINK,
	SITE_CPFR,
	SITE_CPTO,
	SITE_COUNT,
};

struct site_command {
	const char *name;   /* upper case */
	const char *syntax; /* the argument, for HELP */
	const char *help;   /* what it does, a few words */
	bool is_writing;    /* refused where the user may only read */
};

/* One command behind SITE. Texts point into the line. */
struct site_request {
	enum site_id id;
	bool has_mode; /* UMASK without one asks for it */
	uint32_t mode; /* CHMOD, UMASK */
	int64_t time_s;
	/* HELP: the command asked about, or empty; the others: the path */
	const char *path;
	size_t path_len;
	const char *target; /* SYMLINK: what the link holds */
	size_t target_len;
};

enum site_result {
	SITE_OK,
	SITE_UNKNOWN, /* no such command; id is SITE_COUNT */
	SITE_SYNTAX,  /* id says whose */
};

/*
 * Parse what stands behind SITE and a space.
 * Out:     ret_request: id always; the rest only when SITE_OK.
 * Returns: see enum site_result.
 */
enum site_result site_parse(const char *text, size_t len,
                            struct site_request *ret_request);

/*
 * Look a command up by its word, in any case.
 * Returns: its id, or SITE_COUNT.
 */
enum site_id site_find(const char *word, size_t len);

/*
 * Returns: the table's row for an id below SITE_COUNT.
 */
const struct site_command *site_row(enum site_id id);

#endif
