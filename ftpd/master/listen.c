/*
 * listen: the listening sockets of both families.
 * Runs in: master.
 */
#include "ftpd/master/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/sockaddr.h"
#include "ftpd/master/accept.h"
#include "common/base.h"

struct listen_option {
	int level;
	int name;
	bool is_ipv6;
};

/*
 * Accepted sockets inherit the last three, which saves as many calls a client: replies
 * leave at once, urgent data stays in its place (ABOR as Telnet sends it), and a client
 * that vanished is noticed.
 */
static const struct listen_option listen_options[] = {
    {SOL_SOCKET, SO_REUSEADDR, false}, {IPPROTO_IPV6, IPV6_V6ONLY, true},
    {IPPROTO_TCP, TCP_NODELAY, false}, {SOL_SOCKET, SO_OOBINLINE, false},
    {SOL_SOCKET, SO_KEEPALIVE, false},
};

static int
set_options(int fd, const struct addr *addr)
{
	static const int on = 1;

	for (size_t i = 0; i < ARRAY_COUNT(listen_options); i++) {
		const struct listen_option *option = &listen_options[i];

		if ((!option->is_ipv6 || addr->family == ADDR_IPV6) &&
		    setsockopt(fd, option->level, option->name, &on, sizeof(on)) != 0) {
			return -errno;
		}
	}
	return 0;
}

/* Returns: descriptor or negative errno. */
static int
open_listener(const struct addr *addr)
{
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(addr, &sockaddr);
	int fd =
	    socket(sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0) {
		return -errno;
	}
	result = set_options(fd, addr);
	if (result == 0 && (bind(fd, (struct sockaddr *)&sockaddr, len) != 0 ||
	                    listen(fd, LISTEN_BACKLOG) != 0)) {
		result = -errno;
	}
	if (result != 0) {
		fd_close(&fd);
		return result;
	}
	return fd;
}

static struct listener *
find(struct master *master, const struct addr *addr)
{
	struct listener *listener;

	LIST_FOREACH(listener, &master->listeners, entry) {
		if (listener->addr.port == addr->port &&
		    addr_same_host(&listener->addr, addr)) {
			return listener;
		}
	}
	return NULL;
}

/*
 * An old listener that nobody wants may be in the way of a new one: "*:21" and
 * "192.0.2.1:21" exclude each other. Clients that come meanwhile wait for the new one.
 * Returns: true if one stepped aside.
 */
static bool
step_aside(struct master *master, const struct addr *addr)
{
	struct listener *listener;
	bool has_changed = false;

	LIST_FOREACH(listener, &master->listeners, entry) {
		if (listener->addr.family == addr->family &&
		    listener->addr.port == addr->port && !listener->is_wanted &&
		    listener->fd >= 0) {
			loop_forget(&master->loop, &listener->source);
			fd_close(&listener->fd);
			has_changed = true;
		}
	}
	return has_changed;
}

/* Returns: 0; -EEXIST if it is wanted for the other kind already. */
static int
want_again(struct listener *listener, bool is_implicit_tls)
{
	if (listener->is_wanted && listener->shall_be_implicit != is_implicit_tls) {
		return -EEXIST;
	}
	listener->is_wanted = true;
	listener->shall_be_implicit = is_implicit_tls;
	return 0;
}

/* Returns: 0 or negative errno. */
static int
want(struct master *master, const struct addr *addr, bool is_implicit_tls)
{
	struct listener *listener = find(master, addr);
	int fd;

	if (listener != NULL) {
		return want_again(listener, is_implicit_tls);
	}
	fd = open_listener(addr);
	if (fd == -EADDRINUSE && step_aside(master, addr)) {
		fd = open_listener(addr);
	}
	if (fd < 0) {
		return fd;
	}
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL) {
		fd_close(&fd);
		return -ENOMEM;
	}
	listener->source.fd = -1;
	listener->source.handle = accept_handle;
	listener->master = master;
	listener->addr = *addr;
	listener->fd = fd;
	listener->is_wanted = true;
	listener->shall_be_implicit = is_implicit_tls;
	listener->is_new = true;
	LIST_INSERT_HEAD(&master->listeners, listener, entry);
	return 0;
}

