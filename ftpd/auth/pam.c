/*
 * pam: asks PAM whether a local user may log in, and keeps his PAM session.
 * Runs in: deftpd-auth: authenticator and keeper.
 */
#include "ftpd/auth/pam.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/privilege.h"
#include "common/base.h"

/*
 * In place of libpam's sleep after a failure: whoever is refused waits in the worker and
 * by the master's penalty, and no process is kept for it.
 */
static void
do_not_sleep(int result, unsigned microseconds, void *appdata)
{
	(void)result;
	(void)microseconds;
	(void)appdata;
}

/*
 * A module that forks and lets the child return would make two authenticators of one:
 * only the first goes on.
 */
static void
stay_alone(const struct pam *pam)
{
	if (getpid() != pam->pid) {
		_exit(1);
	}
}

/* PAM takes the function as the value of an item, an object pointer. */
static int
set_fail_delay(pam_handle_t *handle)
{
	void (*function)(int, unsigned, void *) = do_not_sleep;
	void *item;

	_Static_assert(sizeof(item) == sizeof(function), "PAM could not take functions");
	memcpy(&item, &function, sizeof(item));
	return pam_set_item(handle, PAM_FAIL_DELAY, item);
}

static int
begin(struct pam *pam, const struct pam_place *place, const char *user, struct talk *talk)
{
	const struct pam_conv conversation = {.conv = talk_converse, .appdata_ptr = talk};
	char peer[ADDR_TEXT_MAX];
	int last;

	(void)addr_format(&place->peer, peer);
	pam->pid = getpid();
	last = pam_start_confdir(place->service, user, &conversation, place->directory,
	                         &pam->handle);
	if (last == PAM_SUCCESS) {
		last = pam_set_item(pam->handle, PAM_RHOST, peer);
	}
	if (last == PAM_SUCCESS) {
		last = pam_set_item(pam->handle, PAM_TTY, "ftp");
	}
	return last == PAM_SUCCESS ? set_fail_delay(pam->handle) : last;
}

/*
 * pam_exec reports a program that says no as a failure of the system: with a password it
 * is a guess, which the master has to count.
 */
static enum pam_result
judge_password(int last, bool is_password_given)
{
	switch (last) {
	case PAM_SUCCESS: return PAM_IS_RIGHT;
	case PAM_SYSTEM_ERR: return is_password_given ? PAM_IS_WRONG : PAM_IS_FAULT;
	case PAM_AUTH_ERR:
	case PAM_CRED_INSUFFICIENT:
	case PAM_CRED_ERR:
	case PAM_MAXTRIES: return PAM_IS_WRONG;
	case PAM_USER_UNKNOWN: return PAM_IS_UNKNOWN;
	case PAM_PERM_DENIED:
	case PAM_ACCT_EXPIRED: return PAM_IS_CLOSED;
	default: return PAM_IS_FAULT;
	}
}

static enum pam_result
judge_account(int last)
{
	switch (last) {
	case PAM_SUCCESS: return PAM_IS_RIGHT;
	case PAM_USER_UNKNOWN: return PAM_IS_UNKNOWN;
	case PAM_ACCT_EXPIRED:
	case PAM_AUTH_ERR:
	case PAM_PERM_DENIED:
	/* FTP has no dialogue in which a new password could be chosen. */
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_CRED_EXPIRED: return PAM_IS_CLOSED;
	default: return PAM_IS_FAULT;
	}
}

static void
explain(const struct pam *pam, const char *call, char ret_text[MA_TEXT_MAX + 1])
{
	(void)snprintf(ret_text, MA_TEXT_MAX + 1, "%s: %s", call,
	               pam_strerror(pam->handle, pam->last));
}

