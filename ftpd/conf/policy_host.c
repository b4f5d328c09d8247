/*
 * policy_host: virtual hosts, the name that a user's certificate has, and how long titled
 * sections live.
 * Runs in: master, worker (hosts and their banners), deftpd-auth.
 * Input:   names of hosts are hostile: clients send them.
 * Source:  RFC 7151 3 (HOST), RFC 6066 3 (SNI).
 */
#include "ftpd/conf/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/conf/policy_table.h"

#include "common/base.h"

void
overrides_free(struct overrides *overrides)
{
	for (size_t i = 0; i < overrides->count; i++) {
		free(overrides->entry[i].host);
	}
	free(overrides->entry);
	overrides->entry = NULL;
	overrides->count = 0;
}

static bool
copy_entry(const struct policy_override *from, struct policy_override *to)
{
	*to = *from;
	to->host = NULL;
	if (!policy_override_prepare(to)) {
		return false;
	}
	if (to->host != NULL && from->host != NULL) {
		*to->host = *from->host;
	}
	return true;
}

int
overrides_copy(const struct overrides *overrides, struct overrides *ret_overrides)
{
	struct overrides copy = {.count = 0};

	if (overrides->count > 0) {
		copy.entry = calloc(overrides->count, sizeof(copy.entry[0]));
		if (copy.entry == NULL) {
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < overrides->count; i++) {
		copy.count++;
		if (!copy_entry(&overrides->entry[i], &copy.entry[i])) {
			overrides_free(&copy);
			return -ENOMEM;
		}
	}
	*ret_overrides = copy;
	return 0;
}

const struct policy_override *
policy_host_find(const struct overrides *overrides, const char *name, size_t len,
                 uint16_t *ret_number)
{
	uint16_t number = 0;

	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *override = &overrides->entry[i];

		if (override->scope != POLICY_HOST) {
			continue;
		}
		number++;
		if (policy_is_same_host(override->title, name, len)) {
			*ret_number = number;
			return override;
		}
	}
	*ret_number = 0;
	return NULL;
}

const struct policy_override *
policy_host_get(const struct overrides *overrides, uint16_t number)
{
	uint16_t at = 0;

	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *override = &overrides->entry[i];

		if (override->scope == POLICY_HOST && ++at == number) {
			return override;
		}
	}
	return NULL;
}

bool
policy_sets(const struct policy_override *override, enum policy_key key)
{
	return override != NULL && (override->keys & 1U << key) != 0;
}

bool
policy_client_name(const struct policy *policy, const char *user,
                   char ret_name[OPTIONS_HOST_MAX])
{
	const char *from = policy->client_name;
	size_t user_len = strlen(user);
	size_t len = 0;

	while (*from != '\0') {
		bool is_user = from[0] == '%' && from[1] == 'u';
		const char *part = is_user ? user : from;
		size_t part_len = is_user ? user_len : 1;

		if (part_len >= OPTIONS_HOST_MAX - len) {
			return false;
		}
		memcpy(ret_name + len, part, part_len);
		len += part_len;
		from += is_user ? 2 : 1;
	}
	ret_name[len] = '\0';
	return len > 0;
}
