/*
 * agent_start: how an agent is started and how it ends.
 * Runs in: master, deftpd-auth, agent.
 */
#include "ftpd/ipc/agent_start.h"

#include <string.h>

#include "common/wire.h"
#include "common/base.h"

enum {
	GROUP_BYTES = 4,
	UMASK_MAX = 0777,
};

static void
put_rights(struct wire_writer *writer, const struct agent_rights *rights)
{
	wire_put_bool(writer, rights->may_write);
	wire_put_bool(writer, rights->is_dropbox);
	wire_put_u8(writer, (uint8_t)rights->mode);
	wire_put_bool(writer, rights->keeps_partial);
	wire_put_u64(writer, rights->max_file_bytes);
	wire_put_u64(writer, rights->min_free_bytes);
	wire_put_u32(writer, rights->umask);
}

/* Returns: true if they are possible rights. */
static bool
get_rights(struct wire_reader *reader, struct agent_rights *ret_rights)
{
	ret_rights->may_write = wire_get_bool(reader);
	ret_rights->is_dropbox = wire_get_bool(reader);
	ret_rights->mode = wire_get_enum(reader, AGENT_UPLOAD_COUNT);
	ret_rights->keeps_partial = wire_get_bool(reader);
	ret_rights->max_file_bytes = wire_get_u64(reader);
	ret_rights->min_free_bytes = wire_get_u64(reader);
	ret_rights->umask = wire_get_u32(reader);
	return ret_rights->umask <= UMASK_MAX;
}

size_t
agent_start_encode(const struct agent_start *start, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u32(&writer, start->uid);
	wire_put_u32(&writer, start->gid);
	wire_put_bool(&writer, start->has_sandbox);
	wire_put_bytes(&writer, start->root, start->root_len);
	wire_put_bytes(&writer, start->start, start->start_len);
	put_rights(&writer, &start->rights);
	wire_put_u32(&writer, (uint32_t)start->rule_count);
	for (size_t i = 0; i < start->rule_count; i++) {
		wire_put_bytes(&writer, start->rules[i].directory,
		               start->rules[i].directory_len);
		put_rights(&writer, &start->rules[i].rights);
	}
	wire_put_u32(&writer, (uint32_t)start->group_count);
	for (size_t i = 0; i < start->group_count; i++) {
		wire_put_u32(&writer, start->groups[i]);
	}
	return writer.has_failed ? 0 : writer.len;
}

static bool
is_path(const char *text, size_t len)
{
	return len > 0 && text[0] == '/' && memchr(text, '\0', len) == NULL;
}

static bool
get_rules(struct wire_reader *reader, struct agent_start *start)
{
	start->rule_count = wire_get_u32(reader);
	if (start->rule_count > AGENT_RULES_MAX) {
		return false;
	}
	for (size_t i = 0; i < start->rule_count; i++) {
		struct agent_rule *rule = &start->rules[i];

		rule->directory =
		    wire_get_bytes(reader, IPC_PATH_MAX, &rule->directory_len);
		if (!get_rights(reader, &rule->rights) ||
		    !is_path(rule->directory, rule->directory_len)) {
			return false;
		}
	}
	return true;
}

bool
agent_start_decode(const uint8_t *bytes, size_t len, struct agent_start *ret_start)
{
	struct wire_reader reader;
	bool is_right;

	memset(ret_start, 0, sizeof(*ret_start));
	wire_reader_init(&reader, bytes, len);
	ret_start->uid = wire_get_u32(&reader);
	ret_start->gid = wire_get_u32(&reader);
	ret_start->has_sandbox = wire_get_bool(&reader);
	ret_start->root = wire_get_bytes(&reader, IPC_PATH_MAX, &ret_start->root_len);
	ret_start->start = wire_get_bytes(&reader, IPC_PATH_MAX, &ret_start->start_len);
	is_right = get_rights(&reader, &ret_start->rights) &&
	           get_rules(&reader, ret_start) &&
	           is_path(ret_start->root, ret_start->root_len) &&
	           is_path(ret_start->start, ret_start->start_len);
	ret_start->group_count = wire_get_u32(&reader);
	if (!is_right || reader.has_failed || ret_start->group_count > AGENT_GROUPS_MAX ||
	    len - reader.pos != ret_start->group_count * GROUP_BYTES) {
		return false;
	}
	ret_start->group_bytes = bytes + reader.pos;
	return true;
}

uint32_t
agent_start_group(const struct agent_start *start, size_t index)
{
	struct wire_reader reader;

	wire_reader_init(&reader, start->group_bytes + index * GROUP_BYTES, GROUP_BYTES);
	return wire_get_u32(&reader);
}
