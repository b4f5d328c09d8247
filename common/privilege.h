/*
 * privilege: becoming somebody else for good, and proving it.
 * Runs in: worker, agent, recorder at start-up; the master for its bounding set.
 * Source: setresuid(2), capabilities(7), SECURITY.md 3.3 and 3.6; DESIGN.md section 3,
 * rules 4 and 6.
 * Not here: looking users up; the master does that before it starts anything.
 */
#ifndef COMMON_PRIVILEGE_H
#define COMMON_PRIVILEGE_H

#include <sys/types.h>

#include "common/base.h"

/* Whom to become. */
struct identity {
	uid_t uid;
	gid_t gid;
};

/*
 * Read an identity as the master passes it to a program that it starts: two decimal
 * numbers.
 * Returns: true and *ret_identity.
 */
bool privilege_parse(const char *uid, const char *gid, struct identity *ret_identity);

/*
 * Ask whether this process could change its uid.
 * Returns: true for effective uid 0.
 */
bool privilege_is_root(void);

/*
 * Make `root_fd` (a directory) the root and the current directory, for good.
 * Returns: 0 or negative errno.
 */
int privilege_enter_root(int root_fd);

/*
 * Enter a root in which there is nothing: a directory that is made, removed and then
 * entered.
 * Returns: 0 or negative errno.
 */
int privilege_enter_empty_root(void);

/*
 * Become the identity irrevocably, without any supplementary group: gid, uid, every
 * capability set and the bounding set; undumpable; no new privileges. Then read
 * everything back and try to regain root. As a user other than root only the last two
 * steps are done.
 * Returns: 0; -EPERM if anything could be regained; other negative errno.
 */
int privilege_become(const struct identity *identity);

/*
 * As privilege_become, with exactly these supplementary groups.
 * In:      groups: count of them; put into ascending order.
 * Returns: as privilege_become.
 */
int privilege_become_member(const struct identity *identity, gid_t *groups, size_t count);

#endif
