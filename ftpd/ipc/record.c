/*
 * record: what the recorder is told. Nobody waits for it: a sender whose channel is full
 * drops the record and counts.
 * Runs in: master and workers (send), recorder (receives).
 */
#include "ftpd/ipc/record.h"

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

static bool
send_one(struct record_sender *sender, const struct record *record)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = record_encode(record, bytes, sizeof(bytes));

	return len > 0 && channel_send(sender->fd, bytes, len, -1) == 0;
}

void
record_send(struct record_sender *sender, const struct record *record)
{
	struct record lost = {.type = RECORD_DROPPED, .value = sender->dropped};

	if (sender->fd < 0) {
		return;
	}
	if (sender->dropped > 0 && send_one(sender, &lost)) {
		sender->dropped = 0;
	}
	if (sender->dropped > 0 || !send_one(sender, record)) {
		sender->dropped++;
	}
}
