/*
 * agent: questions of a worker about files, and the agent's answers. Strictly one
 * question, one answer.
 * Runs in: worker (asks), agent (answers; distrusts the worker).
 * Source: DESIGN.md sections 2 to 4.
 * Not here: how a path is resolved; see ftpd/agent.
 */
#ifndef FTPD_IPC_AGENT_H
#define FTPD_IPC_AGENT_H

#include "ftpd/ipc/message.h"
#include "common/base.h"

enum agent_verb {
	AGENT_OPEN_READ, /* a plain file for reading; [fd] the file */
	AGENT_STAT,      /* SIZE, MDTM, MLST: what is at the path, links followed */
	AGENT_CHECK_DIR, /* CWD: is it a directory that can be searched */
	/* SIZE in TYPE A: octets after conversion; IPC_BUSY above AGENT_COUNT_MAX */
	AGENT_COUNT_ASCII,
	/* LIST, NLST, MLSD, STAT path; [fd] the read end of a pipe with the listing */
	AGENT_LIST,
	AGENT_VERB_COUNT,
};

enum agent_format {
	AGENT_FORMAT_LONG,  /* LIST: ls -l lines */
	AGENT_FORMAT_NAMES, /* NLST */
	AGENT_FORMAT_FACTS, /* MLSD */
	AGENT_FORMAT_COUNT,
};

/* Bits of agent_question.options. */
enum agent_option {
	AGENT_LIST_HIDDEN = 1,     /* -a: names that begin with a dot */
	AGENT_LIST_BY_TIME = 2,    /* -t */
	AGENT_LIST_REVERSE = 4,    /* -r */
	AGENT_LIST_RECURSIVE = 8,  /* -R, bounded */
	AGENT_LIST_BY_SIZE = 16,   /* -S */
	AGENT_LIST_CLASSIFY = 32,  /* -F */
	AGENT_LIST_DIRECTORY = 64, /* -d: the directory itself */
	AGENT_LIST_LONG = 128,     /* -l given with NLST: long lines all the same */
	AGENT_OPTION_ALL = 255,
};

enum {
	/* bytes read for one SIZE in TYPE A (SECURITY.md P17) */
	AGENT_COUNT_MAX = 16 * 1024 * 1024,
	AGENT_PATTERN_MAX = 255,
};

struct agent_question {
	enum agent_verb verb;
	/* absolute, normalised, not terminated; points into the message after decoding */
	const char *path;
	size_t path_len;
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
	uint32_t mode;        /* permission bits, 07777 */
	uint64_t size_bytes;  /* AGENT_COUNT_ASCII: the count */
	int64_t mtime_s;
	uint64_t inode;
	uint64_t device;
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
 * Decode a question to the last byte; the path begins with "/" and has no NUL, pattern
 * and prefix have no NUL or "/" (prefix may have "/").
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
 * Returns: true and *ret_answer; false if the bytes are no such message.
 */
bool agent_answer_decode(const uint8_t *bytes, size_t len,
                         struct agent_answer *ret_answer);

/*
 * Ask whether a descriptor comes with an IPC_OK answer to this verb.
 * Returns: true for AGENT_OPEN_READ and AGENT_LIST.
 */
bool agent_verb_has_descriptor(enum agent_verb verb);

#endif
