/*
 * ask: gets a password from a person or a pipe, never from the command line.
 * Runs in: deftp-passwd.
 * Source: termios(3); SECURITY.md A21.
 * Not here: hashing it; see hash.h.
 */
#ifndef FTPD_TOOLS_PASSWD_ASK_H
#define FTPD_TOOLS_PASSWD_ASK_H

#include "common/base.h"

enum {
	/* crypt(3) takes 511 bytes, and the server refuses longer ones. */
	ASK_LEN_MAX = 511,
	ASK_SIZE = ASK_LEN_MAX + 1,
};

/*
 * Read one line from standard input.
 * In:      password: ASK_SIZE bytes of secret memory.
 * Returns: true; false after telling why on standard error.
 */
bool ask_stdin(char *password);

/*
 * Ask on the terminal without echo.
 * In:      name: of the user, for the prompt. is_new: ask twice, and compare.
 * Returns: as ask_stdin(). A signal that ends the program restores the terminal first.
 */
bool ask_terminal(const char *name, bool is_new, char *password);

#endif
