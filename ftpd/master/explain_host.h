/*
 * explain_host: what is different on virtual hosts, for --explain.
 * Runs in: master, offline.
 * Source:  deftpd.conf(5), "host".
 */
#ifndef FTPD_MASTER_EXPLAIN_HOST_H
#define FTPD_MASTER_EXPLAIN_HOST_H

#include "ftpd/master/explain_print.h"
#include "common/base.h"

/* Print for each section host what it decides for the user. */
void explain_hosts(const struct explanation *explanation);

/* Of a user whom no source knows: print which hosts have him in a file of their own. */
void explain_hosts_unknown(const struct explanation *explanation);

#endif
