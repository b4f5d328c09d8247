/*
 * check_users: mistakes about who may log in that only the system can tell.
 * Runs in: master. Never links libcrypt or PAM: that a hash or a service is of use is
 * deftpd-auth's to find out.
 * Source: local_users and virtual_users in deftpd.conf(5).
 * Not here: everything else; see check.h.
 */
#ifndef FTPD_MASTER_CHECK_USERS_H
#define FTPD_MASTER_CHECK_USERS_H

#include "ftpd/conf/conf.h"
#include "ftpd/master/users.h"
#include "common/base.h"

/*
 * Look over PAM's service and the password files; what is wrong becomes findings of conf.
 */
void check_users(struct conf *conf);

/*
 * Tell of each wrong line of a password file, "FILE:LINE: what is wrong; the remedy".
 * It concerns that user alone and is no reason not to start.
 * In:      path: "" for none.
 */
void check_users_file_lines(const char *path, users_warn *warn, void *context);

/*
 * The same for virtual_users.file and those of the hosts.
 */
void check_users_lines(const struct options *options, const struct overrides *overrides,
                       users_warn *warn, void *context);

/* Print who may log in, for deftpd --check. */
void check_users_print(const struct options *options, const struct overrides *overrides);

#endif
