/*
 * fuzz_master_worker: any bytes as a message between master and worker.
 * Wanted:  no crash; what decodes encodes to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[128];
	struct mw_message message;

	if (!mw_decode(data, size, &message)) {
		return 0;
	}
	if (mw_encode(&message, bytes, sizeof(bytes)) != size ||
	    memcmp(bytes, data, size) != 0) {
		abort();
	}
	if (message.type >= MW_COUNT ||
	    (mw_has_descriptor(&message) && message.result != IPC_OK)) {
		abort();
	}
	return 0;
}
