/*
 * policy: what applies to one user.
 * Runs in: master (explains), deftpd-auth (decides).
 * Not here: the directory that ~ becomes; see policy_root.c.  Virtual hosts; see
 * policy_host.c.
 */
#include "ftpd/conf/policy.h"

#include <string.h>

#include "ftpd/conf/policy_table.h"

#include "common/base.h"

static bool
is_member(const struct policy_subject *subject, const char *group)
{
	for (size_t i = 0; i < subject->group_count && i < POLICY_GROUPS_MAX; i++) {
		if (subject->groups[i] != NULL &&
		    strcmp(subject->groups[i], group) == 0) {
			return true;
		}
	}
	return false;
}

/* The plain keys. */
static void
set_plain(const struct options *options, enum policy_kind kind, struct policy *policy)
{
	const char *root = "";

	memset(policy, 0, sizeof(*policy));
	policy->may_log_in = true;
	policy->chroot = true;
	policy->keep_partial = options->uploads.keep_partial;
	policy->upload_mode = options->uploads.mode;
	policy->tls_policy =
	    options_has_tls(options) ? options->tls.policy : (uint8_t)OPTIONS_TLS_OFF;
	policy->umask = options->uploads.umask;
	policy->idle_timeout_s = options->idle_timeout_s;
	policy->max_file_size = options->uploads.max_file_size;
	policy->min_free_space = options->uploads.min_free_space;
	policy->rate_down = options->rates.session_down;
	policy->rate_up = options->rates.session_up;
	switch (kind) {
	case POLICY_KIND_LOCAL:
		root = options->local_users.root;
		policy->chroot = options->local_users.chroot;
		break;
	case POLICY_KIND_VIRTUAL: root = options->virtual_users.root; break;
	case POLICY_KIND_ANONYMOUS:
		root = options->anonymous.root;
		policy->read_only = options->anonymous.read_only;
		policy->umask = options->anonymous.umask;
		policy->tls_policy = (uint8_t)options_anonymous_tls(options);
		break;
	case POLICY_KIND_COUNT: break;
	}
	memcpy(policy->root, root, strlen(root) + 1);
	if (kind == POLICY_KIND_ANONYMOUS) {
		uint64_t max_rate = options->anonymous.max_rate;

		policy->rate_down = max_rate != 0 ? max_rate : policy->rate_down;
		policy->rate_up = max_rate != 0 ? max_rate : policy->rate_up;
		return;
	}
	memcpy(policy->client_name, options->tls.client_name,
	       sizeof(policy->client_name));
	/* All anonymous clients are one user, who has no limits as such. */
	policy->max_sessions = options->max_sessions_per_user;
	policy->user_rate_down = options->rates.user_down;
	policy->user_rate_up = options->rates.user_up;
}

static bool
is_about(const struct policy_override *override, const struct policy_subject *subject)
{
	switch (override->scope) {
	case POLICY_USER: return strcmp(override->title, subject->user) == 0;
	case POLICY_GROUP: return is_member(subject, override->title);
	case POLICY_HOST:
		return policy_is_same_host(override->title, subject->host,
		                           strlen(subject->host));
	case POLICY_DIRECTORY:
	case POLICY_SCOPE_COUNT: break;
	}
	return false;
}

/* In: decided: mask of keys that a section farther in has set. */
static void
apply(const struct policy_override *override, uint32_t decided, struct policy *policy,
      struct policy_origins *origins)
{
	uint32_t keys = override->keys & ~decided;

	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const struct policy_row *row = policy_row_get((enum policy_key)key);

		if ((keys & 1U << key) != 0 && !row->is_of_host) {
			memcpy((unsigned char *)policy + row->offset,
			       (const unsigned char *)&override->values + row->offset,
			       row->size);
			origins->by[key] = override;
		}
	}
}

void
policy_resolve(const struct options *options, const struct overrides *overrides,
               const struct policy_subject *subject, struct policy *ret_policy,
               struct policy_origins *ret_origins)
{
	static const enum policy_scope order[] = {POLICY_USER, POLICY_GROUP, POLICY_HOST};
	struct policy_origins origins = {{NULL}};
	/* A process serves any anonymous client: what holds for one holds for all. */
	bool is_anonymous = subject->kind == POLICY_KIND_ANONYMOUS;
	/* Nothing but his root keeps a virtual user from the files of others. */
	uint32_t decided = subject->kind == POLICY_KIND_VIRTUAL ? 1U << POLICY_CHROOT : 0;

	set_plain(options, subject->kind, ret_policy);
	for (size_t i = 0; !is_anonymous && i < ARRAY_COUNT(order); i++) {
		for (size_t at = 0; at < overrides->count; at++) {
			const struct policy_override *override = &overrides->entry[at];

			if (override->scope == order[i] && is_about(override, subject)) {
				apply(override, decided, ret_policy, &origins);
				decided |= override->keys;
			}
		}
	}
	if (ret_origins != NULL) {
		*ret_origins = origins;
	}
}

