/*
 * conf: reads the configuration file and the -o overrides, and reports every mistake in
 * them at once.
 * Runs in: master, before it listens and at each reload.
 * Input:   trusted as to intent (root wrote it), hostile as to form.
 * Source:  deftpd.conf(5).
 * Not here: whether users and directories exist; the master looks and adds its findings
 * with
 *          conf_findings_add().  Handing the options to other programs; see options.h.
 */
#ifndef FTPD_CONF_CONF_H
#define FTPD_CONF_CONF_H

#include <stdio.h>

#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"

#include "common/base.h"

enum {
	/* A larger file is refused whole: nobody means it. */
	CONF_FILE_MAX_BYTES = 256 * 1024,
	/* Further mistakes are counted, not kept. */
	CONF_FINDINGS_MAX = 64,
	CONF_FINDING_TEXT_MAX = 256,
	CONF_FINDING_FILE_MAX = 256,
};

/* Text from the file is printable in here: control characters have become "?". */
struct conf_finding {
	char file[CONF_FINDING_FILE_MAX]; /* the file's name, or "-o KEY=VALUE" */
	uint32_t line;                    /* 0: none */
	char text[CONF_FINDING_TEXT_MAX]; /* what is wrong; the remedy */
};

struct conf;

/*
 * Read a file, then the overrides, which win.
 * In:      path: NULL means no file, only defaults and overrides.
 *          overrides: count texts KEY=VALUE; a key in a section is SECTION.KEY; a list is
 *          separated by commas.
 * Returns: the configuration, never half made: it may be used if conf_findings_count() is
 *          0.  NULL if memory ran out.
 * Owner:   the caller ends it with conf_free().
 */
struct conf *conf_read(const char *path, const char *const *overrides, size_t count);

/*
 * The same with the file's bytes in memory; name stands for it in the findings.
 * Returns: as conf_read().
 * Owner:   as conf_read().
 */
struct conf *conf_read_buffer(const char *name, const void *bytes, size_t size,
                              const char *const *overrides, size_t count);

/*
 * End a configuration; NULL is allowed.
 */
void conf_free(struct conf *conf);

/*
 * The options read.  A key with a mistake has its default.
 * Returns: them, valid until conf_free().
 */
const struct options *conf_options(const struct conf *conf);

/*
 * The titled sections read, those with a mistake without the keys that have one.
 * Returns: them, valid until conf_free().
 */
const struct overrides *conf_overrides(const struct conf *conf);

/*
 * Ask whether the file or an override has set a key.
 * In:      key: as in an override, "anonymous.root"; one that is not in the table is a
 *          bug.
 * Returns: true if so.
 */
bool conf_is_set(const struct conf *conf, const char *key);

/*
 * Tell where a key was set.
 * In:      key: as in an override.
 * Out:     ret_text: "FILE:LINE", "-o KEY=VALUE" or "default".
 */
void conf_where(const struct conf *conf, const char *key, char *ret_text, size_t cap);

/*
 * Tell where a key of a titled section was set.
 * In:      override: one of conf_overrides(), which sets the key.
 * Out:     ret_text: "FILE:LINE, user "joe"".
 */
void conf_where_titled(const struct conf *conf, const struct policy_override *override,
                       enum policy_key key, char *ret_text, size_t cap);

/*
 * Add a mistake that only the system could tell, such as a user who does not exist.
 * In:      key: as in an override; the finding gets the file and line, or the override,
 *          where it was set. format: printf's; "what is wrong; the remedy".
 */
void conf_findings_add(struct conf *conf, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * As conf_findings_add(), about a key of a titled section.
 * In:      override: one of conf_overrides(), which sets the key.
 */
void conf_findings_add_titled(struct conf *conf, const struct policy_override *override,
                              enum policy_key key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Count the findings, those included that did not fit into the list.
 * Returns: 0 if the configuration is right.
 */
size_t conf_findings_count(const struct conf *conf);

/*
 * Get one finding; they are in the order of file lines, the overrides after them.
 * In:      index: below conf_findings_count() and CONF_FINDINGS_MAX.
 * Returns: it, valid until the next conf_findings_add() or conf_free(); NULL beyond the
 *          last.
 */
const struct conf_finding *conf_finding_get(const struct conf *conf, size_t index);

/*
 * Print every finding, "FILE:LINE: what is wrong; the remedy", one a line.
 */
void conf_findings_print(const struct conf *conf, FILE *stream);

#endif
