/*
 * serve: the agent's loop: questions from the channel, and listings and copies that are
 * running.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/serve.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/stack.h"
#include "ftpd/agent/answer.h"
#include "common/base.h"

enum {
	/* slots of the poll array */
	CHANNEL_SLOT = 0,
	FIRST_SLOT = 1,
	SLOTS = FIRST_SLOT + SERVE_MAX_LISTINGS + SERVE_MAX_COPIES,
};

/* Take and answer one question; without MSG_DONTWAIT, wait for it. */
static enum verdict
take_question(struct server *server, int flags)
{
	uint8_t *bytes = server->question_bytes;
	struct agent_question question;
	ssize_t len = channel_recv_plain(server->channel_fd, bytes,
	                                 sizeof(server->question_bytes), flags);

	if (len == -EAGAIN) {
		return NOTHING_THERE;
	}
	if (len == 0) {
		return channel_has_hung_up(server->channel_fd) ? STOP_DONE
		                                               : STOP_PROTOCOL;
	}
	if (len == -EMSGSIZE) {
		return STOP_PROTOCOL;
	}
	if (len < 0) {
		return STOP_DONE; /* the other end was reset */
	}
	if (!agent_question_decode(bytes, (size_t)len, &question)) {
		return STOP_PROTOCOL;
	}
	return answer_question(server, &question);
}

static bool
goes_on(enum verdict verdict)
{
	return verdict == GO_ON || verdict == NOTHING_THERE;
}

/*
 * Wait until a question has come, a listing has room, or nobody waits for a copy any
 * more. A copy that runs waits for nothing.
 * Returns: false if that is not possible.
 */
static bool
wait_for_work(const struct server *server, struct pollfd ready[SLOTS])
{
	size_t count = FIRST_SLOT;
	int timeout_ms = -1;

	ready[CHANNEL_SLOT] = (struct pollfd){.fd = server->channel_fd, .events = POLLIN};
	for (size_t i = 0; i < server->listing_count; i++) {
		ready[count++] = (struct pollfd){.fd = listing_pipe(server->listings[i]),
		                                 .events = POLLOUT};
	}
	for (size_t i = 0; i < server->copy_count; i++) {
		bool is_told = server->is_copy_told[i];

		ready[count++] = (struct pollfd){.fd = copy_pipe(server->copies[i]),
		                                 .events = is_told ? POLLOUT : 0};
		if (!is_told) {
			timeout_ms = 0;
		}
	}
	if (poll(ready, count, timeout_ms) >= 0) {
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		ready[i].revents = 0;
	}
	return errno == EINTR;
}

/* A copy that nobody waits for any more ends; others go on. */
static void
run_copy(struct server *server, size_t at, const struct pollfd *ready)
{
	if ((ready->revents & POLLERR) != 0) {
		copy_cancel(server->copies[at]);
	}
	if (ready->revents != 0 || !server->is_copy_told[at]) {
		answer_run_copy(server, at);
	}
}

/*
 * Give each listing and each copy a turn. After each turn a waiting question is answered,
 * so that a question waits for one turn and not for sixteen. From the last to the first:
 * a finished one is replaced by one that has had its turn, or by a new one.
 */
static enum verdict
run_turn(struct server *server)
{
	struct pollfd ready[SLOTS];
	size_t listings = server->listing_count;
	size_t copies = server->copy_count;
	enum verdict verdict = GO_ON;

	if (!wait_for_work(server, ready)) {
		return STOP_DONE;
	}
	for (size_t i = copies; i > 0 && goes_on(verdict); i--) {
		run_copy(server, i - 1, &ready[FIRST_SLOT + listings + i - 1]);
		verdict = take_question(server, MSG_DONTWAIT);
	}
	for (size_t i = listings; i > 0 && goes_on(verdict); i--) {
		if (ready[FIRST_SLOT + i - 1].revents != 0) {
			answer_run_listing(server, i - 1);
			verdict = take_question(server, MSG_DONTWAIT);
		}
	}
	if (goes_on(verdict) && ready[CHANNEL_SLOT].revents != 0) {
		verdict = take_question(server, MSG_DONTWAIT);
	}
	return verdict;
}

bool
serve_tell_ready(int channel_fd, enum ipc_result result)
{
	struct agent_answer answer = {.result = result};

	return answer_send(channel_fd, &answer, -1) == GO_ON;
}

enum agent_exit
serve_run(int channel_fd, struct rulebook *book, const struct viewer *viewer)
{
	/* Mapped, so that of its tables only what is used takes memory. */
	struct server *server = mmap(NULL, sizeof(*server), PROT_READ | PROT_WRITE,
	                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum verdict verdict;

	if (server == MAP_FAILED) {
		return AGENT_EXIT_START;
	}

	server->channel_fd = channel_fd;
	server->uploads.channel_fd = channel_fd;
	server->book = book;
	server->viewer = viewer;
	stack_drop();
	do {
		verdict = server->listing_count + server->copy_count == 0
		              ? take_question(server, 0)
		              : run_turn(server);
	} while (goes_on(verdict));
	while (server->listing_count > 0) {
		listing_close(server->listings[--server->listing_count]);
	}
	while (server->copy_count > 0) {
		copy_close(server->copies[--server->copy_count]);
	}
	upload_discard_all(&server->uploads);
	return verdict == STOP_DONE ? AGENT_EXIT_DONE : AGENT_EXIT_PROTOCOL;
}
