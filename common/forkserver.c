/*
 * forkserver: a program that has initialised itself once and then forks a ready child
 * whenever the master orders one.
 * Runs in: deftpd-worker (and later deftpd-auth) as the server; the master uses the
 * messages.
 */
#include "common/forkserver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/wire.h"
#include "common/base.h"

size_t
spawn_encode(const struct spawn_message *message, uint8_t bytes[SPAWN_MESSAGE_MAX])
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, SPAWN_MESSAGE_MAX);
	wire_put_u8(&writer, (uint8_t)message->type);
	wire_put_u8(&writer, message->kind);
	wire_put_u32(&writer, message->child);
	wire_put_u32(&writer, (uint32_t)message->pid);
	wire_put_u32(&writer, (uint32_t)message->status);
	wire_put_u8(&writer, message->layers);
	return writer.has_failed ? 0 : writer.len;
}

bool
spawn_decode(const uint8_t *bytes, size_t len, struct spawn_message *ret_message)
{
	struct spawn_message message = {0};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	message.type = wire_get_enum(&reader, SPAWN_COUNT);
	message.kind = wire_get_enum(&reader, SPAWN_KIND_COUNT);
	message.child = wire_get_u32(&reader);
	message.pid = (int32_t)wire_get_u32(&reader);
	message.status = (int32_t)wire_get_u32(&reader);
	message.layers = wire_get_enum(&reader, SPAWN_LAYER_ALL + 1);
	if (!wire_reader_is_done(&reader)) {
		return false;
	}
	*ret_message = message;
	return true;
}

/*
 * The master always reads this channel; should it be full all the same, waiting is right:
 * it holds nothing but pids.
 */
static int
tell(int channel_fd, const struct spawn_message *message)
{
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	size_t len = spawn_encode(message, bytes);
	struct pollfd room = {.fd = channel_fd, .events = POLLOUT};
	int result;

	while ((result = channel_send(channel_fd, bytes, len, -1)) == -EAGAIN) {
		(void)poll(&room, 1, -1); /* the next send tells what happened */
	}
	return result;
}

static int
tell_exits(int channel_fd, int signal_fd)
{
	struct signalfd_siginfo ignored;
	struct spawn_message message = {.type = SPAWN_EXITED};
	int status;
	pid_t pid;
	int result = 0;

	/* Signals merge: one of them may stand for many children. */
	if (read(signal_fd, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN) {
		return -errno;
	}
	while (result == 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		message.pid = pid;
		message.status = status;
		result = tell(channel_fd, &message);
	}
	return result;
}

/*
 * A server is told apart from its children by what it keeps: they close both of its
 * descriptors.
 */
struct server {
	int channel_fd;
	int signal_fd;
	sigset_t before;
	forkserver_child *child;
	void *context;
};

static int
obey(struct server *server, const struct spawn_message *order, int child_fd)
{
	struct spawn_message done = {.type = SPAWN_DONE, .child = order->child};
	pid_t pid = fork();

	if (pid == 0) {
		fd_close(&server->channel_fd);
		fd_close(&server->signal_fd);
		(void)sigprocmask(SIG_SETMASK, &server->before, NULL); /* cannot fail */
		_exit(server->child(order->kind, child_fd, server->context));
	}
	fd_close(&child_fd);
	done.pid = pid > 0 ? pid : 0;
	return tell(server->channel_fd, &done);
}

/* Returns: 1 to go on, 0 at end of file, negative errno. */
static int
take_order(struct server *server)
{
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	struct spawn_message order;
	int child_fd = -1;
	ssize_t len =
	    channel_recv(server->channel_fd, bytes, sizeof(bytes), 0, &child_fd);
	int result;

	if (len <= 0) {
		return (int)len;
	}
	if (!spawn_decode(bytes, (size_t)len, &order) || order.type != SPAWN_ORDER ||
	    child_fd < 0) {
		fd_close(&child_fd);
		return -EPROTO;
	}
	result = obey(server, &order, child_fd);
	return result == 0 ? 1 : result;
}

static int
serve(struct server *server)
{
	struct pollfd fds[] = {{.fd = server->channel_fd, .events = POLLIN},
	                       {.fd = server->signal_fd, .events = POLLIN}};
	int result = 1;

	while (result > 0) {
		if (poll(fds, ARRAY_COUNT(fds), -1) < 0) {
			if (errno == EINTR) {
				continue; /* what revents says is old */
			}
			return -errno;
		}
		if (fds[1].revents != 0 &&
		    (result = tell_exits(server->channel_fd, server->signal_fd)) != 0) {
			return result;
		}
		result = fds[0].revents != 0 ? take_order(server) : 1;
	}
	return result;
}

int
forkserver_run(int channel_fd, uint8_t layers, forkserver_child *child, void *context)
{
	struct server server = {
	    .channel_fd = channel_fd, .child = child, .context = context};
	struct spawn_message ready = {.type = SPAWN_READY, .layers = layers};
	sigset_t children;

	(void)sigemptyset(&children);        /* cannot fail */
	(void)sigaddset(&children, SIGCHLD); /* cannot fail */
	if (sigprocmask(SIG_BLOCK, &children, &server.before) != 0) {
		return 1;
	}
	server.signal_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server.signal_fd < 0 || tell(channel_fd, &ready) != 0) {
		return 1;
	}
	return serve(&server) == 0 ? 0 : 1;
}
