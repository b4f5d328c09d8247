/*
 * rulebook: which rights a directory has: those of the innermost directory with a rule
 * that it is in, else the user's.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: everybody who can rename below
 * the root.
 * Source: SECURITY.md A2 and F24: decided on the directory itself, never on a path.
 * Not here: what rights permit; see policy.h.
 *
 * A rule holds for the directory that was at its path when it was first seen, wherever
 * that is moved, and for what is at its path now.
 */
#ifndef FTPD_AGENT_RULEBOOK_H
#define FTPD_AGENT_RULEBOOK_H

#include <sys/stat.h>

#include "ftpd/agent/resolve.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

enum {
	RULEBOOK_DEPTH_MAX = 512, /* directories passed on the way up; then -ELOOP */
};

struct rulebook_rule {
	char *path;  /* terminated; never freed: the process ends first */
	int held_fd; /* O_PATH: keeps the inode's number from being used again; or -1 */
	dev_t device;
	ino_t inode;
	struct agent_rights rights;
};

struct rulebook {
	const struct resolver *resolver;
	struct agent_rights base;
	bool may_write; /* anywhere */
	dev_t root_device;
	ino_t root_inode;
	uint32_t added_umask; /* by AGENT_SET_UMASK */
	uint32_t umask;       /* as the process has it */
	size_t rule_count;
	struct rulebook_rule rules[AGENT_RULES_MAX];
};

/*
 * Take the rights of the start record. Once, in the confinement.
 * Owner:   resolver stays the caller's, as long as the rulebook is used.
 * Returns: 0 or negative errno.
 */
int rulebook_init(struct rulebook *book, const struct resolver *resolver,
                  const struct agent_start *start);

/*
 * Ask whether anything at all may be written with these rights.
 * Returns: true if so: the confinement of the agent depends on it.
 */
bool rulebook_may_write(const struct agent_start *start);

/*
 * Ask how large a file may get wherever this agent writes.
 * Returns: the largest of the limits, UINT64_MAX if one is missing.
 */
uint64_t rulebook_largest_file(const struct agent_start *start);

/*
 * Find the rights of a directory by going up from it.
 * Out:     ret_rights: in the book.
 * Returns: 0; -EACCES for a directory that is not below the root, as one that was moved
 *          out; other negative errno.
 */
int rulebook_rights(struct rulebook *book, int dir_fd,
                    const struct agent_rights **ret_rights);

/* Let what is made from now on have the permission bits that these rights say. */
void rulebook_set_umask(struct rulebook *book, const struct agent_rights *rights);

/*
 * Count the directories above a directory, up to the root.
 * Returns: 0 for the root itself; -EACCES for a directory that is not below the root;
 *          other negative errno.
 */
int rulebook_depth(const struct rulebook *book, int dir_fd);

/*
 * Ask whether a directory is another one or below it.
 * Returns: true also if that cannot be found out.
 */
bool rulebook_is_within(const struct rulebook *book, int dir_fd, const struct stat *top);

/*
 * Ask whether an entry is a directory with a rule of its own, which is not to be moved
 * or removed.
 * Returns: its rights, or NULL.
 */
const struct agent_rights *rulebook_rule_of(struct rulebook *book,
                                            const struct stat *info);

#endif
