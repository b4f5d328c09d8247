/*
 * link: an authenticator's two channels, and who may say what when.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/secret.h"
#include "common/base.h"

bool
link_init(struct link *link, int master_fd)
{
	*link =
	    (struct link){.phase = LINK_IDLE, .master_fd = master_fd, .worker_fd = -1};
	link->bytes = secret_alloc(LINK_BYTES);
	return link->bytes != NULL;
}

void
link_free(struct link *link)
{
	fd_close(&link->worker_fd);
	fd_close(&link->master_fd);
	secret_free(link->bytes, LINK_BYTES);
	link->bytes = NULL;
}

void
link_wipe(struct link *link)
{
	secret_wipe(link->bytes, LINK_BYTES);
}

static enum link_event
worker_is_wrong(struct link *link, const char *why)
{
	link->why = why;
	return LINK_WORKER_WRONG;
}

/* Returns: false when the master has ended or sends what it may not send. */
static bool
receive_from_master(struct link *link, enum ma_type type, struct ma_message *ret_message,
                    int *ret_fd)
{
	uint8_t bytes[LINK_MASTER_BYTES];
	int fd = -1;
	ssize_t len = channel_recv(link->master_fd, bytes, sizeof(bytes), 0, &fd);

	if (len <= 0 || !ma_decode(bytes, (size_t)len, ret_message) ||
	    ret_message->type != type || (fd >= 0) != (type == MA_TRY)) {
		fd_close(&fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}

enum link_event
link_wait_try(struct link *link, struct ma_message *ret_try)
{
	const struct ma_message taken = {.type = MA_TAKEN};
	struct ma_message message;

	if (link->phase != LINK_IDLE ||
	    !receive_from_master(link, MA_TRY, &message, &link->worker_fd)) {
		return LINK_MASTER_GONE;
	}
	*ret_try = message;
	link->phase = LINK_TAKEN;
	return link_tell_master(link, &taken);
}

/*
 * Wait until one of the channels has something.
 * Out:     ret_from_worker: the worker's has; what the master says matters first.
 */
static enum link_event
wait_for_either(struct link *link, bool *ret_from_master, bool *ret_from_worker)
{
	struct pollfd fds[] = {{.fd = link->master_fd, .events = POLLIN},
	                       {.fd = link->worker_fd, .events = POLLIN}};

	while (poll(fds, ARRAY_COUNT(fds), -1) < 0) {
		if (errno != EINTR) {
			return LINK_MASTER_GONE;
		}
	}
	*ret_from_master = fds[0].revents != 0;
	*ret_from_worker = fds[1].revents != 0;
	return LINK_OK;
}

static enum link_event
receive_from_worker(struct link *link, struct login_message *ret_message)
{
	enum login_type expected = link->phase == LINK_TAKEN ? LOGIN_TRY : LOGIN_ACCOUNT;
	int fd = -1;
	ssize_t len =
	    channel_recv(link->worker_fd, link->bytes, LINK_BYTES, MSG_DONTWAIT, &fd);

	if (fd >= 0) {
		fd_close(&fd);
		return worker_is_wrong(link, "sent a descriptor");
	}
	if (len == 0 || len == -ECONNRESET) {
		return LINK_WORKER_GONE;
	}
	if (len < 0) {
		return worker_is_wrong(link, len == -EMSGSIZE
		                                 ? "sent a message that is too long"
		                                 : "sent descriptors");
	}
	if (!login_decode(link->bytes, (size_t)len, ret_message)) {
		return worker_is_wrong(link, "sent bytes that are no message");
	}
	if (ret_message->type != expected) {
		return worker_is_wrong(link, "sent a message out of turn");
	}
	link->phase = LINK_DECIDING;
	return LINK_OK;
}

enum link_event
link_wait_worker(struct link *link, struct login_message *ret_message)
{
	bool from_master;
	bool from_worker;
	enum link_event event = wait_for_either(link, &from_master, &from_worker);

	if (event != LINK_OK) {
		return event;
	}
	if (from_master) {
		return LINK_MASTER_GONE; /* it has nothing to say now but the end */
	}
	return receive_from_worker(link, ret_message);
}

enum link_event
link_ask(struct link *link, const char *text, size_t len,
         struct login_message *ret_answer)
{
	const struct login_message question = {
	    .type = LOGIN_ASK, .text = text, .text_len = len};
	const struct ma_message stop_clock = {.type = MA_ASKING, .is_asking = true};
	const struct ma_message start_clock = {.type = MA_ASKING};
	enum link_event event = link_check_worker(link);

	if (event == LINK_OK) {
		event = link_tell_master(link, &stop_clock);
	}
	if (event == LINK_OK) {
		event = link_tell_worker(link, &question);
	}
	if (event != LINK_OK) {
		return event;
	}
	link->phase = LINK_ASKING;
	event = link_wait_worker(link, ret_answer);
	return event == LINK_OK ? link_tell_master(link, &start_clock) : event;
}

enum link_event
link_check_worker(struct link *link)
{
	char byte;
	ssize_t len;

	do {
		len = recv(link->worker_fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
	} while (len < 0 && errno == EINTR);
	if (len > 0) {
		return worker_is_wrong(link, "sent a message out of turn");
	}
	return len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? LINK_OK
	                                                            : LINK_WORKER_GONE;
}

enum link_event
link_wait_go(struct link *link, bool *ret_is_admitted)
{
	struct ma_message message;
	bool from_master;
	bool from_worker;
	int no_fd;
	enum link_event event;

	link->phase = LINK_WAITING;
	event = wait_for_either(link, &from_master, &from_worker);
	if (event != LINK_OK) {
		return event;
	}
	if (from_worker) {
		event = link_check_worker(link);
		return event == LINK_OK ? LINK_WORKER_GONE : event;
	}
	if (!receive_from_master(link, MA_GO, &message, &no_fd)) {
		return LINK_MASTER_GONE;
	}
	*ret_is_admitted = message.is_admitted;
	return LINK_OK;
}

enum link_event
link_tell_master(struct link *link, const struct ma_message *message)
{
	uint8_t bytes[LINK_MASTER_BYTES];
	size_t len = ma_encode(message, bytes, sizeof(bytes));

	return len > 0 && channel_send(link->master_fd, bytes, len, -1) == 0
	           ? LINK_OK
	           : LINK_MASTER_GONE;
}

enum link_event
link_tell_worker(struct link *link, const struct login_message *message)
{
	uint8_t bytes[LINK_BYTES];
	size_t len = login_encode(message, bytes, sizeof(bytes));

	return len > 0 && channel_send(link->worker_fd, bytes, len, -1) == 0
	           ? LINK_OK
	           : LINK_WORKER_GONE;
}
