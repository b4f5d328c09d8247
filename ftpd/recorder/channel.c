/*
 * channel: the recorder's end of each worker's channel, and what a worker may say on it.
 * Runs in: recorder.
 */
#include "ftpd/recorder/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "ftpd/recorder/recorder.h"
#include "common/base.h"

static struct channel_bucket *
bucket_of(struct channel_table *table, uint32_t worker)
{
	return &table->buckets[worker % CHANNEL_BUCKETS];
}

static void
close_channel(struct channel *channel)
{
	struct recorder *recorder = channel->recorder;

	LIST_REMOVE(channel, next);
	recorder->channels.count--;
	loop_forget(&recorder->loop, &channel->source);
	fd_close(&channel->fd);
	free(channel);
}

/* What a worker may send at all. */
static bool
is_for_workers(enum record_type type)
{
	switch (type) {
	case RECORD_SESSION_END:
	case RECORD_TRANSFER:
	case RECORD_LOGIN:
	case RECORD_EVENT:
	case RECORD_DENIED_CALL:
	case RECORD_DROPPED: return true;
	case RECORD_WORKER:
	case RECORD_TRANSFER_LOG:
	case RECORD_EVENT_LOG:
	case RECORD_SESSION_BEGIN:
	case RECORD_READY:
	case RECORD_TAKEN:
	case RECORD_COUNT: return false;
	}
	return false;
}

/*
 * A session may have begun, or moved here, in a message of the master's that has not been
 * read yet.
 */
static struct visit *
find_visit(struct recorder *recorder, const struct record *record)
{
	struct visit *visit = visit_find(&recorder->visits, record->session);

	if (visit == NULL || !visit_belongs_to(visit, record->worker)) {
		recorder_read_master(recorder);
		visit = visit_find(&recorder->visits, record->session);
	}
	return visit;
}

static void
obey(struct recorder *recorder, struct visit *visit, const struct record *record)
{
	struct report *report = &recorder->report;

	switch (record->type) {
	case RECORD_SESSION_END:
		if (visit != NULL) {
			report_session_end(report, visit);
			visit_end(&recorder->visits, visit);
		}
		break;
	case RECORD_TRANSFER: report_transfer(report, visit, record); break;
	case RECORD_LOGIN:
		if (visit != NULL) {
			visit_set_names(visit, record);
			report_login(report, visit);
		}
		break;
	case RECORD_EVENT: report_event(report, visit, record); break;
	case RECORD_DENIED_CALL: report_denied_call(report, record); break;
	case RECORD_DROPPED: report_dropped(report, record->worker, record->value); break;
	case RECORD_WORKER:
	case RECORD_TRANSFER_LOG:
	case RECORD_EVENT_LOG:
	case RECORD_SESSION_BEGIN:
	case RECORD_READY:
	case RECORD_TAKEN:
	case RECORD_COUNT: break; /* is_for_workers() has refused them */
	}
}

/* Returns: NULL, or what the worker did wrong. */
static const char *
take(struct channel *channel, const uint8_t *bytes, size_t len)
{
	struct recorder *recorder = channel->recorder;
	struct visit *visit = NULL;
	struct record record;

	if (!record_decode(bytes, len, &record)) {
		return "sent what is no record";
	}
	if (!is_for_workers(record.type)) {
		return "sent a record that only the master may send";
	}
	record.worker = channel->worker; /* each channel speaks for itself */
	if (record.session != 0) {
		visit = find_visit(recorder, &record);
	}
	if (visit != NULL && !visit_belongs_to(visit, channel->worker)) {
		if (visit_is_late(visit, channel->worker)) {
			return NULL; /* it is not believed, but its other sessions are */
		}
		return "spoke of a session that is another worker's";
	}
	obey(recorder, visit, &record);
	return NULL;
}

/*
 * Returns: NULL, or what the worker did wrong. There is no room for descriptors: the
 * kernel closes them and says so.
 */
