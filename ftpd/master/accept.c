/*
 * accept: takes clients from the listeners, admits them or not, and passes them on.
 * Runs in: master.
 */
#include "ftpd/master/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/sockaddr.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/early_drop.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/listen.h"
#include "ftpd/master/refuse.h"
#include "common/base.h"

enum {
	/*
	 * When descriptors or memory have run out, trying at once again would only burn
	 * time.
	 */
	PAUSE_MS = 100,
};

static void
set_events(struct master *master, uint32_t events)
{
	struct listener *listener;

	LIST_FOREACH(listener, &master->listeners, entry) {
		(void)loop_change(&master->loop, &listener->source, events);
	}
}

bool
accept_is_open(const struct master *master)
{
	return !master->is_crowded && !timer_is_set(&master->accept_pause.timer);
}

void
accept_pause(struct master *master)
{
	set_events(master, 0);
}

void
accept_resume(struct master *master)
{
	if (accept_is_open(master)) {
		set_events(master, EPOLLIN);
	}
}

static void
pause_is_over(struct master *master, void *owner)
{
	(void)owner;
	accept_resume(master);
}

bool
accept_cookie(int fd, uint64_t *ret_cookie)
{
	socklen_t len = sizeof(*ret_cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret_cookie, &len) == 0;
}

struct session *
accept_session(struct master *master, int fd, const struct addr *peer)
{
	struct sockaddr_storage sockaddr;
	socklen_t len = sizeof(sockaddr);
	struct session *session;
	uint64_t cookie;

	if (getsockname(fd, (struct sockaddr *)&sockaddr, &len) != 0 ||
	    !accept_cookie(fd, &cookie)) {
		return NULL;
	}
	session = session_table_add(&master->sessions);
	if (session != NULL) {
		session->peer = *peer;
		session->local = sockaddr_to_addr(&sockaddr);
		session->cookie = cookie;
		session->came_ms = clock_monotonic_ms();
	}
	return session;
}

static void
admit(struct master *master, int fd, const struct addr *peer, bool is_implicit_tls)
{
	const struct options *options = &master->current->options;
	const struct admit_limits limits = {.sessions = options->max_sessions,
	                                    .sessions_per_address =
	                                        options->max_sessions_per_address};
	enum admit_result result = admit_add(&master->admit, &limits, peer);
	struct session *session;

	early_drop_run(master, result);
	if (result != ADMIT_OK) {
		refuse_unadmitted(master, fd, result, is_implicit_tls);
		return;
	}
	session = accept_session(master, fd, peer);
	if (session == NULL) {
		admit_remove(&master->admit, peer);
		refuse_unadmitted(master, fd, ADMIT_NO_MEMORY, is_implicit_tls);
		return;
	}
	session->is_implicit_tls = is_implicit_tls;
	session->wants_private = is_implicit_tls; /* shared workers have no keys */
	assign_session(master, session, fd);
}

/*
 * Descriptors have run out: with the one in reserve the first in the queue gets at least
 * an answer.
 */
static void
refuse_by_reserve(struct master *master, const struct listener *listener)
{
	static const char text[] = "421 The server is busy, please try again later.\r\n";
	int fd;

	fd_close(&master->reserve_fd);
	fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && !listener->is_implicit_tls) {
		(void)send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	fd_close(&fd);
	master->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
handle_error(struct master *master, const struct listener *listener, int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		refuse_end(master);
		refuse_by_reserve(master, listener);
		accept_pause(master);
		master_set_deadline(master, &master->accept_pause, PAUSE_MS,
		                    pause_is_over, master);
		master_log(master, RECORD_WARNING, "a client cannot be accepted: %s",
		           strerror(error));
		return;
	default:
		/*
		 * Another came first, the client has gone before it was accepted, or the
		 * network had something to tell about it (accept(2)).
		 */
		return;
	}
}

void
accept_handle(struct loop_source *source, uint32_t events)
{
	struct listener *listener = (struct listener *)source; /* its first member */
	struct master *master = listener->master;
	struct sockaddr_storage sockaddr;
	socklen_t len = sizeof(sockaddr);
	struct addr peer;
	int fd;

	(void)events;
	if (!accept_is_open(master)) {
		return;
	}
	/*
	 * Rarely is there a second client: the loop tells, and others have their turn
	 * before it.
	 */
	fd = accept4(source->fd, (struct sockaddr *)&sockaddr, &len,
	             SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		handle_error(master, listener, errno);
		return;
	}
	peer = sockaddr_to_addr(&sockaddr);
	admit(master, fd, &peer, listener->is_implicit_tls);
}
