/*
 * fuzz_record: any bytes as a record.
 * Wanted:  no crash; what decodes encodes to the same bytes; its texts lie within the
 *          message.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/ipc/record.h"
#include "common/base.h"

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[IPC_MESSAGE_MAX];
	struct record record;

	if (size > sizeof(bytes) || !record_decode(data, size, &record)) {
		return 0;
	}
	if (record.user_len > RECORD_USER_MAX || record.text_len > IPC_PATH_MAX ||
	    record_encode(&record, bytes, sizeof(bytes)) != size ||
	    memcmp(bytes, data, size) != 0) {
		abort();
	}
	return 0;
}
