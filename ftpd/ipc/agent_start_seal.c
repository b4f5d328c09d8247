/*
 * agent_start_seal: writes an agent's start record into a memory file. Apart from the
 * codec because the agent has no use for it.
 * Runs in: master, deftpd-auth.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/memory_file.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

int
agent_start_seal(const struct agent_start *start, int *ret_fd)
{
	uint8_t *bytes = malloc(AGENT_START_MAX);
	int result = -EMSGSIZE;
	size_t len;

	if (bytes == NULL) {
		return -ENOMEM;
	}
	len = agent_start_encode(start, bytes, AGENT_START_MAX);
	if (len > 0) {
		result = memory_file_make("deftpd.agent", bytes, len, ret_fd);
	}
	free(bytes);
	return result;
}
