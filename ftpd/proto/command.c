/*
 * command: looks things up in the table of all commands.
 * Runs in: deftpd-worker.
 */
#include "ftpd/proto/command.h"

#include "ftpd/proto/command_table.h"
#include "ftpd/proto/letters.h"
#include "ftpd/proto/reply.h"
#include "common/base.h"

enum command_id
command_find(const char *word, size_t len)
{
	unsigned id = 0;

	while (id < CMD_COUNT && !letters_same(word, len, command_table[id].name)) {
		id++;
	}
	return (enum command_id)id;
}

const struct command *
command_row(enum command_id id)
{
	return &command_table[id];
}

/*
 * Codes that no command's own list names, because they depend on the line and the state
 * only.
 */
static bool
is_general_code(const struct command *row, unsigned code)
{
	bool needs_login = (row->flags & COMMAND_NEEDS_LOGIN) != 0;

	switch (code) {
	case REPLY_SERVICE_CLOSING:
	case REPLY_UNKNOWN_COMMAND:
	case REPLY_BAD_ARGUMENT: return true;
	case REPLY_NOT_IMPLEMENTED:
		return (row->flags &
		        (COMMAND_NOT_BUILT | COMMAND_TLS | COMMAND_WRITES)) != 0;
	case REPLY_FILE_BUSY:
	case REPLY_LOCAL_ERROR:
	case REPLY_NO_SPACE:
	case REPLY_FILE_UNAVAILABLE:
	case REPLY_EXCEEDED:
	case REPLY_NAME_NOT_ALLOWED: return (row->flags & COMMAND_WRITES) != 0;
	case REPLY_NOT_LOGGED_IN: return needs_login;
	case REPLY_BAD_SEQUENCE:
		/* Also after EPSV ALL, for which RFC 2428 names no code. */
		return (!needs_login && (row->states & 1U << SESSION_GREETED) == 0) ||
		       (row->flags & (COMMAND_EPSV_ALL_CLOSES | COMMAND_IN_TLS)) != 0;
	case REPLY_PROT_TOO_LOW:
	case REPLY_DATA_NOT_SECURE: return (row->flags & COMMAND_TRANSFERS) != 0;
	default: return false;
	}
}

bool
command_allows_code(enum command_id id, unsigned code)
{
	const struct command *row = &command_table[id];

	for (size_t i = 0; i < COMMAND_CODES_MAX && row->codes[i] != 0; i++) {
		if (row->codes[i] == code) {
			return true;
		}
	}
	return is_general_code(row, code);
}

const char *
command_feature(size_t index, unsigned without)
{
	for (size_t id = 0; id < CMD_COUNT; id++) {
		const struct command *row = &command_table[id];

		if (row->feat == NULL ||
		    (row->flags & (COMMAND_NOT_BUILT | without)) != 0) {
			continue;
		}
		if (index == 0) {
			return row->feat;
		}
		index--;
	}
	return index < COMMAND_EXTRA_FEATURES ? command_extra_features[index] : NULL;
}
