/*
 * fuzz_spawn: any bytes as a message between master and forkserver.
 * Wanted:  no crash; what decodes encodes to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/forkserver.h"
#include "common/base.h"

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	struct spawn_message message;

	if (!spawn_decode(data, size, &message)) {
		return 0;
	}
	if (spawn_encode(&message, bytes) != size || memcmp(bytes, data, size) != 0) {
		abort();
	}
	return 0;
}
