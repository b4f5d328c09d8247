/*
 * selftest: a scripted session through a real worker and a real agent under the real
 * confinement, before the first client.
 * Runs in: master, at the start.
 * Source: DESIGN.md section 3, rule 11.
 * Not here: the client's part; see selftest_client.h.
 */
#ifndef FTPD_MASTER_SELFTEST_H
#define FTPD_MASTER_SELFTEST_H

#include "ftpd/conf/options.h"
#include "ftpd/master/master.h"
#include "ftpd/master/users.h"
#include "common/base.h"

/*
 * Do what the option sandbox says: require refuses to start when the test fails; prefer
 * warns, and switches the confinement off if the test passes without it; off skips the
 * test.
 * Returns: true to go on; false to refuse, which has been complained of.
 */
bool selftest(struct master *master, const struct options *options,
              const struct users *users);

#endif
