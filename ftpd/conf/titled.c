/*
 * titled: the sections user, group, host and directory, which have a title: their titles,
 * their keys, and the values that libconfuse has read from them.
 * Runs in: master.
 * Not here: the form of their statements (statement.c), which section wins (policy.c).
 */
#include "ftpd/conf/titled.h"

#include <stdlib.h>
#include <string.h>

#include "common/base.h"

bool
titled_find_scope(const char *section, enum policy_scope *ret_scope)
{
	for (unsigned i = 0; i < POLICY_SCOPE_COUNT; i++) {
		if (strcmp(policy_scope_name((enum policy_scope)i), section) == 0) {
			*ret_scope = (enum policy_scope)i;
			return true;
		}
	}
	return false;
}

/*
 * Without its quotes and with its escapes undone: token.c lets a backslash stand before
 * the quote and itself only.
 */
static bool
copy_title(const char *text, const struct token *token, char ret_title[OPTIONS_TEXT_MAX])
{
	bool is_string = token->kind == TOKEN_STRING;
	size_t end = token->start + token->len - (is_string ? 1 : 0);
	size_t len = 0;

	for (size_t at = token->start + (is_string ? 1 : 0); at < end; at++) {
		if (is_string && text[at] == '\\') {
			at++;
		}
		if (len == OPTIONS_TEXT_MAX - 1) {
			return false;
		}
		ret_title[len++] = text[at];
	}
	ret_title[len] = '\0';
	return true;
}

static bool
is_same_title(const struct policy_override *a, const struct policy_override *b)
{
	return a->scope == POLICY_HOST
	           ? policy_is_same_host(a->title, b->title, strlen(b->title))
	           : strcmp(a->title, b->title) == 0;
}

static bool
report_twice(struct conf *conf, const struct policy_override *override)
{
	const struct overrides *overrides = &conf->overrides;

	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *other = &overrides->entry[i];

		if (other != override && other->scope == override->scope &&
		    is_same_title(other, override)) {
			reader_report(
			    conf, override->line,
			    "section %s \"%s\" is there a second time; it is in "
			    "line %u already, write all into one",
			    policy_scope_name(override->scope), override->title,
			    other->line);
			return true;
		}
	}
	return false;
}

/* In: title: kind TOKEN_END if there is none. */
static bool
judge_title(struct conf *conf, const char *text, const struct token *title,
            struct policy_override *override)
{
	const char *name = policy_scope_name(override->scope);
	char mistake[OPTION_MISTAKE_MAX];

	if (title->kind == TOKEN_END) {
		reader_report(conf, override->line,
		              "section %s lacks a name; write %s \"%s\" { KEY = VALUE }",
		              name, name,
		              override->scope == POLICY_DIRECTORY ? "/PATH" : "NAME");
		return false;
	}
	if (!copy_title(text, title, override->title)) {
		reader_report(conf, title->line,
		              "section %s: the name has %d bytes or more; shorten it",
		              name, OPTIONS_TEXT_MAX);
		return false;
	}
	if (!policy_title_check(override->scope, override->title, mistake)) {
		reader_report(conf, title->line, "section %s: %s", name, mistake);
		return false;
	}
	return !report_twice(conf, override);
}

struct policy_override *
titled_begin(struct conf *conf, enum policy_scope scope, const char *text,
             const struct token *name, const struct token *title, bool *ret_is_right)
{
	struct overrides *overrides = &conf->overrides;
	struct policy_override *override;

	if (overrides->entry == NULL) {
		overrides->entry =
		    calloc(POLICY_OVERRIDES_MAX, sizeof(overrides->entry[0]));
	}
	if (overrides->entry == NULL) {
		reader_report(conf, name->line, "there is no memory for it; try again");
		return NULL;
	}
	if (overrides->count == POLICY_OVERRIDES_MAX) {
		reader_report(conf, name->line,
		              "there are more than %d sections with a name; remove some",
		              POLICY_OVERRIDES_MAX);
		return NULL;
	}
	override = &overrides->entry[overrides->count++];
	memset(override, 0, sizeof(*override));
	override->scope = scope;
	override->line = name->line;
	if (!policy_override_prepare(override)) {
		overrides->count--;
		reader_report(conf, name->line, "there is no memory for it; try again");
		return NULL;
	}
	*ret_is_right = judge_title(conf, text, title, override);
	return override;
}

