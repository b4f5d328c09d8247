/*
 * listen: the listening sockets of both families.
 * Runs in: master.
 * Source: listen in deftpd.conf(5); RFC 3493 5.3 for IPV6_V6ONLY.
 * Not here: accepting; see accept.h.
 */
#ifndef FTPD_MASTER_LISTEN_H
#define FTPD_MASTER_LISTEN_H

#include <sys/queue.h>

#include "common/loop.h"
#include "ftpd/conf/options.h"
#include "ftpd/master/master.h"
#include "common/base.h"

enum {
	LISTEN_BACKLOG = 4096,
	LISTEN_MISTAKE_MAX = 256,
};

struct listener {
	struct loop_source source; /* first */
	struct master *master;
	LIST_ENTRY(listener) entry;
	struct addr addr;
	int fd;                 /* -1: it has stepped aside for one that is coming */
	bool is_wanted;         /* by the options that are coming */
	bool is_new;            /* opened for them; nobody accepts yet */
	bool is_implicit_tls;   /* TLS begins at once (listen_implicit_tls) */
	bool shall_be_implicit; /* by the options that are coming */
};

/*
 * Open what listen and listen_implicit_tls name and is not open yet. Nothing is accepted
 * before listen_commit().
 * Out:     mistake: when false, what is wrong and the remedy.
 * Returns: true; or false and everything is as before.
 */
bool listen_prepare(struct master *master, const struct options *options,
                    char mistake[LISTEN_MISTAKE_MAX]);

/* Accept on all that the last listen_prepare() wanted, and close the others. */
void listen_commit(struct master *master);

/* Close what the last listen_prepare() opened. */
void listen_abandon(struct master *master);

/* Close everything. */
void listen_end(struct master *master);

#endif
