/*
 * certificate: whether the client's certificate is that of a user.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/certificate.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"

bool
certificate_has_name(const char *names, const char *name)
{
	size_t len = strlen(name);
	const char *line = names;
	const char *end;

	while (len > 0 && (end = strchr(line, '\n')) != NULL) {
		if ((size_t)(end - line) == len && memcmp(line, name, len) == 0) {
			return true;
		}
		line = end + 1;
	}
	return false;
}

/* Returns: true if it is the user's. */
static bool
is_of_user(const struct login_try *login, char ret_text[MA_TEXT_MAX + 1])
{
	char name[OPTIONS_HOST_MAX];

	if (!policy_client_name(&login->policy, login->candidate.account.name, name)) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "client_name \"%.150s\" gives no name for this user",
		               login->policy.client_name);
		return false;
	}
	if (login->is_secure && certificate_has_name(login->names, name)) {
		return true;
	}
	(void)snprintf(ret_text, MA_TEXT_MAX + 1,
	               login->names[0] == '\0'
	                   ? "it has brought none with a name; \"%.180s\" "
	                     "is wanted"
	                   : "none of its names is \"%.180s\"",
	               name);
	return false;
}

enum certificate_worth
certificate_judge(const struct login_try *login, char ret_text[MA_TEXT_MAX + 1])
{
	switch ((enum options_tls_login)login->auth->options.tls.client_login) {
	case OPTIONS_CERTIFICATE_OFF: return CERTIFICATE_NOTHING;
	case OPTIONS_CERTIFICATE_MATCH:
		return is_of_user(login, ret_text) ? CERTIFICATE_NOTHING
		                                   : CERTIFICATE_REFUSED;
	case OPTIONS_CERTIFICATE_ENOUGH:
		return is_of_user(login, ret_text) ? CERTIFICATE_ENOUGH
		                                   : CERTIFICATE_NOTHING;
	case OPTIONS_CERTIFICATE_COUNT: break;
	}
	return CERTIFICATE_REFUSED;
}
