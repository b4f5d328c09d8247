/*
 * tls_forge: certificates, keys and lists made for a test while it runs, so that no date
 * in the tree can pass.
 */
#ifndef TESTS_UNIT_TLS_FORGE_H
#define TESTS_UNIT_TLS_FORGE_H

#include <openssl/x509v3.h>

#include "common/base.h"

enum {
	FORGE_DAY = 24 * 3600,
	FORGE_PEM_MAX = 64 * 1024,
};

/* One that was made; issuer and subject at once if it has signed itself. */
struct forged {
	X509 *certificate;
	EVP_PKEY *key;
};

/* What is wanted; what is NULL or 0 has a good default. */
struct forge_order {
	const char *subject;     /* common name; "test" */
	const char *names;       /* as in openssl.cnf: "DNS:a.example, IP:127.0.0.1" */
	const char *kind;        /* "P-256", "RSA", "RSA-1024", "ED25519" */
	const char *digest;      /* "SHA256" */
	const char *usage;       /* extended; "serverAuth,clientAuth" */
	const struct forged *by; /* NULL: itself */
	bool is_ca;
	bool must_staple;
	int64_t begins_s; /* from now; an hour ago */
	int64_t ends_s;   /* from now; in 90 days */
};

/*
 * Make one; a test that cannot fails.
 * Returns: it; the caller frees it by forge_free().
 */
struct forged forge(const struct forge_order *order);

void forge_free(struct forged *forged);

/* Text that grows. */
struct forge_pem {
	size_t len;
	char text[FORGE_PEM_MAX];
};

/*
 * Returns: an empty one; the caller frees it by free().
 */
struct forge_pem *forge_new_pem(void);

/* Append a certificate, a key (encrypted unless password is NULL), any text. */
void forge_put(struct forge_pem *pem, const struct forged *forged);
void forge_put_key(struct forge_pem *pem, const struct forged *forged,
                   const char *password);
void forge_put_text(struct forge_pem *pem, const char *text);

/*
 * Append a list of revoked certificates.
 * In:      revoked: NULL: nobody's. next_s: from now, when the next one is due.
 */
void forge_put_crl(struct forge_pem *pem, const struct forged *by, const X509 *revoked,
                   int64_t next_s);

/*
 * Make an OCSP response; pem holds its bytes, which are no text.
 * In:      issuer: of the certificate; by: who signs. status: V_OCSP_CERTSTATUS_GOOD and
 *          so on. next_s: from now.
 */
void forge_ocsp(struct forge_pem *pem, const struct forged *issuer,
                const struct forged *by, const X509 *about, int status, int64_t next_s);

#endif
