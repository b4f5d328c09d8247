/*
 * check: mistakes in the configuration that only the system can tell.
 * Runs in: master, before it starts anything, at each reload, and for deftpd --check.
 * Not here: mistakes of form; see ftpd/conf/conf.h. Ports, which are tried when they are
 * opened.
 */
#ifndef FTPD_MASTER_CHECK_H
#define FTPD_MASTER_CHECK_H

#include "ftpd/conf/conf.h"
#include "ftpd/master/tls_program.h"
#include "ftpd/master/users.h"
#include "common/base.h"

/* Look users up and look directories over; what is wrong becomes findings of conf. */
void check_system(struct conf *conf, struct users *ret_users);

/*
 * Do what deftpd --check does: print every finding, or what would be.
 * In:      pair: of --serve --tls, else NULL.
 * Returns: exit status, 0 if the configuration is right.
 */
int check_report(struct conf *conf, const struct tls_pair *pair);

#endif
