/*
 * bare: the least that a server can do and still look like FTP: the physical limit of the
 * benchmark.
 * Runs in: the benchmark (test), on loopback only. Input: trusted; nothing is checked.
 * Source: RFC 959 5.4; RFC 2428 3; RFC 4217.
 * Not here: security, limits, logs, errors. Never let a stranger connect to it.
 *
 * Workers are forked ahead, one event loop and one listening socket each.  RETR moves by
 * sendfile in slices; listings, TYPE A and everything that is encrypted block their
 * worker,
 * since nothing measures them with many clients.  Only TLS handshakes of control
 * connections do not.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bare_data.h"
#include "tests/bench/link.h"

#include "common/base.h"

enum {
	LINE_BYTES = 512,
	SLICE_BYTES = 1024 * 1024,
	BACKLOG = 4096,
	EVENTS_AT_ONCE = 64,
	DESCRIPTORS_MAX = 65536
};

struct session;

struct endpoint {
	struct session *session; /* NULL: the listener */
	int fd;
	bool is_data;
};

struct session {
	struct endpoint control;
	struct endpoint data;
	int passive_fd; /* made by the first EPSV and kept */
	uint16_t passive_port;
	bool is_ascii;
	bool is_upload;
	SSL *tls; /* NULL: in clear */
	bool is_in_handshake;
	bool is_private; /* PROT P */
	int file_fd;
	size_t left_bytes;
	size_t line_len;
	char line[LINE_BYTES];
};

struct worker {
	int epoll_fd;
	int listen_fd;
	int root_fd;
	char *buffer; /* SLICE_BYTES, for the moment of a read */
	SSL_CTX *tls; /* NULL: there is none */
};

static void
watch(const struct worker *worker, struct endpoint *endpoint, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = endpoint};

	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, endpoint->fd, &event) < 0)
		err(1, "epoll_ctl");
}

