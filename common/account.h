/*
 * account: who a user of the machine is: passwd entry and groups, as plain data.
 * Runs in: deftpd-auth, and the master for --explain and its own users. Never in a worker
 * or an agent: it loads NSS modules.
 * Source: getpwnam_r(3), getgrouplist(3).
 * Not here: passwords; users of a file of our own; see passwd_file.h.
 */
#ifndef COMMON_ACCOUNT_H
#define COMMON_ACCOUNT_H

#include <sys/types.h>

#include "common/base.h"

enum {
	ACCOUNT_GROUPS_MAX = 65536,
	ACCOUNT_GROUP_NAMES_MAX = 256, /* further groups have no name here */
};

/* Texts are NUL-terminated and owned by the struct, as are the arrays. */
struct account {
	char *name; /* as the system spells it */
	char *home;
	char *shell;
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary ones, gid included */
	size_t group_count;
	char **group_names; /* of the first groups; NULL where the system knows none */
	size_t group_name_count;
};

/*
 * Look a user up.
 * Returns: 0; -ENOENT for a name that nobody has; another negative errno when the system
 *          could not tell.
 * Owner:   the caller frees it by account_free().
 */
int account_look_up(const char *name, struct account *ret_account);

/*
 * Find the groups of a user whose other data are known.
 * In:      account: name and gid are set.
 * Out:     account: groups and their names, freed by account_free().
 * Returns: 0 or negative errno.
 */
int account_look_up_groups(struct account *account);

/* Free what it holds; zeroed memory is allowed. */
void account_free(struct account *account);

/*
 * Ask whether a shell is one with which people may log in.
 * Returns: true if /etc/shells names it (getusershell(3)).
 */
bool account_has_valid_shell(const struct account *account);

/*
 * Ask whether a file of names, one a line, "#" beginning a comment, holds the name, as
 * /etc/ftpusers does.
 * Returns: 1, 0, or negative errno; a missing file holds nobody.
 */
int account_is_listed(const char *path, const char *name);

#endif
