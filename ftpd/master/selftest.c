/*
 * selftest: a scripted session through a real worker and a real agent under the real
 * confinement, before the first client.
 * Runs in: master, at the start.
 */
#include "ftpd/master/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/sandbox.h"
#include "common/sockaddr.h"
#include "ftpd/ipc/message.h"
#include "ftpd/master/accept.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/program.h"
#include "ftpd/master/selftest_client.h"
#include "ftpd/master/worker_end.h"
#include "common/base.h"

enum {
	/*
	 * Usually some 50 ms are enough; a machine that is still booting may need more.
	 */
	PATIENCE_MS = 10000,
	CONNECT_MS = 3000,
	PATH_TEXT_MAX = 64,
	/* Where program_fork() puts what the child keeps. */
	CHILD_RECORDER_FD = IPC_START_FD,
	CHILD_VERDICT_FD = IPC_OPTIONS_FD,
};

static const struct selftest_sample sample = {
    .name = "sample.txt",
    .content = "deftpd tests its own confinement with this file when it starts.\n",
};

struct selftest {
	struct master *master;
	const struct users *users;
	struct generation *generation;
	struct worker *worker; /* in generation->shared as long as it lives */
	char directory[PATH_TEXT_MAX];
	char file[2 * PATH_TEXT_MAX];
	int listener_fd;
	uint16_t port;
	int recorder_fds[2]; /* the worker's end, the child's */
	int verdict_fds[2];  /* the master's end, the child's */
	pid_t client_pid;    /* 0: it has ended */
	int client_status;
	char why[SELFTEST_VERDICT_MAX];
};

static bool
fail(struct selftest *test, const char *what, int error)
{
	(void)snprintf(test->why, sizeof(test->why), "%s: %s", what, strerror(error));
	return false;
}

static bool
make_sample(struct selftest *test)
{
	size_t len = strlen(sample.content);
	int fd;
	bool is_written;

	(void)snprintf(test->directory, sizeof(test->directory),
	               "/tmp/deftpd-selftest-XXXXXX");
	if (mkdtemp(test->directory) == NULL) {
		test->directory[0] = '\0';
		return fail(test, "no directory can be made in /tmp", errno);
	}
	(void)snprintf(test->file, sizeof(test->file), "%s/%s", test->directory,
	               sample.name);
	fd = open(test->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	is_written = fd >= 0 && write(fd, sample.content, len) == (ssize_t)len &&
	             fchmod(fd, 0644) == 0 && chmod(test->directory, 0755) == 0;
	if (!is_written) {
		(void)fail(test, "the test's file cannot be written", errno);
	}
	fd_close(&fd);
	return is_written;
}

static void
remove_sample(const struct selftest *test)
{
	if (test->directory[0] != '\0') {
		(void)unlink(test->file); /* it may not have been made */
		(void)rmdir(test->directory);
	}
}

static bool
has_time(const struct selftest *test, uint64_t until_ms)
{
	return clock_monotonic_ms() < until_ms && !test->master->is_stopping;
}

static void
ignore(struct master *master, void *owner)
{
	(void)master;
	(void)owner;
}

/*
 * Turn the loop until the condition is met; it must not sleep longer than a tick
 * meanwhile.
 */
static bool
wait_until(struct selftest *test, bool (*is_met)(const struct selftest *))
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct deadline wake = {0};

	master_set_deadline(test->master, &wake, 2 * (uint64_t)PATIENCE_MS, ignore, NULL);
	while (!is_met(test) && has_time(test, until_ms) &&
	       master_turn(test->master) == 0) {
	}
	timer_clear(&test->master->wheel, &wake.timer);
	return is_met(test);
}

static bool
is_forkserver_decided(const struct selftest *test)
{
	return test->generation->server.state != FORKSERVER_STARTING;
}

static bool
is_worker_decided(const struct selftest *test)
{
	return test->generation->has_usable || test->generation->shared_count == 0;
}

static bool
is_client_done(const struct selftest *test)
{
	return test->client_pid == 0;
}

