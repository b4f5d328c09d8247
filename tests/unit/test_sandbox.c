/*
 * test_sandbox: each action of the filter, in a child that is confined by it; Landlock;
 * limits.
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
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "common/base.h"

static const struct sandbox_rule rules[] = {
    {SCMP_SYS(write), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(getppid), SANDBOX_REFUSE, {{0}}},
    {SCMP_SYS(clone3), SANDBOX_ABSENT, {{0}}},
    {SCMP_SYS(socket), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(getsockopt), SANDBOX_ALLOW, {{1, ~0U, SOL_SOCKET}, {2, ~0U, SO_ERROR}}},
};

/* Each of these runs confined, and exits with 0 when it found what it wanted. */
static int
allowed_calls_work(void)
{
	struct timespec now;

	return write(STDERR_FILENO, "", 0) == 0 &&
	               clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	               sandbox_take_denied() == -1
	           ? 0
	           : 1;
}

static int
refused_calls_are_not_noted(void)
{
	errno = 0;
	return syscall(SYS_getppid) == -1 && errno == EPERM && sandbox_take_denied() == -1
	           ? 0
	           : 1;
}

static int
absent_calls_are_not_noted(void)
{
	errno = 0;
	return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS &&
	               sandbox_take_denied() == -1
	           ? 0
	           : 1;
}

static int
unknown_calls_are_noted_once(void)
{
	for (int i = 0; i < 3; i++) {
		errno = 0;
		if (syscall(SYS_getuid) != -1 || errno != ENOSYS) {
			return 1;
		}
	}
	errno = 0;
	if (open("/dev/null", O_RDONLY) != -1 || errno != ENOSYS) {
		return 2;
	}
	if (sandbox_take_denied() != SYS_getuid || sandbox_take_denied() != SYS_openat ||
	    sandbox_take_denied() != -1) {
		return 3;
	}
	(void)syscall(SYS_getuid);
	return sandbox_take_denied() == -1 ? 0 : 4;
}

static int
many_unknown_calls_overflow_nothing(void)
{
	int noted = 0;

	for (long number = 2000; number < 2040; number++) {
		(void)syscall(number, -1, NULL, -1, 0);
	}
	while (sandbox_take_denied() != -1) {
		noted++;
	}
	return noted == 16 ? 0 : 1;
}

static int
arguments_decide(void)
{
	int value = 0;
	socklen_t len = sizeof(value);

	errno = 0;
	if (getsockopt(-1, SOL_SOCKET, SO_ERROR, &value, &len) != -1 || errno != EBADF) {
		return 1;
	}
	errno = 0;
	if (getsockopt(-1, SOL_SOCKET, SO_TYPE, &value, &len) != -1 || errno != ENOSYS) {
		return 2;
	}
	return sandbox_take_denied() == SYS_getsockopt ? 0 : 3;
}

static int
no_memory_is_executable(void)
{
	void *memory =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory, 4096, PROT_READ) != 0) {
		return 1;
	}
	if (mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EPERM) {
		return 2;
	}
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	            0) == MAP_FAILED
	           ? 0
	           : 3;
}

static int
killing_calls_kill(void)
{
	(void)syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	return 1;
}

static int
exec_kills(void)
{
	char *const arguments[] = {NULL};

	(void)execve("/bin/true", arguments, arguments);
	return 1;
}

static int
the_filter_cannot_be_replaced(void)
{
	struct sandbox_filter none = {0};

	return sandbox_filter_load(&none) != 0 ? 0 : 1;
}

struct filter_case {
	const char *name;
	int (*run)(void);
	int signal; /* 0: exits with 0 */
};

