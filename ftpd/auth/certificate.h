/*
 * certificate: whether the client's certificate is that of a user.
 * Runs in: deftpd-auth. Input: the names are what the worker says, which has checked the
 * certificate; the worker is distrusted in all else, and holds the keys.
 * Source: deftpd.conf(5), tls.client_login and client_name; SECURITY.md A13.
 * Not here: the certificate itself.
 *
 * Names are compared byte by byte: no wildcard, no part of a name, no other spelling.
 */
#ifndef FTPD_AUTH_CERTIFICATE_H
#define FTPD_AUTH_CERTIFICATE_H

#include "ftpd/auth/serve.h"
#include "common/base.h"

enum certificate_worth {
	CERTIFICATE_NOTHING, /* the password decides */
	CERTIFICATE_ENOUGH,  /* it is the user's, and no password is asked for */
	CERTIFICATE_REFUSED, /* it is not the user's, and must be */
	CERTIFICATE_WORTH_COUNT,
};

/*
 * Judge it by tls.client_login.
 * In:      login: names, is_secure, candidate and policy are set.
 * Out:     ret_text: with CERTIFICATE_REFUSED: what is missing, for the log.
 * Returns: what it is worth.
 */
enum certificate_worth certificate_judge(const struct login_try *login,
                                         char ret_text[MA_TEXT_MAX + 1]);

/*
 * Look for one line among names, each of which is ended by LF.
 * Returns: true if it is there; false for an empty one.
 */
bool certificate_has_name(const char *names, const char *name);

#endif
