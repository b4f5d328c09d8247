/*
 * serve: the agent's loop: questions from the channel, and listings that are being
 * written.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/agent/fsops.h"
#include "ftpd/agent/listing.h"
#include "common/base.h"

enum {
	CHANNEL_SLOT = 0, /* of the poll array; the listings follow */
};

struct server {
	int channel_fd;
	const struct resolver *resolver;
	const struct viewer *viewer;
	size_t listing_count;
	/* the first listing_count are running */
	struct listing *listings[SERVE_MAX_LISTINGS];
};

/* What the loop is to do after a question. */
enum verdict {
	GO_ON,
	NOTHING_THERE, /* no question was waiting */
	STOP_DONE,
	STOP_PROTOCOL,
};

/*
 * Send an answer, with a descriptor or -1, which stays the caller's. When the user has
 * too much in flight, the answer is IPC_BUSY without it.
 * Returns: GO_ON; STOP_PROTOCOL if the worker does not take its answers; STOP_DONE if it
 *          is gone.
 */
static enum verdict
send_answer(const struct server *server, struct agent_answer *answer, int fd)
{
	uint8_t bytes[AGENT_ANSWER_MAX];
	size_t len;
	int result;

	answer->denied_call = sandbox_take_denied();
	len = agent_answer_encode(answer, bytes, sizeof(bytes));
	result = channel_send(server->channel_fd, bytes, len, fd);
	if (result == -ETOOMANYREFS && fd >= 0) {
		struct agent_answer busy = {.result = IPC_BUSY,
		                            .denied_call = answer->denied_call};

		len = agent_answer_encode(&busy, bytes, sizeof(bytes));
		result = channel_send(server->channel_fd, bytes, len, -1);
	}
	if (result == -EAGAIN) {
		return STOP_PROTOCOL;
	}
	return result == 0 ? GO_ON : STOP_DONE;
}

static enum verdict
answer_open_read(const struct server *server, const char *path)
{
	struct agent_answer answer = {0};
	int fd = fsops_open_read(server->resolver, path, &answer);
	enum verdict verdict = send_answer(server, &answer, fd);

	fd_close(&fd);
	return verdict;
}

/* Run one listing for a while; a finished one leaves its place to the last. */
static void
run_listing(struct server *server, size_t at)
{
	if (listing_turn(server->listings[at]) == LISTING_GOES_ON) {
		return;
	}
	listing_close(server->listings[at]);
	server->listings[at] = server->listings[--server->listing_count];
}

static enum verdict
answer_list(struct server *server, const struct agent_question *question,
            const char *path)
{
	struct agent_answer answer = {.result = IPC_BUSY};
	struct listing *listing = NULL;
	enum verdict verdict;
	int read_fd = -1;

	if (server->listing_count < SERVE_MAX_LISTINGS) {
		answer.result = listing_open(server->resolver, server->viewer, question,
		                             path, &listing, &read_fd);
	}
	verdict = send_answer(server, &answer, read_fd);
	fd_close(&read_fd);
	if (listing != NULL) {
		server->listings[server->listing_count++] = listing;
		run_listing(server, server->listing_count - 1);
	}
	return verdict;
}

static enum verdict
answer_question(struct server *server, const struct agent_question *question)
{
	struct agent_answer answer = {0};
	char path[IPC_PATH_MAX + 1];

	memcpy(path, question->path, question->path_len);
	path[question->path_len] = '\0';
	switch (question->verb) {
	case AGENT_OPEN_READ: return answer_open_read(server, path);
	case AGENT_LIST: return answer_list(server, question, path);
	case AGENT_STAT: fsops_stat(server->resolver, path, &answer); break;
	case AGENT_CHECK_DIR: fsops_check_dir(server->resolver, path, &answer); break;
	case AGENT_COUNT_ASCII: fsops_count_ascii(server->resolver, path, &answer); break;
	case AGENT_STAT_LINK:
	case AGENT_MAKE_DIR:
	case AGENT_REMOVE_DIR:
	case AGENT_REMOVE_FILE:
	case AGENT_RENAME:
	case AGENT_SET_TIME:
	case AGENT_SET_MODE:
	case AGENT_SET_UMASK:
	case AGENT_SYMLINK:
	case AGENT_SPACE:
	case AGENT_OPEN_WRITE:
	case AGENT_COMMIT:
	case AGENT_DISCARD:
	case AGENT_COPY: answer.result = IPC_READ_ONLY; break;
	case AGENT_READY:
	case AGENT_VERB_COUNT: return STOP_PROTOCOL;
	}
	return send_answer(server, &answer, -1);
}

/*
 * A datagram of no bytes looks like the end of the channel; only the real end is also a
 * hang-up.
 */
static bool
has_hung_up(int channel_fd)
{
	struct pollfd state = {.fd = channel_fd, .events = POLLRDHUP};

	return poll(&state, 1, 0) > 0 &&
	       (state.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

/* Take and answer one question; without MSG_DONTWAIT, wait for it. */
static enum verdict
take_question(struct server *server, int flags)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct agent_question question;
	ssize_t len = channel_recv_plain(server->channel_fd, bytes, sizeof(bytes), flags);

	if (len == -EAGAIN) {
		return NOTHING_THERE;
	}
	if (len == 0) {
		return has_hung_up(server->channel_fd) ? STOP_DONE : STOP_PROTOCOL;
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

/*
 * Wait until a question has come or a listing has room, and give each listing that has a
 * turn. After each turn a waiting question is answered, so that a question waits for one
 * turn and not for sixteen.
 */
static enum verdict
run_turn(struct server *server)
{
	struct pollfd ready[1 + SERVE_MAX_LISTINGS] = {
	    {.fd = server->channel_fd, .events = POLLIN},
	};
	size_t count = server->listing_count;
	enum verdict verdict = GO_ON;

	for (size_t i = 0; i < count; i++) {
		ready[1 + i] = (struct pollfd){.fd = listing_pipe(server->listings[i]),
		                               .events = POLLOUT};
	}
	if (poll(ready, 1 + count, -1) < 0) {
		return errno == EINTR ? GO_ON : STOP_DONE;
	}
	/*
	 * From the last to the first: a finished listing is replaced by one that has had
	 * its turn, or by a new one.
	 */
	for (size_t i = count; i > 0 && (verdict == GO_ON || verdict == NOTHING_THERE);
	     i--) {
		if (ready[i].revents != 0) {
			run_listing(server, i - 1);
			verdict = take_question(server, MSG_DONTWAIT);
		}
	}
	if (verdict == GO_ON && ready[CHANNEL_SLOT].revents != 0) {
		verdict = take_question(server, MSG_DONTWAIT);
	}
	return verdict;
}

bool
serve_tell_ready(int channel_fd, enum ipc_result result)
{
	struct server server = {.channel_fd = channel_fd};
	struct agent_answer answer = {.result = result};

	return send_answer(&server, &answer, -1) == GO_ON;
}

enum agent_exit
serve_run(int channel_fd, const struct resolver *resolver, const struct viewer *viewer)
{
	struct server server = {
	    .channel_fd = channel_fd, .resolver = resolver, .viewer = viewer};
	enum verdict verdict;

	do {
		verdict = server.listing_count == 0 ? take_question(&server, 0)
		                                    : run_turn(&server);
	} while (verdict == GO_ON || verdict == NOTHING_THERE);
	while (server.listing_count > 0) {
		listing_close(server.listings[--server.listing_count]);
	}
	return verdict == STOP_DONE ? AGENT_EXIT_DONE : AGENT_EXIT_PROTOCOL;
}
