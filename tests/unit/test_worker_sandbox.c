/*
 * test_worker_sandbox: nothing that a worker was handed can be run, nor made runnable, by
 * a worker that somebody has taken over.
 * Source: SECURITY.md F20; DESIGN.md section 3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "ftpd/conf/options.h"
#include "ftpd/worker/sandbox.h"
#include "common/base.h"

enum {
	PAGE = 4096,
	OTHER_USER = 65534,
	STATUS_UNCONFINED = 99,
};

/* Each of these runs confined, with a program that was passed; 0: it got nothing. */
static int
a_file_is_not_mapped_to_be_run(int fd)
{
	static const int protections[] = {PROT_EXEC, PROT_READ | PROT_EXEC,
	                                  PROT_READ | PROT_WRITE | PROT_EXEC};

	for (size_t i = 0; i < ARRAY_COUNT(protections); i++) {
		if (mmap(NULL, PAGE, protections[i], MAP_PRIVATE, fd, 0) != MAP_FAILED ||
		    mmap(NULL, PAGE, protections[i], MAP_PRIVATE | MAP_ANONYMOUS, -1,
		         0) != MAP_FAILED) {
			return 1;
		}
	}
	return 0;
}

static int
what_is_mapped_does_not_become_a_program(int fd)
{
	void *file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	void *memory =
	    mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		return 1;
	}
	if (mprotect(memory, PAGE, PROT_READ | PROT_EXEC) == 0 ||
	    syscall(SYS_pkey_mprotect, memory, (size_t)PAGE, PROT_READ | PROT_EXEC, -1) ==
	        0) {
		return 2;
	}
	return file != MAP_FAILED && mprotect(file, PAGE, PROT_READ | PROT_EXEC) == 0 ? 3
	                                                                              : 0;
}

static int
a_file_without_a_name_cannot_be_made(int fd)
{
	(void)fd;
	return syscall(SYS_memfd_create, "x", 0U) < 0 && errno == ENOSYS ? 0 : 1;
}

/* The filter's answer to exec is the end. */
static int
a_descriptor_is_not_run(int fd)
{
	char *const none[] = {NULL};

	(void)syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
	return 1;
}

static int
a_name_is_not_run(int fd)
{
	char *const none[] = {NULL};

	(void)fd;
	(void)syscall(SYS_execve, "/bin/true", none, none);
	return 1;
}

struct attempt {
	const char *name;
	int (*run)(int fd);
	int signal; /* 0: it goes on, and got nothing */
};

static const struct attempt attempts[] = {
    {"mmap", a_file_is_not_mapped_to_be_run, 0},
    {"mprotect", what_is_mapped_does_not_become_a_program, 0},
    {"memfd_create", a_file_without_a_name_cannot_be_made, 0},
    {"execveat", a_descriptor_is_not_run, SIGSYS},
    {"execve", a_name_is_not_run, SIGSYS},
};

/* As a worker is made: first the forkserver is confined, then its child. */
static bool
confine(void)
{
	static struct options options; /* too large for a stack */
	static const struct identity identity = {.uid = OTHER_USER, .gid = OTHER_USER};
	struct confinement confinement;
	const char *failed;

	options_set_defaults(&options);
	return sandbox_confine_forkserver(&identity, &options, &confinement, &failed) ==
	           0 &&
	       sandbox_confine_worker(&confinement) == 0;
}

static void
nothing_passed_is_run(void **state)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	if (!sandbox_is_built()) {
		(void)close(fd);
		skip();
	}
	for (size_t i = 0; i < ARRAY_COUNT(attempts); i++) {
		int wanted = attempts[i].signal;
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(confine() ? attempts[i].run(fd) : STATUS_UNCONFINED);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (wanted == 0 ? status != 0
		                : !WIFSIGNALED(status) || WTERMSIG(status) != wanted) {
			print_error("%s: status 0x%x\n", attempts[i].name,
			            (unsigned)status);
			fail();
		}
	}
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_passed_is_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
