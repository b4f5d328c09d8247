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
	/* RNFR, DELE, MFF: what is at the path itself, a link not followed */
	AGENT_STAT_LINK,
	AGENT_MAKE_DIR,
	AGENT_REMOVE_DIR,
	AGENT_REMOVE_FILE, /* not a directory; a link itself */
	AGENT_RENAME,      /* to `second` */
	AGENT_SET_TIME,    /* time_s */
	AGENT_SET_MODE,    /* mode, 0777 at most */
	/* mode: is added to the configured one; the answer's mode is both */
	AGENT_SET_UMASK,
	AGENT_SYMLINK,     /* at `path`, pointing to `second` as the client typed it */
	AGENT_SPACE,       /* ALLO: size_bytes is what may still be written there */
	/* [fd] the file for writing; how, offset */
	AGENT_OPEN_WRITE,
	AGENT_COMMIT,  /* upload: all bytes have arrived; the result decides the reply */
	AGENT_DISCARD, /* upload, path: it was cut; what is kept is the agent's rule */
	/*
	 * SITE CPTO, to `second`. [fd] the read end of a pipe with struct agent_progress;
	 * closing it cancels
	 */
	AGENT_COPY,
	/*
	 * Not a question: the first message of an agent is an answer to it. With IPC_OK
	 * it is the user, confined, and serves; otherwise it ends.
	 */
	AGENT_READY,
	AGENT_VERB_COUNT,
};

/* How AGENT_OPEN_WRITE opens. */
enum agent_open {
	AGENT_OPEN_STORE,  /* STOR: a new file, or all of one, or from `offset` on */
	AGENT_OPEN_APPEND, /* APPE: behind what is there */
	AGENT_OPEN_UNIQUE, /* STOU: a name that nobody has; `path` is the wish */
	AGENT_OPEN_COUNT,
};

/*
 * One record in the pipe of AGENT_COPY: the native form, as both ends are of one build.
 * The last one says how it ended, with is_done set.
 */
struct agent_progress {
	uint64_t files; /* copied whole */
	uint64_t bytes;
	uint32_t result; /* enum ipc_result */
	uint32_t is_done;
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
	AGENT_MODE_MAX = 0777,
	/* an answer with the longest name */
	AGENT_ANSWER_MAX = IPC_PATH_MAX + 128,
};

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
	bool is_writable;     /* may be written, or a directory be changed, by this agent */
	bool is_removable;    /* may be renamed or removed: its directory is writable */
	/*
	 * AGENT_STAT: nothing is at the path, but an upload that was cut waits there to
	 * be continued: size and time are its. For SIZE; for others it is IPC_NOT_FOUND
	 */
	bool is_part;
	uint32_t mode;        /* permission bits, 07777 */
	uint64_t size_bytes;  /* AGENT_COUNT_ASCII: the count */
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

/*
 * Ask whether a descriptor comes with an IPC_OK answer to this verb.
 * Returns: true for AGENT_OPEN_READ, AGENT_LIST, AGENT_OPEN_WRITE and AGENT_COPY.
 */
bool agent_verb_has_descriptor(enum agent_verb verb);

#endif