static const char *
take_message(struct channel *channel, const struct mmsghdr *message)
{
	if ((message->msg_hdr.msg_flags & MSG_CTRUNC) != 0) {
		return "passed a descriptor";
	}
	if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
		return "sent a record that is too long";
	}
	return take(channel, message->msg_hdr.msg_iov->iov_base, message->msg_len);
}

/*
 * Receive as many records as there are and there is room for.
 * Returns: how many; negative errno.
 */
static int
receive(struct channel *channel, struct mmsghdr messages[CHANNEL_READ],
        struct iovec parts[CHANNEL_READ])
{
	int count;

	for (size_t i = 0; i < CHANNEL_READ; i++) {
		parts[i] = (struct iovec){.iov_base = channel->recorder->worker_bytes[i],
		                          .iov_len = IPC_MESSAGE_MAX};
		messages[i] =
		    (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
	}
	do {
		count = recvmmsg(channel->fd, messages, CHANNEL_READ, MSG_DONTWAIT, NULL);
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

/*
 * Read some records.
 * Returns: true if there may be more; false when it is empty, or closed and gone.
 */
static bool
read_some(struct channel *channel)
{
	struct recorder *recorder = channel->recorder;
	struct mmsghdr messages[CHANNEL_READ];
	struct iovec parts[CHANNEL_READ];
	int count = receive(channel, messages, parts);
	bool is_over = count < 0 && count != -EAGAIN;
	const char *wrong = NULL;

	for (int i = 0; i < count && wrong == NULL && !is_over; i++) {
		is_over = messages[i].msg_len == 0; /* the end, or as good as that */
		wrong = is_over ? NULL : take_message(channel, &messages[i]);
		recorder->has_heard = true;
	}
	if (wrong != NULL) {
		report_say(&recorder->report, RECORD_ERROR,
		           "worker %u %s; its records are not read any more",
		           channel->worker, wrong);
	}
	if (wrong != NULL || is_over) {
		close_channel(channel);
		return false;
	}
	return count == CHANNEL_READ;
}

static void
handle(struct loop_source *source, uint32_t events)
{
	struct channel *channel = (struct channel *)source;
	struct recorder *recorder = channel->recorder;

	(void)events; /* whatever it is, reading tells */
	for (int i = 0; i < CHANNEL_BATCH / CHANNEL_READ; i++) {
		if (!read_some(channel)) {
			return;
		}
	}
	recorder->is_behind = true;
}

void
channel_empty(struct recorder *recorder, uint32_t worker)
{
	struct channel *channel = LIST_FIRST(bucket_of(&recorder->channels, worker));

	while (channel != NULL) {
		/* reading may close this one, but no other */
		struct channel *next = LIST_NEXT(channel, next);

		for (int i = 0;
		     channel->worker == worker && i < CHANNEL_EMPTY / CHANNEL_READ; i++) {
			if (!read_some(channel)) {
				break;
			}
		}
		channel = next;
	}
}

int
channel_open(struct recorder *recorder, uint32_t worker, int fd)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	int result;

	if (channel == NULL) {
		fd_close(&fd);
		return -ENOMEM;
	}
	*channel = (struct channel){.source = {.fd = -1, .handle = handle},
	                            .recorder = recorder,
	                            .fd = fd,
	                            .worker = worker};
	LIST_INSERT_HEAD(bucket_of(&recorder->channels, worker), channel, next);
	recorder->channels.count++;
	result = loop_watch(&recorder->loop, &channel->source, fd, EPOLLIN);
	if (result != 0) {
		close_channel(channel);
	}
	return result;
}

void
channel_close_all(struct recorder *recorder)
{
	for (size_t i = 0; i < CHANNEL_BUCKETS; i++) {
		struct channel *channel = LIST_FIRST(&recorder->channels.buckets[i]);

		while (channel != NULL) {
			struct channel *next = LIST_NEXT(channel, next);

			close_channel(channel);
			channel = next;
		}
	}
}
