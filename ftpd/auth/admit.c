/*
 * admit: whether a user may log in at all, by the lists and limits of the configuration.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/admit.h"

#include <stdio.h>
#include <string.h>

#include "common/privilege.h"
#include "common/base.h"

/* Returns: how many groups have names; names points to them. */
static size_t
name_groups(const struct account *account, const char *names[POLICY_GROUPS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < account->group_name_count && count < POLICY_GROUPS_MAX;
	     i++) {
		if (account->group_names[i] != NULL) {
			names[count++] = account->group_names[i];
		}
	}
	return count;
}

/*
 * The group with which files are opened. Without root nobody becomes anybody, and group
 * 0, in which some containers run everything, means nothing.
 */
static gid_t
served_gid(const struct account *account)
{
	return privilege_is_root() ? account->gid : account->uid;
}

/* Returns: 0 or negative errno. */
static int
find_facts(const struct login_try *login, struct policy_facts *ret_facts)
{
	const struct account *account = &login->candidate.account;
	const char *denied_file = login->auth->options.logins.denied_file;
	int is_listed =
	    denied_file[0] != '\0' ? account_is_listed(denied_file, account->name) : 0;

	if (is_listed < 0) {
		return is_listed;
	}
	*ret_facts =
	    (struct policy_facts){.is_in_denied_file = is_listed > 0,
	                          .has_valid_shell = account_has_valid_shell(account),
	                          .uid = account->uid,
	                          .gid = served_gid(account)};
	return 0;
}

/*
 * Only the first of very many groups have names here. What is denied or set by a group
 * must not be missed because it is a later one.
 */
static bool
has_unknown_groups(const struct login_try *login)
{
	return login->candidate.account.group_count > ACCOUNT_GROUP_NAMES_MAX &&
	       policy_minds_groups(&login->auth->options, &login->auth->overrides);
}

bool
admit(struct login_try *login, enum ma_reason *ret_reason, char ret_text[MA_TEXT_MAX + 1])
{
	const struct account *account = &login->candidate.account;
	const struct auth *auth = login->auth;
	const char *names[POLICY_GROUPS_MAX];
	const struct policy_subject subject = {.kind = login->candidate.kind,
	                                       .user = account->name,
	                                       .groups = names,
	                                       .group_count = name_groups(account, names),
	                                       .host = login->host};
	struct policy_facts facts;
	enum policy_admission admission;
	int result = find_facts(login, &facts);

	*ret_reason = MA_FAULT;
	if (result != 0) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "logins.denied_file %.150s cannot be read: %s",
		               auth->options.logins.denied_file, strerror(-result));
		return false;
	}
	*ret_reason = MA_DENIED;
	if (has_unknown_groups(login)) {
		(void)snprintf(ret_text, MA_TEXT_MAX + 1,
		               "in %zu groups, of which only %d can be compared with "
		               "logins.deny_groups and the sections \"group\"",
		               account->group_count, ACCOUNT_GROUP_NAMES_MAX);
		return false;
	}
	policy_resolve(&auth->options, &auth->overrides, &subject, &login->policy, NULL);
	admission = policy_admit(&auth->options, &login->policy, &subject, &facts);
	(void)snprintf(ret_text, MA_TEXT_MAX + 1, "%s", policy_admission_text(admission));
	return admission == POLICY_ADMITTED;
}