static bool
start_worker(struct selftest *test, const struct options *options)
{
	struct options copy = *options;
	const struct generation_setup setup = {
	    .options = &copy, .users = test->users, .tls_fd = -1};
	const struct addr none = {0};
	int result;

	copy.anonymous.enabled = true;
	copy.local_users.enabled = false;
	copy.virtual_users.file[0] = '\0';
	(void)snprintf(copy.anonymous.root, sizeof(copy.anonymous.root), "%s",
	               test->directory);
	copy.passive_address_for.count = 0;
	/* The client does not speak TLS, and no key is needed. */
	copy.tls.certificate.count = 0;
	copy.tls.policy = OPTIONS_TLS_OPTIONAL;
	copy.anonymous.tls_policy = 0;
	result = generation_start(test->master, &setup, &none, &test->generation);
	if (result != 0) {
		return fail(test, "the forkserver cannot be started", -result);
	}
	test->generation->is_test = true;
	if (!wait_until(test, is_forkserver_decided) ||
	    test->generation->server.state != FORKSERVER_RUNNING) {
		return fail(test, "the forkserver does not become ready", ETIMEDOUT);
	}
	if (generation_order(test->generation, WORKER_SHARED) == NULL ||
	    !wait_until(test, is_worker_decided) || !test->generation->has_usable) {
		return fail(test, "the worker does not become ready", ETIMEDOUT);
	}
	return true;
}

static bool
open_listener(struct selftest *test)
{
	const struct addr loopback = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(&loopback, &sockaddr);
	struct addr bound;

	test->listener_fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (test->listener_fd < 0 ||
	    bind(test->listener_fd, (struct sockaddr *)&sockaddr, len) != 0 ||
	    listen(test->listener_fd, 1) != 0 ||
	    getsockname(test->listener_fd, (struct sockaddr *)&sockaddr, &len) != 0) {
		return fail(test, "no socket on 127.0.0.1", errno);
	}
	bound = sockaddr_to_addr(&sockaddr);
	test->port = bound.port;
	return true;
}

static void
client_ended(struct master *master, void *owner, pid_t pid, int status)
{
	struct selftest *test = owner;

	(void)master;
	(void)pid;
	test->client_pid = 0;
	test->client_status = status;
}

__attribute__((noreturn)) static void
be_client(const struct selftest *test)
{
	char verdict[SELFTEST_VERDICT_MAX] = "";
	bool is_right = selftest_client_run(&test->users->worker, test->port, &sample,
	                                    CHILD_RECORDER_FD, verdict);

	(void)channel_send(CHILD_VERDICT_FD, verdict, strlen(verdict) + 1,
	                   -1); /* the status says the rest */
	_exit(is_right ? 0 : 1);
}

static bool
start_client(struct selftest *test)
{
	int result = channel_pair(test->recorder_fds);
	pid_t pid;

	if (result == 0) {
		result = channel_pair(test->verdict_fds);
	}
	if (result != 0) {
		return fail(test, "no channel", -result);
	}
	pid = program_fork((const int[2]){test->recorder_fds[1], test->verdict_fds[1]});
	if (pid == 0) {
		be_client(test);
	}
	if (pid < 0) {
		return fail(test, "the client cannot be started", -pid);
	}
	test->client_pid = pid;
	fd_close(&test->recorder_fds[1]);
	fd_close(&test->verdict_fds[1]);
	result = children_add(&test->master->children, pid, client_ended, test, NULL);
	return result == 0 || fail(test, "the client cannot be started", -result);
}

