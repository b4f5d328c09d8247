/*
 * pair: one certificate with its chain, its key and what vouches for it.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/pair.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/secret.h"
#include "ftpd/tls/ocsp.h"
#include "ftpd/tls/pem.h"
#include "common/base.h"

const char *
tls_pair_key_kind(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA: return "RSA";
	case EVP_PKEY_RSA_PSS: return "RSA-PSS";
	case EVP_PKEY_EC: return "ECDSA";
	case EVP_PKEY_ED25519: return "Ed25519";
	case EVP_PKEY_ED448: return "Ed448";
	default: return "unknown kind";
	}
}

/* The files of one pair. */
struct source {
	const struct tls_file *certificate;
	const struct tls_file *key;      /* may be the same */
	const struct tls_file *password; /* NULL: none */
	const struct tls_file *ocsp;     /* NULL: none */
};

/* The key fits the certificate; if it fits another of the file, the order is wrong. */
static int
match(const struct source *source, const struct tls_pair *pair, struct teller *teller)
{
	if (X509_check_private_key(pair->certificate, pair->key) == 1) {
		return 0;
	}
	ERR_clear_error();
	for (int i = 0; i < sk_X509_num(pair->chain); i++) {
		if (X509_check_private_key(sk_X509_value(pair->chain, i), pair->key) ==
		    1) {
			teller_mistake(teller, pair->place,
			               "the server's certificate is number %d in its "
			               "file; it must be the first, followed by that of "
			               "its issuer and so on",
			               i + 2);
			return -EINVAL;
		}
		ERR_clear_error();
	}
	teller_mistake(teller, tls_place_of(source->key),
	               "this key does not belong to the certificate %.*s; give the key "
	               "that it was made with",
	               (int)source->certificate->path_len, source->certificate->path);
	return -EINVAL;
}

static int
read_all(const struct source *source, struct teller *teller, struct tls_pair *pair)
{
	int worst = tls_pem_certificates(source->certificate, teller, &pair->chain);
	int result;

	if (worst == 0) {
		pair->certificate = sk_X509_shift(pair->chain);
	}
	result = tls_pem_key(source->key, source->password, teller, &pair->key);
	worst = worst != 0 ? worst : result;
	if (worst != 0) {
		return worst;
	}
	worst = match(source, pair, teller);
	result = source->ocsp != NULL ? tls_ocsp_read(source->ocsp, teller, pair) : 0;
	return worst != 0 ? worst : result;
}

int
tls_pair_read(const struct tls_setup *setup, uint16_t host, uint16_t index,
              struct teller *teller, struct tls_pair *ret_pair)
{
	const struct tls_files *files = setup->files;
	struct tls_pair pair = {.place = {TLS_FILE_CERTIFICATE, host, index}};
	struct source source = {
	    .certificate = tls_files_find(files, TLS_FILE_CERTIFICATE, host, index),
	    .key = tls_files_find(files, TLS_FILE_KEY, host, index),
	    .password = tls_files_find(files, TLS_FILE_PASSWORD, 0, 0),
	    .ocsp = tls_files_find(files, TLS_FILE_OCSP, host, index)};
	int result;

	if (source.certificate == NULL) {
		teller_mistake(
		    teller, pair.place,
		    "the certificate was not read; see that the file is there");
		return -EINVAL;
	}
	if (source.key == NULL) {
		source.key = source.certificate;
	}
	result = read_all(&source, teller, &pair);
	if (result != 0) {
		tls_pair_free(&pair);
		return result;
	}
	*ret_pair = pair;
	return 0;
}

void
tls_pair_free(struct tls_pair *pair)
{
	X509_free(pair->certificate);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
	free(pair->ocsp);
	*pair = (struct tls_pair){0};
}
