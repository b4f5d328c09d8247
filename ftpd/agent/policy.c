/*
 * policy: what may be done, decided for every verb before it acts.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/policy.h"

#include "common/base.h"

/* What a verb does to a path. Zero is what the table has forgotten. */
enum act {
	ACT_UNKNOWN,
	ACT_ENTER,  /* tells only that there is a directory */
	ACT_LOOK,   /* tells what is there */
	ACT_ADD,    /* may make something new */
	ACT_CHANGE, /* changes or removes what is there */
	ACT_FINISH, /* ends what was allowed before */
};

struct row {
	enum policy_place place;
	enum act act;
	enum act second;
};

static const struct row table[AGENT_VERB_COUNT] = {
    [AGENT_OPEN_READ] = {POLICY_PATH, ACT_LOOK, ACT_UNKNOWN},
    [AGENT_STAT] = {POLICY_PATH, ACT_LOOK, ACT_UNKNOWN},
    [AGENT_CHECK_DIR] = {POLICY_PATH, ACT_ENTER, ACT_UNKNOWN},
    [AGENT_COUNT_ASCII] = {POLICY_PATH, ACT_LOOK, ACT_UNKNOWN},
    [AGENT_LIST] = {POLICY_PATH, ACT_LOOK, ACT_UNKNOWN},
    [AGENT_STAT_LINK] = {POLICY_ENTRY, ACT_LOOK, ACT_UNKNOWN},
    [AGENT_MAKE_DIR] = {POLICY_ENTRY, ACT_CHANGE, ACT_UNKNOWN},
    [AGENT_REMOVE_DIR] = {POLICY_ENTRY, ACT_CHANGE, ACT_UNKNOWN},
    [AGENT_REMOVE_FILE] = {POLICY_ENTRY, ACT_CHANGE, ACT_UNKNOWN},
    [AGENT_RENAME] = {POLICY_ENTRY, ACT_CHANGE, ACT_CHANGE},
    [AGENT_SET_TIME] = {POLICY_TARGET, ACT_CHANGE, ACT_UNKNOWN},
    [AGENT_SET_MODE] = {POLICY_TARGET, ACT_CHANGE, ACT_UNKNOWN},
    [AGENT_SET_UMASK] = {POLICY_PATH, ACT_ADD, ACT_UNKNOWN},
    [AGENT_SYMLINK] = {POLICY_ENTRY, ACT_CHANGE, ACT_UNKNOWN},
    [AGENT_SPACE] = {POLICY_PATH, ACT_ADD, ACT_UNKNOWN},
    [AGENT_OPEN_WRITE] = {POLICY_TARGET, ACT_ADD, ACT_UNKNOWN},
    [AGENT_COMMIT] = {POLICY_NO_PLACE, ACT_FINISH, ACT_UNKNOWN},
    [AGENT_DISCARD] = {POLICY_NO_PLACE, ACT_FINISH, ACT_UNKNOWN},
    [AGENT_COPY] = {POLICY_ENTRY, ACT_LOOK, ACT_CHANGE},
};

enum policy_place
policy_place_of(enum agent_verb verb)
{
	return table[verb].place;
}

bool
policy_only_new(const struct agent_rights *rights)
{
	return rights->is_dropbox;
}

bool
policy_may_change(const struct agent_rights *rights)
{
	return rights->may_write && !rights->is_dropbox;
}

/* A drop box takes a file from its first byte on, and tells how much room there is. */
static bool
is_for_dropbox(const struct agent_question *question)
{
	return question->verb != AGENT_OPEN_WRITE ||
	       (question->how != AGENT_OPEN_APPEND && question->offset == 0);
}

enum ipc_result
policy_decide(const struct agent_rights *rights, const struct agent_question *question,
              bool is_second)
{
	const struct row *row = &table[question->verb];

	switch (is_second ? row->second : row->act) {
	case ACT_UNKNOWN: return IPC_DENIED;
	case ACT_ENTER:
	case ACT_FINISH: return IPC_OK;
	case ACT_LOOK: return rights->is_dropbox ? IPC_DENIED : IPC_OK;
	case ACT_ADD:
		if (!rights->may_write) {
			return IPC_READ_ONLY;
		}
		return !rights->is_dropbox || is_for_dropbox(question) ? IPC_OK
		                                                       : IPC_DENIED;
	case ACT_CHANGE:
		if (!rights->may_write) {
			return IPC_READ_ONLY;
		}
		return rights->is_dropbox ? IPC_DENIED : IPC_OK;
	}
	return IPC_DENIED;
}
