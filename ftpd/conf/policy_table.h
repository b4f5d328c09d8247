/*
 * policy_table: the keys of titled sections: which plain key each stands for, where its
 * value lies, and its documentation.
 * Runs in: master (reader, --explain), deftpd-auth (unsealing), the generator of
 * deftpd.conf(5).
 * Not here: which section wins; see policy.h.
 */
#ifndef FTPD_CONF_POLICY_TABLE_H
#define FTPD_CONF_POLICY_TABLE_H

#include "ftpd/conf/option.h"
#include "ftpd/conf/policy.h"

#include "common/base.h"

struct policy_row {
	const char *key;
	/*
	 * Full names of the plain keys for users of the machine, virtual and anonymous
	 * ones; NULL where such users have none. The first that there is has the type
	 * and the limits.
	 */
	const char *plain[POLICY_KIND_COUNT];
	bool is_for_directories;
	size_t offset; /* of the field in struct policy */
	size_t size;
	const char *text; /* documentation: sentences without markup */
};

/*
 * The table.
 * Returns: the row of a key.
 */
const struct policy_row *policy_row_get(enum policy_key key);

/*
 * Find a key.
 * Returns: true and the key; false if no titled section has such a key.
 */
bool policy_key_find(const char *name, enum policy_key *ret_key);

/*
 * Describe a key so that option_add_at() and option_format_at() work upon a struct
 * policy.
 */
void policy_option(enum policy_key key, struct option_row *ret_row);

/*
 * The name of a scope, as the section is called in the file.
 * Returns: "user", "group", "host" or "directory".
 */
const char *policy_scope_name(enum policy_scope scope);

/*
 * Check the title of a section.
 * Out:     mistake: "what is wrong; the remedy".
 * Returns: true if it can be one.
 */
bool policy_title_check(enum policy_scope scope, const char *title,
                        char mistake[OPTION_MISTAKE_MAX]);

#endif
