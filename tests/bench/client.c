/*
 * client: one FTP client of the load generator, a state machine over a control and a data
 * connection.
 * Runs in: ftpload (test). Input: a server under test, not trusted to be right.
 * Source: RFC 959 5.4; RFC 2428 3; RFC 4217.
 * Not here: how many clients there are and when they start; see ftpload.c.
 */
#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base.h"

enum {
	/* The kernel throws away what is there, however much it is. */
	DISCARD_BYTES = 64 * 1024 * 1024,
	/* What one turn sends at most: other clients and the replies have their turn. */
	SEND_BYTES = 1024 * 1024,
	COMMAND_MAX_BYTES = 512
};

uint64_t
client_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

bool
client_is_over(const struct client *client)
{
	return client->state == CLIENT_DONE || client->state == CLIENT_FAILED;
}

unsigned int
client_count_logging_in(const struct load *load)
{
	return load->in_state[CLIENT_GREETING] + load->in_state[CLIENT_AUTH] +
	       load->in_state[CLIENT_USER] + load->in_state[CLIENT_PASS];
}

unsigned int
client_count_missing(const struct load *load, unsigned int clients,
                     enum client_state state)
{
	unsigned int settled =
	    load->in_state[CLIENT_DONE] + load->in_state[CLIENT_FAILED];

	if (state != CLIENT_DONE && state != CLIENT_FAILED)
		settled += load->in_state[state];
	return clients - settled;
}

static void
set_state(struct client *client, enum client_state next)
{
	client->load->in_state[client->state]--;
	client->load->in_state[next]++;
	client->state = next;
}

static void
endpoint_close(struct endpoint *endpoint)
{
	SSL_free(endpoint->tls);
	if (endpoint->fd >= 0)
		close(endpoint->fd);
	*endpoint = (struct endpoint){
	    .client = endpoint->client, .fd = -1, .is_data = endpoint->is_data};
}

void
client_fail(struct client *client, const char *reason)
{
	struct tally *tally = &client->load->tally;

	if (tally->failures++ == 0) {
		snprintf(tally->first_failure, sizeof(tally->first_failure),
		         "%s (state %d, transfer %u)", reason, (int)client->state,
		         client->transfers_done);
	}
	endpoint_close(&client->control);
	endpoint_close(&client->data);
	set_state(client, CLIENT_FAILED);
}

/*
 * The connection is usable at once for reading: a failure to connect shows as an error of
 * the first read.
 */
static int
endpoint_connect(struct endpoint *endpoint, uint16_t port)
{
	struct load *load = endpoint->client->load;
	struct sockaddr_in address = load->plan.address;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = endpoint};
	int one = 1;
	int result;

	address.sin_port = htons(port);
	endpoint->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (endpoint->fd < 0)
		return -errno;
	setsockopt(endpoint->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	result =
	    connect(endpoint->fd, (const struct sockaddr *)&address, sizeof(address));
	if (result < 0 && errno != EINPROGRESS)
		return -errno;
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, endpoint->fd, &event) < 0)
		return -errno;
	return 0;
}

void
client_start(struct client *client)
{
	struct load *load = client->load;
	int result;
	enum client_state state = client->state;

	*client = (struct client){.load = load, .state = state};
	set_state(client, CLIENT_GREETING);
	client->control = (struct endpoint){.client = client, .fd = -1};
	client->data = (struct endpoint){.client = client, .fd = -1, .is_data = true};
	client->connect_ns = client_now_ns();
	result = endpoint_connect(&client->control, ntohs(load->plan.address.sin_port));
	if (result < 0)
		client_fail(client, strerror(-result));
}

