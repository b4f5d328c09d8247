/*
 * bare_data: what bare sends that is not a file as it is: listings, and TYPE A.
 * Runs in: the benchmark (test). Input: trusted.
 * Source: RFC 3659 7 for the facts; listings as ls -l writes them.
 * Not here: the connection; see bare.c.
 */
#ifndef BENCH_BARE_DATA_H
#define BENCH_BARE_DATA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Send a file with CR LF at the ends of lines; waits until all is sent.
 */
void bare_send_ascii(int data_fd, int file_fd, size_t size_bytes);

/*
 * Send the listing of a directory, unsorted, one fstatat an entry; waits until all is
 * sent.
 */
void bare_send_list(int data_fd, int root_fd, const char *path, bool is_mlsd);

#endif
