/*
 * grant: what a policy means to the worker and to the agent, in their terms.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/grant.h"

#include <string.h>

#include "common/base.h"

/* Both enums travel through this switch, so that neither order matters. */
static enum agent_upload_mode
upload_mode(uint8_t mode)
{
	switch ((enum options_upload_mode)mode) {
	case OPTIONS_UPLOAD_DIRECT: return AGENT_UPLOAD_DIRECT;
	case OPTIONS_UPLOAD_ATOMIC: return AGENT_UPLOAD_ATOMIC;
	case OPTIONS_UPLOAD_DURABLE:
	case OPTIONS_UPLOAD_COUNT: break;
	}
	return AGENT_UPLOAD_DURABLE;
}

static void
set_rights(const struct policy *policy, struct agent_rights *ret_rights)
{
	*ret_rights = (struct agent_rights){.may_write = !policy->read_only,
	                                    .mode = upload_mode(policy->upload_mode),
	                                    .keeps_partial = policy->keep_partial,
	                                    .max_file_bytes = policy->max_file_size,
	                                    .min_free_bytes = policy->min_free_space,
	                                    .umask = policy->umask};
}

/*
 * The worker refuses early what is refused everywhere: where a directory's section allows
 * more, it is the agent who decides.
 */
static void
widen(const struct policy *inner, struct login_grant *grant)
{
	grant->is_read_only = grant->is_read_only && inner->read_only;
	if (inner->max_file_size == 0 || (grant->max_file_bytes != 0 &&
	                                  inner->max_file_size > grant->max_file_bytes)) {
		grant->max_file_bytes = inner->max_file_size;
	}
	if (inner->min_free_space < grant->min_free_bytes) {
		grant->min_free_bytes = inner->min_free_space;
	}
}

void
grant_for_worker(const struct login_try *login, struct login_grant *ret_grant)
{
	const struct overrides *overrides = &login->auth->overrides;
	const struct options_rates *rates = &login->auth->options.rates;
	const struct policy *policy = &login->policy;

	*ret_grant = (struct login_grant){
	    .is_read_only = policy->read_only,
	    .has_shared_rate = policy->user_rate_down != 0 || policy->user_rate_up != 0 ||
	                       rates->address_down != 0 || rates->address_up != 0,
	    .idle_timeout_s = policy->idle_timeout_s,
	    .rate_down = policy->rate_down,
	    .rate_up = policy->rate_up,
	    .max_file_bytes = policy->max_file_size,
	    .min_free_bytes = policy->min_free_space,
	    .tls_policy = policy->tls_policy,
	    .start = login->start,
	    .start_len = strlen(login->start)};
	for (size_t i = 0; i < overrides->count; i++) {
		struct policy inner;

		if (overrides->entry[i].scope == POLICY_DIRECTORY) {
			policy_resolve_directory(overrides, &overrides->entry[i], policy,
			                         NULL, &inner, NULL);
			widen(&inner, ret_grant);
		}
	}
}

static bool
add_rules(const struct login_try *login, struct agent_start *start)
{
	const struct overrides *overrides = &login->auth->overrides;

	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *override = &overrides->entry[i];
		struct agent_rule *rule = &start->rules[start->rule_count];
		struct policy inner;

		if (override->scope != POLICY_DIRECTORY) {
			continue;
		}
		if (start->rule_count == AGENT_RULES_MAX) {
			return false;
		}
		policy_resolve_directory(overrides, override, &login->policy, NULL,
		                         &inner, NULL);
		rule->directory = override->title;
		rule->directory_len = strlen(override->title);
		set_rights(&inner, &rule->rights);
		start->rule_count++;
	}
	return true;
}

bool
grant_for_agent(const struct login_try *login, struct agent_start *ret_start)
{
	const struct account *account = &login->candidate.account;

	*ret_start = (struct agent_start){.uid = account->uid,
	                                  .gid = account->gid,
	                                  .has_sandbox = login->auth->options.sandbox !=
	                                                 OPTIONS_SANDBOX_OFF,
	                                  .root = login->root,
	                                  .root_len = strlen(login->root),
	                                  .start = login->start,
	                                  .start_len = strlen(login->start),
	                                  .group_count = account->group_count,
	                                  .groups = account->groups};
	set_rights(&login->policy, &ret_start->rights);
	return add_rules(login, ret_start);
}