static void
say(struct client *client, const char *text, enum client_state next)
{
	size_t len = strlen(text);
	SSL *tls = client->control.tls;
	bool is_said;

	set_state(client, next);
	if (tls != NULL)
		is_said =
		    link_send(tls, text, len) == (ssize_t)len && link_flush(tls) == 0;
	else
		is_said =
		    send(client->control.fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
	if (!is_said)
		client_fail(client, "control connection does not take a command");
}

/* Say a command with one argument. */
static void
say_word(struct client *client, const char *verb, const char *argument,
         enum client_state next)
{
	char command[COMMAND_MAX_BYTES];

	snprintf(command, sizeof(command), "%s %s\r\n", verb, argument);
	say(client, command, next);
}

static void
begin_transfer(struct client *client)
{
	client->bytes = 0;
	client->lines = 0;
	client->has_eof = false;
	client->has_reply = false;
	client->transfer_ns = client_now_ns();
	say(client, "EPSV\r\n", CLIENT_PASSIVE);
}

void
client_go(struct client *client)
{
	if (client->state == CLIENT_READY && client->load->plan.transfers > 0) {
		client->go_ns = client_now_ns();
		begin_transfer(client);
	} else if (client->state == CLIENT_READY || client->state == CLIENT_MOVED) {
		say(client, "QUIT\r\n", CLIENT_QUITTING);
	}
}

static void
wait_or_go(struct client *client, enum client_state state)
{
	set_state(client, state);
	if (!client->load->plan.is_synchronous)
		client_go(client);
}

static void
logged_in(struct client *client)
{
	struct load *load = client->load;
	char command[] = "TYPE I\r\n";

	if (client->state == CLIENT_USER || client->state == CLIENT_PASS)
		samples_add(&load->tally.login, client_now_ns() - client->connect_ns);
	if (load->plan.transfers == 0) {
		wait_or_go(client, CLIENT_READY);
	} else if (load->tls != NULL && client->state != CLIENT_PROT) {
		say(client, "PBSZ 0\r\n", CLIENT_PBSZ);
	} else {
		command[5] = load->plan.type;
		say(client, command, CLIENT_TYPE);
	}
}

/* Parse 229 ... (|||port|), and ask for the data when connected. */
static void
connect_data(struct client *client, const char *reply)
{
	const struct plan *plan = &client->load->plan;
	const char *mark = strstr(reply, "(|||");
	unsigned long port = mark == NULL ? 0 : strtoul(mark + 4, NULL, 10);
	char command[COMMAND_MAX_BYTES];
	int result;

	if (port == 0 || port > UINT16_MAX) {
		client_fail(client, reply);
		return;
	}
	result = endpoint_connect(&client->data, (uint16_t)port);
	if (result < 0) {
		client_fail(client, strerror(-result));
		return;
	}
	if (plan->is_numbered) {
		snprintf(command, sizeof(command), "%s %s%u\r\n", plan->verb, plan->path,
		         client->transfers_done);
	} else {
		snprintf(command, sizeof(command), "%s %s\r\n", plan->verb, plan->path);
	}
	say(client, command, CLIENT_TRANSFER);
}

static void
transfer_step(struct client *client)
{
	struct load *load = client->load;
	const struct plan *plan = &load->plan;
	uint64_t now_ns;

	if (!client->has_eof || !client->has_reply)
		return;
	if (plan->size_bytes >= 0 && client->bytes != plan->size_bytes) {
		client_fail(client, "wrong number of bytes");
		return;
	}
	if (plan->lines >= 0 && client->lines < plan->lines) {
		client_fail(client, "too few lines");
		return;
	}
	now_ns = client_now_ns();
	samples_add(&load->tally.transfer, now_ns - client->transfer_ns);
	load->tally.transfers++;
	load->tally.bytes += (uint64_t)client->bytes;
	if (++client->transfers_done < plan->transfers) {
		begin_transfer(client);
		return;
	}
	samples_add(&load->tally.moved, now_ns - client->go_ns);
	wait_or_go(client, CLIENT_MOVED);
}

static void
wait_for(struct endpoint *endpoint, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = endpoint};

	if (epoll_ctl(endpoint->client->load->epoll_fd, EPOLL_CTL_MOD, endpoint->fd,
	              &event) < 0)
		client_fail(endpoint->client, strerror(errno));
}

/* Returns: how much of the source is sent next; from the offset. */
static size_t
next_slice(const struct client *client, off_t *ret_offset)
{
	const struct load *load = client->load;
	off_t offset = client->bytes % load->source_bytes;
	int64_t left = load->plan.size_bytes - client->bytes;
	int64_t slice = load->source_bytes - offset;

	if (slice > SEND_BYTES)
		slice = SEND_BYTES;
	if (slice > left)
		slice = left;
	*ret_offset = offset;
	return (size_t)slice;
}

/*
 * All is sent with TLS: say so, and wait for the server's end; it may still send, and
 * must not be answered by a reset.
 */
static void
end_sending(struct client *client)
{
	struct endpoint *data = &client->data;
	int result = data->has_ended ? link_flush(data->tls) : link_end(data->tls);

	data->has_ended = true;
	if (result == -EPROTO)
		client_fail(client, "server does not take the end of the data");
	if (result != 0)
		return;
	shutdown(data->fd, SHUT_WR);
	wait_for(data, EPOLLIN);
	if (data->fd < 0 || link_recv(data->tls, client->load->buffer, 1) == -EAGAIN)
		return;
	endpoint_close(data);
	client->has_eof = true;
	transfer_step(client);
}

/* The same with TLS: from memory, record by record; what a turn has gathered is sent. */
static void
on_room_tls(struct client *client)
{
	SSL *tls = client->data.tls;
	off_t offset;
	size_t slice;
	int64_t end = client->bytes + SEND_BYTES;

	while (client->bytes < end && (slice = next_slice(client, &offset)) > 0) {
		ssize_t sent = link_send(tls, client->load->source + offset, slice);

		if (sent == -EPROTO)
			client_fail(client, "server does not take the data");
		if (sent < 0)
			return;
		client->bytes += sent;
	}
	if (client->bytes == client->load->plan.size_bytes)
		end_sending(client);
}

