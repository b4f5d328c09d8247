/*
 * resolve: what address the name in passive_address means.
 * Runs in: master, and in a short-lived unprivileged child.
 */
#include "ftpd/master/resolve.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/privilege.h"
#include "common/sockaddr.h"
#include "common/wire.h"
#include "ftpd/ipc/message.h"
#include "ftpd/master/master.h"
#include "ftpd/master/program.h"
#include "ftpd/master/renew.h"
#include "common/base.h"

enum {
	ANSWER_MAX = 64,
};

/* In the child. An answer is sent in any case; ADDR_NONE says that there is none. */
__attribute__((noreturn)) static void
look_up(const char *name, const struct identity *identity)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	struct sockaddr_storage sockaddr = {0};
	struct addr addr = {0};
	uint8_t bytes[ANSWER_MAX];
	struct wire_writer writer;

	if (privilege_become(identity) == 0 &&
	    getaddrinfo(name, NULL, &hints, &list) == 0 &&
	    list->ai_addrlen <= sizeof(sockaddr)) {
		memcpy(&sockaddr, list->ai_addr, list->ai_addrlen);
		addr = sockaddr_to_addr(&sockaddr);
	}
	wire_writer_init(&writer, bytes, sizeof(bytes));
	wire_put_addr(&writer, &addr);
	_exit(channel_send(IPC_START_FD, bytes, writer.len, -1) == 0 ? 0 : 1);
}

static void
child_ended_quietly(struct master *master, void *owner, pid_t pid, int status)
{
	(void)master;
	(void)owner;
	(void)pid;
	(void)status; /* its answer, or the end of its channel, says all */
}

void
resolve_end(struct generation *generation)
{
	struct master *master = generation->master;
	int fd = generation->resolver.fd;

	timer_clear(&master->wheel, &generation->resolve_deadline.timer);
	generation->is_resolving = false;
	if (generation->resolver_pid == 0) {
		return;
	}
	loop_forget(&master->loop, &generation->resolver);
	fd_close(&fd);
	children_kill(generation->resolver_pid, 0);
	generation->resolver_pid = 0;
}

static void
finish(struct generation *generation, const struct addr *found)
{
	struct master *master = generation->master;

	resolve_end(generation);
	if (found->family == ADDR_IPV4) {
		generation->passive_address = *found;
	} else {
		master_log(
		    master, RECORD_WARNING,
		    "passive_address %s has no IPv4 address at present; clients are told %s",
		    generation->options.passive_address,
		    generation->passive_address.family == ADDR_NONE
			? "the address that they connected to"
			: "the one that it had before");
	}
	if (generation == master->current) {
		resolve_keep_fresh(generation);
	}
	renew_usable(generation);
}

static void
patience_is_over(struct master *master, void *owner)
{
	const struct addr none = {0};

	(void)master;
	finish(owner, &none);
}

static void
handle(struct loop_source *source, uint32_t events)
{
	struct generation *generation =
	    (struct generation *)(void *)((char *)source -
	                                  offsetof(struct generation, resolver));
	uint8_t bytes[ANSWER_MAX];
	ssize_t len = channel_recv_plain(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct addr addr = {0};
	struct wire_reader reader;

	(void)events;
	if (len > 0) {
		wire_reader_init(&reader, bytes, (size_t)len);
		addr = wire_get_addr(&reader);
		if (!wire_reader_is_done(&reader)) {
			memset(&addr, 0, sizeof(addr));
		}
	}
	finish(generation, &addr);
}

/* fds: our end and the child's. */
static int
start_child(struct generation *generation, const int fds[2])
{
	struct master *master = generation->master;
	const int keep_fds[2] = {fds[1], -1};
	pid_t pid = program_fork(keep_fds);
	int result;

	if (pid == 0) {
		look_up(generation->options.passive_address, &generation->users.worker);
	}
	if (pid < 0) {
		return pid;
	}
	result = children_add(&master->children, pid, child_ended_quietly, NULL, NULL);
	if (result == 0) {
		generation->resolver.handle = handle;
		result =
		    loop_watch(&master->loop, &generation->resolver, fds[0], EPOLLIN);
	}
	if (result != 0) {
		children_kill(pid, 0);
		return result;
	}
	generation->resolver_pid = pid;
	return 0;
}

static void
begin_look_up(struct generation *generation)
{
	struct master *master = generation->master;
	int fds[2];
	int result = channel_pair(fds);

	if (result == 0) {
		result = start_child(generation, fds);
		fd_close(&fds[1]);
		if (result != 0) {
			fd_close(&fds[0]);
		}
	}
	if (result != 0) {
		master_log(master, RECORD_ERROR,
		           "passive_address %s cannot be looked up: %s",
		           generation->options.passive_address, strerror(-result));
		return;
	}
	generation->is_resolving = true;
	master_set_deadline(master, &generation->resolve_deadline, RESOLVE_PATIENCE_MS,
	                    patience_is_over, generation);
}

/* Returns: true if passive_address is neither empty nor numeric. */
static bool
is_name(const struct generation *generation, struct addr *ret_numeric)
{
	const char *text = generation->options.passive_address;

	return text[0] != '\0' && !addr_parse(text, strlen(text), ret_numeric);
}

void
resolve_begin(struct generation *generation)
{
	if (is_name(generation, &generation->passive_address)) {
		begin_look_up(generation);
	}
}

static void
look_up_again(struct master *master, void *owner)
{
	(void)master;
	begin_look_up(owner);
}

void
resolve_keep_fresh(struct generation *generation)
{
	struct addr ignored;

	if (is_name(generation, &ignored) && !generation->is_resolving) {
		master_set_deadline(generation->master, &generation->resolve_deadline,
		                    RESOLVE_AGAIN_MS, look_up_again, generation);
	}
}
