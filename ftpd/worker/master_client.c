/*
 * master_client: the worker's channel to the master.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/master_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/data.h"
#include "ftpd/worker/login.h"
#include "ftpd/worker/rate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	LETTER_MAX = 128, /* the longest mw_message is an ASSIGN of 52 bytes */
};

struct master_letter {
	struct master_letter *next;
	int passed_fd;
	size_t len;
	uint8_t bytes[LETTER_MAX];
};

/* Send what the channel and the one-descriptor rule let through. */
static void
flush_letters(struct master_client *client)
{
	struct master_letter *letter;

	while ((letter = client->first) != NULL) {
		if (letter->passed_fd >= 0 && client->has_fd_in_flight) {
			break;
		}
		if (channel_send(client->source.fd, letter->bytes, letter->len,
		                 letter->passed_fd) == -EAGAIN) {
			break;
		}
		client->has_fd_in_flight =
		    client->has_fd_in_flight || letter->passed_fd >= 0;
		fd_close(&letter->passed_fd);
		client->first = letter->next;
		free(letter);
	}
	if (client->first == NULL) {
		client->last = &client->first;
	}
	/* only adds or removes EPOLLOUT */
	(void)loop_change(&client->worker->loop, &client->source,
	                  client->first != NULL && !client->has_fd_in_flight
	                      ? EPOLLIN | EPOLLOUT
	                      : EPOLLIN);
}

/*
 * MW_TAKEN does not wait behind descriptors that wait for MW_TAKEN_BACK: the master may
 * have that behind a descriptor which waits for MW_TAKEN, and neither would ever move.
 */
static void
put_letter(struct master_client *client, struct master_letter *letter, bool is_urgent)
{
	struct master_letter **place = is_urgent ? &client->first : client->last;

	letter->next = *place;
	*place = letter;
	if (letter->next == NULL) {
		client->last = &letter->next;
	}
}

void
master_send(struct worker *worker, const struct mw_message *message, int passed_fd)
{
	struct master_client *client = &worker->master;
	struct master_letter *letter = malloc(sizeof(*letter));

	if (letter == NULL) {
		/*
		 * Without memory the session cannot even be given up in order: end, and
		 * the master cleans up.
		 */
		worker->is_over = true;
		fd_close(&passed_fd);
		return;
	}
	letter->passed_fd = passed_fd;
	letter->len = mw_encode(message, letter->bytes, sizeof(letter->bytes));
	put_letter(client, letter, message->type == MW_TAKEN);
	flush_letters(client);
}

static void
take_descriptor(struct worker *worker, const struct mw_message *message, int fd)
{
	switch (message->type) {
	case MW_ASSIGN: session_begin(worker, message, fd); return;
	case MW_GIVE_AGENT: agent_pool_take(worker, fd, message->host); return;
	case MW_LOGIN_ANSWER:
		login_channel(worker_find(worker, message->session), message, fd);
		return;
	case MW_GIVE_RECORDER:
		fd_close(&worker->recorder.fd);
		worker->recorder.fd = fd;
		return;
	case MW_PASSIVE_ANSWER:
		data_passive_answer(worker_find(worker, message->session), message, fd);
		return;
	case MW_ACTIVE_ANSWER:
		data_active_answer(worker_find(worker, message->session), message, fd);
		return;
	case MW_TAKEN_BACK:
	case MW_SHARE:
	case MW_DROP:
	case MW_RETIRE:
	case MW_READY:
	case MW_TAKEN:
	case MW_PASSIVE:
	case MW_ACTIVE:
	case MW_HAND_BACK:
	case MW_ENDED:
	case MW_MORE_AGENTS:
	case MW_LOGIN:
	case MW_MOVING:
	case MW_COUNT: break;
	}
	fd_close(&fd);
}

/* The limits that user and address share, as they are divided now. */
static void
take_share(struct worker *worker, const struct mw_message *message)
{
	struct session *session = worker_find(worker, message->session);

	if (session != NULL) {
		session->rights.share_down = message->rate_down;
		session->rights.share_up = message->rate_up;
		rate_changed(session);
	}
}

/*
 * Places run out. Who has logged in keeps his, and so does who is being asked or answered
 * by somebody else at this moment.
 */
static void
take_drop(struct worker *worker, const struct mw_message *message)
{
	struct session *session = worker_find(worker, message->session);

	if (session == NULL || session->is_stopped || session_is_waiting(session) ||
	    (session->state != SESSION_GREETED && session->state != SESSION_NAMED)) {
		return;
	}
	control_reply(session, REPLY_SERVICE_CLOSING,
	              "Too many clients are connecting; please try again.");
	control_end(session, MW_END_DROPPED);
	/* Nobody waits for a client who does not take this line. */
	session_end(session, MW_END_DROPPED);
}

static void
obey(struct worker *worker, const struct mw_message *message, int fd)
{
	if (fd >= 0) {
		master_send(worker, &(struct mw_message){.type = MW_TAKEN}, -1);
	}
	if (message->type == MW_RETIRE) {
		worker->is_retired = true;
	} else if (message->type == MW_TAKEN_BACK) {
		worker->master.has_fd_in_flight = false;
		flush_letters(&worker->master);
	} else if (message->type == MW_SHARE) {
		take_share(worker, message);
	} else if (message->type == MW_DROP) {
		take_drop(worker, message);
	} else {
		take_descriptor(worker, message, fd);
	}
}

static void
handle_master(struct loop_source *source, uint32_t events)
{
	struct master_client *client = (struct master_client *)source;
	struct worker *worker = client->worker;
	uint8_t bytes[LETTER_MAX];
	struct mw_message message;
	ssize_t len = 0;
	int fd;

	if ((events & EPOLLOUT) != 0) {
		flush_letters(client);
	}
	for (int i = 0; i < LOOP_BATCH && !worker->is_over; i++) {
		fd = -1;
		len = channel_recv(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT, &fd);
		if (len == -EAGAIN) {
			return;
		}
		if (len == -EPROTO) {
			/*
			 * The descriptor was lost at our own limit: what it was for times
			 * out.
			 */
			master_send(worker, &(struct mw_message){.type = MW_TAKEN}, -1);
			continue;
		}
		if (len <= 0 || !mw_decode(bytes, (size_t)len, &message) ||
		    mw_is_from_worker(message.type) ||
		    mw_has_descriptor(&message) != (fd >= 0)) {
			fd_close(&fd);
			worker->is_over = true;
			return;
		}
		obey(worker, &message, fd);
		if (mw_has_descriptor(&message)) {
			/* the next one waits for our TAKEN: rarely is there more */
			return;
		}
	}
}

int
master_client_start(struct worker *worker, int master_fd)
{
	struct master_client *client = &worker->master;
	int result;

	client->worker = worker;
	client->last = &client->first;
	client->source.handle = handle_master;
	result = loop_watch(&worker->loop, &client->source, master_fd, EPOLLIN);
	if (result == 0) {
		master_send(worker, &(struct mw_message){.type = MW_READY}, -1);
	}
	return result;
}
