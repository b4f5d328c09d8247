/*
 * agent: questions of a worker about files, and the agent's answers. Strictly one
 * question, one answer.
 * Runs in: worker (asks), agent (answers; distrusts the worker).
 * Source: DESIGN.md sections 2 to 4.
 * Not here: what can be asked; see agent_verb.h. How a path is resolved; see ftpd/agent.
 */
#ifndef FTPD_IPC_AGENT_H
#define FTPD_IPC_AGENT_H

#include "ftpd/ipc/agent_verb.h"
#include "ftpd/ipc/message.h"
#include "common/base.h"

struct agent_question {
	enum agent_verb verb;
	/* absolute, normalised, not terminated; points into the message after decoding */
	const char *path;
	size_t path_len;
	/* AGENT_RENAME, AGENT_COPY: a path like the first; AGENT_SYMLINK: any text */
	const char *second;
	size_t second_len;
	enum agent_open how; /* AGENT_OPEN_WRITE */
	uint64_t offset;     /* AGENT_OPEN_WRITE: REST */
	/*
	 * AGENT_OPEN_WRITE with AGENT_OPEN_APPEND: what SIZE has told of this path in
	 * this session, if has_told_size
	 */
	uint64_t told_size;
	bool has_told_size;
	/*
	 * AGENT_OPEN_WRITE: the bytes come converted from TYPE A, so that a client who is
	 * cut off cannot tell how many of them are there
	 */
	bool is_text;
	uint32_t upload; /* AGENT_COMMIT, AGENT_DISCARD: the number in the answer */
	int64_t time_s;  /* AGENT_SET_TIME */
	uint32_t mode;   /* AGENT_SET_MODE, AGENT_SET_UMASK */
	/* AGENT_LIST only */
	enum agent_format format;
	unsigned options;    /* enum agent_option */
	unsigned facts;      /* mask of the facts to print, as in ftpd/proto/entry.h */
	const char *pattern; /* for the names in the directory `path`; empty: all */
	size_t pattern_len;
	/* put before each name by NLST, as the client typed it ("dir/"); may be empty */
	const char *prefix;
	size_t prefix_len;
};

/* Kind of what is at a path. */
enum agent_kind {
	AGENT_KIND_FILE,
	AGENT_KIND_DIRECTORY,
	AGENT_KIND_OTHER,
	AGENT_KIND_COUNT,
};

struct agent_answer {
	enum ipc_result result;
	enum agent_kind kind; /* the rest: zero unless IPC_OK */
	bool is_readable;     /* for this agent's user */
	bool is_searchable;   /* directories */
	/* may be written, or a directory be changed, by this agent */
	bool is_writable;
	bool is_removable; /* may be renamed or removed: its directory is writable */
	/*
	 * AGENT_STAT: nothing is at the path, but an upload that was cut waits there to
	 * be continued: size and time are its. For SIZE; for others it is IPC_NOT_FOUND
	 */
	bool is_part;
	uint32_t mode;       /* permission bits, 07777 */
	uint64_t size_bytes; /* AGENT_COUNT_ASCII: the count */
	int64_t mtime_s;
	uint64_t inode;
	uint64_t device;
	/*
	 * AGENT_OPEN_WRITE: where the first byte goes; whether AGENT_COMMIT or
	 * AGENT_DISCARD must follow, to the same agent, with this number (0: neither);
	 * how far the file may grow (UINT64_MAX: no limit)
	 */
	uint64_t offset;
	uint32_t upload;
	uint64_t limit_bytes;
	/* AGENT_OPEN_UNIQUE: the path chosen; points into the message; else empty */
	const char *name;
	size_t name_len;
	/*
	 * a system call that the agent's filter denied, once; -1: none. Set for every
	 * result.
	 */
	int32_t denied_call;
};

/*
 * Encode a question.
 * Returns: length, 0 if it does not fit.
 */
size_t agent_question_encode(const struct agent_question *question, uint8_t *bytes,
                             size_t cap);

/*
 * Decode a question to the last byte; paths begin with "/" and have no NUL; pattern and
 * prefix have no NUL or "/" (prefix may have "/"); mode is 0777 at most.
 * Returns: true and *ret_question, whose pointers point into bytes; false if the bytes
 *          are no such message.
 */
bool agent_question_decode(const uint8_t *bytes, size_t len,
                           struct agent_question *ret_question);

/*
 * Encode an answer.
 * Returns: length, 0 if it does not fit.
 */
size_t agent_answer_encode(const struct agent_answer *answer, uint8_t *bytes, size_t cap);

/*
 * Decode an answer to the last byte.
 * Returns: true and *ret_answer, whose name points into bytes; false if the bytes are
 *          no such message.
 */
bool agent_answer_decode(const uint8_t *bytes, size_t len,
                         struct agent_answer *ret_answer);

#endif
