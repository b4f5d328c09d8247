/*
 * context_internal: what a context is made of, for the files of this room.
 * Runs in: deftpd-worker.
 *
 * One SSL_CTX belongs to each site: the server itself and each host with certificates of
 * its own. Every connection begins with the server's, and changes over when its host is
 * known; so ticket keys and kept sessions are always the server's.
 */
#ifndef FTPD_TLS_CONTEXT_INTERNAL_H
#define FTPD_TLS_CONTEXT_INTERNAL_H

#include <openssl/ssl.h>

#include "ftpd/tls/context.h"
#include "ftpd/tls/pair.h"
#include "common/base.h"

/* Who has certificates of its own. */
struct tls_site {
	struct tls_context *context; /* to which it belongs */
	uint16_t host;               /* number of the section host; 0: the server */
	SSL_CTX *ctx;
	/* how OpenSSL judges strength; ours asks it */
	int (*decide)(const SSL *ssl, const SSL_CTX *ctx, int operation, int bits,
	              int nid, void *other, void *ex);
	size_t pair_count;
	struct tls_pair pairs[OPTIONS_PATHS_MAX];
};

struct tls_context {
	const struct options *options;
	const struct overrides *overrides;
	size_t site_count;
	struct tls_site *sites; /* the server's first */
	/* the kernel has no TLS, as a connection of this process has found out */
	bool is_kernel_without;
};

/*
 * Find whose certificates a host uses: its own, or the server's.
 * Returns: the site.
 */
struct tls_site *tls_context_site(const struct tls_context *context, uint16_t host);

#endif
