/*
 * tls_watch: the certificates in use, and what becomes of their files: a pair that was
 * renewed is checked and taken over, a bad one is refused, and one that is about to
 * expire is told of.
 * Runs in: master. Never waits.
 * Not here: the check itself; see tls_program.h. How a generation takes over; see
 * renew.h.
 *
 * A change is acted upon when two looks in a row have found the same, as who writes a
 * pair writes two files.
 */
#ifndef FTPD_MASTER_TLS_WATCH_H
#define FTPD_MASTER_TLS_WATCH_H

#include "ftpd/master/deadline.h"
#include "ftpd/master/tls_load.h"
#include "ftpd/master/tls_program.h"
#include "common/base.h"

struct master;

enum {
	TLS_WATCH_LOOK_MS = 2000,
	TLS_WATCH_REMIND_DAYS = 14, /* before a certificate expires */
};

struct tls_watch {
	struct tls_program program;
	struct tls_load *used;   /* by the next generation at least; NULL: no TLS */
	struct tls_load *coming; /* of a reload that is under way */
	struct tls_load *found;  /* being checked */
	struct tls_source seen;  /* the files of `used`, as they were at the last look */
	struct deadline look;
	uint64_t reminded_ms;
	/* when what is too early now will be valid, since the epoch; 0: nothing is */
	int64_t valid_s;
	bool has_changed; /* since the files were read last */
	bool is_untold;   /* `used` is newer than the generation that serves */
	bool has_mistake; /* in `found` */
	bool is_refused;  /* what is in the files is not what is used */
};

/*
 * A reload, or the start, has brought files.
 * In:      load: owned from now on; NULL: there is no TLS.
 */
void tls_watch_offer(struct master *master, struct tls_load *load);

/* The reload has succeeded: they are in use, and are watched from now on. */
void tls_watch_accept(struct master *master);

/* It has failed: those of before stay. */
void tls_watch_abandon(struct master *master);

/*
 * Returns: the sealed files that a new generation is to get, or -1.
 */
int tls_watch_fd(const struct master *master);

/* A generation has taken over, with those files. */
void tls_watch_serving(struct master *master);

/*
 * Ask whether new certificates wait for a generation that takes over.
 * Returns: true if so.
 */
bool tls_watch_is_waiting(const struct master *master);

/*
 * Log a warning for each certificate that is not yet valid, has expired, or will within
 * two weeks; and an error if what is in the files is still refused.
 */
void tls_watch_remind(struct master *master);

/* Stop watching, and free everything. */
void tls_watch_end(struct master *master);

#endif
