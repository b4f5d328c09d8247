/*
 * sandbox_build: from a role's table to the program that the kernel runs for each call.
 * Runs in: worker, recorder, at the end of their start-up; the agent's are made when it
 * is built.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "common/base.h"

/*
 * What every process needs whatever its role: memory that is never executable, time, its
 * own end, signals.
 */
enum {
	PROGRAM_MAX_BYTES = 32 * 1024, /* they have some 2 KiB; a pipe takes 64 */
};

static const struct sandbox_rule base_rules[] = {
    {SCMP_SYS(mmap), SANDBOX_ALLOW, {{2, PROT_EXEC, 0}}},
    {SCMP_SYS(mmap), SANDBOX_REFUSE, {{2, PROT_EXEC, PROT_EXEC}}},
    {SCMP_SYS(mprotect), SANDBOX_ALLOW, {{2, PROT_EXEC, 0}}},
    {SCMP_SYS(mprotect), SANDBOX_REFUSE, {{2, PROT_EXEC, PROT_EXEC}}},
    {SCMP_SYS(munmap), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(mremap), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(brk), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(madvise), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(futex), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(clock_gettime), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(clock_nanosleep), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(restart_syscall), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(exit), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(exit_group), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(rt_sigreturn), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(rt_sigprocmask), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(rt_sigaction), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(getpid), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(gettid), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(getrandom), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(close), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ptrace), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(process_vm_readv), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(process_vm_writev), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(pidfd_getfd), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(execve), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(execveat), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(open_by_handle_at), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(mount), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(setns), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(unshare), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(bpf), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(perf_event_open), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(userfaultfd), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(io_uring_setup), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(keyctl), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(socket), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(connect), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(bind), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(listen), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(fork), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(vfork), SANDBOX_KILL, {{0}}},
    {SCMP_SYS(kill), SANDBOX_REFUSE, {{0}}},
    {SCMP_SYS(tgkill),
     SANDBOX_ALLOW,
     {{0}}}, /* abort() of a bug: the signal to oneself */
};

/* A thread shares everything and is no process. */
#define THREAD_FLAGS (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES | CLONE_FS)

/* glibc asks by clone3 first, whose flags a filter cannot see. */
static const struct sandbox_rule thread_rules[] = {
    {SCMP_SYS(clone), SANDBOX_ALLOW, {{0, THREAD_FLAGS, THREAD_FLAGS}}},
    {SCMP_SYS(clone3), SANDBOX_ABSENT, {{0}}},
    {SCMP_SYS(set_robust_list), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(rseq), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sched_getaffinity), SANDBOX_ALLOW, {{0}}}, /* glibc sizes its heaps by it */
    {SCMP_SYS(prctl), SANDBOX_REFUSE, {{0}}},            /* glibc names its heaps by it */
};

static int
add_rule(scmp_filter_ctx context, const struct sandbox_rule *rule)
{
	struct scmp_arg_cmp compares[ARRAY_COUNT(rule->checks)];
	unsigned count = 0;
	uint32_t action = rule->action == SANDBOX_ALLOW    ? SCMP_ACT_ALLOW
	                  : rule->action == SANDBOX_REFUSE ? SCMP_ACT_ERRNO(EPERM)
	                  : rule->action == SANDBOX_ABSENT ? SCMP_ACT_ERRNO(ENOSYS)
	                                                   : SCMP_ACT_KILL_PROCESS;

	for (size_t i = 0; i < ARRAY_COUNT(rule->checks); i++) {
		const struct sandbox_check *check = &rule->checks[i];

		if (check->mask != 0) {
			compares[count++] =
			    (struct scmp_arg_cmp){.arg = check->argument,
			                          .op = SCMP_CMP_MASKED_EQ,
			                          .datum_a = check->mask,
			                          .datum_b = check->value};
		}
	}
	return seccomp_rule_add_array(context, action, rule->call, count, compares);
}

static int
add_rules(scmp_filter_ctx context, const struct sandbox_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int result = add_rule(context, &rules[i]);

		if (result != 0) {
			return result;
		}
	}
	return 0;
}

/*
 * libseccomp 2.5 writes a program only to a descriptor: take it back out of a memory
 * file.
 */
static int
export_program(scmp_filter_ctx context, struct sandbox_filter *ret_filter)
{
	struct stat info;
	void *program = NULL;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int result;

	if (fd < 0) {
		return -errno;
	}
	result = seccomp_export_bpf(context, fd);
	if (result == 0 && fstat(fd, &info) != 0) {
		result = -errno;
	}
	if (result == 0) {
		program = malloc((size_t)info.st_size);
		result = program == NULL ? -ENOMEM : 0;
	}
	if (result == 0 && pread(fd, program, (size_t)info.st_size, 0) != info.st_size) {
		result = -EIO;
	}
	fd_close(&fd);
	if (result != 0) {
		free(program);
		return result;
	}
	ret_filter->program = program;
	ret_filter->count =
	    (unsigned short)((size_t)info.st_size / sizeof(struct sock_filter));
	return 0;
}

static int
build(const struct sandbox_rule *rules, size_t count, bool may_start_threads,
      struct sandbox_filter *ret_filter)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_TRAP);
	int result;

	if (context == NULL) {
		return -ENOMEM;
	}
	/*
	 * A balanced tree: the cost of a call does not depend on its place in the table.
	 */
	result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (result == 0) {
		result = add_rules(context, base_rules, ARRAY_COUNT(base_rules));
	}
	if (result == 0) {
		result = add_rules(context, rules, count);
	}
	if (result == 0 && may_start_threads) {
		result = add_rules(context, thread_rules, ARRAY_COUNT(thread_rules));
	}
	if (result == 0) {
		result = export_program(context, ret_filter);
	}
	seccomp_release(context);
	return result;
}

/*
 * In a process of its own, as libseccomp leaves the heap in pieces, and every worker that
 * is forked would have them. The program goes into the pipe, which has room for it.
 */
static _Noreturn void
build_aside(int pipe_fd, const struct sandbox_rule *rules, size_t count,
            bool may_start_threads)
{
	struct sandbox_filter filter = {0};
	int result = build(rules, count, may_start_threads, &filter);
	size_t len = result == 0 ? filter.count * sizeof(struct sock_filter) : 0;

	_exit(result == 0 && write(pipe_fd, filter.program, len) == (ssize_t)len ? 0 : 1);
}

/* Returns: 0 or negative errno. */
static int
take_program(int pipe_fd, struct sandbox_filter *ret_filter)
{
	void *program = malloc(PROGRAM_MAX_BYTES);
	ssize_t len = program == NULL ? -1 : read(pipe_fd, program, PROGRAM_MAX_BYTES);

	if (len <= 0 || (size_t)len % sizeof(struct sock_filter) != 0) {
		free(program);
		return program == NULL ? -ENOMEM : -EIO;
	}
	ret_filter->program = program;
	ret_filter->count = (unsigned short)((size_t)len / sizeof(struct sock_filter));
	return 0;
}

int
sandbox_filter_build(const struct sandbox_rule *rules, size_t count,
                     bool may_start_threads, struct sandbox_filter *ret_filter)
{
	int ends[2];
	int result;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		build_aside(ends[1], rules, count, may_start_threads);
	}
	result = pid < 0 ? -errno : 0;
	fd_close(&ends[1]);
	if (result == 0) {
		result = take_program(ends[0], ret_filter);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	fd_close(&ends[0]);
	return result;
}
