/*
 * values: has libconfuse read the values, and puts them into the options.
 * Runs in: master.
 * Input:   what statement.c has left: known keys, well-formed statements.
 * Source:  libconfuse 3.3.  Every value is a string for it, as its own conversions stop
 *          at the first mistake.
 */
#include "ftpd/conf/titled.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

enum { SECTIONS_MAX = 16 };

/* libconfuse copies these arrays; each ends with an entry without name. */
struct tables {
	cfg_opt_t top[READER_ROWS_MAX + SECTIONS_MAX];
	cfg_opt_t inner[SECTIONS_MAX][READER_ROWS_MAX];
};

static void
fill_table(cfg_opt_t *table, const char *section)
{
	const struct option_row *rows;
	size_t filled = 0;
	size_t count;

	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].section, section) != 0) {
			continue;
		}
		cfg_opt_t plain = CFG_STR(rows[i].key, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(rows[i].key, NULL, CFGF_NODEFAULT);

		table[filled++] = option_is_list(&rows[i]) ? list : plain;
	}
	table[filled] = (cfg_opt_t)CFG_END();
}

static void
fill_tables(struct tables *tables)
{
	const struct option_section *sections;
	cfg_opt_t *top = tables->top;
	size_t count;

	fill_table(top, "");
	while (top->name != NULL) {
		top++;
	}
	sections = option_sections(&count);
	for (size_t i = 0; i < count; i++) {
		cfg_opt_t section =
		    CFG_SEC(sections[i].name, tables->inner[i],
		            sections[i].has_title ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE);

		if (!sections[i].is_built) {
			continue;
		}
		if (sections[i].has_title) {
			titled_fill_table(tables->inner[i]);
		} else {
			fill_table(tables->inner[i], sections[i].name);
		}
		*top++ = section;
	}
	*top = (cfg_opt_t)CFG_END();
}

/*
 * Without this libconfuse would write to standard error.  What it says is told from its
 * result.
 */
static void
ignore_error(cfg_t *cfg, const char *format, va_list arguments)
{
	(void)cfg; /* the signature is libconfuse's */
	(void)format;
	(void)arguments;
}

static void
restore_default(struct conf *conf, const struct option_row *row)
{
	char mistake[OPTION_MISTAKE_MAX];

	(void)option_set(row, row->initial, &conf->options, mistake); /* never refused */
}

static void
take_value(struct conf *conf, const struct option_row *row, cfg_t *section)
{
	const struct reader_origin *origin = reader_origin(conf, row);
	unsigned entries = cfg_size(section, row->key);
	char name[OPTION_KEY_MAX];
	char mistake[OPTION_MISTAKE_MAX];
	bool is_right = true;

	option_name(row, name);
	if (entries != origin->entry_count) {
		reader_report(conf, origin->line,
		              "libconfuse reads %u values for %s; write it more simply",
		              entries, name);
		return;
	}
	option_clear(row, &conf->options);
	for (unsigned i = 0; i < entries; i++) {
		bool is_taken = option_add(row, cfg_getnstr(section, row->key, i),
		                           &conf->options, mistake);

		is_right = is_right && is_taken;
		if (!is_taken && row->is_built) {
			reader_report(conf, origin->entry_line[i], "%s: %s", name,
			              mistake);
		}
	}
	if (!row->is_built && (!is_right || !option_is_default(row, &conf->options))) {
		reader_report(conf, origin->line,
		              "%s is not built in this release; remove it", name);
		is_right = false;
	}
	if (!is_right) {
		restore_default(conf, row);
	}
}

static void
take_all(struct conf *conf, cfg_t *cfg)
{
	const struct option_row *rows;
	size_t count;

	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		cfg_t *section =
		    rows[i].section[0] == '\0' ? cfg : cfg_getsec(cfg, rows[i].section);

		if (section != NULL && reader_origin(conf, &rows[i])->line != 0) {
			take_value(conf, &rows[i], section);
		}
	}
}

bool
reader_take_values(struct conf *conf, const char *text)
{
	struct tables *tables = calloc(1, sizeof(*tables));
	cfg_t *cfg;

	if (tables == NULL) {
		return false;
	}
	fill_tables(tables);
	cfg = cfg_init(tables->top, CFGF_NONE);
	free(tables);
	if (cfg == NULL) {
		return false;
	}
	/* the old one is libconfuse's own */
	(void)cfg_set_error_function(cfg, ignore_error);
	if (cfg_parse_buf(cfg, text) != CFG_SUCCESS) {
		reader_report(
		    conf, (uint32_t)cfg->line,
		    "libconfuse does not understand this or what follows; write it more simply");
	} else {
		take_all(conf, cfg);
		titled_take_values(conf, cfg);
	}
	(void)cfg_free(cfg); /* fails for NULL only */
	return true;
}

static bool
is_titled(const char *key)
{
	char section[OPTION_KEY_MAX];
	enum policy_scope scope;

	(void)snprintf(section, sizeof(section), "%.*s", (int)strcspn(key, "."), key);
	return titled_find_scope(section, &scope);
}

void
reader_take_override(struct conf *conf, const char *override)
{
	const char *equals = strchr(override, '=');
	size_t len = equals != NULL ? (size_t)(equals - override) : strlen(override);
	char shown[CONF_FINDING_FILE_MAX] = "-o ";
	char key[OPTION_KEY_MAX];
	char text[OPTION_MISTAKE_MAX];
	const struct option_row *row;

	option_quote(override, strlen(override), shown + 3, sizeof(shown) - 3);
	option_quote(override, len, key, sizeof(key));
	if (equals == NULL) {
		reader_report_override(conf, shown,
		                       "there is no value; write -o KEY=VALUE");
		return;
	}
	row = option_find_dotted(key);
	if (row == NULL && is_titled(key)) {
		reader_report_override(conf, shown,
		                       "sections with a name are in the file only; write "
		                       "it there");
		return;
	}
	if (row == NULL) {
		reader_suggest(NULL, key, text, sizeof(text));
		reader_report_override(conf, shown, "unknown option %s; %s", key, text);
		return;
	}
	memcpy(reader_origin(conf, row)->override, shown, sizeof(shown));
	if (option_set(row, equals + 1, &conf->options, text)) {
		if (row->is_built || option_is_default(row, &conf->options)) {
			return;
		}
	} else if (row->is_built) {
		reader_report_override(conf, shown, "%s: %s", key, text);
		restore_default(conf, row);
		return;
	}
	reader_report_override(conf, shown, "%s is not built in this release; remove it",
	                       key);
	restore_default(conf, row);
}
