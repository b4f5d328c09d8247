/*
 * check_main: deftpd-worker when it is started not to serve, but to judge certificates or
 * to make one; see ftpd/ipc/tls_report.h.
 * Runs in: deftpd-worker, confined as the forkserver is.
 * Source: DESIGN.md section 2: OpenSSL is in this program only.
 */
#ifndef FTPD_WORKER_CHECK_MAIN_H
#define FTPD_WORKER_CHECK_MAIN_H

#include "common/privilege.h"
#include "common/base.h"

/*
 * Check what the master has passed, and tell it.
 * Returns: exit status; 0 says that all was told, not that all is well.
 */
int check_main(const struct identity *identity);

/*
 * Make a certificate for the names, and tell it and its key. Nobody has said as whom, so
 * it is done as the user that owns nothing.
 * Returns: exit status.
 */
int self_signed_main(const char *const *names, size_t count);

#endif
