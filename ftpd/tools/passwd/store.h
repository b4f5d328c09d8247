/*
 * store: the password file itself: one writer at a time, and either the old text or the
 * new one, whatever happens.
 * Runs in: deftp-passwd.
 * Source: fcntl(2), open file description locks; rename(2).
 * Not here: what is in it; see edit.h.
 *
 * FILE is replaced by rename, so a lock on FILE itself would be one on a file that is no
 * longer there. FILE.lock is locked instead. Its holder removes it at the end; who waited
 * for it sees that and begins anew.
 */
#ifndef FTPD_TOOLS_PASSWD_STORE_H
#define FTPD_TOOLS_PASSWD_STORE_H

#include <sys/types.h>

#include "common/base.h"

enum {
	STORE_SIZE_MAX = 64 * 1024 * 1024,
	STORE_LOCK_WAIT_MS = 10000,
};

struct store {
	char *path;      /* of the file, behind symbolic links */
	char *lock_path; /* NULL: only read */
	char *new_path;
	int file_fd; /* -1: there is no file yet */
	int lock_fd;
	char *text; /* secret memory */
	size_t len;
	size_t cap;
};

enum store_mode {
	STORE_READ,
	STORE_WRITE,  /* the file must be there */
	STORE_CREATE, /* it need not */
};

/*
 * Open, lock unless it is only read, and read. What is wrong is told on standard error.
 * Returns: true and *ret_store, which store_close() closes.
 */
bool store_open(const char *path, enum store_mode mode, struct store *ret_store);

/*
 * Replace the file, keeping owner, group, mode and access control list; a new one is the
 * caller's, with mode 0600. What is wrong is told on standard error, and the old file
 * stays.
 * Returns: true once it is on disk.
 */
bool store_write(struct store *store, const char *text, size_t len);

/* Wipe, unlock, free. */
void store_close(struct store *store);

#endif