/* "*" is both families, each with a socket of its own; a machine may lack one of them. */
static int
want_entry(struct master *master, const struct addr *entry, bool is_implicit_tls)
{
	struct addr any = {.family = ADDR_IPV4, .port = entry->port};
	int v4_result;
	int v6_result;

	if (entry->family != ADDR_NONE) {
		return want(master, entry, is_implicit_tls);
	}
	v4_result = want(master, &any, is_implicit_tls);
	any.family = ADDR_IPV6;
	v6_result = want(master, &any, is_implicit_tls);
	if (v4_result == -EAFNOSUPPORT) {
		return v6_result;
	}
	if (v4_result == 0 &&
	    (v6_result == -EAFNOSUPPORT || v6_result == -EADDRNOTAVAIL)) {
		return 0;
	}
	return v4_result != 0 ? v4_result : v6_result;
}

static const char *
remedy(int negative_errno)
{
	switch (-negative_errno) {
	case EACCES:
		return "; ports below 1024 need root, choose another or start as root";
	case EADDRINUSE:
		return "; another program listens there (ss -ltnp shows which), stop it or choose another port";
	case EEXIST:
		return "; it is named by listen and by listen_implicit_tls, remove one";
	case EADDRNOTAVAIL: return "; this machine does not have the address";
	default: return "";
	}
}

static bool
want_list(struct master *master, const struct options_listen_list *list,
          bool is_implicit_tls, char mistake[LISTEN_MISTAKE_MAX])
{
	char text[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < list->count; i++) {
		int result = want_entry(master, &list->entry[i], is_implicit_tls);

		if (result == 0) {
			continue;
		}
		(void)addr_format_port(&list->entry[i], text);
		if (list->entry[i].family == ADDR_NONE) {
			(void)snprintf(text, sizeof(text), "*:%u",
			               (unsigned)list->entry[i].port);
		}
		(void)snprintf(mistake, LISTEN_MISTAKE_MAX, "cannot listen on %s: %s%s",
		               text, strerror(-result), remedy(result));
		return false;
	}
	return true;
}

bool
listen_prepare(struct master *master, const struct options *options,
               char mistake[LISTEN_MISTAKE_MAX])
{
	/* Without TLS nobody could be served there. */
	bool has_tls = options_has_tls(options);

	if (want_list(master, &options->listen, false, mistake) &&
	    (!has_tls ||
	     want_list(master, &options->listen_implicit_tls, true, mistake))) {
		return true;
	}
	listen_abandon(master);
	return false;
}

static void
close_listener(struct listener *listener)
{
	loop_forget(&listener->master->loop, &listener->source);
	fd_close(&listener->fd);
}

/* Free those that are closed. */
static void
sweep(struct master *master)
{
	struct listener *listener = LIST_FIRST(&master->listeners);

	while (listener != NULL) {
		struct listener *next = LIST_NEXT(listener, entry);

		if (listener->fd < 0) {
			LIST_REMOVE(listener, entry);
			free(listener);
		}
		listener = next;
	}
}

static void
begin_accepting(struct listener *listener)
{
	struct master *master = listener->master;
	uint32_t events = accept_is_open(master) ? EPOLLIN : 0;

	if (loop_watch(&master->loop, &listener->source, listener->fd, events) != 0) {
		master_log(master, RECORD_ERROR, "a listener cannot be watched");
	}
}

static void
step_back(struct listener *listener)
{
	listener->fd = open_listener(&listener->addr);
	if (listener->fd >= 0) {
		begin_accepting(listener);
	} else {
		master_log(listener->master, RECORD_ERROR,
		           "a listener could not be opened again: %s",
		           strerror(-listener->fd));
	}
}

void
listen_commit(struct master *master)
{
	struct listener *listener;

	LIST_FOREACH(listener, &master->listeners, entry) {
		if (!listener->is_wanted) {
			close_listener(listener);
		} else if (listener->is_new) {
			begin_accepting(listener);
		}
		listener->is_implicit_tls = listener->shall_be_implicit;
		listener->is_wanted = false;
		listener->is_new = false;
	}
	sweep(master);
}

void
listen_abandon(struct master *master)
{
	struct listener *listener;

	LIST_FOREACH(listener, &master->listeners, entry) {
		listener->is_wanted = false;
		if (listener->is_new) {
			close_listener(listener);
		}
	}
	LIST_FOREACH(listener, &master->listeners, entry) {
		if (!listener->is_new && listener->fd < 0) {
			step_back(listener);
		}
	}
	sweep(master);
}

void
listen_end(struct master *master)
{
	struct listener *listener;

	LIST_FOREACH(listener, &master->listeners, entry) {
		close_listener(listener);
	}
	sweep(master);
}
