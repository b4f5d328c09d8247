/*
 * Long because the table, looking into it, and text to and from its values are one
 * contract. option: the table of every key, and text into a field of struct options and
 * back.
 * Runs in: master (reader), worker and recorder (unsealing), the generator of
 * deftpd.conf(5).
 * Not here: the file's syntax; see statement.h.  Rules between several keys; see check.h.
 */
#ifndef FTPD_CONF_OPTION_H
#define FTPD_CONF_OPTION_H

#include "ftpd/conf/options.h"

#include "common/base.h"

enum {
	/* Longest mistake text; values in it are cut. */
	OPTION_MISTAKE_MAX = 200,
	/* Room for the text of one value, or one entry of a list, NUL included. */
	OPTION_VALUE_MAX = OPTIONS_TEXT_MAX + 2 * ADDR_TEXT_MAX,
	/* No key with its section is longer, NUL included. */
	OPTION_KEY_MAX = 48,
};

enum option_type {
	OPTION_BOOL,     /* bool */
	OPTION_PORT,     /* uint16_t */
	OPTION_COUNT_OF, /* uint32_t */
	OPTION_SECONDS,  /* uint32_t */
	OPTION_RATE,     /* uint64_t, bytes per second, with a suffix as OPTION_SIZE */
	OPTION_SIZE,     /* uint64_t, bytes; K, M, G and T multiply by powers of 1024 */
	OPTION_WORD,     /* uint8_t: index of one of `words` */
	OPTION_UMASK,    /* uint16_t, octal text */
	OPTION_NAME,     /* char []: a user or a PAM service */
	OPTION_PATH,     /* char []: absolute, or one of `words` */
	OPTION_ROOT,     /* char []: absolute, or begins with ~ or %h; %u, %h, /./ */
	OPTION_HOST,     /* char []: address or host name, or one of `words` */
	OPTION_PORTS,    /* struct options_ports, "LOW-HIGH" */
	OPTION_LISTEN,   /* struct options_listen_list */
	OPTION_NETWORKS, /* struct options_network_list */
	OPTION_NAMES,    /* struct options_name_list; with `words`: of those only */
	OPTION_TEXT,     /* char []: a line of printable text */
	OPTION_FILE,     /* char []: absolute, "credential:NAME", or one of `words` */
	OPTION_FILES,    /* struct options_path_list: each as OPTION_FILE */
	OPTION_HOSTS,    /* struct options_host_list: names, never addresses */
	OPTION_TYPE_COUNT,
};

struct option_row {
	const char *section; /* "": not in a section */
	const char *key;
	enum option_type type;
	bool is_built;       /* false: only the default may be set in this release */
	const char *initial; /* the default, as in an override */
	uint64_t min;        /* numbers only, as max */
	uint64_t max;
	const char *const *words; /* ends with NULL; NULL where the type takes none */
	size_t offset;            /* of the field in struct options */
	size_t size;              /* of the field */
	const char *text;         /* documentation: sentences without markup */
};

/*
 * Sections whose keys are not in the table, as a release without them must know their
 * names.
 */
struct option_section {
	const char *name;
	bool has_title;
	bool is_built;
	const char *text;
};

/*
 * The table, in the order of the man page: keys outside sections, then section by
 * section.
 * Returns: its first row; *ret_count rows.
 */
const struct option_row *option_table(size_t *ret_count);

/*
 * The sections, in the order of the man page.
 * Returns: the first; *ret_count of them.
 */
const struct option_section *option_sections(size_t *ret_count);

/*
 * Find a key.
 * In:      section: "" for keys outside sections.
 * Returns: its row, NULL if there is none.
 */
const struct option_row *option_find(const char *section, const char *key);

/*
 * Find a key by its full name.
 * In:      name: KEY or SECTION.KEY.
 * Returns: its row, NULL if there is none.
 */
const struct option_row *option_find_dotted(const char *name);

/*
 * Find a section.
 * Returns: it, NULL if there is none.
 */
const struct option_section *option_section_find(const char *name);

/*
 * Write KEY or SECTION.KEY.
 * Out:     text: whole, as every name in the table fits.
 */
void option_name(const struct option_row *row, char text[OPTION_KEY_MAX]);

/*
 * Ask whether a key takes several values.
 * Returns: true for lists.
 */
bool option_is_list(const struct option_row *row);

/*
 * Empty the field: zero, "", no entries.  For lists, to be called before the first
 * option_add().
 */
void option_clear(const struct option_row *row, struct options *options);

/*
 * Set the field from text, or append one entry if the key is a list.
 * In:      text: any bytes up to NUL.
 * Out:     mistake: when refused, "what is wrong; the remedy".  The field is untouched
 *          then.
 * Returns: true if set.
 */
bool option_add(const struct option_row *row, const char *text, struct options *options,
                char mistake[OPTION_MISTAKE_MAX]);

/*
 * Split an override's value into entries and set the field, a list's entries being
 * separated by commas.
 * Out:     as option_add(), but a list may be set in part.
 * Returns: true if all were set.
 */
bool option_set(const struct option_row *row, const char *text, struct options *options,
                char mistake[OPTION_MISTAKE_MAX]);

/*
 * The same for a struct other than the options, which a row of its own describes; see
 * policy_table.h.
 * In:      base: of the struct; row->offset counts from it.
 * Returns: as option_add().
 */
bool option_add_at(const struct option_row *row, const char *text, void *base,
                   char mistake[OPTION_MISTAKE_MAX]);

/*
 * Count what option_format() can write.
 * Returns: 1, or the number of entries of a list.
 */
size_t option_entries(const struct option_row *row, const struct options *options);

/*
 * The same for a struct other than the options.
 * Returns: as option_entries().
 */
size_t option_entries_at(const struct option_row *row, const void *base);

/*
 * Write one value so that option_add() reads the same field from it.
 * In:      index: below option_entries().
 */
void option_format(const struct option_row *row, const struct options *options,
                   size_t index, char text[OPTION_VALUE_MAX]);

/*
 * The same for a struct other than the options.
 */
void option_format_at(const struct option_row *row, const void *base, size_t index,
                      char text[OPTION_VALUE_MAX]);

/*
 * Ask whether a type is written in quotes in the file.
 * Returns: false for numbers and yes/no.
 */
bool option_is_quoted(const struct option_row *row);

/*
 * Ask whether the field has the table's default.
 * Returns: true if so.
 */
bool option_is_default(const struct option_row *row, const struct options *options);

/*
 * A number that differs between builds whose sealed options would not be understood
 * alike.
 * Returns: the fingerprint of the table and the version.
 */
uint64_t option_fingerprint(void);

/*
 * Copy text for a message: control characters become "?", a long text is cut and ends
 * with "...".
 * In:      cap: at least 4.
 */
void option_quote(const char *text, size_t len, char *ret_text, size_t cap);

#endif
