/*
 * decide: whether a name and a password may log in, and what then applies.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/decide.h"

#include <stdio.h>
#include <string.h>

#include "common/privilege.h"
#include "common/secret.h"
#include "ftpd/auth/admit.h"
#include "ftpd/auth/certificate.h"
#include "common/base.h"

static void
refuse(struct verdict *verdict, enum ma_reason reason, const char *text)
{
	verdict->is_right = false;
	verdict->reason = reason;
	verdict->refusal = LOGIN_INCORRECT;
	if (text != verdict->text) {
		(void)snprintf(verdict->text, sizeof(verdict->text), "%s", text);
	}
}

/* What would have been computed for somebody who may log in. */
static void
spend_time(const struct login_try *login)
{
	(void)password_check(&login->auth->dummy, NULL, login->password);
}

/* Returns: true if the name is somebody's. */
static bool
find(struct login_try *login, struct verdict *verdict)
{
	const struct options *options = &login->auth->options;
	const char *file = source_file(options, &login->auth->overrides, login->host);

	switch (
	    source_find(options, file, login->user, &login->candidate, verdict->text)) {
	case SOURCE_FOUND: return true;
	case SOURCE_UNKNOWN:
		spend_time(login);
		refuse(verdict, MA_UNKNOWN_USER, "");
		return false;
	case SOURCE_BROKEN:
		spend_time(login);
		refuse(verdict, MA_FAULT, verdict->text);
		return false;
	case SOURCE_FAULT:
	case SOURCE_RESULT_COUNT: break;
	}
	/*
	 * It meets everybody whom no source before that one knows: what it tells of a
	 * name is that, and only while the source is broken.
	 */
	refuse(verdict, MA_FAULT, verdict->text);
	verdict->refusal = LOGIN_UNAVAILABLE;
	return false;
}

static bool
check_virtual(struct login_try *login, struct verdict *verdict)
{
	enum password_result result =
	    password_check(&login->auth->dummy, login->candidate.hash, login->password);

	secret_wipe(login->candidate.hash, sizeof(login->candidate.hash));
	switch (result) {
	case PASSWORD_RIGHT: return true;
	case PASSWORD_WRONG: refuse(verdict, MA_WRONG_PASSWORD, ""); break;
	case PASSWORD_UNUSABLE:
	case PASSWORD_RESULT_COUNT:
		refuse(verdict, MA_LOCKED,
		       "no password matches the hash in the users' file: it is empty, "
		       "locked or cut; deftp-passwd set gives a new one");
		break;
	}
	return false;
}

static enum ma_reason
reason_of(enum pam_result result)
{
	switch (result) {
	case PAM_IS_WRONG: return MA_WRONG_PASSWORD;
	case PAM_IS_UNKNOWN: return MA_UNKNOWN_USER;
	case PAM_IS_CLOSED: return MA_LOCKED;
	case PAM_IS_RIGHT:
	case PAM_IS_FAULT:
	case PAM_RESULT_COUNT: break;
	}
	return MA_FAULT;
}

/* The client's answer to a module. */
static bool
ask_client(void *context, const char *text, size_t len,
           char ret_answer[LOGIN_SECRET_MAX + 1])
{
	struct login_try *login = context;
	struct login_message answer;

	login->broken = link_ask(&login->link, text, len, &answer);
	if (login->broken == LINK_OK) {
		memcpy(ret_answer, answer.secret, answer.secret_len);
		ret_answer[answer.secret_len] = '\0';
	}
	link_wipe(&login->link);
	return login->broken == LINK_OK;
}

/*
 * A module may have given the user another name: whether that one may log in is a new
 * question.
 */
static bool
follow_name(struct login_try *login, struct verdict *verdict)
{
	const char *name = pam_user(&login->pam);
	enum source_result result;
	struct candidate other;

	if (name != NULL && strcmp(name, login->candidate.account.name) == 0) {
		return true;
	}
	result = name == NULL ? SOURCE_UNKNOWN
	                      : source_find_local(name, &other, verdict->text);
	if (result != SOURCE_FOUND) {
		refuse(verdict, MA_FAULT,
		       result == SOURCE_UNKNOWN
		           ? "PAM maps the user to a name that nobody has"
		           : verdict->text);
		return false;
	}
	candidate_free(&login->candidate);
	login->candidate = other;
	return admit(login, &verdict->reason, verdict->text);
}

