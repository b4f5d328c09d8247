/*
 * titled: the sections with a title, as the reader meets them.
 * Runs in: master.
 * Not here: what others may call; see conf.h and policy.h.
 */
#ifndef FTPD_CONF_TITLED_H
#define FTPD_CONF_TITLED_H

#include <confuse.h>

#include "ftpd/conf/policy_table.h"
#include "ftpd/conf/reader.h"

#include "common/base.h"

/*
 * Find what a section is about.
 * Returns: true and the scope; false for a section without title.
 */
bool titled_find_scope(const char *section, enum policy_scope *ret_scope);

/*
 * Begin a section: report what is wrong with its title.
 * In:      text: of the file. title: kind TOKEN_END if there is none.
 * Returns: the section, to be filled; *ret_is_right is false if it has to be dropped
 *          after that. NULL if there is no room for it, which has been reported.
 */
struct policy_override *titled_begin(struct conf *conf, enum policy_scope scope,
                                     const char *text, const struct token *name,
                                     const struct token *title, bool *ret_is_right);

/*
 * Forget the section begun last.
 */
void titled_drop_last(struct conf *conf);

/*
 * Note a key of a section, or report why it, or its value, cannot be there.
 * In:      name: of a key that policy_key_find() knows. found: its line, and how many
 *          values. is_list: they are in braces.
 * Returns: true if it may stay for libconfuse.
 */
bool titled_take_key(struct conf *conf, struct policy_override *override,
                     const char *name, const struct reader_origin *found, bool is_list);

/*
 * Put the values into the sections, or report what is wrong with them.
 */
void titled_take_values(struct conf *conf, cfg_t *cfg);

/*
 * Write the keys of a titled section for libconfuse.
 * In:      table: has room for them and an end.
 */
void titled_fill_table(cfg_opt_t *table);

#endif
