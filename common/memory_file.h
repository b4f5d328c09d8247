/*
 * memory_file: bytes handed to another program in a file that nobody can change any more.
 * Runs in: master, deftpd-auth (make), every started program (reads).
 * Source: memfd_create(2), fcntl(2) F_ADD_SEALS.
 */
#ifndef COMMON_MEMORY_FILE_H
#define COMMON_MEMORY_FILE_H

#include "common/base.h"

/*
 * Make a memory file with the bytes and seal it: it can be neither written, grown nor
 * shrunk, nor can its seals be changed.
 * In:      name: for /proc only.
 * Out:     ret_fd: close-on-exec, at offset 0; the caller's to close.
 * Returns: 0 or negative errno.
 */
int memory_file_make(const char *name, const void *bytes, size_t len, int *ret_fd);

#endif
