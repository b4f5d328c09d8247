/*
 * tls_check: reads certificates, keys and what belongs to them, and has them checked
 * before they are used: at the start, at each reload and for deftpd --check.
 * Runs in: master. Waits for the check.
 * Not here: files that change while the server runs; see tls_watch.h.
 */
#ifndef FTPD_MASTER_TLS_CHECK_H
#define FTPD_MASTER_TLS_CHECK_H

#include "ftpd/conf/conf.h"
#include "ftpd/master/tls_load.h"
#include "ftpd/master/users.h"
#include "common/base.h"

/*
 * Read the files and have them checked. What is wrong becomes findings of conf, at the
 * line of the key that names the file. In a configuration with mistakes the files are
 * read only.
 * In:      pair: NULL; or what stands in place of tls.certificate and its key.
 *          warn: takes each warning.
 * Returns: what may be used; NULL if there is no TLS, or there were mistakes.
 * Owner:   the caller frees it by tls_load_free().
 */
struct tls_load *tls_check_files(struct conf *conf, const struct users *users,
                                 const struct tls_pair *pair, users_warn *warn,
                                 void *context);

/* Print a line for each certificate, for deftpd --check. NULL is allowed. */
void tls_check_print(const struct tls_load *load);

#endif
