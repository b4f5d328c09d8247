/*
 * pair: one certificate with its chain, its key and what vouches for it.
 * Runs in: deftpd-worker. Input: files of the administrator.
 * Source: RFC 7468 (PEM); PEM_read_bio_X509(3), PEM_read_bio_PrivateKey(3).
 * Not here: whether it is good to be used; see check.h.
 */
#ifndef FTPD_TLS_PAIR_H
#define FTPD_TLS_PAIR_H

#include <openssl/x509.h>

#include "ftpd/tls/context.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

struct tls_pair {
	struct tls_place place; /* of the certificate */
	X509 *certificate;
	STACK_OF(X509) * chain; /* what follows it in its file; perhaps empty */
	EVP_PKEY *key;
	uint8_t *ocsp; /* a response to staple; NULL: none */
	size_t ocsp_len;
	int64_t ocsp_until; /* seconds since the epoch: then it is no longer sent */
};

/*
 * Read what belongs to one entry of tls.certificate, or of a host's.
 * In:      host, index: where it stands.
 * Returns: 0 and *ret_pair; -EINVAL after a mistake was told; -ENOMEM.
 * Owner:   the caller frees it by tls_pair_free().
 */
int tls_pair_read(const struct tls_setup *setup, uint16_t host, uint16_t index,
                  struct teller *teller, struct tls_pair *ret_pair);

/* Free what it holds; zeroed memory is allowed. */
void tls_pair_free(struct tls_pair *pair);

/*
 * Name the kind of key.
 * Returns: "RSA", "ECDSA", "Ed25519"; static.
 */
const char *tls_pair_key_kind(const EVP_PKEY *key);

#endif
