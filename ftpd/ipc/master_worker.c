/*
 * master_worker: what the master and a worker say to each other.
 * Runs in: master, worker.
 */
#include "ftpd/ipc/master_worker.h"

#include "common/wire.h"
#include "common/base.h"

/* Which fields a type carries, in this order on the wire. */
enum mw_field {
	FIELD_SESSION = 1,
	FIELD_PEER = 2,
	FIELD_LOCAL = 4,
	FIELD_HANDED_OVER = 8,
	FIELD_RESULT = 16,
	FIELD_END = 32,
	FIELD_USER = 64,
	FIELD_MOVING = 128,
	FIELD_RATES = 256,
	FIELD_IMPLICIT = 512,
	FIELD_HOST = 1024,
};

static const uint16_t fields_of[MW_COUNT] = {
    [MW_ASSIGN] =
	FIELD_SESSION | FIELD_PEER | FIELD_LOCAL | FIELD_HANDED_OVER | FIELD_IMPLICIT,
    [MW_GIVE_AGENT] = FIELD_HOST,
    [MW_MORE_AGENTS] = FIELD_HOST,
    [MW_PASSIVE_ANSWER] = FIELD_SESSION | FIELD_LOCAL | FIELD_RESULT,
    [MW_ACTIVE_ANSWER] = FIELD_SESSION | FIELD_RESULT,
    [MW_PASSIVE] = FIELD_SESSION,
    [MW_ACTIVE] = FIELD_SESSION | FIELD_PEER,
    [MW_HAND_BACK] = FIELD_SESSION,
    [MW_ENDED] = FIELD_SESSION | FIELD_END,
    [MW_LOGIN] = FIELD_SESSION | FIELD_USER,
    [MW_LOGIN_ANSWER] = FIELD_SESSION | FIELD_RESULT,
    [MW_MOVING] = FIELD_SESSION | FIELD_MOVING,
    [MW_SHARE] = FIELD_SESSION | FIELD_RATES,
    [MW_DROP] = FIELD_SESSION,
};

size_t
mw_encode(const struct mw_message *message, uint8_t *bytes, size_t cap)
{
	unsigned fields = fields_of[message->type];
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)message->type);
	if ((fields & FIELD_SESSION) != 0) {
		wire_put_u32(&writer, message->session);
	}
	if ((fields & FIELD_PEER) != 0) {
		wire_put_addr(&writer, &message->peer);
	}
	if ((fields & FIELD_LOCAL) != 0) {
		wire_put_addr(&writer, &message->local);
	}
	if ((fields & FIELD_HANDED_OVER) != 0) {
		wire_put_bool(&writer, message->is_handed_over);
	}
	if ((fields & FIELD_RESULT) != 0) {
		wire_put_u8(&writer, (uint8_t)message->result);
	}
	if ((fields & FIELD_END) != 0) {
		wire_put_u8(&writer, (uint8_t)message->end);
	}
	if ((fields & FIELD_USER) != 0) {
		wire_put_u64(&writer, message->user);
	}
	if ((fields & FIELD_MOVING) != 0) {
		wire_put_bool(&writer, message->is_moving);
		wire_put_bool(&writer, message->is_upload);
	}
	if ((fields & FIELD_RATES) != 0) {
		wire_put_u64(&writer, message->rate_down);
		wire_put_u64(&writer, message->rate_up);
	}
	if ((fields & FIELD_IMPLICIT) != 0) {
		wire_put_bool(&writer, message->is_implicit_tls);
	}
	if ((fields & FIELD_HOST) != 0) {
		wire_put_u16(&writer, message->host);
	}
	return writer.has_failed ? 0 : writer.len;
}

bool
mw_decode(const uint8_t *bytes, size_t len, struct mw_message *ret_message)
{
	struct mw_message message = {0};
	struct wire_reader reader;
	unsigned fields;

	wire_reader_init(&reader, bytes, len);
	message.type = wire_get_enum(&reader, MW_COUNT);
	fields = fields_of[message.type];
	if ((fields & FIELD_SESSION) != 0) {
		message.session = wire_get_u32(&reader);
	}
	if ((fields & FIELD_PEER) != 0) {
		message.peer = wire_get_addr(&reader);
	}
	if ((fields & FIELD_LOCAL) != 0) {
		message.local = wire_get_addr(&reader);
	}
	if ((fields & FIELD_HANDED_OVER) != 0) {
		message.is_handed_over = wire_get_bool(&reader);
	}
	if ((fields & FIELD_RESULT) != 0) {
		message.result = wire_get_enum(&reader, IPC_RESULT_COUNT);
	}
	if ((fields & FIELD_END) != 0) {
		message.end = wire_get_enum(&reader, MW_END_COUNT);
	}
	if ((fields & FIELD_USER) != 0) {
		message.user = wire_get_u64(&reader);
	}
	if ((fields & FIELD_MOVING) != 0) {
		message.is_moving = wire_get_bool(&reader);
		message.is_upload = wire_get_bool(&reader);
	}
	if ((fields & FIELD_RATES) != 0) {
		message.rate_down = wire_get_u64(&reader);
		message.rate_up = wire_get_u64(&reader);
	}
	if ((fields & FIELD_IMPLICIT) != 0) {
		message.is_implicit_tls = wire_get_bool(&reader);
	}
	if ((fields & FIELD_HOST) != 0) {
		message.host = wire_get_u16(&reader);
	}
	if (!wire_reader_is_done(&reader)) {
		return false;
	}
	*ret_message = message;
	return true;
}

bool
mw_is_from_worker(enum mw_type type)
{
	return type >= MW_READY;
}

bool
mw_has_descriptor(const struct mw_message *message)
{
	switch (message->type) {
	case MW_ASSIGN:
	case MW_GIVE_AGENT:
	case MW_GIVE_RECORDER:
	case MW_HAND_BACK: return true;
	case MW_PASSIVE_ANSWER:
	case MW_ACTIVE_ANSWER:
	case MW_LOGIN_ANSWER: return message->result == IPC_OK;
	case MW_TAKEN_BACK:
	case MW_SHARE:
	case MW_DROP:
	case MW_RETIRE:
	case MW_READY:
	case MW_TAKEN:
	case MW_PASSIVE:
	case MW_ACTIVE:
	case MW_ENDED:
	case MW_MORE_AGENTS:
	case MW_LOGIN:
	case MW_MOVING:
	case MW_COUNT: return false;
	}
	return false;
}