static int
listen_on(uint16_t port, bool is_shared, uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons(port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int one = 1;
	int flags = SOCK_STREAM | SOCK_CLOEXEC | (is_shared ? SOCK_NONBLOCK : 0);
	int fd = socket(AF_INET, flags, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    (is_shared &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		err(1, "listen");
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void
say(const struct session *session, const char *text)
{
	/* A client that has gone is found by the next read. */
	if (session->tls == NULL)
		(void)!send(session->control.fd, text, strlen(text), MSG_NOSIGNAL);
	else if (link_send(session->tls, text, strlen(text)) > 0)
		(void)link_flush(session->tls);
}

static void
end_transfer(struct session *session, const char *reply)
{
	close(session->data.fd);
	session->data.fd = -1;
	say(session, reply);
}

static void
send_slice(struct session *session)
{
	size_t slice =
	    session->left_bytes < SLICE_BYTES ? session->left_bytes : SLICE_BYTES;
	ssize_t sent = sendfile(session->data.fd, session->file_fd, NULL, slice);

	if (sent < 0)
		return;
	session->left_bytes -= (size_t)sent;
	if (session->left_bytes == 0 || sent == 0) {
		close(session->file_fd);
		end_transfer(session, "226 Done.\r\n");
	}
}

/* One large buffer for all sessions: as cheap as splice, and simpler. */
static void
receive_slice(const struct worker *worker, struct session *session)
{
	ssize_t got = recv(session->data.fd, worker->buffer, SLICE_BYTES, 0);

	if (got < 0)
		return;
	if (got == 0) {
		close(session->file_fd);
		end_transfer(session, "226 Done.\r\n");
	} else if (write(session->file_fd, worker->buffer, (size_t)got) != got) {
		err(1, "write");
	}
}

static void
send_private(const struct worker *worker, int file_fd, SSL *link)
{
	ssize_t got;

	while ((got = read(file_fd, worker->buffer, LINK_GATHER_BYTES)) > 0) {
		ssize_t done = 0;

		while (done < got) {
			ssize_t sent =
			    link_send(link, worker->buffer + done, (size_t)(got - done));

			if (sent < 0)
				return;
			done += sent;
		}
	}
	(void)link_end(link);
}

static void
receive_private(const struct worker *worker, int file_fd, SSL *link)
{
	ssize_t got;

	while ((got = link_recv(link, worker->buffer, SLICE_BYTES)) > 0) {
		if (write(file_fd, worker->buffer, (size_t)got) != got)
			err(1, "write");
	}
	(void)link_end(link);
}

/*
 * A whole transfer, which waits for the client wherever there is something to wait for.
 */
static void
transfer_private(const struct worker *worker, struct session *session, int file_fd,
                 bool is_upload)
{
	int fd = accept4(session->passive_fd, NULL, NULL, SOCK_CLOEXEC);
	SSL *link = link_new(worker->tls, fd, NULL, true);

	say(session, "150 Go on.\r\n");
	if (link_handshake(link) == 0 && is_upload)
		receive_private(worker, file_fd, link);
	else if (SSL_is_init_finished(link))
		send_private(worker, file_fd, link);
	SSL_free(link);
	close(fd);
	close(file_fd);
	say(session, "226 Done.\r\n");
}

static void
store(const struct worker *worker, struct session *session, const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;

	session->file_fd = openat(worker->root_fd, path, flags, 0644);
	if (session->file_fd < 0) {
		say(session, "550 No.\r\n");
		return;
	}
	if (session->is_private) {
		transfer_private(worker, session, session->file_fd, true);
		return;
	}
	session->data.fd = accept4(session->passive_fd, NULL, NULL, SOCK_NONBLOCK);
	session->is_upload = true;
	say(session, "150 Go on.\r\n");
	watch(worker, &session->data, EPOLLIN);
}

static void
passive(struct session *session)
{
	char reply[64];

	if (session->passive_fd < 0)
		session->passive_fd = listen_on(0, false, &session->passive_port);
	snprintf(reply, sizeof(reply), "229 Here (|||%u|)\r\n", session->passive_port);
	say(session, reply);
}

static void
retrieve(const struct worker *worker, struct session *session, const char *path)
{
	struct stat facts;
	int file_fd = openat(worker->root_fd, path, O_RDONLY | O_CLOEXEC);

	if (file_fd < 0 || fstat(file_fd, &facts) < 0) {
		say(session, "550 No.\r\n");
		return;
	}
	if (session->is_private) {
		transfer_private(worker, session, file_fd, false);
		return;
	}
	session->data.fd = accept4(session->passive_fd, NULL, NULL,
	                           session->is_ascii ? 0 : SOCK_NONBLOCK);
	say(session, "150 Coming.\r\n");
	if (session->is_ascii) {
		bare_send_ascii(session->data.fd, file_fd, (size_t)facts.st_size);
		close(file_fd);
		end_transfer(session, "226 Done.\r\n");
		return;
	}
	session->file_fd = file_fd;
	session->is_upload = false;
	session->left_bytes = (size_t)facts.st_size;
	send_slice(session);
	if (session->data.fd >= 0)
		watch(worker, &session->data, EPOLLOUT);
}

static void
list(const struct worker *worker, struct session *session, const char *path, bool is_mlsd)
{
	session->data.fd = accept4(session->passive_fd, NULL, NULL, 0);
	say(session, "150 Coming.\r\n");
	bare_send_list(session->data.fd, worker->root_fd, path, is_mlsd);
	end_transfer(session, "226 Done.\r\n");
}

static void
begin_tls(const struct worker *worker, struct session *session)
{
	int fd = session->control.fd;

	if (worker->tls == NULL) {
		say(session, "502 What?\r\n");
		return;
	}
	say(session, "234 Go on.\r\n");
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	session->tls = link_new(worker->tls, fd, NULL, false);
	session->is_in_handshake = true;
}

static void
command(const struct worker *worker, struct session *session)
{
	const char *line = session->line;
	const char *argument = strchr(line, ' ') == NULL ? "." : strchr(line, ' ') + 1;

	if (strncasecmp(line, "USER", 4) == 0) {
		say(session, "331 Anything.\r\n");
	} else if (strncasecmp(line, "PASS", 4) == 0) {
		say(session, "230 In.\r\n");
	} else if (strncasecmp(line, "TYPE", 4) == 0) {
		session->is_ascii = argument[0] == 'A';
		say(session, "200 So be it.\r\n");
	} else if (strncasecmp(line, "EPSV", 4) == 0) {
		passive(session);
	} else if (strncasecmp(line, "RETR", 4) == 0) {
		retrieve(worker, session, argument);
	} else if (strncasecmp(line, "STOR", 4) == 0) {
		store(worker, session, argument);
	} else if (strncasecmp(line, "LIST", 4) == 0) {
		list(worker, session, argument, false);
	} else if (strncasecmp(line, "MLSD", 4) == 0) {
		list(worker, session, argument, true);
	} else if (strncasecmp(line, "AUTH", 4) == 0) {
		begin_tls(worker, session);
	} else if (strncasecmp(line, "PBSZ", 4) == 0) {
		say(session, "200 0\r\n");
	} else if (strncasecmp(line, "PROT", 4) == 0) {
		session->is_private = argument[0] == 'P';
		say(session, "200 So be it.\r\n");
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		say(session, "221 Bye.\r\n");
		if (session->tls != NULL)
			(void)link_end(session->tls);
		shutdown(session->control.fd, SHUT_WR);
	} else {
		say(session, "502 What?\r\n");
	}
}

static void
end_session(struct session *session)
{
	SSL_free(session->tls);
	close(session->control.fd);
	if (session->passive_fd >= 0)
		close(session->passive_fd);
	if (session->data.fd >= 0) {
		close(session->data.fd);
		close(session->file_fd);
	}
	free(session);
}

/* One line at a time is enough: the load generator waits for each reply. */
static void
read_control(const struct worker *worker, struct session *session)
{
	char *at = session->line + session->line_len;
	size_t room = LINE_BYTES - 1 - session->line_len;
	ssize_t got;

	if (session->is_in_handshake)
		got = link_handshake(session->tls);
	else if (session->tls != NULL)
		got = link_recv(session->tls, at, room);
	else
		got = recv(session->control.fd, at, room, 0);
	if (session->is_in_handshake && got == 0) {
		session->is_in_handshake = false;
		return;
	}
	if (session->tls != NULL && got == -EAGAIN)
		return;
	if (got <= 0) {
		end_session(session);
		return;
	}
	session->line_len += (size_t)got;
	session->line[session->line_len] = '\0';
	if (session->line[session->line_len - 1] != '\n')
		return;
	session->line[strcspn(session->line, "\r\n")] = '\0';
	session->line_len = 0;
	command(worker, session);
}

static void
greet(const struct worker *worker)
{
	struct session *session;
	int one = 1;
	int fd = accept4(worker->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		err(1, "session");
	session->passive_fd = -1;
	session->control = (struct endpoint){.session = session, .fd = fd};
	session->data = (struct endpoint){.session = session, .fd = -1, .is_data = true};
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	say(session, "220 Bare.\r\n");
	watch(worker, &session->control, EPOLLIN);
}

static void
work(struct worker *worker)
{
	struct endpoint listener = {.fd = worker->listen_fd};
	struct epoll_event events[EVENTS_AT_ONCE];

	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch(worker, &listener, EPOLLIN);
	for (;;) {
		int count = epoll_wait(worker->epoll_fd, events, EVENTS_AT_ONCE, -1);

		for (int i = 0; i < count; i++) {
			struct endpoint *endpoint = events[i].data.ptr;

			if (endpoint->session == NULL)
				greet(worker);
			else if (endpoint->is_data && endpoint->session->is_upload)
				receive_slice(worker, endpoint->session);
			else if (endpoint->is_data)
				send_slice(endpoint->session);
			else
				read_control(worker, endpoint->session);
		}
	}
}

int
main(int argc, char **argv)
{
	struct rlimit limit = {.rlim_cur = DESCRIPTORS_MAX, .rlim_max = DESCRIPTORS_MAX};
	struct worker worker = {0};
	long workers = sysconf(_SC_NPROCESSORS_ONLN);
	uint16_t port;

	if (argc != 3 && argc != 4)
		errx(2, "usage: bare PORT ROOT [CERTIFICATE-AND-KEY]");
	if (argc == 4)
		worker.tls = link_server_context(argv[3]);
	/*
	 * Without the right to raise it the limit stays as it is, which is enough for few
	 * clients.
	 */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	worker.buffer = malloc(SLICE_BYTES);
	if (worker.buffer == NULL)
		err(1, "buffer");
	worker.root_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (worker.root_fd < 0)
		err(1, "%s", argv[2]);
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	while (workers-- > 0) {
		pid_t pid;

		worker.listen_fd = listen_on(port, true, &port);
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(&worker);
		}
	}
	printf("port %u\n", port);
	fflush(stdout);
	while (wait(NULL) > 0)
		continue;
	free(worker.buffer);
	return 1;
}
