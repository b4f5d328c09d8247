/*
 * command: the table of all commands: who may say what when, with which argument,
 * answered how.
 * Runs in: deftpd-worker; HELP, FEAT, gate, log masking, tests and fuzzers read it.
 * Source: RFC 959 4.1, 5.3 and 5.4; RFC 775 (X forms); RFC 1123 4.1; RFC 2228; RFC 2389;
 *         RFC 2428; RFC 2640; RFC 3659; RFC 4217; RFC 7151; draft-somers-ftp-mfxx;
 *         draft-bryan-ftp-hash; draft-bryan-ftp-range.
 * Not here: what a command does: ftpd/worker/dispatch.c maps ids to functions.
 */
#ifndef FTPD_PROTO_COMMAND_H
#define FTPD_PROTO_COMMAND_H

#include "ftpd/proto/state.h"
#include "common/base.h"

/* clang-format off */
enum command_id {
	CMD_USER, CMD_PASS, CMD_ACCT, CMD_CWD, CMD_XCWD, CMD_CDUP, CMD_XCUP, CMD_SMNT, CMD_QUIT,
	CMD_REIN, CMD_PORT, CMD_PASV, CMD_EPRT, CMD_EPSV, CMD_LPRT, CMD_LPSV, CMD_TYPE, CMD_STRU,
	CMD_MODE, CMD_RETR, CMD_STOR, CMD_STOU, CMD_APPE, CMD_ALLO, CMD_REST, CMD_RANG, CMD_RNFR,
	CMD_RNTO, CMD_ABOR, CMD_DELE, CMD_RMD, CMD_XRMD, CMD_MKD, CMD_XMKD, CMD_PWD, CMD_XPWD,
	CMD_LIST, CMD_NLST, CMD_MLST, CMD_MLSD, CMD_SIZE, CMD_MDTM, CMD_MFMT, CMD_MFCT, CMD_MFF,
	CMD_HASH, CMD_SITE, CMD_SYST, CMD_STAT, CMD_HELP, CMD_NOOP, CMD_FEAT, CMD_OPTS, CMD_LANG,
	CMD_HOST, CMD_CLNT, CMD_AUTH, CMD_ADAT, CMD_PBSZ, CMD_PROT, CMD_CCC, CMD_MIC, CMD_CONF,
	CMD_ENC,
	CMD_COUNT,
};
/* clang-format on */

/* What stands behind the word; request.h has the typed values. */
enum command_argument {
	COMMAND_ARG_NONE, /* nothing; trailing spaces are forgiven */
	COMMAND_ARG_TEXT, /* something, raw */
	/* anything or nothing, raw; also what is not built: 502 comes before 501 */
	COMMAND_ARG_OPTIONAL_TEXT,
	COMMAND_ARG_PATH,
	COMMAND_ARG_OPTIONAL_PATH,
	COMMAND_ARG_LIST,     /* ls options, and a path or nothing */
	COMMAND_ARG_OFFSET,   /* REST */
	COMMAND_ARG_ALLOCATE, /* ALLO */
	COMMAND_ARG_TYPE,
	COMMAND_ARG_MODE,
	COMMAND_ARG_STRUCTURE,
	COMMAND_ARG_HOST_PORT, /* PORT */
	COMMAND_ARG_EPRT,
	COMMAND_ARG_EPSV,
	COMMAND_ARG_OPTS,
	COMMAND_ARG_TIME_PATH,       /* MFMT */
	COMMAND_ARG_MAYBE_TIME_PATH, /* MDTM: a path, or a time and a path */
	COMMAND_ARG_FACTS_PATH,      /* MFF */
	COMMAND_ARG_HOST,
	COMMAND_ARG_AUTH,
	COMMAND_ARG_BUFFER_SIZE, /* PBSZ */
	COMMAND_ARG_PROT,
	COMMAND_ARG_COUNT,
};

/* Bits of command.flags. */
enum command_flag {
	/* in another state than logged in: 530; without this flag 503 */
	COMMAND_NEEDS_LOGIN = 1 << 0,
	/* changes files: refused where the user may only read */
	COMMAND_WRITES = 1 << 1,
	COMMAND_SECRET = 1 << 2, /* the argument never reaches a log */
	/*
	 * may stand between REST and the transfer command, or is it; else the offset is
	 * forgotten (RFC 3659 5.3)
	 */
	COMMAND_KEEPS_REST = 1 << 3,
	/* may stand between RNFR and RNTO, or is RNTO */
	COMMAND_KEEPS_RNFR = 1 << 4,
	/* answered while data moves; others wait for the transfer's end */
	COMMAND_DURING_TRANSFER = 1 << 5,
	COMMAND_EPSV_ALL_CLOSES = 1 << 6, /* refused after EPSV ALL (RFC 2428 4) */
	COMMAND_TRANSFERS = 1 << 7,       /* opens a data connection */
	COMMAND_NOT_BUILT = 1 << 8,       /* 502, whatever the state and the argument */
	COMMAND_TLS = 1 << 9,             /* the same where there is no TLS */
	/* 503 while the control connection is in clear (RFC 4217 9) */
	COMMAND_IN_TLS = 1 << 10,
	COMMAND_CLEARS = 1 << 11, /* CCC: only where tls.allow_ccc lets it */
};

enum {
	COMMAND_NAME_MAX = 4,
	COMMAND_CODES_MAX = 24,
	COMMAND_HELP_MAX = 80,
};

struct command {
	const char *name; /* upper case */
	enum command_argument argument;
	/* the command that this is another name of (XCWD: CMD_CWD), else its own id */
	enum command_id same_as;
	unsigned states;    /* mask of 1 << enum session_state */
	unsigned flags;     /* enum command_flag */
	const char *syntax; /* the argument, for HELP: "<SP> path"; "" for none */
	const char *help;   /* what it does, a few words */
	/* FEAT line, NULL for none. MLST: facts follow, see entry_format_fact_names */
	const char *feat;
	const char *source;
	/*
	 * Every code that may answer it, 1yz included, ended by 0. Besides,
	 * command_allows_code knows what any command may have: 421, 500 and 501; 502 when
	 * not built, or without TLS; 450, 451, 452, 502, 550, 552 and 553 when it writes,
	 * as RFC 959 4.2.2 has them for troubles that 5.4 forgot for one or the other;
	 * 530 when it needs login, 503 in a state that is not its own otherwise, in clear
	 * if it needs TLS, and after EPSV ALL; 521 and 522 when it transfers (RFC 4217
	 * 10: the data connection is not protected as it must be).
	 */
	uint16_t codes[COMMAND_CODES_MAX];
};

/*
 * Look a command up by its word, in any case. Bytes are compared as ASCII, without
 * locale.
 * Returns: its id, or CMD_COUNT for an unknown word.
 */
enum command_id command_find(const char *word, size_t len);

/*
 * Returns: the table's row for an id below CMD_COUNT.
 */
const struct command *command_row(enum command_id id);

/*
 * Ask whether a reply code may answer a command. The oracle of dialogues and fuzzers;
 * nothing in the server needs it.
 * Returns: true if RFC 959 5.4 or a successor lists it, or the table says why we add it.
 */
bool command_allows_code(enum command_id id, unsigned code);

/*
 * Go through FEAT's lines: those of the built commands, and features that belong to none
 * (TVFS, UTF8).
 * In:      without: enum command_flag; commands that have one of them are left out.
 * Returns: the line at `index`, counted from 0, or NULL behind the last. "MLST" comes
 *          without its facts.
 */
const char *command_feature(size_t index, unsigned without);

#endif