/* A lock keeps a virtual user out whatever he brings. */
static bool
check_virtual_lock(struct login_try *login, struct verdict *verdict)
{
	bool is_locked =
	    login->candidate.hash[0] == '!' || login->candidate.hash[0] == '*';

	secret_wipe(login->candidate.hash, sizeof(login->candidate.hash));
	if (is_locked) {
		refuse(
		    verdict, MA_LOCKED,
		    "locked in the users' file; deftp-passwd set gives a new password");
	}
	return !is_locked;
}

static bool
check_local(struct login_try *login, bool is_proven, struct verdict *verdict)
{
	const struct options_local_users *options = &login->auth->options.local_users;
	const struct pam_place place = {
	    .service = options->pam_service, .peer = login->peer, .is_proven = is_proven};
	enum pam_result result;

	if (!privilege_is_root()) {
		spend_time(login);
		refuse(verdict, MA_FAULT,
		       "local users can log in only when deftpd runs as root");
		return false;
	}
	/* PAM is not shown an empty one: some accounts have no password. */
	if (login->password[0] == '\0' && !is_proven) {
		spend_time(login);
		refuse(verdict, MA_WRONG_PASSWORD, "empty password");
		return false;
	}
	talk_init(&login->talk, login->password, login->code, options->appended_code);
	login->talk.ask = ask_client;
	login->talk.context = login;
	result = pam_check(&login->pam, &place, login->candidate.account.name,
	                   &login->talk, verdict->text);
	if (result != PAM_IS_RIGHT) {
		refuse(verdict, reason_of(result), verdict->text);
		return false;
	}
	return follow_name(login, verdict);
}

/*
 * Whether he is who he says, by certificate and password. Who has not the user's
 * certificate where one is wanted learns nothing of a password.
 */
static bool
check_identity(struct login_try *login, struct verdict *verdict)
{
	bool is_virtual = login->candidate.kind == POLICY_KIND_VIRTUAL;

	switch (certificate_judge(login, verdict->text)) {
	case CERTIFICATE_ENOUGH:
		return is_virtual ? check_virtual_lock(login, verdict)
		                  : check_local(login, true, verdict);
	case CERTIFICATE_NOTHING:
		return is_virtual ? check_virtual(login, verdict)
		                  : check_local(login, false, verdict);
	case CERTIFICATE_REFUSED:
	case CERTIFICATE_WORTH_COUNT: break;
	}
	spend_time(login);
	refuse(verdict, MA_CERTIFICATE, verdict->text);
	return false;
}

/* Only he who has proved who he is learns that TLS is missing. */
static bool
check_secure(const struct login_try *login, struct verdict *verdict)
{
	enum options_tls_policy policy = login->policy.tls_policy;

	if (login->is_secure ||
	    (policy != OPTIONS_TLS_LOGINS && policy != OPTIONS_TLS_ALL)) {
		return true;
	}
	refuse(verdict, MA_NEEDS_TLS, "");
	verdict->refusal = LOGIN_NEEDS_TLS;
	return false;
}

/* A virtual user is held in his root whatever local_users.chroot says. */
static bool
find_root(struct login_try *login, struct verdict *verdict)
{
	const struct account *account = &login->candidate.account;
	bool is_chrooted =
	    login->candidate.kind == POLICY_KIND_VIRTUAL || login->policy.chroot;

	if (policy_expand_root(login->policy.root, account->name, account->home,
	                       is_chrooted, login->root, login->start)) {
		return true;
	}
	refuse(verdict, MA_NO_HOME, "");
	(void)snprintf(
	    verdict->text, sizeof(verdict->text),
	    "root \"%.80s\" with home \"%.80s\" is no usable path; correct the "
	    "user's home or the option",
	    login->policy.root, account->home);
	return false;
}

void
decide(struct login_try *login, struct verdict *ret_verdict)
{
	*ret_verdict = (struct verdict){.refusal = LOGIN_INCORRECT};
	if (find(login, ret_verdict)) {
		if (!admit(login, &ret_verdict->reason, ret_verdict->text)) {
			spend_time(login);
		} else {
			ret_verdict->is_right = check_identity(login, ret_verdict) &&
			                        check_secure(login, ret_verdict) &&
			                        find_root(login, ret_verdict);
		}
	}
	secret_wipe(login->candidate.hash, sizeof(login->candidate.hash));
	secret_wipe(login->password, TALK_SECRET_BYTES);
	secret_wipe(login->code, TALK_SECRET_BYTES);
}
