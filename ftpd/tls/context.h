/*
 * context: certificates, keys and rules of TLS, made once by the forkserver and shared by
 * its children.
 * Runs in: deftpd-worker. Input: files of the administrator; a client's names in SNI and
 * ALPN are hostile.
 * Source: RFC 8446, RFC 5246, RFC 4217; RFC 6066 3 (SNI); RFC 7301 (ALPN);
 * SSL_CTX_new(3). SECURITY.md 2.5.
 * Not here: one connection (stream.h); whether files may be used (check.h).
 */
#ifndef FTPD_TLS_CONTEXT_H
#define FTPD_TLS_CONTEXT_H

#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/tls_files.h"
#include "ftpd/ipc/tls_report.h"
#include "common/base.h"

struct tls_context;

struct tls_setup {
	const struct options *options;
	const struct overrides *overrides;
	const struct tls_files *files;
};

/* Takes what is found; the text of report is valid during the call only. */
typedef void tls_tell(void *listener, const struct tls_report *report);

/*
 * Initialise OpenSSL: the system's configuration, algorithms, random numbers. Before the
 * process is confined, as files are read.
 * Returns: 0 or -EIO.
 */
int tls_init(void);

/*
 * Make the contexts: of the server and of each host with a certificate. What cannot be
 * used is told. The files may be freed afterwards; options and overrides are needed as
 * long as the context lives.
 * Returns: 0 and *ret_context; -EINVAL after a mistake was told; -ENOMEM.
 */
int tls_context_new(const struct tls_setup *setup, tls_tell *tell, void *listener,
                    struct tls_context **ret_context);

/* NULL is allowed. */
void tls_context_free(struct tls_context *context);

/*
 * In a forked worker, before its first client: ticket keys of its own, so that a session
 * can be resumed by its own process only (SECURITY.md T5).
 * Returns: 0 or -EIO.
 */
int tls_context_seed(struct tls_context *context);

#endif
