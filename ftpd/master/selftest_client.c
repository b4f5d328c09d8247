/*
 * selftest_client: plays the client of the sandbox self-test.
 * Runs in: a forked child of the master.
 */
#include "ftpd/master/selftest_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/fd.h"
#include "common/sockaddr.h"
#include "ftpd/ipc/record.h"
#include "common/base.h"

enum {
	LINE_MAX_BYTES = 1024,
	PATIENCE_S = 3,
	DATA_MAX = 4096,
};

struct client {
	int control_fd;
	char input[LINE_MAX_BYTES];
	size_t input_len;
	char line[LINE_MAX_BYTES]; /* the last line of the last reply */
	char *verdict;
};

static bool fail(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(struct client *client, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(client->verdict, SELFTEST_VERDICT_MAX, format, list);
	va_end(list);
	for (char *at = client->verdict; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~') {
			*at = '?';
		}
	}
	return false;
}

/* Returns: a connected socket that gives up after PATIENCE_S, or -1. */
static int
connect_to(uint16_t port)
{
	const struct addr loopback = {
	    .family = ADDR_IPV4, .bytes = {127, 0, 0, 1}, .port = port};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(&loopback, &sockaddr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(fd, (struct sockaddr *)&sockaddr, len) != 0) {
		fd_close(&fd);
	}
	return fd;
}

/*
 * Returns: false at the end of the stream, after PATIENCE_S, or for a line that is too
 *          long.
 */
static bool
read_line(struct client *client)
{
	for (;;) {
		char *end = memchr(client->input, '\n', client->input_len);
		ssize_t len;

		if (end != NULL) {
			size_t line_len = (size_t)(end - client->input) + 1;

			memcpy(client->line, client->input, line_len);
			client->line[line_len - 1] = '\0';
			client->input_len -= line_len;
			memmove(client->input, end + 1, client->input_len);
			return true;
		}
		len = recv(client->control_fd, client->input + client->input_len,
		           sizeof(client->input) - client->input_len, 0);
		if (len <= 0) {
			return false;
		}
		client->input_len += (size_t)len;
	}
}

/* Read one reply, of one or of many lines, and compare the first digits of its code. */
static bool
expect(struct client *client, const char *command, const char *code)
{
	do {
		if (!read_line(client)) {
			return fail(client, "no answer to %s", command);
		}
	} while (strlen(client->line) < 4 || client->line[3] != ' ');
	if (strncmp(client->line, code, strlen(code)) != 0) {
		return fail(client, "%s was answered by \"%s\"", command, client->line);
	}
	return true;
}

static bool
say(struct client *client, const char *command)
{
	char line[LINE_MAX_BYTES];
	int len = snprintf(line, sizeof(line), "%s\r\n", command);

	if (send(client->control_fd, line, (size_t)len, MSG_NOSIGNAL) != len) {
		return fail(client, "%s could not be sent", command);
	}
	return true;
}

static bool
ask(struct client *client, const char *command, const char *code)
{
	return say(client, command) && expect(client, command, code);
}

/* Returns: a data connection, or -1. */
static int
open_data(struct client *client)
{
	const char *at;
	unsigned long port;
	int fd;

	if (!ask(client, "EPSV", "229")) {
		return -1;
	}
	at = strstr(client->line, "(|||");
	port = at != NULL ? strtoul(at + 4, NULL, 10) : 0;
	if (port == 0 || port > UINT16_MAX) {
		(void)fail(client, "EPSV named no port");
		return -1;
	}
	fd = connect_to((uint16_t)port);
	if (fd < 0) {
		(void)fail(client, "no data connection: %s", strerror(errno));
	}
	return fd;
}

static bool
transfer(struct client *client, const char *command, char data[DATA_MAX], size_t *ret_len)
{
	int fd = open_data(client);
	size_t total = 0;
	ssize_t len;

	if (fd < 0) {
		return false;
	}
	if (!ask(client, command, "1")) {
		fd_close(&fd);
		return false;
	}
	while (total < DATA_MAX &&
	       (len = recv(fd, data + total, DATA_MAX - total, 0)) > 0) {
		total += (size_t)len;
	}
	fd_close(&fd);
	*ret_len = total;
	return expect(client, command, "226");
}

static bool
list(struct client *client, const struct selftest_sample *sample)
{
	char data[DATA_MAX];
	size_t len;

	if (!transfer(client, "LIST", data, &len)) {
		return false;
	}
	return memmem(data, len, sample->name, strlen(sample->name)) != NULL ||
	       fail(client, "LIST did not show the file");
}

static bool
retrieve(struct client *client, const struct selftest_sample *sample)
{
	char command[LINE_MAX_BYTES];
	char size[LINE_MAX_BYTES];
	char data[DATA_MAX];
	size_t len;

	(void)snprintf(command, sizeof(command), "RETR %s", sample->name);
	if (!transfer(client, command, data, &len)) {
		return false;
	}
	if (len != strlen(sample->content) || memcmp(data, sample->content, len) != 0) {
		return fail(client, "RETR brought other bytes than the file has");
	}
	(void)snprintf(command, sizeof(command), "SIZE %s", sample->name);
	(void)snprintf(size, sizeof(size), "213 %zu", len);
	return ask(client, command, size);
}

static bool
converse(struct client *client, const struct selftest_sample *sample)
{
	return expect(client, "the connection", "220") &&
	       ask(client, "USER anonymous", "331") &&
	       ask(client, "PASS self-test@localhost", "230") &&
	       ask(client, "TYPE I", "200") && list(client, sample) &&
	       retrieve(client, sample) && ask(client, "QUIT", "221") &&
	       (!read_line(client) || fail(client, "a word came after QUIT"));
}

/*
 * The worker has closed the control connection, so all that it had to tell is in the
 * channel.
 */
static bool
look_for_denied(struct client *client, int recorder_fd)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct record record;
	ssize_t len;

	while ((len = channel_recv_plain(recorder_fd, bytes, sizeof(bytes),
	                                 MSG_DONTWAIT)) > 0) {
		if (record_decode(bytes, (size_t)len, &record) &&
		    record.type == RECORD_DENIED_CALL) {
			char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE,
			                                              (int)record.value);

			(void)fail(
			    client, "the filter of the %.*s denied the system call %s",
			    (int)record.text_len, record.text, name != NULL ? name : "?");
			free(name);
			return false;
		}
	}
	return true;
}

bool
selftest_client_run(const struct identity *identity, uint16_t port,
                    const struct selftest_sample *sample, int recorder_fd,
                    char verdict[SELFTEST_VERDICT_MAX])
{
	struct client client = {.verdict = verdict};
	bool is_right;

	if (privilege_become(identity) != 0) {
		return fail(&client, "the test's client could not become unprivileged");
	}
	client.control_fd = connect_to(port);
	if (client.control_fd < 0) {
		return fail(&client, "127.0.0.1 could not be reached: %s",
		            strerror(errno));
	}
	is_right = converse(&client, sample);
	fd_close(&client.control_fd);
	/* A denied call explains a wrong answer better than the answer does. */
	return look_for_denied(&client, recorder_fd) && is_right;
}
