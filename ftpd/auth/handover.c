/*
 * handover: the authenticator becomes the user's agent.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/auth/grant.h"
#include "common/base.h"

enum {
	FD_ASIDE = 16,   /* above every descriptor that has a fixed place */
	KILLED_BY = 128, /* plus the signal, as shells have it */
};

static bool
seal_start(const struct login_try *login, int *ret_fd, char ret_text[MA_TEXT_MAX + 1])
{
	struct agent_start start;
	int result;

	if (!grant_for_agent(login, &start)) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "there are more than %d sections \"directory\"",
		               AGENT_RULES_MAX);
		return false;
	}
	result = agent_start_seal(&start, ret_fd);
	if (result != 0) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "the agent's start record cannot be written: %s",
		               strerror(-result));
	}
	return result == 0;
}

bool
handover_prepare(struct login_try *login, int *ret_start_fd,
                 char ret_text[MA_TEXT_MAX + 1])
{
	bool has_session = login->auth->options.local_users.pam_session;

	if (login->pam.handle != NULL &&
	    !pam_begin_session(&login->pam, &login->candidate.account, has_session,
	                       ret_text)) {
		return false;
	}
	return seal_start(login, ret_start_fd, ret_text);
}

/* Undo what a module may have done to signals and timers: both survive an exec. */
static bool
reset_process(void)
{
	const struct itimerval never = {{0, 0}, {0, 0}};
	const struct rlimit no_core = {0, 0};
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		(void)signal(number, SIG_DFL); /* fails for two that cannot be changed */
	}
	(void)setitimer(ITIMER_REAL, &never, NULL); /* all three are valid */
	(void)setitimer(ITIMER_VIRTUAL, &never, NULL);
	(void)setitimer(ITIMER_PROF, &never, NULL);
	(void)sigemptyset(&none); /* cannot fail */
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	       setrlimit(RLIMIT_CORE, &no_core) == 0;
}

/* The channel at 3, the start record at 4, nothing on the standard streams, no more. */
static bool
arrange_descriptors(const struct login_try *login, int start_fd)
{
	int channel_fd = fcntl(login->link.worker_fd, F_DUPFD_CLOEXEC, FD_ASIDE);
	int record_fd = fcntl(start_fd, F_DUPFD_CLOEXEC, FD_ASIDE);
	int null_fd = fcntl(login->auth->null_fd, F_DUPFD_CLOEXEC, FD_ASIDE);

	if (channel_fd < 0 || record_fd < 0 || null_fd < 0) {
		return false;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(null_fd, fd) < 0) {
			return false;
		}
	}
	return dup2(channel_fd, IPC_START_FD) >= 0 &&
	       dup2(record_fd, IPC_OPTIONS_FD) >= 0 &&
	       fd_close_from(IPC_OPTIONS_FD + 1) == 0;
}

/* Returns: only if it could not be executed. */
static int
become_agent(const struct login_try *login, int start_fd)
{
	char *arguments[] = {(char[]){"deftpd-agent"}, NULL};
	char *environment[] = {NULL};

	if (reset_process() && arrange_descriptors(login, start_fd)) {
		(void)execve(login->auth->agent_path, arguments, environment);
	}
	return AGENT_NOT_EXECUTED;
}

/*
 * The keeper outlives its agent. Whoever wants both to end sends the signal to the agent,
 * too, as a service manager does.
 */
static void
ignore_signals(void)
{
	static const int ignored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
	                              SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2};

	for (size_t i = 0; i < ARRAY_COUNT(ignored); i++) {
		(void)signal(ignored[i], SIG_IGN); /* valid signals */
	}
	(void)signal(SIGCHLD, SIG_DFL); /* or there would be nothing to wait for */
}

static int
keep(struct login_try *login, pid_t agent)
{
	int status = 0;
	pid_t pid;

	(void)prctl(PR_SET_NAME, "deftpd-keeper"); /* for ps; it cannot fail */
	link_free(&login->link);
	/* What modules have left behind ends here, too, and stays no zombie. */
	do {
		pid = waitpid(-1, &status, 0);
	} while (pid != agent && (pid > 0 || errno == EINTR));
	pam_finish(&login->pam);
	if (pid != agent) {
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED_BY + WTERMSIG(status);
}

int
handover_run(struct login_try *login, int start_fd)
{
	pid_t agent;

	if (!login->pam.has_session) {
		return become_agent(login, start_fd);
	}
	ignore_signals();
	agent = fork();
	if (agent == 0) {
		_exit(become_agent(login, start_fd));
	}
	fd_close(&start_fd);
	if (agent < 0) {
		pam_finish(&login->pam);
		return 1;
	}
	return keep(login, agent);
}
