/*
 * reader: what the parts of the configuration reader share.
 * Runs in: master.
 * Not here: what others may call; see conf.h.
 */
#ifndef FTPD_CONF_READER_H
#define FTPD_CONF_READER_H

#include "ftpd/conf/conf.h"
#include "ftpd/conf/option.h"
#include "ftpd/conf/token.h"

#include "common/base.h"

/* More rows than the table has; test_conf proves it. */
enum { READER_ROWS_MAX = 96 };

/* Where a key was set. */
struct reader_origin {
	uint32_t line; /* of the key in the file; 0: not there */
	uint32_t entry_count;
	uint32_t entry_line[OPTIONS_LIST_MAX];
	char override[CONF_FINDING_FILE_MAX]; /* "-o KEY=VALUE", "": not set that way */
};

struct conf {
	struct options options;
	struct overrides overrides;
	char name[CONF_FINDING_FILE_MAX]; /* of the file, in findings */
	size_t finding_count;
	struct conf_finding findings[CONF_FINDINGS_MAX];
	struct reader_origin origins[READER_ROWS_MAX];
};

/*
 * Find where a row was set.
 * Returns: the origin of the row, to be changed.
 */
struct reader_origin *reader_origin(struct conf *conf, const struct option_row *row);

/*
 * Add a finding with a line of the file.
 */
void reader_report(struct conf *conf, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Add a finding about an override.
 */
void reader_report_override(struct conf *conf, const char *override, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

/*
 * Find what somebody may have meant by an unknown key.
 * In:      section: "" for outside sections, NULL if the key is the full name of an
 *          override.
 * Out:     remedy: "did you mean KEY?" or the like; never empty.
 */
void reader_suggest(const char *section, const char *key, char *ret_remedy, size_t cap);

/*
 * Walk through the statements: report every mistake in their form and every unknown key,
 * make those statements blank, and note the line of each key that is left.
 */
void reader_check_statements(struct conf *conf, struct token_source *source);

/*
 * Have libconfuse read the text that reader_check_statements() has left, and set the
 * options.
 * Returns: false if memory ran out.
 */
bool reader_take_values(struct conf *conf, const char *text);

/*
 * Apply one override.
 */
void reader_take_override(struct conf *conf, const char *override);

/*
 * Check the rules between keys.
 */
void reader_check_rules(struct conf *conf);

/*
 * Those about TLS and virtual hosts.
 */
void reader_check_tls(struct conf *conf);

#endif
