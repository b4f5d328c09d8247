/*
 * test_agent_filter: the filters that the build has made are those that the rules say,
 * and special permission bits do not pass them.
 * Source: SECURITY.md 3.4 and F7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/agent/filter.h"
#include "ftpd/agent/sandbox.h"
#include "ftpd/agent/sandbox_rules.h"
#include "common/base.h"

enum {
	CALL_FCHMODAT2 = 452,
};

static void
is_what_the_rules_say(void **state)
{
	(void)state;
	for (int may_write = 0; may_write <= 1; may_write++) {
		struct sandbox_rule rules[AGENT_SANDBOX_RULES_MAX];
		size_t rule_count = agent_sandbox_rules(may_write == 1, rules);
		struct sandbox_filter built;
		const struct sock_filter *made;
		unsigned short count = 0;

		assert_int_equal(sandbox_filter_build(rules, rule_count, false, &built),
		                 0);
		made = agent_filter(may_write == 1, &count);
		assert_int_equal(count, built.count);
		assert_memory_equal(made, built.program, count * sizeof(*made));
		sandbox_filter_free(&built);
	}
}

/*
 * Run in a confined child.
 * Returns: its exit status.
 */
static int
confined(bool may_write, int (*check)(int dir_fd))
{
	char path[] = "/tmp/deftpd-filter-XXXXXX";
	int dir_fd;
	int status;
	pid_t pid;

	assert_non_null(mkdtemp(path));
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_fd >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(agent_sandbox_enter(may_write, UINT64_MAX) == 0 ? check(dir_fd)
		                                                      : 99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)unlinkat(dir_fd, "file", 0); /* the child may have made it */
	fd_close(&dir_fd);
	assert_int_equal(rmdir(path), 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
check_reader(int dir_fd)
{
	if (openat(dir_fd, "file", O_WRONLY | O_CREAT, 0600) >= 0 || errno != ENOSYS) {
		return 1;
	}
	if (mkdirat(dir_fd, "dir", 0700) == 0 || errno != ENOSYS) {
		return 2;
	}
	return openat(dir_fd, ".", O_RDONLY | O_DIRECTORY) >= 0 ? 0 : 3;
}

static int
check_writer(int dir_fd)
{
	static const mode_t special[] = {S_ISUID, S_ISGID, S_ISVTX, 07777};
	int fd = openat(dir_fd, "file", O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || fchmod(fd, 0777) != 0) {
		return 1;
	}
	for (size_t i = 0; i < ARRAY_COUNT(special); i++) {
		if (fchmod(fd, special[i] | 0700) == 0 ||
		    syscall(CALL_FCHMODAT2, dir_fd, "file", special[i], 0) == 0 ||
		    openat(dir_fd, "other", O_WRONLY | O_CREAT, special[i]) >= 0 ||
		    mkdirat(dir_fd, "dir", special[i]) == 0) {
			return 2;
		}
	}
	if (fchown(fd, 1, 1) == 0 || mknodat(dir_fd, "fifo", S_IFIFO, 0) == 0) {
		return 3;
	}
	return chroot(".") == 0 ? 4 : 0;
}

static void
lets_nothing_else_pass(void **state)
{
	(void)state;
	if (!sandbox_is_built()) {
		skip();
	}
	assert_int_equal(confined(false, check_reader), 0);
	assert_int_equal(confined(true, check_writer), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_what_the_rules_say),
	    cmocka_unit_test(lets_nothing_else_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
