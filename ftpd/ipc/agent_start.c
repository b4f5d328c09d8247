/*
 * agent_start: how an agent is started and how it ends.
 * Runs in: master (starts it), agent.
 */
#include "ftpd/ipc/agent_start.h"

#include <string.h>

#include "common/wire.h"
#include "common/base.h"

size_t
agent_start_encode(const struct agent_start *start, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u32(&writer, start->uid);
	wire_put_u32(&writer, start->gid);
	wire_put_bool(&writer, start->has_sandbox);
	wire_put_bytes(&writer, start->root, start->root_len);
	return writer.has_failed ? 0 : writer.len;
}

bool
agent_start_decode(const uint8_t *bytes, size_t len, struct agent_start *ret_start)
{
	struct agent_start start = {0};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	start.uid = wire_get_u32(&reader);
	start.gid = wire_get_u32(&reader);
	start.has_sandbox = wire_get_bool(&reader);
	start.root = wire_get_bytes(&reader, IPC_PATH_MAX, &start.root_len);
	if (!wire_reader_is_done(&reader) || start.root_len == 0 ||
	    start.root[0] != '/' || memchr(start.root, '\0', start.root_len) != NULL) {
		return false;
	}
	*ret_start = start;
	return true;
}
