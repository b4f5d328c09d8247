/*
 * test_privilege: who has become somebody has nothing left of who it was, and cannot come
 * back. As root all of it is tested; as anybody else what such a process can do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/privilege.h"
#include "common/sandbox.h"
#include "common/base.h"

enum {
	UID = 54321,
	GID = 54322,
};

/* Each of these runs in a child and exits with 0 when it found what it wanted. */
static int
nothing_is_left(void)
{
	const struct identity identity = {.uid = UID, .gid = GID};
	const gid_t groups[] = {0, 1, 2};
	char line[256];
	FILE *status;
	int zeros = 0;

	if (setgroups(ARRAY_COUNT(groups), groups) != 0 ||
	    privilege_become(&identity) != 0) {
		return 1;
	}
	if (getuid() != UID || geteuid() != UID || getgid() != GID || getegid() != GID ||
	    getgroups(0, NULL) != 0) {
		return 2;
	}
	if (setuid(0) == 0 || setgid(0) == 0 || setgroups(1, groups) == 0) {
		return 3;
	}
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != (sandbox_is_built() ? 0 : 1) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		return 4;
	}
	status = fopen("/proc/thread-self/status", "r");
	while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
		/* CapInh, CapPrm, CapEff, CapBnd, CapAmb */
		zeros += strncmp(line, "Cap", 3) == 0 &&
		         strcmp(line + 7, "\t0000000000000000\n") == 0;
	}
	return zeros == 5 ? 0 : 5;
}

static int
nobody_becomes_root(void)
{
	const struct identity root = {.uid = 0, .gid = GID};
	const struct identity wheel = {.uid = UID, .gid = 0};

	return privilege_become(&root) == -EPERM && privilege_become(&wheel) == -EPERM &&
	               geteuid() == 0
	           ? 0
	           : 1;
}

static int
the_empty_root_is_empty(void)
{
	struct stat here;
	struct stat root;

	if (privilege_enter_empty_root() != 0) {
		return 1;
	}
	if (stat(".", &here) != 0 || stat("/", &root) != 0 ||
	    here.st_ino != root.st_ino || here.st_dev != root.st_dev) {
		return 2;
	}
	/* It has no name any more, so even root can put nothing into it. */
	if (here.st_nlink != 0 || mkdir("/x", 0700) == 0 ||
	    open("/x", O_CREAT | O_WRONLY, 0600) >= 0 || access("/etc", F_OK) == 0 ||
	    access("..", F_OK) != 0) {
		return 3;
	}
	return 0;
}

static int
a_root_is_entered(void)
{
	int root_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root_fd < 0 || privilege_enter_root(root_fd) != 0) {
		return 1;
	}
	if (access("/status", F_OK) != 0 || access("status", F_OK) != 0 ||
	    access("/../../proc", F_OK) == 0) {
		return 2;
	}
	return privilege_enter_root(-1) == -EBADF ? 0 : 3;
}

static int
an_ordinary_user_stays(void)
{
	const struct identity identity = {.uid = UID, .gid = GID};
	uid_t uid = geteuid() == 0 ? UID + 1 : geteuid();

	if (geteuid() == 0 && setresuid(uid, uid, uid) != 0) {
		return 1;
	}
	if (privilege_is_root() || privilege_become(&identity) != 0 || geteuid() != uid) {
		return 2;
	}
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != (sandbox_is_built() ? 0 : 1) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		return 3;
	}
	return 0;
}

static void
run_child(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(run());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
root_becomes_a_user_for_good(void **state)
{
	(void)state;
	if (!privilege_is_root()) {
		skip();
	}
	run_child(nothing_is_left);
	run_child(nobody_becomes_root);
}

static void
roots_are_entered(void **state)
{
	(void)state;
	/* A sanitizer build stays where its reports can be written. */
	if (!privilege_is_root() || !sandbox_is_built()) {
		skip();
	}
	run_child(the_empty_root_is_empty);
	run_child(a_root_is_entered);
}

static void
without_root_the_rest_is_done(void **state)
{
	(void)state;
	run_child(an_ordinary_user_stays);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_becomes_a_user_for_good),
	    cmocka_unit_test(roots_are_entered),
	    cmocka_unit_test(without_root_the_rest_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