/* Give the client to the worker as any other, but with the child as its recorder. */
static bool
connect_them(struct selftest *test)
{
	const struct mw_message give = {.type = MW_GIVE_RECORDER};
	struct worker *worker = LIST_FIRST(&test->generation->shared);
	struct pollfd arrival = {.fd = test->listener_fd, .events = POLLIN};
	struct sockaddr_storage sockaddr;
	socklen_t len = sizeof(sockaddr);
	struct session *session;
	struct addr peer;
	int fd;

	if (poll(&arrival, 1, CONNECT_MS) != 1) {
		return fail(test, "the client does not reach 127.0.0.1", ETIMEDOUT);
	}
	fd = accept4(test->listener_fd, (struct sockaddr *)&sockaddr, &len,
	             SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		return fail(test, "the client cannot be accepted", errno);
	}
	peer = sockaddr_to_addr(&sockaddr);
	session = worker != NULL ? accept_session(test->master, fd, &peer) : NULL;
	if (session == NULL) {
		fd_close(&fd);
		return fail(test, "the client cannot be given to the worker", EPIPE);
	}
	session->is_test = true;
	worker_send(worker, &give, test->recorder_fds[0]);
	test->recorder_fds[0] = -1;
	worker_assign(worker, session, fd);
	return true;
}

static bool
judge(struct selftest *test)
{
	char verdict[SELFTEST_VERDICT_MAX];
	ssize_t len;

	if (!wait_until(test, is_client_done)) {
		return fail(test, "the session does not end", ETIMEDOUT);
	}
	if (test->client_status == 0) {
		return true;
	}
	len = channel_recv_plain(test->verdict_fds[0], verdict, sizeof(verdict),
	                         MSG_DONTWAIT);
	(void)snprintf(test->why, sizeof(test->why), "%.*s", len > 0 ? (int)len : 0,
	               verdict);
	return false;
}

static void
clean_up(struct selftest *test)
{
	struct worker *worker;

	fd_close(&test->listener_fd);
	for (int i = 0; i < 2; i++) {
		fd_close(&test->recorder_fds[i]);
		fd_close(&test->verdict_fds[i]);
	}
	if (test->client_pid != 0) {
		children_kill(test->client_pid, 0);
		children_disown(&test->master->children, test->client_pid);
	}
	if (test->generation != NULL) {
		while ((worker = LIST_FIRST(&test->generation->shared)) != NULL) {
			worker_gone(worker);
		}
		test->generation->is_test = false;
		generation_retire(test->generation);
	}
	remove_sample(test);
}

/* Returns: true if it passed; else *why says what went wrong. */
static bool
run_once(struct master *master, const struct options *options, const struct users *users,
         char why[SELFTEST_VERDICT_MAX])
{
	struct selftest test = {
	    .master = master,
	    .users = users,
	    .listener_fd = -1,
	    .recorder_fds = {-1, -1},
	    .verdict_fds = {-1, -1},
	};
	bool has_passed = make_sample(&test) && start_worker(&test, options) &&
	                  open_listener(&test) && start_client(&test) &&
	                  connect_them(&test) && judge(&test);

	clean_up(&test);
	(void)snprintf(why, SELFTEST_VERDICT_MAX, "%s", test.why);
	return has_passed;
}

/* The test failed and sandbox is prefer: find out whether the confinement is to blame. */
static void
find_cause(struct master *master, const struct options *options,
           const struct users *users, const char *why)
{
	struct options without = *options;
	char ignored[SELFTEST_VERDICT_MAX];

	without.sandbox = OPTIONS_SANDBOX_OFF;
	if (run_once(master, &without, users, ignored)) {
		master->is_filter_off = true;
		master_log(
		    master, RECORD_ERROR,
		    "the sandbox self-test failed, so sandbox is off now: %s; please report "
		    "this with the versions of kernel and C library",
		    why);
		return;
	}
	master_log(
	    master, RECORD_WARNING,
	    "the sandbox self-test failed, with and without the sandbox, which stays on: %s",
	    why);
}

bool
selftest(struct master *master, const struct options *options, const struct users *users)
{
	char why[SELFTEST_VERDICT_MAX];

	if (options->sandbox == OPTIONS_SANDBOX_OFF || !sandbox_is_built() ||
	    run_once(master, options, users, why) || master->is_stopping) {
		return true;
	}
	if (options->sandbox == OPTIONS_SANDBOX_REQUIRE) {
		master_complain("the sandbox self-test failed and sandbox is require: %s",
		                why);
		return false;
	}
	find_cause(master, options, users, why);
	return true;
}
