/*
 * test_agent_inject: system calls that confine a process fail, or do nothing and say that
 * they succeeded: agent, worker and recorder end before they say that they are ready.
 * Source: SECURITY.md A9 (CVE-2023-40303).
 * Not here: authenticators, who become agents by exec.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/forkserver.h"
#include "common/sandbox.h"
#include "ftpd/conf/options.h"
#include "ftpd/ipc/message.h"
#include "tests/unit/agent_harness.h"
#include "common/base.h"

enum {
	ANY = -1,
	WORKER_EXIT = 1, /* of main, when the confinement fails */
	PROGRAM_MAX = 4096,
	GROUP = 200000,
};

/* One call that does not work, and who is stopped by it. */
struct fault {
	const char *name;
	long call;
	int argument; /* ANY, or the argument that must have this value */
	uint32_t value;
	int error; /* 0: it says that it has succeeded, and has done nothing */
	enum agent_exit agent;
	bool stops_forkserver;
	bool stops_worker; /* if the forkserver goes on */
	bool stops_recorder;
};

static const struct fault faults[] = {
    {"none", -1, ANY, 0, EPERM, AGENT_EXIT_DONE, false, false, false},
    {"fchdir", SYS_fchdir, ANY, 0, EACCES, AGENT_EXIT_ROOT, true, true, true},
    {"chroot", SYS_chroot, ANY, 0, EPERM, AGENT_EXIT_ROOT, true, true, true},
    {"chdir", SYS_chdir, ANY, 0, EACCES, AGENT_EXIT_ROOT, true, true, true},
    {"bounding set", SYS_prctl, 0, PR_CAPBSET_DROP, EPERM, AGENT_EXIT_BECOME, true, true,
     true},
    {"setgroups", SYS_setgroups, ANY, 0, EPERM, AGENT_EXIT_BECOME, true, true, true},
    {"setresgid", SYS_setresgid, ANY, 0, EPERM, AGENT_EXIT_BECOME, true, true, true},
    {"setresuid", SYS_setresuid, ANY, 0, EAGAIN, AGENT_EXIT_BECOME, true, true, true},
    {"setresuid, not allowed", SYS_setresuid, ANY, 0, EPERM, AGENT_EXIT_BECOME, true,
     true, true},
    {"setgroups in name only", SYS_setgroups, ANY, 0, 0, AGENT_EXIT_BECOME, true, true,
     true},
    {"setresgid in name only", SYS_setresgid, ANY, 0, 0, AGENT_EXIT_BECOME, true, true,
     true},
    {"setresuid in name only", SYS_setresuid, ANY, 0, 0, AGENT_EXIT_BECOME, true, true,
     true},
    {"capset", SYS_capset, ANY, 0, EPERM, AGENT_EXIT_BECOME, true, true, true},
    {"dumpable", SYS_prctl, 0, PR_SET_DUMPABLE, EINVAL, AGENT_EXIT_BECOME, true, true,
     true},
    {"no new privileges", SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, EINVAL, AGENT_EXIT_BECOME,
     true, true, true},
    /* glibc's setrlimit wants no old limit, its getrlimit does */
    {"limits", SYS_prlimit64, 3, 0, EPERM, AGENT_EXIT_SANDBOX, false, true, true},
    {"Landlock's rule set", SYS_landlock_create_ruleset, 2, 0, ENOMEM, AGENT_EXIT_SANDBOX,
     true, true, true},
    /* Workers and recorders have no rule that allows anything. */
    {"Landlock's rule", SYS_landlock_add_rule, ANY, 0, EPERM, AGENT_EXIT_SANDBOX, false,
     false, false},
    {"Landlock", SYS_landlock_restrict_self, ANY, 0, EPERM, AGENT_EXIT_SANDBOX, true,
     true, true},
    /* A kernel without it is served, and the log says so: DESIGN.md section 3. */
    {"no Landlock", SYS_landlock_create_ruleset, 2, LANDLOCK_CREATE_RULESET_VERSION,
     ENOSYS, AGENT_EXIT_DONE, false, false, false},
    {"filter", SYS_prctl, 0, PR_SET_SECCOMP, EACCES, AGENT_EXIT_SANDBOX, false, true,
     true},
};

