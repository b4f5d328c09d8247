/*
 * command: THE table of commands. HELP, FEAT, the gate, the log's masking, the parser and the tests all read it.
 * Runs in: deftpd-worker. Pure.
 * Source: RFC 959 4.1 and 5.4, RFC 1123 4.1, 2228, 2389, 2428, 2640, 3659, 4217, 7151.
 * Not here: functions; ftpd/worker/dispatch.c maps ids to them.
 */
#ifndef FTPD_PROTO_COMMAND_H
#define FTPD_PROTO_COMMAND_H

#include "ftpd/proto/state.h"
#include "common/base.h"

enum command_id {
	CMD_ABOR,
	CMD_ACCT,
	CMD_ALLO,
	CMD_APPE,
	CMD_AUTH,
	CMD_CCC,
	CMD_CDUP,
	CMD_CLNT,
	CMD_CWD,
	CMD_DELE,
	CMD_EPRT,
	CMD_EPSV,
	CMD_FEAT,
	CMD_HELP,
	CMD_HOST,
	CMD_LIST,
	CMD_MDTM,
	CMD_MFF,
	CMD_MFMT,
	CMD_MKD,
	CMD_MLSD,
	CMD_MLST,
	CMD_MODE,
	CMD_NLST,
	CMD_NOOP,
	CMD_OPTS,
	CMD_PASS,
	CMD_PASV,
	CMD_PBSZ,
	CMD_PORT,
	CMD_PROT,
	CMD_PWD,
	CMD_QUIT,
	CMD_REIN,
	CMD_REST,
	CMD_RETR,
	CMD_RMD,
	CMD_RNFR,
	CMD_RNTO,
	CMD_SITE,
	CMD_SIZE,
	CMD_SMNT,
	CMD_STAT,
	CMD_STOR,
	CMD_STOU,
	CMD_STRU,
	CMD_SYST,
	CMD_TYPE,
	CMD_USER,
	CMD_XCUP,
	CMD_XCWD,
	CMD_XMKD,
	CMD_XPWD,
	CMD_XRMD,
	CMD_COUNT,
};

/* What stands behind the command word. */
enum command_argument {
	ARG_NONE,          /* anything there is a syntax error */
	ARG_OPTIONAL_TEXT, /* HELP, and what ignores its argument */
	ARG_TEXT,          /* a word or more, not empty */
	ARG_PATH,          /* all behind one space, not empty */
	ARG_OPTIONAL_PATH,
	ARG_LISTING,       /* ls options, then perhaps a path */
	ARG_NUMBER,        /* REST */
	ARG_ALLOCATION,    /* ALLO n [R n] */
	ARG_TYPE,
	ARG_MODE,
	ARG_STRUCTURE,
	ARG_HOST_PORT,     /* PORT */
	ARG_EXTENDED_PORT, /* EPRT */
	ARG_EXTENDED_PASV, /* EPSV */
};

enum command_flag {
	COMMAND_NEEDS_LOGIN = 1,
	COMMAND_WRITES = 2,         /* changes files */
	COMMAND_IS_SECRET = 4,      /* the argument is shown in no log */
	COMMAND_KEEPS_RESTART = 8,  /* REST survives it: the commands that may stand between REST and RETR */
	COMMAND_DURING_TRANSFER = 16, /* is answered while data moves (RFC 959 4.1.3: ABOR, STAT, QUIT; and NOOP) */
	COMMAND_CLOSED_BY_EPSV_ALL = 32, /* RFC 2428 4 */
	COMMAND_NEEDS_DATA = 64,    /* opens the data connection */
	COMMAND_NOT_BUILT = 128,    /* known, answered 502 */
	COMMAND_BEFORE_LOGIN_ONLY = 256,
	COMMAND_ANY_STATE = 0,
};

enum {
	COMMAND_WORD_MAX = 4,
	COMMAND_CODES_MAX = 14,
};

struct command {
	const char *name;
	enum command_argument argument;
	unsigned flags;       /* enum command_flag */
	const char *syntax;   /* of the argument, for HELP; "" for none */
	const char *help;     /* one sentence */
	const char *feature;  /* line of FEAT, NULL if it has none (RFC 2389: what is not in RFC 959) */
	const char *source;   /* RFC and section */
	/* Replies that the sources allow, 0 ends them. 500, 501, 502, 421 and 530 are allowed for all and not repeated. */
	uint16_t codes[COMMAND_CODES_MAX];
};

/*
 * Find a command by its word, in either case.
 * Returns: its id, or CMD_COUNT.
 */
enum command_id command_find(const char *word, size_t len);

/*
 * Returns: the row of a command; id must be below CMD_COUNT.
 */
const struct command *command_get(enum command_id id);

/*
 * Ask whether the sources allow this reply to this command.
 * Returns: true for the row's codes and those that are allowed for all.
 */
bool command_may_reply(enum command_id id, unsigned code);

#endif
