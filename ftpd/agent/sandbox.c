/*
 * sandbox: the system calls that remain to an agent that only reads.
 * Runs in: deftpd-agent, at the end of its start-up.
 */
#include "ftpd/agent/sandbox.h"

#include <fcntl.h>
#include <seccomp.h>

#include "common/sandbox.h"
#include "common/base.h"

enum {
	ALL_BITS = 0x7fffffff,
	/*
	 * openat2 has its flags in memory, where a filter cannot look: there Landlock is
	 * the second wall.
	 */
	OPEN_WRITING = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND,
};

static const struct sandbox_rule agent_rules[] = {
    /* The channel. Never recvmsg: the kernel drops what the worker might attach. */
    {SCMP_SYS(recvfrom), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(poll), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ppoll), SANDBOX_ALLOW, {{0}}},

    /* Looking at files. */
    {SCMP_SYS(openat2), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(openat), SANDBOX_ALLOW, {{2, OPEN_WRITING, O_RDONLY}}},
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

    {SCMP_SYS(clone), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(clone3), SANDBOX_KILL, {{0}}},
};

int
agent_sandbox_enter(void)
{
	struct sandbox_filter filter;
	int result =
	    sandbox_filter_build(agent_rules, ARRAY_COUNT(agent_rules), false, &filter);

	if (result != 0) {
		return result;
	}
	result = sandbox_filter_load(&filter);
	sandbox_filter_free(&filter);
	return result;
}
