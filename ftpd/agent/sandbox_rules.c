/*
 * sandbox_rules: the system calls that remain to an agent.
 * Runs in: filter_gen, when the agent is built.
 */
#include "ftpd/agent/sandbox_rules.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base.h"

enum {
	ALL_BITS = 0x7fffffff,
	/*
	 * openat2 has its flags in memory, where a filter cannot look: there Landlock is
	 * the second wall.
	 */
	OPEN_WRITING = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND,
	SPECIAL_BITS = S_ISUID | S_ISGID | S_ISVTX,
	/* since Linux 6.6; libseccomp of Debian 12 has no name for it */
	CALL_FCHMODAT2 = 452,
};

static const struct sandbox_rule common_rules[] = {
    /* The channel. Never recvmsg: the kernel drops what the worker might attach. */
    {SCMP_SYS(recvfrom), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(poll), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ppoll), SANDBOX_ALLOW, {{0}}},

    /* Looking at files. */
    {SCMP_SYS(openat2), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(fstat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(newfstatat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(statx), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(faccessat2), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(readlinkat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(getdents64), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(read), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(pread64), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(lseek), SANDBOX_ALLOW, {{0}}},

    /* The pipe of a listing. */
    {SCMP_SYS(pipe2), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(write), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(fcntl), SANDBOX_ALLOW, {{1, ALL_BITS, F_SETPIPE_SZ}}},

    {SCMP_SYS(fcntl), SANDBOX_ALLOW, {{1, ALL_BITS, F_GETFL}}},

    {SCMP_SYS(clone), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(clone3), SANDBOX_KILL, {{0}}},
};

static const struct sandbox_rule reading_rules[] = {
    {SCMP_SYS(openat), SANDBOX_ALLOW, {{2, OPEN_WRITING, O_RDONLY}}},
};

/*
 * The set-user-ID, set-group-ID and sticky bits are nobody's business: a second wall. No
 * owners, no extended attributes, no devices.
 */
static const struct sandbox_rule writing_rules[] = {
    {SCMP_SYS(openat), SANDBOX_ALLOW, {{3, SPECIAL_BITS, 0}}},
    {SCMP_SYS(fchmod), SANDBOX_ALLOW, {{1, SPECIAL_BITS, 0}}},
    {SCMP_SYS(fchmod), SANDBOX_REFUSE, {{1, S_ISUID, S_ISUID}}},
    {SCMP_SYS(fchmod), SANDBOX_REFUSE, {{1, S_ISGID, S_ISGID}}},
    {SCMP_SYS(fchmod), SANDBOX_REFUSE, {{1, S_ISVTX, S_ISVTX}}},
    {CALL_FCHMODAT2, SANDBOX_ALLOW, {{2, SPECIAL_BITS, 0}}},
    {SCMP_SYS(mkdirat), SANDBOX_ALLOW, {{2, SPECIAL_BITS, 0}}},
    {SCMP_SYS(unlinkat), SANDBOX_ALLOW, {{0}}},
    /* libc says the first for the second without flags */
    {SCMP_SYS(renameat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(renameat2), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(linkat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(symlinkat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(utimensat), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ftruncate), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(fsync), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(syncfs), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(fstatfs), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(copy_file_range), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ioctl), SANDBOX_ALLOW, {{1, ALL_BITS, FICLONE}}},
    {SCMP_SYS(fcntl), SANDBOX_ALLOW, {{1, ALL_BITS, F_OFD_SETLK}}},
    {SCMP_SYS(umask), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(geteuid), SANDBOX_ALLOW, {{0}}},
};

_Static_assert(ARRAY_COUNT(common_rules) + ARRAY_COUNT(writing_rules) <=
                   AGENT_SANDBOX_RULES_MAX,
               "all rules must fit");

size_t
agent_sandbox_rules(bool may_write, struct sandbox_rule rules[AGENT_SANDBOX_RULES_MAX])
{
	size_t count = ARRAY_COUNT(common_rules);

	memcpy(rules, common_rules, sizeof(common_rules));
	if (may_write) {
		memcpy(rules + count, writing_rules, sizeof(writing_rules));
		return count + ARRAY_COUNT(writing_rules);
	}
	memcpy(rules + count, reading_rules, sizeof(reading_rules));
	return count + ARRAY_COUNT(reading_rules);
}
