/*
 * master_auth: what the master and an authenticator say to each other.
 * Runs in: master, deftpd-auth.
 */
#include "ftpd/ipc/master_auth.h"

#include "common/wire.h"
#include "common/base.h"

size_t
ma_encode(const struct ma_message *message, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)message->type);
	switch (message->type) {
	case MA_TRY:
		wire_put_u32(&writer, message->session);
		wire_put_addr(&writer, &message->peer);
		break;
	case MA_GO: wire_put_bool(&writer, message->is_admitted); break;
	case MA_READY:
	case MA_TAKEN: break;
	case MA_ASKING: wire_put_bool(&writer, message->is_asking); break;
	case MA_REFUSED:
		wire_put_u8(&writer, (uint8_t)message->reason);
		wire_put_u64(&writer, message->number);
		wire_put_bytes(&writer, message->user, message->user_len);
		wire_put_bytes(&writer, message->text, message->text_len);
		break;
	case MA_ACCEPTED:
		wire_put_u64(&writer, message->number);
		wire_put_bytes(&writer, message->user, message->user_len);
		wire_put_u32(&writer, message->max_sessions);
		wire_put_u64(&writer, message->user_rate_down);
		wire_put_u64(&writer, message->user_rate_up);
		wire_put_bytes(&writer, message->text, message->text_len);
		break;
	case MA_COUNT: return 0;
	}
	return writer.has_failed ? 0 : writer.len;
}

bool
ma_decode(const uint8_t *bytes, size_t len, struct ma_message *ret_message)
{
	struct ma_message message = {.user = "", .text = ""};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	message.type = wire_get_enum(&reader, MA_COUNT);
	switch (message.type) {
	case MA_TRY:
		message.session = wire_get_u32(&reader);
		message.peer = wire_get_addr(&reader);
		break;
	case MA_GO: message.is_admitted = wire_get_bool(&reader); break;
	case MA_READY:
	case MA_TAKEN: break;
	case MA_ASKING: message.is_asking = wire_get_bool(&reader); break;
	case MA_REFUSED:
		message.reason = wire_get_enum(&reader, MA_REASON_COUNT);
		message.number = wire_get_u64(&reader);
		message.user = wire_get_bytes(&reader, MA_USER_MAX, &message.user_len);
		message.text = wire_get_bytes(&reader, MA_TEXT_MAX, &message.text_len);
		break;
	case MA_ACCEPTED:
		message.number = wire_get_u64(&reader);
		message.user = wire_get_bytes(&reader, MA_USER_MAX, &message.user_len);
		message.max_sessions = wire_get_u32(&reader);
		message.user_rate_down = wire_get_u64(&reader);
		message.user_rate_up = wire_get_u64(&reader);
		message.text = wire_get_bytes(&reader, MA_TEXT_MAX, &message.text_len);
		break;
	case MA_COUNT: return false;
	}
	if (!wire_reader_is_done(&reader)) {
		return false;
	}
	*ret_message = message;
	return true;
}

bool
ma_is_from_auth(enum ma_type type)
{
	return type >= MA_READY;
}
