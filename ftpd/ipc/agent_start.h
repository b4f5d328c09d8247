/*
 * agent_start: how an agent is started and how it ends.
 * Runs in: master (starts those of anonymous clients), deftpd-auth (becomes one), agent.
 * Source: DESIGN.md section 3, rule 6; SECURITY.md 3.3.
 * Not here: what an agent is asked; see agent.h.
 *
 * Who starts an agent writes the start record into a sealed memory file and passes it as
 * IPC_OPTIONS_FD. The agent reads it before it becomes anybody, and closes it.
 */
#ifndef FTPD_IPC_AGENT_START_H
#define FTPD_IPC_AGENT_START_H

#include "ftpd/ipc/message.h"
#include "common/base.h"

enum {
	AGENT_GROUPS_MAX = 65536, /* NGROUPS_MAX of Linux */
	AGENT_RULES_MAX = 64,     /* directories with rules of their own */
	AGENT_START_MAX = 1024 * 1024,
};

enum agent_upload_mode {
	AGENT_UPLOAD_DIRECT,  /* in place, as it grows */
	AGENT_UPLOAD_ATOMIC,  /* under its name only when it is whole */
	AGENT_UPLOAD_DURABLE, /* and on the disk before the answer to AGENT_COMMIT */
	AGENT_UPLOAD_COUNT,
};

/* What may be done to files. The agent enforces it; see ftpd/agent/policy.h. */
struct agent_rights {
	bool may_write;  /* create, change, rename, delete */
	bool is_dropbox; /* create new files, and nothing else: no reading, no listing */
	enum agent_upload_mode mode;
	bool keeps_partial;      /* of an upload that was cut */
	uint64_t max_file_bytes; /* 0: no limit */
	uint64_t min_free_bytes; /* that must stay free for others */
	uint32_t umask;          /* 0777 at most */
};

/* Other rights at and below one directory; the innermost rule holds. */
struct agent_rule {
	const char *directory; /* client path */
	size_t directory_len;
	struct agent_rights rights;
};

struct agent_start {
	uint32_t uid; /* ignored when the agent does not run as root */
	uint32_t gid;
	bool has_sandbox; /* false: sandbox = off */
	const char *root; /* absolute host path */
	size_t root_len;
	/* client path that must be a directory; "/" if any will do */
	const char *start;
	size_t start_len;
	struct agent_rights rights;
	size_t rule_count;
	struct agent_rule rules[AGENT_RULES_MAX];
	/*
	 * supplementary groups. To encode: in `groups`. Decoded: read by
	 * agent_start_group(), as the bytes need not be aligned.
	 */
	size_t group_count;
	const uint32_t *groups;
	const uint8_t *group_bytes;
};

/*
 * Write the start record into a sealed memory file.
 * Out:     ret_fd: close-on-exec, to be passed as IPC_OPTIONS_FD; the caller's to close.
 * Returns: 0 or negative errno; -EMSGSIZE if it does not fit AGENT_START_MAX.
 */
int agent_start_seal(const struct agent_start *start, int *ret_fd);

/*
 * Encode the start record.
 * Returns: length, 0 if it does not fit.
 */
size_t agent_start_encode(const struct agent_start *start, uint8_t *bytes, size_t cap);

/*
 * Decode the start record to the last byte.
 * Returns: true and *ret_start, whose texts and groups point into bytes.
 */
bool agent_start_decode(const uint8_t *bytes, size_t len, struct agent_start *ret_start);

/*
 * Returns: supplementary group `index`, below group_count, of a decoded record.
 */
uint32_t agent_start_group(const struct agent_start *start, size_t index);

enum {
	/* Exit status of who was to become an agent: the program cannot be executed. */
	AGENT_NOT_EXECUTED = 127,
};

/* Exit status of an agent that could not start, for the log line of who started it. */
enum agent_exit {
	AGENT_EXIT_DONE = 0,      /* end of file on the channel */
	AGENT_EXIT_START = 10,    /* no or bad start record */
	AGENT_EXIT_ROOT = 11,     /* the root directory cannot be opened */
	AGENT_EXIT_BECOME = 12,   /* the user could not be become */
	AGENT_EXIT_SANDBOX = 13,  /* Landlock or the filter failed */
	AGENT_EXIT_PROTOCOL = 14, /* the worker broke the wire format */
	AGENT_EXIT_HOME = 15,     /* `start` is no directory that the user may enter */
};

#endif
