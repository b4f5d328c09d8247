/*
 * renew: when a new generation is started, and when it takes over from the one before.
 * Runs in: master.
 * Source: DESIGN.md section 2, "forkserver".
 * Not here: reading the configuration anew; see reload.h.
 */
#ifndef FTPD_MASTER_RENEW_H
#define FTPD_MASTER_RENEW_H

#include "ftpd/master/generation.h"
#include "common/base.h"

/*
 * Start a generation that shall take over when it is usable; one that was starting is
 * given up.
 * In:      setup, resolved: as for generation_start().
 * Returns: 0 or negative errno.
 */
int renew_begin(struct master *master, const struct generation_setup *setup,
                const struct addr *resolved, bool is_reload);

/* Give up the generation that is starting, if there is one, without a word. */
void renew_cancel(struct master *master);

/*
 * A generation with the options of the current one is wanted. It comes at once, or when
 * the last one is old enough.
 */
void renew_request(struct master *master);

/*
 * A worker of the generation ended abnormally: its memory layout may be known to
 * somebody.
 */
void renew_after_crash(struct generation *generation);

/* The generation has lost its forkserver unexpectedly. */
void renew_forkserver_lost(struct generation *generation);

/* The generation may have become fit to take over. */
void renew_usable(struct generation *generation);

#endif
