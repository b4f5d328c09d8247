/*
 * data_active: outgoing data connections, to the client's own address and nowhere else.
 * Runs in: master.
 */
#include "ftpd/master/data_active.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/sockaddr.h"
#include "common/base.h"

static int
open_bound(const struct addr *from)
{
	static const int on = 1;
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(from, &sockaddr);
	int fd =
	    socket(sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -errno;
	}
	/* The fixed port serves many connections at once. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (from->port == 0 &&
	     setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0) ||
	    bind(fd, (struct sockaddr *)&sockaddr, len) != 0) {
		fd_close(&fd);
		return -errno;
	}
	return fd;
}

/* Returns: descriptor of the connecting socket, or negative errno. */
static int
connect_from(const struct addr *from, const struct addr *to)
{
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(to, &sockaddr);
	int fd = open_bound(from);

	if (fd < 0) {
		return fd;
	}
	if (connect(fd, (struct sockaddr *)&sockaddr, len) != 0 && errno != EINPROGRESS) {
		fd_close(&fd);
		return -errno;
	}
	return fd;
}

enum ipc_result
data_active_connect(const struct session *session, const struct options *options,
                    bool may_use_low_ports, int *ret_fd)
{
	struct addr to = session->target;
	struct addr from = session->local;
	int fd;

	/*
	 * A client cannot name its interface's scope here; that of the control connection
	 * is the only one it can mean.
	 */
	to.scope = session->peer.scope;
	if (!addr_same_host(&to, &session->peer) || to.port < DATA_ACTIVE_PORT_MIN) {
		return IPC_DENIED;
	}
	from.port = options->active_port;
	if (from.port < DATA_ACTIVE_PORT_MIN && !may_use_low_ports) {
		from.port = 0;
	}
	fd = connect_from(&from, &to);
	/*
	 * The same two ports rest for a minute after a transfer. A client that uses its
	 * port again is served from another.
	 */
	if ((fd == -EADDRNOTAVAIL || fd == -EADDRINUSE) && from.port != 0) {
		from.port = 0;
		fd = connect_from(&from, &to);
	}
	if (fd < 0) {
		return IPC_UNREACHABLE;
	}
	*ret_fd = fd;
	return IPC_OK;
}

bool
data_active_may_bind(uint16_t port)
{
	const struct addr loopback = {
	    .family = ADDR_IPV4, .bytes = {127, 0, 0, 1}, .port = port};
	int fd = open_bound(&loopback);
	bool may = fd != -EACCES;

	fd_close(&fd);
	return may;
}