/*
 * As root the filter needs no promise of its own, so that PR_SET_NO_NEW_PRIVS can fail.
 */
static bool
inject(const struct fault *fault)
{
	size_t at = offsetof(struct seccomp_data, nr);
	size_t argument_at = offsetof(struct seccomp_data, args) +
	                     sizeof(uint64_t) * (size_t)(fault->argument + 1) -
	                     sizeof(uint64_t);
	uint32_t verdict = SECCOMP_RET_ERRNO | (uint32_t)fault->error;
	struct sock_filter all[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fault->call, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, verdict),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter some[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fault->call, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)argument_at),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->value, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, verdict),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = ARRAY_COUNT(all), .filter = all};

	if (fault->argument != ANY) {
		filter.len = ARRAY_COUNT(some);
		filter.filter = some;
	}
	return fault->call < 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* Faults of what is not there are none. */
static bool
can_happen(const struct fault *fault)
{
	bool is_landlock = fault->call == SYS_landlock_create_ruleset ||
	                   fault->call == SYS_landlock_add_rule ||
	                   fault->call == SYS_landlock_restrict_self;

	return !is_landlock || syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	                               LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/*
 * Returns: whether all is as it should be. Runs with the fault, in a process of its own.
 */
static bool
is_agent_right(const struct fault *fault, const struct agent_tree *tree)
{
	uint32_t group = GROUP;
	struct agent_start start = {
	    .root = tree->root, .groups = &group, .group_count = 1};
	struct agent_process process;
	enum agent_exit status;

	agent_start_record(&process, &start, 0);
	status = (enum agent_exit)agent_end(&process);
	if (status == fault->agent &&
	    (process.ready == IPC_OK) == (fault->agent == AGENT_EXIT_DONE)) {
		return true;
	}
	print_error("%s: the agent says %d and ends with %d\n", fault->name,
	            (int)process.ready, (int)status);
	return false;
}

static void
stops_agents(void **state)
{
	struct agent_tree tree = {0};

	(void)state;
	if (geteuid() != 0 || !sandbox_is_built()) {
		skip();
	}
	tree_make(&tree);
	for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
		int status;
		pid_t pid;

		if (!can_happen(&faults[i])) {
			continue;
		}
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(inject(&faults[i]) && is_agent_right(&faults[i], &tree)
			          ? 0
			          : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0) {
			print_error("%s: agent: 0x%x\n", faults[i].name,
			            (unsigned)status);
		}
		assert_int_equal(status, 0);
	}
	tree_remove(&tree);
}

/* A program of the same directory as the agent's, run with a fault. */
struct program {
	pid_t pid;
	int channel_fd;
};

static void __attribute__((noreturn))
run_program(const char *name, int channel_fd, int options_fd, const struct fault *fault)
{
	const gid_t inherited = GROUP; /* so that there is a group to be rid of */
	char path[PROGRAM_MAX] = DEFTPD_AGENT_PROGRAM;
	char *name_at = strrchr(path, '/') + 1;
	char id[] = "65534";
	char *const arguments[] = {path, id, id, NULL};
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Above those that they are to become: dup3 onto itself would fail. */
	channel_fd = fcntl(channel_fd, F_DUPFD_CLOEXEC, 10);
	options_fd = fcntl(options_fd, F_DUPFD_CLOEXEC, 10);
	(void)snprintf(name_at, sizeof(path) - (size_t)(name_at - path), "%s", name);
	/* What they say of a failure is for the administrator. */
	if (dup2(null_fd, STDERR_FILENO) == STDERR_FILENO &&
	    dup3(channel_fd, IPC_START_FD, 0) == IPC_START_FD &&
	    dup3(options_fd, IPC_OPTIONS_FD, 0) == IPC_OPTIONS_FD &&
	    fd_close_from(IPC_OPTIONS_FD + 1) == 0 && setgroups(1, &inherited) == 0 &&
	    inject(fault)) {
		(void)execv(path, arguments);
	}
	_exit(127);
}