static enum pam_result
authenticate(struct pam *pam, const struct talk *talk, char ret_text[MA_TEXT_MAX + 1])
{
	enum pam_result result;

	pam->last = pam_authenticate(pam->handle, PAM_DISALLOW_NULL_AUTHTOK);
	stay_alone(pam);
	result = judge_password(pam->last, talk->is_password_given);
	if (result != PAM_IS_RIGHT) {
		explain(pam, "pam_authenticate", ret_text);
	}
	return result;
}

enum pam_result
pam_check(struct pam *pam, const struct pam_place *place, const char *user,
          struct talk *talk, char ret_text[MA_TEXT_MAX + 1])
{
	enum pam_result result;

	*pam = (struct pam){.last = PAM_SUCCESS};
	pam->last = begin(pam, place, user, talk);
	if (pam->last != PAM_SUCCESS) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "PAM service %s cannot be started: %s", place->service,
		               pam_strerror(pam->handle, pam->last));
		return PAM_IS_FAULT;
	}
	result = place->is_proven ? PAM_IS_RIGHT : authenticate(pam, talk, ret_text);
	if (result != PAM_IS_RIGHT) {
		return result;
	}
	pam->last = pam_acct_mgmt(pam->handle, PAM_DISALLOW_NULL_AUTHTOK);
	stay_alone(pam);
	result = judge_account(pam->last);
	if (result != PAM_IS_RIGHT) {
		explain(pam, "pam_acct_mgmt", ret_text);
	}
	return result;
}

const char *
pam_user(const struct pam *pam)
{
	const void *user = NULL;

	return pam_get_item(pam->handle, PAM_USER, &user) == PAM_SUCCESS ? user : NULL;
}

/*
 * Read back which groups this process has now.
 * Returns: 0 or negative errno.
 */
static int
take_groups(struct account *account)
{
	int count = getgroups(0, NULL);
	gid_t *groups;

	if (count < 0) {
		return -errno;
	}
	groups = calloc((size_t)count + 1, sizeof(*groups));
	if (groups == NULL) {
		return -ENOMEM;
	}
	count = getgroups(count, groups);
	if (count < 0) {
		free(groups);
		return -EAGAIN;
	}
	free(account->groups);
	account->groups = groups;
	account->group_count = (size_t)count;
	return 0;
}

/* Returns: what PAM says; a failure of the system is PAM_SYSTEM_ERR. */
static int
establish(struct pam *pam, struct account *account)
{
	int last;

	if (privilege_is_root() &&
	    setgroups(account->group_count, account->groups) != 0) {
		return PAM_SYSTEM_ERR;
	}
	last = pam_setcred(pam->handle, PAM_ESTABLISH_CRED);
	stay_alone(pam);
	if (last == PAM_SUCCESS) {
		pam->has_credentials = true;
		if (privilege_is_root() && take_groups(account) != 0) {
			last = PAM_SYSTEM_ERR;
		}
	}
	return last;
}

bool
pam_begin_session(struct pam *pam, struct account *account, bool has_session,
                  char ret_text[MA_TEXT_MAX + 1])
{
	pam->last = establish(pam, account);
	if (pam->last != PAM_SUCCESS) {
		explain(pam, "pam_setcred", ret_text);
		return false;
	}
	if (!has_session) {
		return true;
	}
	pam->last = pam_open_session(pam->handle, 0);
	stay_alone(pam);
	if (pam->last != PAM_SUCCESS) {
		explain(pam, "pam_open_session", ret_text);
		return false;
	}
	pam->has_session = true;
	return true;
}

void
pam_finish(struct pam *pam)
{
	if (pam->handle == NULL) {
		return;
	}
	if (pam->has_session) {
		pam->last = pam_close_session(pam->handle, 0);
		stay_alone(pam);
	}
	if (pam->has_credentials) {
		pam->last = pam_setcred(pam->handle, PAM_DELETE_CRED);
		stay_alone(pam);
	}
	(void)pam_end(pam->handle, pam->last); /* there is nobody to tell */
	*pam = (struct pam){.last = PAM_SUCCESS};
}
