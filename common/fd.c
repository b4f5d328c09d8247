/*
 * fd: closing, flags, and passing descriptors over a channel between two of our
 * processes.
 * Runs in: every process.
 */
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0) {
		(void)close(*fd); /* the descriptor is gone whatever close says */
		*fd = -1;
	}
	errno = saved;
}

int
channel_pair(int ret_fds[2])
{
	int fds[2];
	int result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		return -errno;
	}
	result = fd_set_nonblocking(fds[0], true);
	if (result != 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return result;
	}
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

int
channel_send(int channel_fd, const void *bytes, size_t len, int passed_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_len = len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *header;

	/* sendmsg only reads, but iovec is not const */
	memcpy(&part.iov_base, &bytes, sizeof(bytes));
	if (passed_fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &passed_fd, sizeof(int));
	}
	while (sendmsg(channel_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/*
 * Take the descriptors out of a received message: the first is returned, each further one
 * closed and counted.
 */
static int
take_descriptor(struct msghdr *message, unsigned *ret_surplus)
{
	int first = -1;

	*ret_surplus = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len;
		     at += sizeof(int)) {
			int fd;

			memcpy(&fd, (const char *)header + at, sizeof(int));
			if (first < 0) {
				first = fd;
			} else {
				fd_close(&fd);
				(*ret_surplus)++;
			}
		}
	}
	return first;
}

ssize_t
channel_recv(int channel_fd, void *bytes, size_t cap, int flags, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = bytes, .iov_len = cap};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof(control.bytes)};
	unsigned surplus;
	ssize_t len;
	int fd;

	do {
		len = recvmsg(channel_fd, &message, flags | MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0) {
		return -errno;
	}
	fd = take_descriptor(&message, &surplus);
	if (surplus != 0 || (message.msg_flags & MSG_CTRUNC) != 0) {
		fd_close(&fd);
		return -EPROTO;
	}
	if ((message.msg_flags & MSG_TRUNC) != 0) {
		fd_close(&fd);
		return -EMSGSIZE;
	}
	if (len == 0) {
		/*
		 * an empty message reads as the end, at which nobody looks for a
		 * descriptor
		 */
		fd_close(&fd);
	}
	*ret_fd = fd;
	return len;
}

ssize_t
channel_recv_plain(int channel_fd, void *bytes, size_t cap, int flags)
{
	ssize_t len;

	do {
		len = recv(channel_fd, bytes, cap, flags | MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len < 0) {
		return -errno;
	}
	return (size_t)len > cap ? -EMSGSIZE : len;
}

bool
channel_has_hung_up(int channel_fd)
{
	struct pollfd state = {.fd = channel_fd, .events = POLLRDHUP};

	return poll(&state, 1, 0) > 0 &&
	       (state.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

int
fd_set_nonblocking(int fd, bool is_nonblocking)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0) {
		return -errno;
	}
	flags = is_nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}

int
fd_close_from(int first)
{
	return close_range((unsigned)first, ~0U, 0) == 0 ? 0 : -errno;
}
