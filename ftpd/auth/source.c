/*
 * source: finds out who a login name is.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/privilege.h"
#include "common/secret.h"
#include "common/base.h"

/*
 * Whether a name may be shown to the modules of NSS and PAM. No user has such a name, and
 * "+" and "-" begin the special entries of old passwd files.
 */
static bool
is_possible_name(const char *name)
{
	for (const char *at = name; *at != '\0'; at++) {
		if ((uint8_t)*at < ' ' || *at == '\x7f' || *at == ':' || *at == '/') {
			return false;
		}
	}
	return name[0] != '\0' && name[0] != '+' && name[0] != '-';
}

enum source_result
source_find_local(const char *name, struct candidate *ret_candidate,
                  char ret_text[MA_TEXT_MAX + 1])
{
	struct candidate candidate = {.kind = POLICY_KIND_LOCAL};
	int result = account_look_up(name, &candidate.account);

	if (result == -ENOENT) {
		return SOURCE_UNKNOWN;
	}
	if (result == -E2BIG || result == -ERANGE) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1, "%s",
		               result == -E2BIG
		                   ? "in more than 65536 groups; take the user "
		                     "out of some"
		                   : "the user's entry, or that of a group, "
		                     "is longer than 16 MiB");
		return SOURCE_BROKEN;
	}
	if (result != 0) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "the machine's users cannot be looked up: %s; check "
		               "nsswitch.conf and the services that it names",
		               strerror(-result));
		return SOURCE_FAULT;
	}
	*ret_candidate = candidate;
	return SOURCE_FOUND;
}

/* Take uid, gid and groups for a virtual user. */
static enum source_result
lend_account(const struct options *options, const struct passwd_user *user,
             struct account *account, char ret_text[MA_TEXT_MAX + 1])
{
	const char *lender = options->virtual_users.user;
	int result;

	account->uid = user->uid;
	account->gid = user->gid;
	if (!privilege_is_root()) {
		/* Nobody can become another: everything is done as the caller. */
		account->uid = geteuid();
		account->gid = getegid();
		return SOURCE_FOUND;
	}
	if (lender[0] == '\0') {
		return SOURCE_FOUND;
	}
	result = account_look_up(lender, account);
	if (result != 0) {
		(void)snprintf(
		    ret_text, MA_TEXT_MAX + 1,
		    "virtual_users.user %s: %s; create that user or name another", lender,
		    result == -ENOENT ? "no such user" : strerror(-result));
		return SOURCE_FAULT;
	}
	return SOURCE_FOUND;
}

/* The account's texts become the virtual user's own. */
static bool
take_texts(const struct passwd_user *user, struct account *account)
{
	free(account->name);
	free(account->home);
	free(account->shell);
	account->name = strdup(user->name);
	account->home = strdup(user->home);
	account->shell = strdup("");
	return account->name != NULL && account->home != NULL && account->shell != NULL;
}

static enum source_result
take_user(const struct options *options, const struct passwd_user *user,
          struct candidate *ret_candidate, char ret_text[MA_TEXT_MAX + 1])
{
	struct candidate candidate = {.kind = POLICY_KIND_VIRTUAL};
	enum source_result result =
	    lend_account(options, user, &candidate.account, ret_text);

	if (result == SOURCE_FOUND && !take_texts(user, &candidate.account)) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1, "%s", strerror(ENOMEM));
		result = SOURCE_FAULT;
	}
	if (result != SOURCE_FOUND) {
		candidate_free(&candidate);
		return result;
	}
	memcpy(candidate.hash, user->hash, sizeof(candidate.hash));
	*ret_candidate = candidate;
	secret_wipe(candidate.hash, sizeof(candidate.hash));
	return SOURCE_FOUND;
}

static void
explain_file(const char *path, int error, unsigned line, char ret_text[MA_TEXT_MAX + 1])
{
	if (error == -EBADMSG) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "%.180s:%u: not a valid line; deftp-passwd list tells why",
		               path, line);
	} else if (error == -EPERM) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "%.150s: others may read or change it; it must belong to "
		               "root and have mode 0600 or 0640",
		               path);
	} else {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "the users' file %.150s cannot be read: %s", path,
		               error == -ENODATA ? "there is no such file; deftp-passwd "
		                                   "add makes it"
		                                 : strerror(-error));
	}
}

static enum source_result
find_virtual(const struct options *options, const char *path, const char *name,
             struct candidate *ret_candidate, char ret_text[MA_TEXT_MAX + 1])
{
	enum source_result result;
	struct passwd_user user;
	unsigned line = 0;
	int error;

	if (path[0] == '\0') {
		return SOURCE_UNKNOWN;
	}
	error = passwd_file_find(path, name, &user, &line);
	if (error == -ENOENT) {
		return SOURCE_UNKNOWN;
	}
	if (error != 0) {
		explain_file(path, error, line, ret_text);
		return error == -EBADMSG ? SOURCE_BROKEN : SOURCE_FAULT;
	}
	result = take_user(options, &user, ret_candidate, ret_text);
	secret_wipe(&user, sizeof(user));
	return result;
}

/*
 * Directory services may know a name in several spellings. An earlier source that knows
 * the proper one decides all the same: no spelling comes round it.
 * In:      candidate: a local user.
 * Returns: SOURCE_FOUND with the one or the other in *candidate; else it is empty.
 */
static enum source_result
ask_earlier(const struct options *options, const char *file, struct candidate *candidate,
            char ret_text[MA_TEXT_MAX + 1])
{
	struct candidate other;
	enum source_result result =
	    find_virtual(options, file, candidate->account.name, &other, ret_text);

	if (result == SOURCE_UNKNOWN) {
		return SOURCE_FOUND;
	}
	candidate_free(candidate);
	if (result == SOURCE_FOUND) {
		*candidate = other;
	}
	return result;
}

enum source_result
source_find(const struct options *options, const char *file, const char *name,
            struct candidate *ret_candidate, char ret_text[MA_TEXT_MAX + 1])
{
	const struct options_name_list *sources = &options->logins.sources;
	enum source_result result = SOURCE_UNKNOWN;

	if (!is_possible_name(name)) {
		return SOURCE_UNKNOWN;
	}
	for (uint32_t i = 0; i < sources->count && result == SOURCE_UNKNOWN; i++) {
		if (strcmp(sources->entry[i], "virtual") == 0) {
			result =
			    find_virtual(options, file, name, ret_candidate, ret_text);
		} else if (options->local_users.enabled) {
			result = source_find_local(name, ret_candidate, ret_text);
			if (result == SOURCE_FOUND && i > 0 &&
			    strcmp(ret_candidate->account.name, name) != 0) {
				result =
				    ask_earlier(options, file, ret_candidate, ret_text);
			}
		}
	}
	return result;
}

const char *
source_file(const struct options *options, const struct overrides *overrides,
            const char *host)
{
	uint16_t number;
	const struct policy_override *override =
	    policy_host_find(overrides, host, strlen(host), &number);

	return policy_sets(override, POLICY_USERS_FILE) ? override->host->users_file
	                                                : options->virtual_users.file;
}

void
candidate_free(struct candidate *candidate)
{
	account_free(&candidate->account);
	secret_wipe(candidate->hash, sizeof(candidate->hash));
}
