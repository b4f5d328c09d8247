/*
 * explain_who: who a name is for --explain: which source knows it, with which numbers and
 * groups his files are opened.
 * Runs in: master, offline.
 * Source:  deftpd.conf(5), logins.sources.
 * Not here: what he may do; see explain.h. His password: no library for it is linked
 * here.
 */
#ifndef FTPD_MASTER_EXPLAIN_WHO_H
#define FTPD_MASTER_EXPLAIN_WHO_H

#include "common/account.h"
#include "common/passwd_file.h"
#include "ftpd/conf/conf.h"
#include "common/base.h"

struct explain_who {
	enum policy_kind kind;
	/* name and home are his own, the numbers those of his files */
	struct account account;
	struct passwd_user entry; /* virtual users */
	unsigned line;            /* of the file of virtual users */
};

/*
 * Look a name up, and print what each source says to it.
 * Returns: true if there is such a user; false if not, or if a source that would decide
 *          cannot, which has been printed.
 * Owner:   the caller frees *ret_who by explain_who_free() in any case.
 */
bool explain_who_find(const struct conf *conf, const char *name,
                      struct explain_who *ret_who);

/* Free what it holds. */
void explain_who_free(struct explain_who *who);

#endif
