/*
 * setup: what deftpd-worker reads before it is confined, whatever it is started for.
 * Runs in: deftpd-worker, before it has seen any client.
 * Source: DESIGN.md section 2, "forkserver".
 */
#ifndef FTPD_WORKER_SETUP_H
#define FTPD_WORKER_SETUP_H

#include "ftpd/ipc/tls_files.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/*
 * Initialise OpenSSL, and read the options, the titled sections and the files of TLS from
 * the descriptors that the master passes; these are closed.
 * Out:     ret_setup: without context and confinement. ret_failed: what failed, for a
 *          message.
 * Returns: 0 or negative errno.
 * Owner:   the caller frees *ret_files, which hold keys, by tls_files_free().
 */
int setup_read(struct worker_setup *ret_setup, struct tls_files *ret_files,
               const char **ret_failed);

/*
 * Say on standard error what failed.
 * Returns: 1, the exit status.
 */
int setup_fail(const char *what, int negative_errno);

#endif