/* Both are written in the plainest way, so that text tells. */
static bool
is_beneath(const char *path, const char *directory)
{
	size_t len = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

	return strncmp(path, directory, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0');
}

/* Returns: the next section on the way down to path, NULL behind the last. */
static const struct policy_override *
next_inward(const struct overrides *overrides, const char *path, size_t done)
{
	const struct policy_override *found = NULL;

	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *override = &overrides->entry[i];
		size_t len = strlen(override->title);

		if (override->scope == POLICY_DIRECTORY && len > done &&
		    is_beneath(path, override->title) &&
		    (found == NULL || len < strlen(found->title))) {
			found = override;
		}
	}
	return found;
}

void
policy_resolve_directory(const struct overrides *overrides,
                         const struct policy_override *directory,
                         const struct policy *policy,
                         const struct policy_origins *origins, struct policy *ret_policy,
                         struct policy_origins *ret_origins)
{
	struct policy_origins by = {{NULL}};
	struct policy inner = *policy;
	const struct policy_override *at = NULL;

	if (origins != NULL) {
		by = *origins;
	}
	while ((at = next_inward(overrides, directory->title,
	                         at != NULL ? strlen(at->title) : 0)) != NULL) {
		apply(at, 0, &inner, &by);
	}
	*ret_policy = inner;
	if (ret_origins != NULL) {
		*ret_origins = by;
	}
}

static bool
names_user(const struct options_name_list *list, const char *user)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (strcmp(list->entry[i], user) == 0) {
			return true;
		}
	}
	return false;
}

static bool
names_group(const struct options_name_list *list, const struct policy_subject *subject)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (is_member(subject, list->entry[i])) {
			return true;
		}
	}
	return false;
}

bool
policy_minds_groups(const struct options *options, const struct overrides *overrides)
{
	for (size_t i = 0; i < overrides->count; i++) {
		if (overrides->entry[i].scope == POLICY_GROUP) {
			return true;
		}
	}
	return options->logins.deny_groups.count > 0;
}

/*
 * Root's number, and the one that tells setresuid(2) to leave everything as it is: with
 * neither anybody is served.
 */
static bool
is_nobodys(uint32_t id)
{
	return id == 0 || id == UINT32_MAX;
}

enum policy_admission
policy_admit(const struct options *options, const struct policy *policy,
             const struct policy_subject *subject, const struct policy_facts *facts)
{
	const struct options_logins *logins = &options->logins;
	bool is_local = subject->kind == POLICY_KIND_LOCAL;

	if (subject->kind == POLICY_KIND_ANONYMOUS) {
		/*
		 * The lists are of people; section anonymous says whether it is allowed.
		 */
		return policy->may_log_in ? POLICY_ADMITTED : POLICY_DENIED_BY_LOGIN;
	}
	if (names_user(&logins->deny_users, subject->user)) {
		return POLICY_DENIED_USER;
	}
	if (names_group(&logins->deny_groups, subject)) {
		return POLICY_DENIED_GROUP;
	}
	if ((logins->allow_users.count > 0 || logins->allow_groups.count > 0) &&
	    !names_user(&logins->allow_users, subject->user) &&
	    !names_group(&logins->allow_groups, subject)) {
		return POLICY_NOT_ALLOWED;
	}
	if (facts->is_in_denied_file) {
		return POLICY_DENIED_BY_FILE;
	}
	if (is_local && options->local_users.valid_shell && !facts->has_valid_shell) {
		return POLICY_DENIED_SHELL;
	}
	if (is_nobodys(facts->uid) || is_nobodys(facts->gid) ||
	    (is_local && facts->uid < options->local_users.min_uid)) {
		return POLICY_DENIED_UID;
	}
	return policy->may_log_in ? POLICY_ADMITTED : POLICY_DENIED_BY_LOGIN;
}

const char *
policy_admission_text(enum policy_admission admission)
{
	switch (admission) {
	case POLICY_ADMITTED: return "admitted";
	case POLICY_DENIED_USER: return "named in logins.deny_users";
	case POLICY_DENIED_GROUP: return "in a group of logins.deny_groups";
	case POLICY_NOT_ALLOWED:
		return "neither in logins.allow_users nor in a group of logins.allow_groups";
	case POLICY_DENIED_BY_FILE: return "named in the file of logins.denied_file";
	case POLICY_DENIED_SHELL:
		return "the shell is not in /etc/shells, which local_users.valid_shell wants";
	case POLICY_DENIED_UID:
		return "user number below local_users.min_uid, or user or group number 0 "
		       "or 4294967295";
	case POLICY_DENIED_BY_LOGIN: return "login = no in a section about the user";
	case POLICY_ADMISSION_COUNT: break;
	}
	return "refused";
}
