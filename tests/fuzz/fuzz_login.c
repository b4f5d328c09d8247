/*
 * fuzz_login: any bytes as a message between worker and authenticator.
 * Wanted:  no crash; what decodes encodes to the same bytes, keeps to the caps, and has
 *          no NUL where a C string will be made of it.
 */
#include <string.h>

#include "ftpd/ipc/login.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static bool
has_nul(const char *text, size_t len)
{
	return len > 0 && memchr(text, '\0', len) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[IPC_MESSAGE_MAX];
	struct login_message message;

	if (size > sizeof(bytes) || !login_decode(data, size, &message)) {
		return 0;
	}
	fuzz_require(message.type < LOGIN_COUNT);
	fuzz_require(message.user_len <= LOGIN_USER_MAX &&
	             !has_nul(message.user, message.user_len));
	fuzz_require(message.secret_len <= LOGIN_SECRET_MAX &&
	             !has_nul(message.secret, message.secret_len));
	fuzz_require(message.host_len <= LOGIN_HOST_MAX &&
	             !has_nul(message.host, message.host_len));
	fuzz_require(message.text_len <= LOGIN_TEXT_MAX);
	fuzz_require(message.names_len <= LOGIN_NAMES_MAX &&
	             !has_nul(message.names, message.names_len));
	fuzz_require(message.names_len == 0 ||
	             message.names[message.names_len - 1] == '\n');
	if (message.type == LOGIN_TRY || message.type == LOGIN_ACCEPTED) {
		fuzz_require(message.user_len > 0);
		fuzz_require(login_user_number(message.user, message.user_len) != 0);
	}
	if (message.type == LOGIN_ACCEPTED) {
		fuzz_require(message.grant.start_len > 0 &&
		             message.grant.start[0] == '/' &&
		             !has_nul(message.grant.start, message.grant.start_len));
	}
	fuzz_require(login_encode(&message, bytes, sizeof(bytes)) == size);
	fuzz_require(memcmp(bytes, data, size) == 0);
	return 0;
}
