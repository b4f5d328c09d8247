/*
 * tls_files: the files of section tls and of the hosts, as the master has read them: in
 * one sealed memory file, for deftpd-worker alone.
 * Runs in: master (reads the files, seals), worker (unseals). Secret: private keys.
 * Source: DESIGN.md sections 1 and 2: the worker opens no file.
 * Not here: what is in them; the master does not know. See ftpd/tls.
 *
 * Magic (u32), number of files (u16), and of each: kind (u8), host (u16), index (u16),
 * path (text), bytes (u32 length, bytes).
 */
#ifndef FTPD_IPC_TLS_FILES_H
#define FTPD_IPC_TLS_FILES_H

#include "ftpd/ipc/message.h"
#include "common/base.h"

enum tls_file_kind {
	TLS_FILE_CERTIFICATE, /* PEM, with its chain; perhaps with the key, too */
	TLS_FILE_KEY,         /* PEM */
	TLS_FILE_PASSWORD,    /* the first line decrypts the keys */
	TLS_FILE_OCSP,        /* DER */
	TLS_FILE_CLIENT_CA,   /* PEM */
	TLS_FILE_CLIENT_CRL,  /* PEM */
	TLS_FILE_KIND_COUNT,
};

enum {
	TLS_FILE_MAX_BYTES = 256 * 1024, /* a longer one is a mistake */
	TLS_FILES_MAX = 1024,
	TLS_FILES_MAX_BYTES = 8 * 1024 * 1024, /* all of them */
};

struct tls_file {
	enum tls_file_kind kind;
	uint16_t host;    /* number of the section host (policy_host_find); 0: of all */
	uint16_t index;   /* in the list of its key */
	const char *path; /* for messages; as written in the configuration */
	size_t path_len;
	const uint8_t *bytes;
	size_t len;
};

/* Files; the texts and bytes point into memory. */
struct tls_files {
	size_t count;
	struct tls_file *file;
	uint8_t *memory;
	size_t memory_len;
};

/*
 * Write the files into a sealed memory file.
 * Out:     ret_fd: close-on-exec; the caller's to close.
 * Returns: 0 or negative errno: -EMSGSIZE above the limits.
 */
int tls_files_seal(const struct tls_file *files, size_t count, int *ret_fd);

/*
 * Read what tls_files_seal() wrote, to the last byte.
 * In:      fd: stays open, its offset does not move.
 * Returns: 0; -EBADMSG; another negative errno.
 * Owner:   the caller frees *ret_files by tls_files_free().
 */
int tls_files_unseal(int fd, struct tls_files *ret_files);

/* Wipe and free; zeroed memory is allowed. */
void tls_files_free(struct tls_files *files);

/*
 * Find a file.
 * Returns: it, or NULL.
 */
const struct tls_file *tls_files_find(const struct tls_files *files,
                                      enum tls_file_kind kind, uint16_t host,
                                      uint16_t index);

#endif