static const struct filter_case filters[] = {
    {"allowed", allowed_calls_work, 0},
    {"refused", refused_calls_are_not_noted, 0},
    {"absent", absent_calls_are_not_noted, 0},
    {"unknown", unknown_calls_are_noted_once, 0},
    {"many unknown", many_unknown_calls_overflow_nothing, 0},
    {"arguments", arguments_decide, 0},
    {"executable memory", no_memory_is_executable, 0},
    {"kill", killing_calls_kill, SIGSYS},
    {"exec", exec_kills, SIGSYS},
    {"no second filter", the_filter_cannot_be_replaced, 0},
};

static void
filter_does_what_its_table_says(void **state)
{
	struct sandbox_filter filter = {0};

	(void)state;
	if (!sandbox_is_built()) {
		skip();
	}
	assert_int_equal(sandbox_filter_build(rules, ARRAY_COUNT(rules), false, &filter),
	                 0);
	for (size_t i = 0; i < ARRAY_COUNT(filters); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			_exit(sandbox_filter_load(&filter) == 0 ? filters[i].run() : 99);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (filters[i].signal == 0
		        ? status != 0
		        : !WIFSIGNALED(status) || WTERMSIG(status) != filters[i].signal) {
			print_error("%s: status 0x%x\n", filters[i].name,
			            (unsigned)status);
			fail();
		}
	}
	sandbox_filter_free(&filter);
	assert_null(filter.program);
}

static void
run_child(int (*run)(const char *dir), const char *dir)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(run(dir));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool
can_open(int dir_fd, const char *path, int flags)
{
	int fd = openat(dir_fd, path, flags | O_CLOEXEC, 0600);

	if (fd >= 0) {
		(void)close(fd);
	}
	return fd >= 0;
}

static int
confine_to_reading(const char *dir)
{
	int root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int abi = -1;

	if (root_fd < 0 || sandbox_landlock(root_fd, SANDBOX_FILES_READ, &abi) != 0) {
		return 1;
	}
	if (abi == 0) {
		return 0;
	}
	if (!can_open(root_fd, "file", O_RDONLY) || can_open(root_fd, "file", O_WRONLY) ||
	    can_open(root_fd, "new", O_WRONLY | O_CREAT) ||
	    can_open(root_fd, "..", O_RDONLY) ||
	    can_open(AT_FDCWD, "/etc/passwd", O_RDONLY)) {
		return 2;
	}
	return unlinkat(root_fd, "file", 0) == 0 ? 3 : 0;
}

static int
confine_to_nothing(const char *dir)
{
	int root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int abi = -1;

	if (root_fd < 0 || sandbox_landlock(-1, SANDBOX_FILES_NONE, &abi) != 0) {
		return 1;
	}
	return abi > 0 && can_open(root_fd, "file", O_RDONLY) ? 2 : 0;
}

static void
landlock_confines(void **state)
{
	char dir[] = "/tmp/deftpd-test-XXXXXX";
	int dir_fd;
	int file_fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file_fd = openat(dir_fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file_fd >= 0);
	run_child(confine_to_reading, dir);
	run_child(confine_to_nothing, dir);
	assert_int_equal(unlinkat(dir_fd, "file", 0), 0);
	(void)close(file_fd);
	(void)close(dir_fd);
	assert_int_equal(rmdir(dir), 0);
}

static int
limit_everything(const char *dir)
{
	struct rlimit limit;
	void *volatile memory; /* or the compiler does without */
	int fd = -1;

	(void)dir;
	if (sandbox_limits(20, 64 * 1024 * 1024, false) != 0) {
		return 1;
	}
	for (int i = 0; i < 30; i++) {
		fd = dup(STDERR_FILENO);
	}
	if (fd >= 0 || errno != EMFILE) {
		return 2;
	}
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0 ||
	    getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_max != 0) {
		return 3;
	}
	memory = malloc(128 * 1024 * 1024);
	return !sandbox_is_built() || memory == NULL ? 0 : 4;
}

static void
limits_hold(void **state)
{
	(void)state;
	run_child(limit_everything, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filter_does_what_its_table_says),
	    cmocka_unit_test(landlock_confines),
	    cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
