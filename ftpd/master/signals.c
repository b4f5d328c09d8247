/*
 * signals: what the kernel and the administrator tell, as events of the loop.
 * Runs in: master.
 */
#include "ftpd/master/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "ftpd/master/reload.h"
#include "common/base.h"

static void
take(struct master *master, uint32_t number)
{
	switch (number) {
	case SIGCHLD: children_reap(master); return;
	case SIGHUP:
		if (master->is_started && !master->is_stopping) {
			reload_begin(master);
		}
		return;
	case SIGTERM:
	case SIGINT:
		master->is_hurried = master->is_stopping;
		master->is_stopping = true;
		return;
	default: return;
	}
}

static void
handle(struct loop_source *source, uint32_t events)
{
	struct master *master = (struct master *)source; /* its first member */
	struct signalfd_siginfo info;

	(void)events;
	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		take(master, info.ssi_signo);
	}
}

int
signals_begin(struct master *master)
{
	static const int watched[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};
	sigset_t set;
	int fd;

	(void)sigemptyset(&set); /* cannot fail */
	for (size_t i = 0; i < ARRAY_COUNT(watched); i++) {
		(void)sigaddset(&set, watched[i]); /* valid signals */
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
		return -errno;
	}
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	master->signals.handle = handle;
	return loop_watch(&master->loop, &master->signals, fd, EPOLLIN);
}
