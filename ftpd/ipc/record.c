/*
 * record: what the recorder is told. Nobody waits for it: a sender whose channel is full
 * drops the record and counts.
 * Runs in: master and workers (send), recorder (receives).
 */
#include "ftpd/ipc/record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/fd.h"
#include "common/wire.h"
#include "common/base.h"

size_t
record_encode(const struct record *record, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)record->type);
	wire_put_u32(&writer, record->worker);
	wire_put_u32(&writer, record->session);
	wire_put_addr(&writer, &record->peer);
	wire_put_addr(&writer, &record->local);
	wire_put_u8(&writer, (uint8_t)record->level);
	wire_put_u8(&writer, (uint8_t)record->flags);
	wire_put_u64(&writer, record->value);
	wire_put_u64(&writer, record->duration_us);
	wire_put_bytes(&writer, record->user, record->user_len);
	wire_put_bytes(&writer, record->text, record->text_len);
	return writer.has_failed ? 0 : writer.len;
}

bool
record_decode(const uint8_t *bytes, size_t len, struct record *ret_record)
{
	struct record record = {0};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	record.type = wire_get_enum(&reader, RECORD_COUNT);
	record.worker = wire_get_u32(&reader);
	record.session = wire_get_u32(&reader);
	record.peer = wire_get_addr(&reader);
	record.local = wire_get_addr(&reader);
	record.level = wire_get_enum(&reader, RECORD_LEVEL_COUNT);
	record.flags = wire_get_enum(&reader, RECORD_FLAG_ALL + 1);
	record.value = wire_get_u64(&reader);
	record.duration_us = wire_get_u64(&reader);
	record.user = wire_get_bytes(&reader, RECORD_USER_MAX, &record.user_len);
	record.text = wire_get_bytes(&reader, IPC_PATH_MAX, &record.text_len);
	if (!wire_reader_is_done(&reader)) {
		return false;
	}
	*ret_record = record;
	return true;
}

enum {
	/* Before each record in the backlog. */
	LENGTH_BYTES = 2,
	/* A record without texts. */
	EMPTY_RECORD_MAX = 128,
};

/* Returns: false when the record had to be dropped. */
static bool
keep(struct record_sender *sender, const uint8_t *bytes, size_t len)
{
	struct record_backlog *backlog = sender->backlog;

	if (backlog == NULL) {
		backlog = malloc(sizeof(*backlog));
		if (backlog == NULL) {
			return false;
		}
		backlog->start = 0;
		backlog->end = 0;
		sender->backlog = backlog;
	}
	if (RECORD_BACKLOG_BYTES - backlog->end < LENGTH_BYTES + len) {
		memmove(backlog->bytes, backlog->bytes + backlog->start,
		        backlog->end - backlog->start);
		backlog->end -= backlog->start;
		backlog->start = 0;
	}
	if (RECORD_BACKLOG_BYTES - backlog->end < LENGTH_BYTES + len) {
		return false;
	}
	backlog->bytes[backlog->end] = (uint8_t)(len >> 8);
	backlog->bytes[backlog->end + 1] = (uint8_t)len;
	memcpy(backlog->bytes + backlog->end + LENGTH_BYTES, bytes, len);
	backlog->end += LENGTH_BYTES + len;
	return true;
}

/* Returns: true when the backlog is empty, and freed. */
static bool
send_backlog(struct record_sender *sender)
{
	struct record_backlog *backlog = sender->backlog;

	while (backlog->start < backlog->end) {
		const uint8_t *at = backlog->bytes + backlog->start;
		size_t len = (size_t)at[0] << 8 | at[1];

		if (channel_send(sender->fd, at + LENGTH_BYTES, len, -1) != 0) {
			return false;
		}
		backlog->start += LENGTH_BYTES + len;
	}
	free(backlog);
	sender->backlog = NULL;
	return true;
}

static bool
tell_dropped(struct record_sender *sender)
{
	struct record lost = {
	    .type = RECORD_DROPPED, .value = sender->dropped, .user = "", .text = ""};
	uint8_t bytes[EMPTY_RECORD_MAX];
	size_t len = record_encode(&lost, bytes, sizeof(bytes));

	if (len == 0 || channel_send(sender->fd, bytes, len, -1) != 0) {
		return false;
	}
	sender->dropped = 0;
	return true;
}

bool
record_flush(struct record_sender *sender)
{
	if (sender->fd < 0) {
		return true;
	}
	if (sender->backlog != NULL && !send_backlog(sender)) {
		return false;
	}
	return sender->dropped == 0 || tell_dropped(sender);
}

void
record_send(struct record_sender *sender, const struct record *record)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len;

	if (sender->fd < 0) {
		return;
	}
	len = record_encode(record, bytes, sizeof(bytes));
	if (len == 0) {
		sender->dropped++; /* no record of ours is so long */
		return;
	}
	if (record_flush(sender) && channel_send(sender->fd, bytes, len, -1) == 0) {
		return;
	}
	/* Once something was dropped, its count goes before what comes later. */
	if (sender->dropped > 0 || !keep(sender, bytes, len)) {
		sender->dropped++;
	}
}
