/*
 * reload: reads the configuration anew at SIGHUP. A wrong one changes nothing and says
 * why.
 * Runs in: master.
 * Not here: how the new options take over; see renew.h.
 */
#ifndef FTPD_MASTER_RELOAD_H
#define FTPD_MASTER_RELOAD_H

#include "ftpd/conf/conf.h"
#include "ftpd/master/master.h"
#include "common/base.h"

/*
 * Read what the command line names.
 * Returns: the configuration; NULL if memory ran out.
 * Owner:   the caller ends it with conf_free().
 */
struct conf *reload_read(const struct invocation *invocation);

/* Begin to take over the configuration as it is now. */
void reload_begin(struct master *master);

/* The new options serve. */
void reload_done(struct master *master);

/* The new options could not be brought up; the old ones serve on. */
void reload_failed(struct master *master);

#endif
