/*
 * tls_load: certificates, keys and what belongs to them, as they were read and found
 * right.
 * Runs in: master.
 * Not here: how they come to be read; see tls_check.h and tls_watch.h.
 */
#ifndef FTPD_MASTER_TLS_LOAD_H
#define FTPD_MASTER_TLS_LOAD_H

#include "ftpd/master/tls_source.h"
#include "common/base.h"

enum {
	TLS_FACT_TEXT_MAX = 512,
	TLS_DATE_MAX = 64,
	TLS_TEXT_MAX = OPTIONS_TEXT_MAX + 1024, /* a longer one is cut */
};

/* One certificate. */
struct tls_fact {
	enum tls_file_kind kind;
	uint16_t host;
	uint16_t index;
	int64_t begins;               /* seconds since the epoch */
	int64_t expires;              /* likewise */
	bool is_new;                  /* its file is another than before */
	char text[TLS_FACT_TEXT_MAX]; /* subject, kind of key, names; printable */
};

struct tls_load {
	struct tls_source source; /* with the stamps of before they were read */
	int files_fd;             /* sealed; owned */
	size_t fact_count;
	struct tls_fact *fact; /* owned */
	bool is_in_memory;     /* the pair of --serve --tls: there is no file to watch */
};

/*
 * Make one from a list of files, which is looked at now; nothing is read yet, and
 * files_fd is -1.
 * Returns: it; NULL if memory ran out or there are too many files.
 * Owner:   the caller frees it by tls_load_free().
 */
struct tls_load *tls_load_new(const struct options *options,
                              const struct overrides *overrides);

/*
 * Remember what was told of a certificate.
 * In:      report: a FACT, its text printable and terminated.
 * Returns: 0 or -ENOMEM.
 */
int tls_load_add_fact(struct tls_load *load, const struct tls_report *report);

/*
 * Write what was told, behind the path of the file that it is about; a text about a key
 * of the configuration names that and stays as it is.
 * Returns: the text.
 */
const char *tls_load_describe(const struct tls_load *load,
                              const struct tls_report *report, char text[TLS_TEXT_MAX]);

/*
 * Returns: the path of the fact's file, as written in the configuration.
 */
const char *tls_load_path(const struct tls_load *load, const struct tls_fact *fact);

/*
 * Write a date as people read it, in UTC.
 * Returns: the text.
 */
const char *tls_load_date(int64_t seconds, char text[TLS_DATE_MAX]);

/* NULL is allowed. */
void tls_load_free(struct tls_load *load);

#endif
