/*
 * ocsp: what a certificate's issuer has said lately of its being valid.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/ocsp.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/clock.h"
#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/dates.h"
#include "common/base.h"

/* What is being read. */
struct reading {
	const struct tls_pair *pair;
	struct tls_place place;
	struct teller *teller;
	OCSP_BASICRESP *basic;
};

/* An answer names its certificate by its number and digests of its issuer. */
static bool
is_about(OCSP_SINGLERESP *single, X509 *certificate)
{
	/* OpenSSL's getters take it so, and change nothing */
	OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
	ASN1_OCTET_STRING *name_hash = NULL;
	ASN1_OBJECT *algorithm = NULL;
	ASN1_INTEGER *number = NULL;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	const EVP_MD *md;

	if (OCSP_id_get0_info(&name_hash, &algorithm, NULL, &number, id) != 1) {
		return false;
	}
	md = EVP_get_digestbyobj(algorithm);
	return md != NULL &&
	       X509_NAME_digest(X509_get_issuer_name(certificate), md, digest, &len) ==
	           1 &&
	       ASN1_STRING_length(name_hash) == (int)len &&
	       memcmp(ASN1_STRING_get0_data(name_hash), digest, len) == 0 &&
	       ASN1_INTEGER_cmp(number, X509_get0_serialNumber(certificate)) == 0;
}

static OCSP_SINGLERESP *
find_answer(const struct reading *reading)
{
	for (int i = 0; i < OCSP_resp_count(reading->basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(reading->basic, i);

		if (is_about(single, reading->pair->certificate)) {
			return single;
		}
	}
	return NULL;
}

/* Only if the issuer's certificate is in the chain can its signature be looked at. */
static bool
is_signed_well(const struct reading *reading)
{
	STACK_OF(X509) *chain = reading->pair->chain;
	X509_STORE *store;
	bool is_well;

	if (sk_X509_num(chain) == 0) {
		return true;
	}
	store = X509_STORE_new();
	is_well = store != NULL &&
	          X509_STORE_add_cert(store, sk_X509_value(chain, 0)) == 1 &&
	          X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
	          OCSP_basic_verify(reading->basic, chain, store, 0) == 1;
	X509_STORE_free(store);
	return is_well;
}

static int
judge(const struct reading *reading, int64_t *ret_until)
{
	OCSP_SINGLERESP *single = find_answer(reading);
	ASN1_GENERALIZEDTIME *until = NULL;
	int status;

	if (single == NULL) {
		teller_mistake(reading->teller, reading->place,
		               "this OCSP response is about another certificate; fetch "
		               "that of the certificate at the same place of the list");
		return -EINVAL;
	}
	if (!is_signed_well(reading)) {
		teller_mistake(reading->teller, reading->place,
		               "the issuer of the certificate has not signed this OCSP "
		               "response: %s; fetch it from the address that the "
		               "certificate names",
		               teller_reason());
		return -EINVAL;
	}
	status = OCSP_single_get0_status(single, NULL, NULL, NULL, &until);
	if (status != V_OCSP_CERTSTATUS_GOOD) {
		teller_mistake(
		    reading->teller, reading->place,
		    "the OCSP response says that the certificate is %s; have a "
		    "new one made",
		    OCSP_cert_status_str(status));
		return -EINVAL;
	}
	*ret_until = until != NULL ? tls_date(until) : INT64_MAX;
	if (*ret_until <= clock_wall_s()) {
		teller_warning(
		    reading->teller, reading->place,
		    "the OCSP response has expired and is not sent; fetch a new "
		    "one regularly");
	}
	return 0;
}

static int
judge_response(OCSP_RESPONSE *response, struct reading *reading, int64_t *ret_until)
{
	int status = OCSP_response_status(response);
	int result;

	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		teller_mistake(reading->teller, reading->place,
		               "the OCSP response is none: its sender says \"%s\"; fetch "
		               "it again",
		               OCSP_response_status_str(status));
		return -EINVAL;
	}
	reading->basic = OCSP_response_get1_basic(response);
	if (reading->basic == NULL) {
		teller_mistake(
		    reading->teller, reading->place,
		    "the OCSP response is of an unknown form: %s; fetch it again",
		    teller_reason());
		return -EINVAL;
	}
	result = judge(reading, ret_until);
	OCSP_BASICRESP_free(reading->basic);
	ERR_clear_error();
	return result;
}

int
tls_ocsp_read(const struct tls_file *file, struct teller *teller, struct tls_pair *pair)
{
	struct reading reading = {
	    .pair = pair, .place = tls_place_of(file), .teller = teller};
	const unsigned char *bytes = file->bytes;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, (long)file->len);
	size_t len = (size_t)(bytes - file->bytes); /* what is behind it is not sent */
	int64_t until = 0;
	int result;

	if (response == NULL) {
		teller_mistake(teller, reading.place,
		               "this is no OCSP response in DER form: %s; \"openssl ocsp "
		               "-respout\" writes one",
		               teller_reason());
		return -EINVAL;
	}
	result = judge_response(response, &reading, &until);
	OCSP_RESPONSE_free(response);
	if (result != 0) {
		return result;
	}
	pair->ocsp = malloc(len);
	if (pair->ocsp == NULL) {
		return -ENOMEM;
	}
	memcpy(pair->ocsp, file->bytes, len);
	pair->ocsp_len = len;
	pair->ocsp_until = until;
	return 0;
}

int
tls_ocsp_staple(SSL *ssl, void *arg)
{
	const struct tls_site *site = arg;
	/* the one that was chosen for this client */
	const X509 *certificate = SSL_get_certificate(ssl);

	for (size_t i = 0; i < site->pair_count; i++) {
		const struct tls_pair *pair = &site->pairs[i];
		unsigned char *copy;

		if (pair->certificate != certificate || pair->ocsp == NULL ||
		    pair->ocsp_until <= clock_wall_s()) {
			continue;
		}
		copy = OPENSSL_memdup(pair->ocsp, pair->ocsp_len);
		if (copy == NULL) {
			return SSL_TLSEXT_ERR_NOACK;
		}
		/* the SSL frees it */
		(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)pair->ocsp_len);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}
