/*
 * answer: what is done about one question, and the answer to it.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/agent/change.h"
#include "ftpd/agent/fsops.h"
#include "common/base.h"

enum verdict
answer_send(int channel_fd, struct agent_answer *answer, int fd)
{
	uint8_t bytes[AGENT_ANSWER_MAX];
	size_t len;
	int result;

	answer->denied_call = sandbox_take_denied();
	len = agent_answer_encode(answer, bytes, sizeof(bytes));
	result = channel_send(channel_fd, bytes, len, fd);
	if (result == -ETOOMANYREFS && fd >= 0) {
		*answer = (struct agent_answer){.result = IPC_BUSY,
		                                .upload = answer->upload,
		                                .denied_call = answer->denied_call};
		len = agent_answer_encode(answer, bytes, sizeof(bytes));
		result = channel_send(channel_fd, bytes, len, -1);
	}
	if (result == -EAGAIN) {
		return STOP_PROTOCOL;
	}
	return result == 0 ? GO_ON : STOP_DONE;
}

/*
 * The last look at a descriptor before it crosses to the worker: it must be open for this
 * and nothing else.
 */
static void
check_access(int *fd, int access, struct agent_answer *answer)
{
	if (*fd >= 0 && (fcntl(*fd, F_GETFL) & (O_ACCMODE | O_PATH)) != access) {
		fd_close(fd);
		*answer = (struct agent_answer){.result = IPC_LOCAL_ERROR};
	}
}

static enum verdict
answer_open_read(struct server *server, const struct place *place)
{
	struct agent_answer answer = {0};
	int fd = fsops_open_read(place, &answer);
	enum verdict verdict;

	check_access(&fd, O_RDONLY, &answer);
	verdict = answer_send(server->channel_fd, &answer, fd);
	fd_close(&fd);
	return verdict;
}

static enum verdict
answer_open_write(struct server *server, const struct agent_question *question,
                  struct place *place)
{
	struct agent_answer answer = {0};
	struct agent_answer unused = {0};
	int fd = upload_open(&server->uploads, place, question, &answer);
	uint32_t upload = answer.upload;
	enum verdict verdict;

	check_access(&fd, O_WRONLY, &answer);
	verdict = answer_send(server->channel_fd, &answer, fd);
	if (upload == 0) {
		fd_close(&fd);
	} else if (answer.result != IPC_OK) {
		upload_discard(&server->uploads, upload, &unused); /* nobody got it */
	}
	return verdict;
}

void
answer_run_listing(struct server *server, size_t at)
{
	if (listing_turn(server->listings[at]) == LISTING_GOES_ON) {
		return;
	}
	listing_close(server->listings[at]);
	server->listings[at] = server->listings[--server->listing_count];
}

static enum verdict
answer_list(struct server *server, const struct agent_question *question,
            const struct place *place)
{
	struct agent_answer answer = {.result = IPC_BUSY};
	struct listing *listing = NULL;
	enum verdict verdict;
	int read_fd = -1;

	if (server->listing_count < SERVE_MAX_LISTINGS) {
		answer.result = listing_open(server->book, server->viewer, question,
		                             place, &listing, &read_fd);
	}
	verdict = answer_send(server->channel_fd, &answer, read_fd);
	fd_close(&read_fd);
	if (listing != NULL) {
		server->listings[server->listing_count++] = listing;
		answer_run_listing(server, server->listing_count - 1);
	}
	return verdict;
}

void
answer_run_copy(struct server *server, size_t at)
{
	enum copy_progress progress = copy_turn(server->copies[at]);

	server->is_copy_told[at] = progress == COPY_WAITS;
	if (progress != COPY_ENDED) {
		return;
	}
	copy_close(server->copies[at]);
	server->copy_count--;
	server->copies[at] = server->copies[server->copy_count];
	server->is_copy_told[at] = server->is_copy_told[server->copy_count];
}

static enum verdict
answer_copy(struct server *server, struct place *from, struct place *to)
{
	struct agent_answer answer = {.result = IPC_BUSY};
	struct copy *copy = NULL;
	enum verdict verdict;
	int read_fd = -1;

	if (server->copy_count < SERVE_MAX_COPIES) {
		answer.result = copy_open(server->book, from, to, &copy, &read_fd);
	}
	verdict = answer_send(server->channel_fd, &answer, read_fd);
	fd_close(&read_fd);
	if (copy != NULL) {
		server->is_copy_told[server->copy_count] = false;
		server->copies[server->copy_count++] = copy;
	}
	return verdict;
}

/*
 * What only who may write can want to know: whether it can be renamed, and what waits
 * there of an upload that was cut.
 */
static void
tell_entry(struct server *server, const struct agent_question *question, const char *path,
           struct agent_answer *answer)
{
	struct place entry;
	struct stat info;

