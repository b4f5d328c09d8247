/*
 * fuzz_master_auth: any bytes as a message between master and authenticator.
 * Wanted:  no crash; what decodes encodes to the same bytes and keeps to the caps.
 */
#include <string.h>

#include "ftpd/ipc/master_auth.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[IPC_MESSAGE_MAX];
	struct ma_message message;

	if (size > sizeof(bytes) || !ma_decode(data, size, &message)) {
		return 0;
	}
	fuzz_require(message.type < MA_COUNT && message.reason < MA_REASON_COUNT);
	fuzz_require(message.user_len <= MA_USER_MAX && message.text_len <= MA_TEXT_MAX);
	fuzz_require(ma_is_from_auth(message.type) ==
	             (message.type != MA_TRY && message.type != MA_GO));
	fuzz_require(ma_encode(&message, bytes, sizeof(bytes)) == size);
	fuzz_require(memcmp(bytes, data, size) == 0);
	return 0;
}
