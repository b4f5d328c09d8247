/*
 * agent_verb: what an agent can be asked, and how.
 * Runs in: worker (asks), agent (answers).
 * Source: DESIGN.md sections 2 to 4.
 * Not here: the messages; see agent.h.
 */
#ifndef FTPD_IPC_AGENT_VERB_H
#define FTPD_IPC_AGENT_VERB_H

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
	AGENT_SYMLINK, /* at `path`, pointing to `second` as the client typed it */
	AGENT_SPACE,   /* ALLO: size_bytes is what may still be written there */
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

/*
 * Ask whether a descriptor comes with an IPC_OK answer to this verb.
 * Returns: true for AGENT_OPEN_READ, AGENT_LIST, AGENT_OPEN_WRITE and AGENT_COPY.
 */
bool agent_verb_has_descriptor(enum agent_verb verb);

#endif
