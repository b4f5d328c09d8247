/*
 * command: THE table of commands.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/command.h"

#include <string.h>

#include "common/base.h"

#define LOGIN COMMAND_NEEDS_LOGIN
#define WRITES (COMMAND_NEEDS_LOGIN | COMMAND_WRITES)
#define DATA (COMMAND_NEEDS_LOGIN | COMMAND_NEEDS_DATA)
#define SETS_DATA (COMMAND_NEEDS_LOGIN | COMMAND_KEEPS_RESTART)
#define NOT_BUILT COMMAND_NOT_BUILT

/* Replies of all commands that open the data connection, RFC 959 5.4. */
#define DATA_CODES 125, 150, 226, 250, 425, 426, 450, 451

/*
 * 425 for PASV and EPSV is not in RFC 959 5.4: all ports being in use passes, and the 5xx codes would make a client
 * give passive mode up for good. Every peer answers so.
 */
static const struct command table[CMD_COUNT] = {
    [CMD_ABOR] = {"ABOR", ARG_OPTIONAL_TEXT, LOGIN | COMMAND_DURING_TRANSFER, "",
                  "Cut the transfer that is running.", NULL, "RFC 959 4.1.3", {225, 226}},
    [CMD_ACCT] = {"ACCT", ARG_OPTIONAL_TEXT, COMMAND_IS_SECRET, "<account>",
                  "No account is needed here.", NULL, "RFC 959 4.1.1", {202, 230, 503}},
    [CMD_ALLO] = {"ALLO", ARG_ALLOCATION, LOGIN | COMMAND_KEEPS_RESTART, "<bytes> [R <bytes>]",
                  "Space need not be reserved.", NULL, "RFC 959 4.1.3", {200, 202, 504}},
    [CMD_APPE] = {"APPE", ARG_PATH, WRITES | COMMAND_NEEDS_DATA, "<path>",
                  "Append to a file.", NULL, "RFC 959 4.1.3", {DATA_CODES, 452, 532, 550, 551, 552}},
    [CMD_AUTH] = {"AUTH", ARG_TEXT, NOT_BUILT, "TLS", "Begin TLS.", NULL, "RFC 4217 4", {234, 334, 431, 503, 504, 534}},
    [CMD_CCC] = {"CCC", ARG_NONE, NOT_BUILT, "", "End TLS on the control connection.", NULL, "RFC 4217 12.3", {200, 533, 534}},
    [CMD_CDUP] = {"CDUP", ARG_OPTIONAL_TEXT, LOGIN, "", "Go to the parent directory.", NULL,
                  "RFC 959 4.1.1", {200, 250, 550}},
    [CMD_CLNT] = {"CLNT", ARG_OPTIONAL_TEXT, COMMAND_ANY_STATE, "<name>",
                  "Tell the name of the client program.", NULL, "custom of clients", {200}},
    [CMD_CWD] = {"CWD", ARG_PATH, LOGIN, "<path>", "Go to a directory.", NULL,
                 "RFC 959 4.1.1", {250, 550, 450, 451}},
    [CMD_DELE] = {"DELE", ARG_PATH, WRITES, "<path>", "Delete a file.", NULL, "RFC 959 4.1.3", {250, 450, 550}},
    [CMD_EPRT] = {"EPRT", ARG_EXTENDED_PORT, SETS_DATA | COMMAND_CLOSED_BY_EPSV_ALL,
                  "|<family>|<address>|<port>|", "Tell where to connect for data.", NULL,
                  "RFC 2428 2", {200, 522, 503}},
    [CMD_EPSV] = {"EPSV", ARG_EXTENDED_PASV, SETS_DATA, "[1|2|ALL]",
                  "Ask where to connect for data.", "EPSV", "RFC 2428 3", {200, 229, 425, 522}},
    [CMD_FEAT] = {"FEAT", ARG_OPTIONAL_TEXT, COMMAND_KEEPS_RESTART, "", "List the extensions.", NULL,
                  "RFC 2389 3", {211}},
    [CMD_HELP] = {"HELP", ARG_OPTIONAL_TEXT, COMMAND_KEEPS_RESTART, "[<command>]",
                  "List the commands, or explain one.", NULL, "RFC 959 4.1.3", {211, 214}},
    [CMD_HOST] = {"HOST", ARG_TEXT, NOT_BUILT, "<name>", "Choose a virtual host.", NULL, "RFC 7151 3", {220, 503, 504}},
    [CMD_LIST] = {"LIST", ARG_LISTING, DATA, "[-alrtRSFd1] [<path>]",
                  "List a directory in the form of ls -l.", NULL, "RFC 959 4.1.3", {DATA_CODES, 550}},
    [CMD_MDTM] = {"MDTM", ARG_PATH, LOGIN | COMMAND_KEEPS_RESTART, "<path>",
                  "Tell when a file was last modified, in UTC.", "MDTM", "RFC 3659 3", {213, 450, 451, 550}},
    [CMD_MFF] = {"MFF", ARG_TEXT, WRITES | NOT_BUILT, "<facts> <path>", "Change facts of a file.", NULL, "draft-somers-ftp-mfxx", {213, 550}},
    [CMD_MFMT] = {"MFMT", ARG_TEXT, WRITES | NOT_BUILT, "<time> <path>", "Change the time of a file.", NULL, "draft-somers-ftp-mfxx", {213, 550}},
    [CMD_MKD] = {"MKD", ARG_PATH, WRITES, "<path>", "Make a directory.", NULL, "RFC 959 4.1.3", {257, 550}},
    [CMD_MLSD] = {"MLSD", ARG_OPTIONAL_PATH, DATA, "[<path>]",
                  "List a directory in a form for programs.", NULL, "RFC 3659 7", {DATA_CODES, 550}},
    [CMD_MLST] = {"MLST", ARG_OPTIONAL_PATH, LOGIN | COMMAND_KEEPS_RESTART, "[<path>]",
                  "Tell the facts of one file.", "MLST", "RFC 3659 7", {250, 450, 451, 550}},
    [CMD_MODE] = {"MODE", ARG_MODE, COMMAND_NEEDS_LOGIN | COMMAND_KEEPS_RESTART, "S", "Set the transfer mode: stream.", NULL,
                  "RFC 959 4.1.2", {200, 504}},
    [CMD_NLST] = {"NLST", ARG_LISTING, DATA, "[<path>]", "List the names in a directory.", NULL,
                  "RFC 959 4.1.3", {DATA_CODES, 550}},
    [CMD_NOOP] = {"NOOP", ARG_OPTIONAL_TEXT, COMMAND_KEEPS_RESTART | COMMAND_DURING_TRANSFER, "", "Do nothing.", NULL,
                  "RFC 959 4.1.3", {200}},
    [CMD_OPTS] = {"OPTS", ARG_TEXT, COMMAND_KEEPS_RESTART, "UTF8 ON | MLST <facts>", "Set an option of a command.", NULL,
                  "RFC 2389 4", {200, 451, 501}},
    [CMD_PASS] = {"PASS", ARG_OPTIONAL_TEXT, COMMAND_IS_SECRET, "<password>", "Tell the password.", NULL,
                  "RFC 959 4.1.1", {202, 230, 332, 503, 530}},
    [CMD_PASV] = {"PASV", ARG_OPTIONAL_TEXT, SETS_DATA | COMMAND_CLOSED_BY_EPSV_ALL, "",
                  "Ask where to connect for data, by IPv4.", NULL, "RFC 959 4.1.2", {227, 425, 503}},
    [CMD_PBSZ] = {"PBSZ", ARG_TEXT, NOT_BUILT, "0", "Set the protection buffer size.", NULL, "RFC 4217 8", {200, 503}},
    [CMD_PORT] = {"PORT", ARG_HOST_PORT, SETS_DATA | COMMAND_CLOSED_BY_EPSV_ALL,
                  "h1,h2,h3,h4,p1,p2", "Tell where to connect for data, by IPv4.", NULL, "RFC 959 4.1.2", {200, 503}},
    [CMD_PROT] = {"PROT", ARG_TEXT, NOT_BUILT, "C | P", "Set the protection of data.", NULL, "RFC 4217 9", {200, 503, 504, 534, 536}},
    [CMD_PWD] = {"PWD", ARG_OPTIONAL_TEXT, LOGIN | COMMAND_KEEPS_RESTART, "", "Tell the current directory.", NULL,
                 "RFC 959 4.1.3", {257, 550}},
    [CMD_QUIT] = {"QUIT", ARG_OPTIONAL_TEXT, COMMAND_DURING_TRANSFER, "",
                  "End the session, after the transfer that is running.", NULL, "RFC 959 4.1.1", {221}},
    [CMD_REIN] = {"REIN", ARG_OPTIONAL_TEXT, COMMAND_ANY_STATE, "", "Begin again, as if just connected.", NULL,
                  "RFC 959 4.1.1", {120, 220}},
    [CMD_REST] = {"REST", ARG_NUMBER, LOGIN | COMMAND_KEEPS_RESTART, "<octets>",
                  "Let the next RETR begin behind so many octets.", "REST STREAM", "RFC 3659 5", {350, 554}},
    [CMD_RETR] = {"RETR", ARG_PATH, DATA, "<path>", "Fetch a file.", NULL, "RFC 959 4.1.3", {DATA_CODES, 550, 554}},
    [CMD_RMD] = {"RMD", ARG_PATH, WRITES, "<path>", "Remove a directory.", NULL, "RFC 959 4.1.3", {250, 550}},
    [CMD_RNFR] = {"RNFR", ARG_PATH, WRITES, "<path>", "Name the file to be renamed.", NULL, "RFC 959 4.1.3", {350, 450, 550}},
    [CMD_RNTO] = {"RNTO", ARG_PATH, WRITES, "<path>", "Rename it.", NULL, "RFC 959 4.1.3", {250, 503, 532, 550, 553}},
    [CMD_SITE] = {"SITE", ARG_TEXT, LOGIN, "HELP", "Commands of this server.", NULL, "RFC 959 4.1.3", {200, 202, 211, 214, 504}},
    [CMD_SIZE] = {"SIZE", ARG_PATH, LOGIN | COMMAND_KEEPS_RESTART, "<path>",
                  "Tell how many octets RETR would send.", "SIZE", "RFC 3659 4", {213, 450, 451, 550}},
    [CMD_SMNT] = {"SMNT", ARG_TEXT, NOT_BUILT, "<path>", "Mount a file system.", NULL, "RFC 959 4.1.1", {202, 250, 550}},
    [CMD_STAT] = {"STAT", ARG_LISTING, COMMAND_KEEPS_RESTART | COMMAND_DURING_TRANSFER, "[<path>]",
                  "Tell the state of the session, of a transfer, or of files.", NULL, "RFC 959 4.1.3",
                  {211, 212, 213, 450, 451, 550}},
    [CMD_STOR] = {"STOR", ARG_PATH, WRITES | COMMAND_NEEDS_DATA, "<path>",
                  "Store a file.", NULL, "RFC 959 4.1.3", {DATA_CODES, 452, 532, 550, 552, 553}},
    [CMD_STOU] = {"STOU", ARG_OPTIONAL_PATH, WRITES | COMMAND_NEEDS_DATA, "[<path>]",
                  "Store a file under a new name.", NULL, "RFC 959 4.1.3", {DATA_CODES, 452, 532, 550, 552, 553}},
    [CMD_STRU] = {"STRU", ARG_STRUCTURE, COMMAND_NEEDS_LOGIN | COMMAND_KEEPS_RESTART, "F", "Set the file structure: file.", NULL,
                  "RFC 959 4.1.2", {200, 504}},
    [CMD_SYST] = {"SYST", ARG_OPTIONAL_TEXT, COMMAND_KEEPS_RESTART, "", "Tell the kind of system.", NULL, "RFC 959 4.1.3", {215}},
    [CMD_TYPE] = {"TYPE", ARG_TYPE, LOGIN | COMMAND_KEEPS_RESTART, "A [N] | I | L 8",
                  "Set the representation: text or data.", NULL, "RFC 959 4.1.2", {200, 504}},
    [CMD_USER] = {"USER", ARG_TEXT, COMMAND_ANY_STATE, "<name>", "Tell the user's name.", NULL, "RFC 959 4.1.1", {230, 331, 332, 503}},
    [CMD_XCUP] = {"XCUP", ARG_OPTIONAL_TEXT, LOGIN, "", "The same as CDUP.", NULL, "RFC 775", {200, 250, 550}},
    [CMD_XCWD] = {"XCWD", ARG_PATH, LOGIN, "<path>", "The same as CWD.", NULL, "RFC 775", {250, 550, 450, 451}},
    [CMD_XMKD] = {"XMKD", ARG_PATH, WRITES, "<path>", "The same as MKD.", NULL, "RFC 775", {257, 550}},
    [CMD_XPWD] = {"XPWD", ARG_OPTIONAL_TEXT, LOGIN | COMMAND_KEEPS_RESTART, "", "The same as PWD.", NULL, "RFC 775", {257, 550}},
    [CMD_XRMD] = {"XRMD", ARG_PATH, WRITES, "<path>", "The same as RMD.", NULL, "RFC 775", {250, 550}},
};

static char
to_upper(char byte)
{
	return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

enum command_id
command_find(const char *word, size_t len)
{
	char upper[COMMAND_WORD_MAX + 1] = {0};

	if (len == 0 || len > COMMAND_WORD_MAX) {
		return CMD_COUNT;
	}
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\0') {
			return CMD_COUNT;
		}
		upper[i] = to_upper(word[i]);
	}
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		if (strcmp(table[id].name, upper) == 0) {
			return (enum command_id)id;
		}
	}
	return CMD_COUNT;
}

const struct command *
command_get(enum command_id id)
{
	return &table[id];
}

bool
command_may_reply(enum command_id id, unsigned code)
{
	if (code == 500 || code == 501 || code == 502 || code == 421 || code == 530) {
		return true;
	}
	for (size_t i = 0; i < COMMAND_CODES_MAX && table[id].codes[i] != 0; i++) {
		if (table[id].codes[i] == code) {
			return true;
		}
	}
	return false;
}
