/*
 * data_passive: listening sockets for passive data connections.
 * Runs in: master.
 */
#include "ftpd/master/data_passive.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/sockaddr.h"
#include "ftpd/master/passive_plan.h"
#include "common/base.h"

static int
open_socket(const struct addr *local)
{
	static const int on = 1;
	int family = local->family == ADDR_IPV6 ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -errno;
	}
	/*
	 * Or a port would rest for a minute after each transfer, and a busy range run
	 * empty.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
		fd_close(&fd);
		return -errno;
	}
	return fd;
}

/*
 * Returns: 0, -EADDRINUSE to try the next port with the same socket, other negative
 *          errno.
 */
static int
try_port(int fd, const struct addr *where)
{
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(where, &sockaddr);

	return bind(fd, (struct sockaddr *)&sockaddr, len) == 0 ? 0 : -errno;
}

/* Returns: descriptor or negative errno; *where has the port. */
static int
listen_somewhere(const struct options_ports *ports, uint32_t start, struct addr *where)
{
	int fd = open_socket(where);
	int result = -EADDRINUSE;

	for (uint32_t try = 0; fd >= 0; try++) {
		where->port = passive_plan_port(ports, start, try);
		if (where->port == 0) {
			result = -EADDRINUSE;
			break;
		}
		result = try_port(fd, where);
		if (result == 0 && listen(fd, DATA_PASSIVE_BACKLOG) == 0) {
			return fd;
		}
		if (result == 0) {
			/*
			 * Another program bound the port as we did and was the first to
			 * listen.
			 */
			result = -errno;
			fd_close(&fd);
			fd = result == -EADDRINUSE ? open_socket(where) : result;
		} else if (result != -EADDRINUSE && result != -EACCES) {
			break;
		}
	}
	if (fd < 0) {
		return fd;
	}
	fd_close(&fd);
	return result;
}

enum ipc_result
data_passive_listen(struct session *session, const struct generation *generation,
                    struct addr *ret_announced, int *ret_fd)
{
	struct addr where = session->local;
	uint32_t start;
	int fd;

	if (session->passive_asks >= DATA_PASSIVE_ASKS_MAX) {
		return IPC_BUSY;
	}
	session->passive_asks++;
	if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start)) {
		return IPC_LOCAL_ERROR;
	}
	fd = listen_somewhere(&generation->options.passive_ports, start, &where);
	if (fd < 0) {
		return fd == -EADDRINUSE ? IPC_BUSY : IPC_LOCAL_ERROR;
	}
	*ret_announced =
	    passive_plan_announce(&generation->options.passive_address_for,
	                          &generation->passive_address, &session->peer, &where);
	*ret_fd = fd;
	return IPC_OK;
}
