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

/* The key fits the certificate; if it fits another of the file, the order is wrong. */
static int
match(const struct tls_pair *pair, struct teller *teller)
{
	struct tls_place key_place = tls_place_of(pair->key_file);

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
	teller_mistake(teller, key_place,
	               "this key does not belong to the certificate %.*s; give the key "
	               "that it was made with",
	               (int)pair->file->path_len, pair->file->path);
	return -EINVAL;
}

static int
read_ocsp(const struct tls_setup *setup, struct teller *teller, struct tls_pair *pair)
{
	const struct tls_file *file = tls_files_find(setup->files, TLS_FILE_OCSP,
	                                             pair->place.host, pair->place.index);

	return file != NULL ? tls_ocsp_read(file, teller, pair) : 0;
}

static int
read_all(const struct tls_setup *setup, struct teller *teller, struct tls_pair *pair)
{
	int worst = tls_pem_certificates(pair->file, teller, &pair->chain);
	int result;

	if (worst == 0) {
		pair->certificate = sk_X509_shift(pair->chain);
	}
	result = tls_pem_key(pair->key_file,
	                     tls_files_find(setup->files, TLS_FILE_PASSWORD, 0, 0),
	                     teller, &pair->key);
	worst = worst != 0 ? worst : result;
	if (worst != 0) {
		return worst;
	}
	worst = match(pair, teller);
	result = read_ocsp(setup, teller, pair);
	return worst != 0 ? worst : result;
}

int
tls_pair_read(const struct tls_setup *setup, uint16_t host, uint16_t index,
              struct teller *teller, struct tls_pair *ret_pair)
{
	struct tls_pair pair = {.place = {TLS_FILE_CERTIFICATE, host, index}};
	int result;

	pair.file = tls_files_find(setup->files, TLS_FILE_CERTIFICATE, host, index);
	pair.key_file = tls_files_find(setup->files, TLS_FILE_KEY, host, index);
	if (pair.file == NULL) {
		teller_mistake(
		    teller, pair.place,
		    "the certificate was not read; see that the file is there");
		return -EINVAL;
	}
	if (pair.key_file == NULL) {
		pair.key_file = pair.file;
	}
	result = read_all(setup, teller, &pair);
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
