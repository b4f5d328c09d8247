/*
 * fd: closing, flags, and passing descriptors over a channel between two of our
 * processes.
 * Runs in: every process.
 * Source: unix(7), SCM_RIGHTS; DESIGN.md section 3, rule 3.
 * Not here: the agent's receiving side, which must never call recvmsg: it uses
 * channel_recv_plain.
 */
#ifndef COMMON_FD_H
#define COMMON_FD_H

#include "common/base.h"

/* Close if open and mark as closed. errno is preserved. */
void fd_close(int *fd);

/*
 * Make a pair of connected SOCK_SEQPACKET sockets, both close-on-exec; the first is
 * non-blocking.
 * Returns: 0 or negative errno.
 * Owner:   the caller closes both.
 */
int channel_pair(int ret_fds[2]);

/*
 * Send one message with at most one descriptor (pass -1 for none). Never blocks, never
 * raises SIGPIPE.
 * Returns: 0 or negative errno; -EAGAIN when the peer's queue is full. The descriptor
 *          stays the caller's.
 */
int channel_send(int channel_fd, const void *bytes, size_t len, int passed_fd);

/*
 * Receive one message and at most one descriptor. Surplus descriptors are closed and the
 * message is refused.
 * In:      flags: MSG_DONTWAIT or 0.
 * Out:     ret_fd: the descriptor, close-on-exec, or -1; the caller's to close.
 * Returns: length; 0 at end of file and for an empty message; negative errno: -EAGAIN,
 *          -EMSGSIZE (longer than cap), -EPROTO (surplus or lost descriptor).
 */
ssize_t channel_recv(int channel_fd, void *bytes, size_t cap, int flags, int *ret_fd);

/*
 * Receive one message by recv, so that the kernel drops every descriptor that came with
 * it.
 * Returns: as channel_recv.
 */
ssize_t channel_recv_plain(int channel_fd, void *bytes, size_t cap, int flags);

/*
 * Ask whether the other end is closed: a datagram of no bytes looks like the end of the
 * channel, and only the real end is also a hang-up.
 * Returns: true if so.
 */
bool channel_has_hung_up(int channel_fd);

/*
 * Set or clear O_NONBLOCK.
 * Returns: 0 or negative errno.
 */
int fd_set_nonblocking(int fd, bool is_nonblocking);

/*
 * Close all descriptors from `first` on, for a program that has just been started and for
 * a forked child.
 * Returns: 0 or negative errno.
 */
int fd_close_from(int first);

#endif
