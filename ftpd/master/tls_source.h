/*
 * tls_source: the files that section tls and the sections host name: which they are,
 * whether they have changed, and what is in them.
 * Runs in: master, as root. Secret: private keys pass through.
 * Source: deftpd.conf(5), section tls; systemd.exec(5), CREDENTIALS.
 * Not here: whether they are any good; the master cannot tell. See tls_program.h.
 */
#ifndef FTPD_MASTER_TLS_SOURCE_H
#define FTPD_MASTER_TLS_SOURCE_H

#include <sys/types.h>
#include <time.h>

#include "ftpd/conf/policy.h"
#include "ftpd/ipc/tls_files.h"
#include "ftpd/master/tls_program.h"
#include "common/base.h"

/* By what a change of a file is noticed. All zero: it cannot be looked at. */
struct tls_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
	/* its mode or owner, too: what could not be read may be now */
	struct timespec changed;
};

struct tls_source_file {
	enum tls_file_kind kind;
	uint16_t host;
	uint16_t index;
	bool holds_key;              /* a certificate without a file for its key */
	char path[OPTIONS_TEXT_MAX]; /* as written */
	struct tls_stamp stamp;      /* of the last tls_source_look() */
};

/* Zeroed memory is an empty list. */
struct tls_source {
	size_t count;
	struct tls_source_file *file; /* owned */
};

/*
 * List the files.
 * Returns: 0; -ENOMEM; -EMSGSIZE above TLS_FILES_MAX.
 * Owner:   the caller frees them by tls_source_free().
 */
int tls_source_list(const struct options *options, const struct overrides *overrides,
                    struct tls_source *ret_source);

/*
 * Copy the list with its stamps.
 * Returns: 0 or -ENOMEM.
 * Owner:   as for tls_source_list().
 */
int tls_source_copy(const struct tls_source *source, struct tls_source *ret_source);

/* Free the list. */
void tls_source_free(struct tls_source *source);

/*
 * Returns: true if both are of the same file, unchanged.
 */
bool tls_stamp_is_same(const struct tls_stamp *a, const struct tls_stamp *b);

/*
 * Look at every file, without reading it. Links are followed.
 * Returns: true if one is not what it was at the last look.
 */
bool tls_source_look(struct tls_source *source);

/*
 * Read every file into a sealed memory file.
 * In:      pair: NULL; or what stands in place of tls.certificate and its key, which are
 *          not read then. tell: takes MISTAKE for a file that cannot be used, WARNING for
 *          one that others may read.
 * Out:     ret_fd: close-on-exec; the caller's to close.
 * Returns: 0; -EINVAL after a mistake was told; another negative errno.
 */
int tls_source_seal(const struct tls_source *source, const struct tls_pair *pair,
                    tls_program_tell *tell, void *listener, int *ret_fd);

/*
 * Find a file.
 * Returns: it, or NULL.
 */
const struct tls_source_file *tls_source_find(const struct tls_source *source,
                                              enum tls_file_kind kind, uint16_t host,
                                              uint16_t index);

/*
 * Returns: the key that names files of this kind: "tls.certificate"; in a section host it
 *          is written without "tls.".
 */
const char *tls_source_key(enum tls_file_kind kind);

#endif
