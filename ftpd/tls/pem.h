/*
 * pem: certificates and keys out of text.
 * Runs in: deftpd-worker. Input: files of the administrator.
 * Source: RFC 7468; PEM_read_bio_X509(3), PEM_read_bio_PrivateKey(3).
 */
#ifndef FTPD_TLS_PEM_H
#define FTPD_TLS_PEM_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ftpd/tls/teller.h"
#include "common/base.h"

enum {
	/* More in one file is a mistake: clients would be sent all of them. */
	TLS_CHAIN_MAX = 16,
	/* Of those who vouch for clients. */
	TLS_CA_MAX = 512,
};

/*
 * Read all certificates of a file: at least one.
 * Returns: 0 and *ret_list; -EINVAL after a mistake was told; -ENOMEM.
 * Owner:   the caller frees it by sk_X509_pop_free().
 */
int tls_pem_certificates(const struct tls_file *file, struct teller *teller,
                         STACK_OF(X509) * *ret_list);

/*
 * Read the private key in a file.
 * In:      password: a file whose first line decrypts it; NULL: there is none.
 * Returns: 0 and *ret_key; -EINVAL after a mistake was told.
 * Owner:   the caller frees it by EVP_PKEY_free().
 */
int tls_pem_key(const struct tls_file *file, const struct tls_file *password,
                struct teller *teller, EVP_PKEY **ret_key);

#endif
