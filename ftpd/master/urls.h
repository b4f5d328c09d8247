/*
 * urls: prints the addresses under which deftpd --serve can be reached.
 * Runs in: master.
 * Source: RFC 1738 3.2.
 */
#ifndef FTPD_MASTER_URLS_H
#define FTPD_MASTER_URLS_H

#include "ftpd/conf/options.h"
#include "common/base.h"

/*
 * Print one URL a line to standard output: localhost and each address of each interface
 * that the listeners take.
 */
void urls_print(const struct options_listen_list *list);

#endif