void
titled_drop_last(struct conf *conf)
{
	struct overrides *overrides = &conf->overrides;

	policy_override_clear(&overrides->entry[--overrides->count]);
}

/* Where a key may be that is refused here. */
static void
report_misplaced(struct conf *conf, enum policy_key key, uint32_t line)
{
	const struct policy_row *row = policy_row_get(key);

	if (row->is_of_host) {
		reader_report(conf, line,
		              "%s can differ by host alone; write it into a section host",
		              row->key);
	} else {
		reader_report(
		    conf, line,
		    "%s cannot differ by directory; write it into a section user, "
		    "group or host",
		    row->key);
	}
}

/* A list in braces, which may be a mistake. Returns: true if it may be one here. */
static bool
judge_list(struct conf *conf, enum policy_key key, const struct reader_origin *found)
{
	struct option_row row;

	policy_option(key, &row);
	if (!option_is_list(&row)) {
		reader_report(conf, found->line, "%s takes one value; remove the braces",
		              row.key);
		return false;
	}
	if (found->entry_count == 0) {
		reader_report(conf, found->line,
		              "%s has no value; write one, or remove it", row.key);
		return false;
	}
	return true;
}

bool
titled_take_key(struct conf *conf, struct policy_override *override, const char *name,
                const struct reader_origin *found, bool is_list)
{
	uint32_t line = found->line;
	enum policy_key key;

	if (!policy_key_find(name, &key)) {
		return false; /* the caller has looked before */
	}
	if (is_list && !judge_list(conf, key, found)) {
		return false;
	}
	if (!policy_key_fits(key, override->scope)) {
		report_misplaced(conf, key, line);
		return false;
	}
	if (override->key_line[key] != 0) {
		reader_report(
		    conf, line,
		    "%s is set a second time; it is in line %u already, keep one", name,
		    override->key_line[key]);
		return false;
	}
	override->key_line[key] = line;
	override->keys |= 1U << key;
	return true;
}

static bool
take_value(struct conf *conf, struct policy_override *override, enum policy_key key,
           cfg_t *section)
{
	uint32_t line = override->key_line[key];
	char mistake[OPTION_MISTAKE_MAX];
	struct option_row row;
	unsigned entries;

	policy_option(key, &row);
	entries = cfg_size(section, row.key);
	if (entries == 0 || (entries != 1 && !option_is_list(&row))) {
		reader_report(conf, line,
		              "libconfuse reads no value for %s; write it more simply",
		              row.key);
		return false;
	}
	if (!row.is_built) {
		reader_report(conf, line, "%s is not built in this release; remove it",
		              row.key);
		return false;
	}
	for (unsigned i = 0; i < entries; i++) {
		if (!option_add_at(&row, cfg_getnstr(section, row.key, i),
		                   policy_values(override, key), mistake)) {
			reader_report(conf, line, "%s: %s", row.key, mistake);
			return false;
		}
	}
	return true;
}

void
titled_take_values(struct conf *conf, cfg_t *cfg)
{
	for (size_t i = 0; i < conf->overrides.count; i++) {
		struct policy_override *override = &conf->overrides.entry[i];
		cfg_t *section =
		    cfg_gettsec(cfg, policy_scope_name(override->scope), override->title);

		if (section == NULL) {
			reader_report(
			    conf, override->line,
			    "libconfuse reads no section here; write it more simply");
			override->keys = 0;
			continue;
		}
		for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
			if ((override->keys & 1U << key) != 0 &&
			    !take_value(conf, override, (enum policy_key)key, section)) {
				override->keys &= ~(1U << key);
			}
		}
	}
}

void
titled_fill_table(cfg_opt_t *table)
{
	unsigned key;

	for (key = 0; key < POLICY_KEY_COUNT; key++) {
		struct option_row row;

		policy_option((enum policy_key)key, &row);

		cfg_opt_t plain = CFG_STR(row.key, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(row.key, NULL, CFGF_NODEFAULT);

		table[key] = option_is_list(&row) ? list : plain;
	}
	table[key] = (cfg_opt_t)CFG_END();
}