/* Send from the source, whose pages the kernel hands on without a copy. */
static void
on_room(struct client *client)
{
	const struct load *load = client->load;
	off_t offset;
	size_t slice = next_slice(client, &offset);
	ssize_t sent = 0;

	if (slice > 0)
		sent = sendfile(client->data.fd, load->source_fd, &offset, slice);
	if (sent < 0) {
		if (errno != EAGAIN)
			client_fail(client, strerror(errno));
		return;
	}
	client->bytes += sent;
	if (client->bytes == load->plan.size_bytes) {
		endpoint_close(&client->data);
		client->has_eof = true;
		transfer_step(client);
	} else if (sent == 0) {
		client_fail(client, "the source has become shorter");
	}
}

static int64_t
count_lines(const char *text, size_t len)
{
	int64_t lines = 0;
	const char *end = text + len;

	while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		lines++;
		text++;
	}
	return lines;
}

/*
 * As recv(), but with negative errno. Without a buffer the kernel throws the data away.
 */
static ssize_t
receive(const struct endpoint *endpoint, void *bytes, size_t cap)
{
	ssize_t got;

	if (endpoint->tls != NULL)
		return link_recv(endpoint->tls, bytes, cap);
	got = recv(endpoint->fd, bytes, cap, bytes == NULL ? MSG_TRUNC : 0);
	return got < 0 ? -errno : got;
}

/* Returns: true if there may be more that no event will tell of. */
static bool
receive_data(struct client *client)
{
	struct load *load = client->load;
	bool is_tls = client->data.tls != NULL;
	ssize_t got;

	if (load->plan.is_discarding && !is_tls)
		got = receive(&client->data, NULL, DISCARD_BYTES);
	else
		got = receive(&client->data, load->buffer, CLIENT_READ_BYTES);
	if (got < 0) {
		if (got != -EAGAIN)
			client_fail(client, strerror((int)-got));
		return false;
	}
	if (got > 0) {
		client->bytes += got;
		if (load->plan.lines >= 0)
			client->lines += count_lines(load->buffer, (size_t)got);
		return is_tls;
	}
	if (is_tls)
		(void)link_end(client->data.tls); /* out of politeness */
	endpoint_close(&client->data);
	client->has_eof = true;
	transfer_step(client);
	return false;
}

static void
on_data(struct client *client)
{
	while (receive_data(client))
		continue;
}

/* Go on with a handshake; what comes after it depends on the connection. */
static void
on_handshake(struct endpoint *endpoint)
{
	struct client *client = endpoint->client;
	int result = link_handshake(endpoint->tls);

	if (result == -EPROTO)
		client_fail(client, "TLS handshake failed");
	if (result != 0)
		return;
	endpoint->is_in_handshake = false;
	if (!endpoint->is_data) {
		say_word(client, "USER", client->load->plan.user, CLIENT_USER);
		return;
	}
	client->load->tally.resumed += SSL_session_reused(endpoint->tls) == 1;
	if (client->load->source_fd >= 0)
		wait_for(endpoint, EPOLLOUT);
	else
		on_data(client);
}

/*
 * Begin TLS; a data connection resumes the newest session of its control connection.
 */
static void
begin_tls(struct endpoint *endpoint)
{
	const struct client *client = endpoint->client;
	SSL_SESSION *session = NULL;

	if (endpoint->is_data)
		session = SSL_get1_session(client->control.tls);
	endpoint->tls =
	    link_new(client->load->tls, endpoint->fd, session, endpoint->is_data);
	SSL_SESSION_free(session);
	endpoint->is_in_handshake = true;
	on_handshake(endpoint);
}

/* The server is about to open its end of the data connection. */
static void
begin_data(struct client *client)
{
	if (client->load->tls != NULL) {
		if (client->data.fd >= 0 && client->data.tls == NULL)
			begin_tls(&client->data);
	} else if (client->load->source_fd >= 0) {
		/* be woken whenever there is room for some */
		wait_for(&client->data, EPOLLOUT);
	}
}

