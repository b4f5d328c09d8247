/*
 * login: a private worker's try to log a user in, and the authenticator's verdict.
 * Runs in: worker (asks), deftpd-auth (answers).
 */
#include "ftpd/ipc/login.h"

#include <string.h>

#include "common/wire.h"
#include "common/base.h"

static void
put_grant(struct wire_writer *writer, const struct login_grant *grant)
{
	wire_put_bool(writer, grant->is_read_only);
	wire_put_bool(writer, grant->has_shared_rate);
	wire_put_u32(writer, grant->idle_timeout_s);
	wire_put_u64(writer, grant->rate_down);
	wire_put_u64(writer, grant->rate_up);
	wire_put_u64(writer, grant->max_file_bytes);
	wire_put_u64(writer, grant->min_free_bytes);
	wire_put_u8(writer, grant->tls_policy);
	wire_put_bytes(writer, grant->start, grant->start_len);
}

static void
get_grant(struct wire_reader *reader, struct login_grant *ret_grant)
{
	ret_grant->is_read_only = wire_get_bool(reader);
	ret_grant->has_shared_rate = wire_get_bool(reader);
	ret_grant->idle_timeout_s = wire_get_u32(reader);
	ret_grant->rate_down = wire_get_u64(reader);
	ret_grant->rate_up = wire_get_u64(reader);
	ret_grant->max_file_bytes = wire_get_u64(reader);
	ret_grant->min_free_bytes = wire_get_u64(reader);
	ret_grant->tls_policy = wire_get_u8(reader);
	ret_grant->start = wire_get_bytes(reader, IPC_PATH_MAX, &ret_grant->start_len);
}

size_t
login_encode(const struct login_message *message, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)message->type);
	switch (message->type) {
	case LOGIN_TRY:
		wire_put_bytes(&writer, message->user, message->user_len);
		wire_put_bytes(&writer, message->secret, message->secret_len);
		wire_put_bytes(&writer, message->host, message->host_len);
		wire_put_bool(&writer, message->is_secure);
		wire_put_bytes(&writer, message->names, message->names_len);
		break;
	case LOGIN_ACCOUNT:
		wire_put_bytes(&writer, message->secret, message->secret_len);
		break;
	case LOGIN_ASK: wire_put_bytes(&writer, message->text, message->text_len); break;
	case LOGIN_REFUSED: wire_put_u8(&writer, (uint8_t)message->refusal); break;
	case LOGIN_ACCEPTED:
		wire_put_bytes(&writer, message->user, message->user_len);
		put_grant(&writer, &message->grant);
		wire_put_bytes(&writer, message->text, message->text_len);
		break;
	case LOGIN_COUNT: return 0;
	}
	return writer.has_failed ? 0 : writer.len;
}

static bool
has_nul(const char *text, size_t len)
{
	return len > 0 && memchr(text, '\0', len) != NULL;
}

static bool
is_sound(const struct login_message *message)
{
	bool has_user = message->type == LOGIN_TRY || message->type == LOGIN_ACCEPTED;

	if (has_user &&
	    (message->user_len == 0 || has_nul(message->user, message->user_len))) {
		return false;
	}
	if (message->type == LOGIN_ACCEPTED &&
	    (message->grant.start_len == 0 || message->grant.start[0] != '/' ||
	     has_nul(message->grant.start, message->grant.start_len))) {
		return false;
	}
	if (message->names_len > 0 && message->names[message->names_len - 1] != '\n') {
		return false;
	}
	return !has_nul(message->names, message->names_len) &&
	       !has_nul(message->secret, message->secret_len) &&
	       !has_nul(message->host, message->host_len);
}

bool
login_decode(const uint8_t *bytes, size_t len, struct login_message *ret_message)
{
	struct login_message message = {.user = "",
	                                .secret = "",
	                                .host = "",
	                                .names = "",
	                                .text = "",
	                                .grant = {.start = ""}};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	message.type = wire_get_enum(&reader, LOGIN_COUNT);
	switch (message.type) {
	case LOGIN_TRY:
		message.user = wire_get_bytes(&reader, LOGIN_USER_MAX, &message.user_len);
		message.secret =
		    wire_get_bytes(&reader, LOGIN_SECRET_MAX, &message.secret_len);
		message.host = wire_get_bytes(&reader, LOGIN_HOST_MAX, &message.host_len);
		message.is_secure = wire_get_bool(&reader);
		message.names =
		    wire_get_bytes(&reader, LOGIN_NAMES_MAX, &message.names_len);
		break;
	case LOGIN_ACCOUNT:
		message.secret =
		    wire_get_bytes(&reader, LOGIN_SECRET_MAX, &message.secret_len);
		break;
	case LOGIN_ASK:
		message.text = wire_get_bytes(&reader, LOGIN_TEXT_MAX, &message.text_len);
		break;
	case LOGIN_REFUSED:
		message.refusal = wire_get_enum(&reader, LOGIN_REFUSAL_COUNT);
		break;
	case LOGIN_ACCEPTED:
		message.user = wire_get_bytes(&reader, LOGIN_USER_MAX, &message.user_len);
		get_grant(&reader, &message.grant);
		message.text = wire_get_bytes(&reader, LOGIN_TEXT_MAX, &message.text_len);
		break;
	case LOGIN_COUNT: return false;
	}
	if (!wire_reader_is_done(&reader) || !is_sound(&message)) {
		return false;
	}
	*ret_message = message;
	return true;
}

/* FNV-1a: the master mixes it with its own seed before it is a place in a table. */
uint64_t
login_user_number(const char *user, size_t len)
{
	uint64_t number = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++) {
		number = (number ^ (uint8_t)user[i]) * UINT64_C(0x100000001b3);
	}
	return number != 0 ? number : 1;
}