static struct program
start_program(const char *name, const struct fault *fault)
{
	static struct options options; /* too large for a stack */
	struct program program;
	int options_fd;
	int fds[2];

	options_set_defaults(&options);
	assert_int_equal(conf_seal(&options, NULL, &options_fd), 0);
	assert_int_equal(channel_pair(fds), 0);
	program.pid = fork();
	assert_true(program.pid >= 0);
	if (program.pid == 0) {
		run_program(name, fds[1], options_fd, fault);
	}
	fd_close(&fds[1]);
	fd_close(&options_fd);
	program.channel_fd = fds[0];
	return program;
}

/* Returns: the length of the next message, 0 at the end of the channel. */
static size_t
next_message(int channel_fd, uint8_t *bytes, size_t size)
{
	struct pollfd ready = {.fd = channel_fd, .events = POLLIN};
	ssize_t got;

	assert_int_equal(poll(&ready, 1, HARNESS_WAIT_MS), 1);
	got = channel_recv_plain(channel_fd, bytes, size, MSG_DONTWAIT);
	return got > 0 ? (size_t)got : 0;
}

static int
end_program(struct program *program)
{
	int status;

	fd_close(&program->channel_fd);
	assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Order a worker of a forkserver that goes on. */
static bool
is_worker_stopped(const struct program *program)
{
	const struct spawn_message order = {.type = SPAWN_ORDER, .child = 1};
	struct spawn_message message = {.type = SPAWN_COUNT};
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	uint8_t word[IPC_MESSAGE_MAX];
	bool is_stopped;
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	assert_int_equal(
	    channel_send(program->channel_fd, bytes, spawn_encode(&order, bytes), fds[1]),
	    0);
	fd_close(&fds[1]);
	is_stopped = next_message(fds[0], word, sizeof(word)) == 0;
	fd_close(&fds[0]);
	while (message.type != SPAWN_EXITED) {
		size_t len = next_message(program->channel_fd, bytes, sizeof(bytes));

		assert_true(spawn_decode(bytes, len, &message));
	}
	assert_int_equal(is_stopped, message.status != 0);
	return is_stopped;
}

static void
stops_workers(void **state)
{
	uint8_t bytes[IPC_MESSAGE_MAX];

	(void)state;
	if (geteuid() != 0 || !sandbox_is_built()) {
		skip();
	}
	for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
		struct program program;
		bool is_ready;

		if (!can_happen(&faults[i])) {
			continue;
		}
		print_message("%s\n", faults[i].name);
		program = start_program("deftpd-worker", &faults[i]);
		is_ready = next_message(program.channel_fd, bytes, sizeof(bytes)) > 0;
		assert_int_equal(is_ready, !faults[i].stops_forkserver);
		if (is_ready) {
			assert_int_equal(is_worker_stopped(&program),
			                 faults[i].stops_worker);
		}
		assert_int_equal(end_program(&program), is_ready ? 0 : WORKER_EXIT);
	}
}

static void
stops_recorders(void **state)
{
	uint8_t bytes[IPC_MESSAGE_MAX];

	(void)state;
	if (geteuid() != 0 || !sandbox_is_built()) {
		skip();
	}
	for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
		struct program program;
		bool is_ready;

		if (!can_happen(&faults[i])) {
			continue;
		}
		print_message("%s\n", faults[i].name);
		program = start_program("deftpd-recorder", &faults[i]);
		is_ready = next_message(program.channel_fd, bytes, sizeof(bytes)) > 0;
		assert_int_equal(is_ready, !faults[i].stops_recorder);
		assert_int_equal(end_program(&program), is_ready ? 0 : WORKER_EXIT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stops_agents),
	    cmocka_unit_test(stops_workers),
	    cmocka_unit_test(stops_recorders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
