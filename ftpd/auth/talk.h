/*
 * talk: the conversation that PAM modules hold with the client through us.
 * Runs in: deftpd-auth. Input: the answers are hostile; the modules' texts may hold
 *          foreign bytes.
 * Source: pam_conv(3); RFC 959 5.4, ACCT after PASS.
 * Not here: calling PAM; see pam.h.
 *
 * The first question that is not to be echoed is the password's. Any further one goes to
 * the client, who answers by ACCT, unless a code was appended to the password.
 */
#ifndef FTPD_AUTH_TALK_H
#define FTPD_AUTH_TALK_H

#include <security/pam_appl.h>

#include "common/text.h"
#include "ftpd/ipc/login.h"
#include "common/base.h"

enum {
	/* More questions than that are a module gone astray. */
	TALK_ASKS_MAX = 8,
};

/*
 * Ask the client.
 * In:      text: what the modules say and ask, lines ended by LF.
 * Out:     ret_answer: NUL-terminated; the talk wipes it.
 * Returns: true; false if nobody answers any more.
 */
typedef bool talk_ask(void *context, const char *text, size_t len,
                      char ret_answer[LOGIN_SECRET_MAX + 1]);

struct talk {
	talk_ask *ask;
	void *context;
	/* Secret memory of the caller, wiped as soon as it has been given. */
	char *password;
	char *code; /* that was appended to the password; empty: none */
	bool is_password_given;
	unsigned asks;
	bool is_over;     /* an ask failed, or there were too many */
	struct text text; /* said since the last question, lines ended by LF */
	char bytes[LOGIN_TEXT_MAX + 1];
};

enum {
	TALK_SECRET_BYTES = LOGIN_SECRET_MAX + 1,
};

/*
 * Begin.
 * In:      password, code: TALK_SECRET_BYTES each, kept by the caller until the end; the
 *          code is an empty text.
 *          code_digits: with so many digits at its end (and something before them) the
 *          password is parted into password and code. 0: never.
 */
void talk_init(struct talk *talk, char *password, char *code, unsigned code_digits);

/*
 * What PAM calls; appdata is the talk.
 * Returns: PAM_SUCCESS and the answers, which the module frees; PAM_CONV_ERR.
 */
int talk_converse(int count, const struct pam_message **messages,
                  struct pam_response **ret_responses, void *appdata);

#endif
