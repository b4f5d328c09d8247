/*
 * explain_host: what is different on virtual hosts.
 * Runs in: master, offline.
 */
#include "ftpd/master/explain_host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/passwd_file.h"
#include "common/secret.h"
#include "ftpd/conf/policy_table.h"
#include "common/base.h"

/* The keys that policy_resolve() knows of, where this section is the one that decides. */
static void
print_decided(const struct explanation *explanation, const struct policy_override *host)
{
	const struct policy_subject subject = {.kind = explanation->who.kind,
	                                       .user = explanation->user,
	                                       .groups = explanation->groups,
	                                       .group_count = explanation->group_count,
	                                       .host = host->title};
	struct policy_origins origins;
	struct policy policy;

	policy_resolve(conf_options(explanation->conf), conf_overrides(explanation->conf),
	               &subject, &policy, &origins);
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if (origins.by[key] == host) {
			explain_key(explanation, &policy, &origins, (enum policy_key)key);
		}
	}
}

static bool
concerns(enum policy_key key, enum policy_kind kind)
{
	if (key == POLICY_ANONYMOUS_ROOT) {
		return kind == POLICY_KIND_ANONYMOUS;
	}
	return key != POLICY_USERS_FILE || kind != POLICY_KIND_ANONYMOUS;
}

static void
print_own(const struct explanation *explanation, const struct policy_override *host,
          enum policy_key key)
{
	char value[OPTION_VALUE_MAX];
	char where[EXPLAIN_WHERE_MAX];
	const void *values = policy_const_values(host, key);
	struct option_row row;

	policy_option(key, &row);
	conf_where_titled(explanation->conf, host, key, where, sizeof(where));
	for (size_t i = 0; i < option_entries_at(&row, values); i++) {
		option_format_at(&row, values, i, value);
		explain_row(row.key, value[0] != '\0' ? value : "\"\"", where);
	}
}

/* Returns: the host's own file of users, "" if it has none. */
static const char *
file_of(const struct policy_override *host)
{
	return policy_sets(host, POLICY_USERS_FILE) ? host->host->users_file : "";
}

/* Returns: 0 and the line where the host's own file has him; else negative errno. */
static int
find(const struct policy_override *host, const char *name, unsigned *ret_line)
{
	struct passwd_user entry;
	int result = passwd_file_find(file_of(host), name, &entry, ret_line);

	secret_wipe(&entry, sizeof(entry));
	return result;
}

static void
print_file(const struct policy_override *host, const char *name)
{
	unsigned line = 0;
	int result;

	if (file_of(host)[0] == '\0') {
		return;
	}
	result = find(host, name, &line);
	if (result == 0) {
		printf("%-22s names him in line %u, which holds there\n", "", line);
	} else if (result == -ENOENT) {
		printf("%-22s does not name him; virtual_users.file is not asked there\n",
		       "");
	} else {
		printf("%-22s cannot be used, or his line cannot: deftp-passwd list -f "
		       "%s tells why\n",
		       "", file_of(host));
	}
}

void
explain_hosts(const struct explanation *explanation)
{
	const struct overrides *overrides = conf_overrides(explanation->conf);
	enum policy_kind kind = explanation->who.kind;
	const struct policy_override *host;

	for (uint16_t number = 1; (host = policy_host_get(overrides, number)) != NULL;
	     number++) {
		printf("\non host %s, section of line %" PRIu32 "\n", host->title,
		       host->line);
		print_decided(explanation, host);
		for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
			if (policy_row_get((enum policy_key)key)->is_of_host &&
			    policy_sets(host, (enum policy_key)key) &&
			    concerns((enum policy_key)key, kind)) {
				print_own(explanation, host, (enum policy_key)key);
			}
			if (key == POLICY_USERS_FILE && kind != POLICY_KIND_ANONYMOUS) {
				print_file(host, explanation->user);
			}
		}
	}
}

void
explain_hosts_unknown(const struct explanation *explanation)
{
	const struct overrides *overrides = conf_overrides(explanation->conf);
	const struct policy_override *host;
	unsigned line;

	for (uint16_t number = 1; (host = policy_host_get(overrides, number)) != NULL;
	     number++) {
		if (file_of(host)[0] != '\0' &&
		    find(host, explanation->user, &line) == 0) {
			printf("but on host %s: %s:%u names him\n", host->title,
			       file_of(host), line);
		}
	}
}