	if (!server->book->may_write ||
	    (answer->result != IPC_OK && answer->result != IPC_NOT_FOUND) ||
	    place_find_entry(server->book, question, path, &entry) != IPC_OK) {
		return;
	}
	if (answer->result == IPC_OK) {
		answer->is_removable =
		    !entry.is_directory &&
		    fstatat(entry.dir_fd, entry.name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    fsops_is_removable(server->book, &entry, &info);
	} else if (!entry.is_directory && policy_may_change(entry.rights) &&
	           entry.rights->mode != AGENT_UPLOAD_DIRECT &&
	           stage_stat_part(entry.dir_fd, entry.name, &info)) {
		fsops_describe(&info, answer);
		answer->is_part = true;
	}
	place_close(&entry);
}

/* Questions about one path that are answered without a descriptor. */
static void
answer_one(struct server *server, const struct agent_question *question,
           struct place *place, struct agent_answer *answer)
{
	struct rulebook *book = server->book;

	switch (question->verb) {
	case AGENT_STAT:
		fsops_stat(place, answer);
		tell_entry(server, question, place->path, answer);
		break;
	case AGENT_CHECK_DIR: fsops_check_dir(place, answer); break;
	case AGENT_COUNT_ASCII: fsops_count_ascii(place, answer); break;
	case AGENT_STAT_LINK: fsops_stat_link(book, place, answer); break;
	case AGENT_MAKE_DIR: change_make_dir(place, answer); break;
	case AGENT_REMOVE_DIR: change_remove_dir(book, place, answer); break;
	case AGENT_REMOVE_FILE: change_remove_file(place, answer); break;
	case AGENT_SET_TIME: change_set_time(place, question->time_s, answer); break;
	case AGENT_SET_MODE: change_set_mode(place, question->mode, answer); break;
	case AGENT_SET_UMASK:
		change_set_umask(book, place, question->mode, answer);
		break;
	case AGENT_SYMLINK: change_symlink(book, place, question, answer); break;
	case AGENT_SPACE: upload_tell_space(place, answer); break;
	case AGENT_OPEN_READ:
	case AGENT_LIST:
	case AGENT_RENAME:
	case AGENT_OPEN_WRITE:
	case AGENT_COMMIT:
	case AGENT_DISCARD:
	case AGENT_COPY:
	case AGENT_READY:
	case AGENT_VERB_COUNT: answer->result = IPC_LOCAL_ERROR; break; /* not here */
	}
}

/* Questions about two paths. */
static enum verdict
answer_two(struct server *server, const struct agent_question *question,
           struct place *from)
{
	struct agent_answer answer = {0};
	char path[IPC_PATH_MAX + 1];
	enum verdict verdict;
	struct place to;

	memcpy(path, question->second, question->second_len);
	path[question->second_len] = '\0';
	answer.result = place_find(server->book, question, path, true, &to);
	if (answer.result != IPC_OK) {
		return answer_send(server->channel_fd, &answer, -1);
	}
	if (question->verb == AGENT_COPY) {
		verdict = answer_copy(server, from, &to);
	} else {
		change_rename(server->book, from, &to, &answer);
		verdict = answer_send(server->channel_fd, &answer, -1);
	}
	place_close(&to);
	return verdict;
}

static enum verdict
answer_end(struct server *server, const struct agent_question *question)
{
	struct agent_answer answer = {0};

	if (question->verb == AGENT_COMMIT) {
		upload_commit(&server->uploads, question->upload, &answer);
	} else {
		upload_discard(&server->uploads, question->upload, &answer);
	}
	return answer_send(server->channel_fd, &answer, -1);
}

static enum verdict
answer_place(struct server *server, const struct agent_question *question,
             struct place *place)
{
	struct agent_answer answer = {0};

	switch (question->verb) {
	case AGENT_OPEN_READ: return answer_open_read(server, place);
	case AGENT_LIST: return answer_list(server, question, place);
	case AGENT_OPEN_WRITE: return answer_open_write(server, question, place);
	case AGENT_COPY:
	case AGENT_RENAME: return answer_two(server, question, place);
	case AGENT_COMMIT:
	case AGENT_DISCARD: return answer_end(server, question);
	case AGENT_STAT:
	case AGENT_CHECK_DIR:
	case AGENT_COUNT_ASCII:
	case AGENT_STAT_LINK:
	case AGENT_MAKE_DIR:
	case AGENT_REMOVE_DIR:
	case AGENT_REMOVE_FILE:
	case AGENT_SET_TIME:
	case AGENT_SET_MODE:
	case AGENT_SET_UMASK:
	case AGENT_SYMLINK:
	case AGENT_SPACE:
		answer_one(server, question, place, &answer);
		return answer_send(server->channel_fd, &answer, -1);
	case AGENT_READY:
	case AGENT_VERB_COUNT: break;
	}
	return STOP_PROTOCOL;
}

enum verdict
answer_question(struct server *server, const struct agent_question *question)
{
	struct agent_answer answer = {0};
	char path[IPC_PATH_MAX + 1];
	enum verdict verdict;
	struct place place;

	memcpy(path, question->path, question->path_len);
	path[question->path_len] = '\0';
	answer.result = place_find(server->book, question, path, false, &place);
	if (answer.result != IPC_OK) {
		return answer_send(server->channel_fd, &answer, -1);
	}
	verdict = answer_place(server, question, &place);
	place_close(&place);
	return verdict;
}
