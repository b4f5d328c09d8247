/*
 * memory: OpenSSL's memory, of which nothing stays behind.
 * Runs in: deftpd-worker.
 * Source: CRYPTO_set_mem_functions(3); SECURITY.md T11, A21.
 *
 * Reading a private key leaves its numbers in several buffers that OpenSSL only frees. A
 * process forked later would have them, even one that needs no key.
 */
#ifndef FTPD_TLS_MEMORY_H
#define FTPD_TLS_MEMORY_H

#include "common/base.h"

/*
 * Have all of OpenSSL's memory wiped as it is freed. Before OpenSSL has taken any.
 * Returns: 0; -EBUSY if it has.
 */
int tls_memory_wipe(void);

#endif
