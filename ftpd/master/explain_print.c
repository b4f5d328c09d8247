/*
 * explain_print: the lines of --explain.
 * Runs in: master, offline.
 */
#include "ftpd/master/explain_print.h"

#include <stdio.h>

#include "ftpd/conf/policy_table.h"
#include "common/base.h"

enum { PLACE_MAX = CONF_FINDING_FILE_MAX + 16 };

void
explain_row(const char *name, const char *value, const char *where)
{
	if (where[0] == '\0') {
		printf("%-22s %s\n", name, value);
	} else {
		printf("%-22s %-22s %s\n", name, value, where);
	}
}

/* A key outside titled sections. */
void
explain_plain(const struct conf *conf, const char *name, const char *key)
{
	const struct option_row *row = option_find_dotted(key);
	char value[OPTION_VALUE_MAX] = "";
	char where[EXPLAIN_WHERE_MAX];

	if (row != NULL) {
		option_format(row, conf_options(conf), 0, value);
	}
	conf_where(conf, key, where, sizeof(where));
	explain_row(name, value[0] != '\0' ? value : "\"\"", where);
}

/*
 * Which plain key decides where no titled section does. Returns: NULL if there is none.
 */
static const char *
plain_key(const struct explanation *explanation, enum policy_key key)
{
	bool is_rate = key == POLICY_RATE_DOWN || key == POLICY_RATE_UP;

	if (explanation->who.kind == POLICY_KIND_ANONYMOUS && is_rate &&
	    conf_options(explanation->conf)->anonymous.max_rate != 0) {
		return "anonymous.max_rate";
	}
	if (explanation->who.kind == POLICY_KIND_ANONYMOUS && key == POLICY_TLS_POLICY &&
	    conf_options(explanation->conf)->anonymous.tls_policy != 0) {
		return "anonymous.tls_policy";
	}
	return policy_row_get(key)->plain[explanation->who.kind];
}

void
explain_where(const struct explanation *explanation, const struct policy_override *by,
              enum policy_key key, char where[EXPLAIN_WHERE_MAX])
{
	const char *plain = plain_key(explanation, key);
	char place[PLACE_MAX];

	if (by != NULL) {
		conf_where_titled(explanation->conf, by, key, where, EXPLAIN_WHERE_MAX);
	} else if (plain == NULL) {
		(void)snprintf(where, EXPLAIN_WHERE_MAX, "default");
	} else {
		conf_where(explanation->conf, plain, place, sizeof(place));
		(void)snprintf(where, EXPLAIN_WHERE_MAX, "%s (%s)", place, plain);
	}
}

void
explain_key(const struct explanation *explanation, const struct policy *policy,
            const struct policy_origins *origins, enum policy_key key)
{
	char value[OPTION_VALUE_MAX];
	char where[EXPLAIN_WHERE_MAX];
	struct option_row row;

	policy_option(key, &row);
	option_format_at(&row, policy, 0, value);
	explain_where(explanation, origins->by[key], key, where);
	explain_row(row.key, value, where);
}
