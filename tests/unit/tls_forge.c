/*
 * tls_forge: certificates, keys and lists made for a test while it runs.
 */
#include "tests/unit/tls_forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>
#include <time.h>

#include "common/base.h"

enum {
	HOUR = 3600,
	GOOD_DAYS = 90,
	RSA_BITS = 2048,
	RSA_WEAK_BITS = 1024,
};

static EVP_PKEY *
make_rsa_pss(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *key = NULL;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, RSA_BITS), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key = NULL;

	if (kind == NULL || strcmp(kind, "P-256") == 0) {
		key = EVP_EC_gen("P-256");
	} else if (strcmp(kind, "RSA") == 0) {
		key = EVP_RSA_gen(RSA_BITS);
	} else if (strcmp(kind, "RSA-1024") == 0) {
		key = EVP_RSA_gen(RSA_WEAK_BITS);
	} else if (strcmp(kind, "RSA-PSS") == 0) {
		key = make_rsa_pss();
	} else {
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	}
	assert_non_null(key);
	return key;
}

static void
add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void
name_it(X509_NAME *name, const char *subject)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(
			     name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)(subject != NULL ? subject : "test"),
			     -1, -1, 0),
	                 1);
}

static void
add_extensions(X509 *certificate, X509 *issuer, const struct forge_order *order)
{
	add(certificate, issuer, NID_basic_constraints,
	    order->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add(certificate, issuer, NID_subject_key_identifier, "hash");
	if (issuer != certificate) {
		add(certificate, issuer, NID_authority_key_identifier, "keyid");
	}
	if (order->is_ca) {
		add(certificate, issuer, NID_key_usage,
		    "critical,keyCertSign,cRLSign,digitalSignature");
	} else {
		add(certificate, issuer, NID_ext_key_usage,
		    order->usage != NULL ? order->usage : "serverAuth,clientAuth");
	}
	if (order->names != NULL) {
		add(certificate, issuer, NID_subject_alt_name, order->names);
	}
	if (order->must_staple) {
		add(certificate, issuer, NID_tlsfeature, "status_request");
	}
}

struct forged
forge(const struct forge_order *order)
{
	struct forged made = {X509_new(), make_key(order->kind)};
	const struct forged *by = order->by != NULL ? order->by : &made;
	int64_t ends = order->ends_s != 0 ? order->ends_s : GOOD_DAYS * FORGE_DAY;
	int64_t begins = order->begins_s != 0 ? order->begins_s : -HOUR;
	time_t now = time(NULL);
	uint32_t serial = 0;
	const EVP_MD *md = NULL;

	assert_non_null(made.certificate);
	assert_int_equal(RAND_bytes((unsigned char *)&serial, sizeof(serial)), 1);
	assert_int_equal(X509_set_version(made.certificate, X509_VERSION_3), 1);
	assert_int_equal(
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.certificate), serial), 1);
	name_it(X509_get_subject_name(made.certificate), order->subject);
	assert_int_equal(X509_set_issuer_name(made.certificate,
	                                      X509_get_subject_name(by->certificate)),
	                 1);
	begins += now;
	ends += now;
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(made.certificate), begins));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(made.certificate), ends));
	assert_int_equal(X509_set_pubkey(made.certificate, made.key), 1);
	add_extensions(made.certificate, by->certificate, order);
	if (EVP_PKEY_get_base_id(by->key) != EVP_PKEY_ED25519 &&
	    EVP_PKEY_get_base_id(by->key) != EVP_PKEY_ED448) {
		md = EVP_get_digestbyname(order->digest != NULL ? order->digest
		                                                : "SHA256");
	}
	assert_true(X509_sign(made.certificate, by->key, md) > 0);
	return made;
}

void
forge_free(struct forged *forged)
{
	X509_free(forged->certificate);
	EVP_PKEY_free(forged->key);
	*forged = (struct forged){0};
}

struct forge_pem *
forge_new_pem(void)
{
	struct forge_pem *pem = calloc(1, sizeof(*pem));

	assert_non_null(pem);
	return pem;
}

/* Move what was written to the end of the text. */
static void
take(struct forge_pem *pem, BIO *bio)
{
	char *bytes = NULL;
	size_t len = (size_t)BIO_get_mem_data(bio, &bytes);

	assert_true(len > 0 && pem->len + len < sizeof(pem->text));
	memcpy(pem->text + pem->len, bytes, len);
	pem->len += len;
	pem->text[pem->len] = '\0';
	BIO_free(bio);
}

void
forge_put(struct forge_pem *pem, const struct forged *forged)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, forged->certificate), 1);
	take(pem, bio);
}

void
forge_put_key(struct forge_pem *pem, const struct forged *forged, const char *password)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
			     bio, forged->key,
			     password != NULL ? EVP_aes_256_cbc() : NULL, password,
			     password != NULL ? (int)strlen(password) : 0, NULL, NULL),
	                 1);
	take(pem, bio);
}

void
forge_put_text(struct forge_pem *pem, const char *text)
{
	size_t len = strlen(text);

	assert_true(pem->len + len < sizeof(pem->text));
	memcpy(pem->text + pem->len, text, len + 1);
	pem->len += len;
}

static void
revoke_one(X509_CRL *crl, const X509 *certificate)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));
	ASN1_TIME *when = ASN1_TIME_set(NULL, time(NULL) - HOUR);

	assert_true(revoked != NULL && serial != NULL && when != NULL);
	assert_int_equal(X509_REVOKED_set_serialNumber(revoked, serial), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(revoked, when), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
}

void
forge_put_crl(struct forge_pem *pem, const struct forged *by, const X509 *revoked,
              int64_t next_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *last = ASN1_TIME_set(NULL, time(NULL) - 2 * FORGE_DAY);
	ASN1_TIME *next = ASN1_TIME_set(NULL, time(NULL) + next_s);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(crl != NULL && last != NULL && next != NULL && bio != NULL);
	assert_int_equal(X509_CRL_set_version(crl, 1), 1);
	assert_int_equal(
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->certificate)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, last), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, next), 1);
	if (revoked != NULL) {
		revoke_one(crl, revoked);
	}
	assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	take(pem, bio);
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
}

void
forge_ocsp(struct forge_pem *pem, const struct forged *issuer, const struct forged *by,
           const X509 *about, int status, int64_t next_s)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, about, issuer->certificate);
	ASN1_TIME *last = ASN1_TIME_set(NULL, time(NULL) - 2 * FORGE_DAY);
	ASN1_TIME *next = ASN1_TIME_set(NULL, time(NULL) + next_s);
	ASN1_TIME *revoked =
	    status == V_OCSP_CERTSTATUS_REVOKED ? ASN1_TIME_set(NULL, 0) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	OCSP_RESPONSE *response;
	unsigned char *bytes = NULL;
	int len;

	assert_true(basic != NULL && id != NULL && last != NULL && next != NULL);
	assert_non_null(
	    OCSP_basic_add1_status(basic, id, status, 0, revoked, last, next));
	assert_int_equal(
	    OCSP_basic_sign(basic, by->certificate, by->key, EVP_sha256(), NULL, 0), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	assert_non_null(response);
	len = i2d_OCSP_RESPONSE(response, &bytes);
	assert_int_equal(BIO_write(bio, bytes, len), len);
	take(pem, bio);
	OPENSSL_free(bytes);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
	ASN1_TIME_free(revoked);
}