/* Each state expects one reply; 1xx may come before the closing one of a transfer. */
static bool
is_expected(enum client_state state, const char *reply)
{
	switch (state) {
	case CLIENT_GREETING: return strncmp(reply, "220", 3) == 0;
	case CLIENT_AUTH: return strncmp(reply, "234", 3) == 0;
	case CLIENT_USER: /* a server may do without the password */
		return strncmp(reply, "331", 3) == 0 || strncmp(reply, "230", 3) == 0;
	case CLIENT_PASS: return strncmp(reply, "230", 3) == 0;
	case CLIENT_PBSZ:
	case CLIENT_PROT:
	case CLIENT_TYPE: return strncmp(reply, "200", 3) == 0;
	case CLIENT_PASSIVE: return strncmp(reply, "229", 3) == 0;
	case CLIENT_TRANSFER: return reply[0] == '1' || reply[0] == '2';
	case CLIENT_QUITTING: return strncmp(reply, "221", 3) == 0;
	case CLIENT_NEW:
	case CLIENT_READY:
	case CLIENT_MOVED:
	case CLIENT_DONE:
	case CLIENT_FAILED:
	case CLIENT_STATE_COUNT: break;
	}
	return false;
}

static void
on_reply(struct client *client, const char *reply)
{
	const struct plan *plan = &client->load->plan;

	if (!is_expected(client->state, reply)) {
		client_fail(client, reply);
		return;
	}
	switch (client->state) {
	case CLIENT_GREETING:
		samples_add(&client->load->tally.greeting,
		            client_now_ns() - client->connect_ns);
		if (client->load->tls != NULL)
			say_word(client, "AUTH", "TLS", CLIENT_AUTH);
		else
			say_word(client, "USER", plan->user, CLIENT_USER);
		break;
	case CLIENT_AUTH: begin_tls(&client->control); break;
	case CLIENT_USER:
		if (reply[0] == '2')
			logged_in(client);
		else
			say_word(client, "PASS", plan->password, CLIENT_PASS);
		break;
	case CLIENT_PASS:
	case CLIENT_PROT: logged_in(client); break;
	case CLIENT_PBSZ: say_word(client, "PROT", "P", CLIENT_PROT); break;
	case CLIENT_TYPE: wait_or_go(client, CLIENT_READY); break;
	case CLIENT_PASSIVE: connect_data(client, reply); break;
	case CLIENT_TRANSFER:
		client->has_reply = reply[0] == '2';
		if (!client->has_reply)
			begin_data(client);
		if (!client_is_over(client))
			transfer_step(client);
		break;
	case CLIENT_NEW:
	case CLIENT_READY:
	case CLIENT_MOVED:
	case CLIENT_QUITTING: /* the end of the connection ends the session */
	case CLIENT_DONE:
	case CLIENT_FAILED:
	case CLIENT_STATE_COUNT: break;
	}
}

/* Of a reply of several lines only the last one counts: three digits and a blank. */
static bool
is_last_line(const char *line)
{
	return line[0] >= '1' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' &&
	       line[2] >= '0' && line[2] <= '9' && line[3] == ' ';
}

static void
on_lines(struct client *client)
{
	char line[CLIENT_LINE_MAX_BYTES];
	char *end;

	while (!client_is_over(client) &&
	       (end = memchr(client->line, '\n', client->line_len)) != NULL) {
		size_t len = (size_t)(end - client->line);

		memcpy(line, client->line, len);
		line[len > 0 && line[len - 1] == '\r' ? len - 1 : len] = '\0';
		client->line_len -= len + 1;
		memmove(client->line, end + 1, client->line_len);
		if (is_last_line(line))
			on_reply(client, line);
	}
	if (!client_is_over(client) && client->line_len == sizeof(client->line))
		client_fail(client, "reply line is too long");
}

/* Returns: true if there may be more that no event will tell of. */
static bool
receive_control(struct client *client)
{
	ssize_t got = receive(&client->control, client->line + client->line_len,
	                      sizeof(client->line) - client->line_len);

	if (got < 0) {
		if (got != -EAGAIN)
			client_fail(client, strerror((int)-got));
		return false;
	}
	if (got > 0) {
		client->line_len += (size_t)got;
		on_lines(client);
		return client->control.tls != NULL && !client->control.is_in_handshake;
	}
	if (client->state != CLIENT_QUITTING) {
		client_fail(client, "server has closed the control connection");
		return false;
	}
	endpoint_close(&client->control);
	client->load->tally.sessions++;
	set_state(client, CLIENT_DONE);
	return false;
}

static void
on_control(struct client *client)
{
	while (receive_control(client))
		continue;
}

void
client_event(struct endpoint *endpoint)
{
	/*
	 * An event of this turn may be about a connection that an earlier event has
	 * closed.
	 */
	if (endpoint->fd < 0)
		return;
	if (endpoint->is_in_handshake)
		on_handshake(endpoint);
	else if (!endpoint->is_data)
		on_control(endpoint->client);
	else if (endpoint->client->load->source_fd < 0)
		on_data(endpoint->client);
	else if (endpoint->tls == NULL)
		on_room(endpoint->client);
	else if (!endpoint->has_ended)
		on_room_tls(endpoint->client);
	else
		end_sending(endpoint->client);
}
