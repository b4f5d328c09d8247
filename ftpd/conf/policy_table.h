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
	bool is_of_host; /* in sections host only; the field is in struct policy_host */
	size_t offset;   /* of the field in struct policy or struct policy_host */
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
 * policy, or a struct policy_host if the key is of hosts.
 */
void policy_option(enum policy_key key, struct option_row *ret_row);

/*
 * Find where the value of a key lies.
 * Returns: the struct that policy_option() describes the key in; NULL if the section is
 *          no host, but the key is of hosts.
 */
void *policy_values(struct policy_override *override, enum policy_key key);

/*
 * The same for reading.
 * Returns: as policy_values().
 */
const void *policy_const_values(const struct policy_override *override,
                                enum policy_key key);

/*
 * Give a section room for the keys of hosts, if it is one.
 * Returns: false if memory ran out.
 * Owner:   the section; overrides_free() and policy_override_clear() free it.
 */
bool policy_override_prepare(struct policy_override *override);

/*
 * Forget what a section holds, zero it.
 */
void policy_override_clear(struct policy_override *override);

/*
 * Ask whether a key may be in a section of that scope.
 * Returns: true if so.
 */
bool policy_key_fits(enum policy_key key, enum policy_scope scope);

/*
 * Compare names of hosts: without regard to case, and to a dot at the end.
 * In:      name: any bytes, from a client. title: of a section.
 * Returns: true if they are the same.
 */
bool policy_is_same_host(const char *title, const char *name, size_t len);

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
