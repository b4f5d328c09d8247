/*
 * self_signed: a certificate that nobody vouches for, for a first try.
 * Runs in: deftpd-worker, started by the master for it.
 */
#include "ftpd/tls/self_signed.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "common/base.h"

enum {
	SERIAL_BITS = 127,    /* at least 64 are random (CA/B Forum 7.1) */
	COMMON_NAME_MAX = 64, /* RFC 5280, ub-common-name */
	DNS_NAME_MAX = 253,   /* RFC 1035 2.3.4, as text */
	DNS_LABEL_MAX = 63,
	CLOCK_SKEW_SECONDS = 3600, /* clients whose clock is slow */
};

/* Extensions that are the same for everybody. */
static const struct {
	int nid;
	const char *value;
} extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
};

static bool
is_label_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* The last label has a letter: else it would be taken for an address. */
static bool
is_dns_name(const char *name)
{
	size_t label = 0;
	bool has_letter = false;

	if (strlen(name) > DNS_NAME_MAX) {
		return false;
	}
	for (; *name != '\0'; name++) {
		if (*name == '.') {
			if (label == 0) {
				return false;
			}
			label = 0;
			has_letter = false;
			continue;
		}
		if (!is_label_byte(*name) || ++label > DNS_LABEL_MAX) {
			return false;
		}
		has_letter = has_letter || *name > '9';
	}
	return label > 0 && has_letter;
}

/* Takes `value`, whatever becomes of it. */
static int
push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (name == NULL || value == NULL) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return -EIO;
	}
	GENERAL_NAME_set0_value(name, type, value);
	if (sk_GENERAL_NAME_push(names, name) == 0) {
		GENERAL_NAME_free(name);
		return -EIO;
	}
	return 0;
}

static int
add_name(GENERAL_NAMES *names, const char *text)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	ASN1_IA5STRING *name;

	if (address != NULL) {
		return push_name(names, GEN_IPADD, address);
	}
	ERR_clear_error();
	if (!is_dns_name(text)) {
		return -EINVAL;
	}
	name = ASN1_IA5STRING_new();
	if (name != NULL && ASN1_STRING_set(name, text, (int)strlen(text)) != 1) {
		ASN1_STRING_free(name);
		name = NULL;
	}
	return push_name(names, GEN_DNS, name);
}

static int
add_names(X509 *certificate, const char *const *texts, size_t count)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	int result = names == NULL ? -EIO : 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		result = add_name(names, texts[i]);
	}
	if (result == 0 &&
	    X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) != 1) {
		result = -EIO;
	}
	GENERAL_NAMES_free(names);
	return result;
}

static bool
add_extensions(X509 *certificate)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	for (size_t i = 0; i < ARRAY_COUNT(extensions); i++) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(
		    NULL, &context, extensions[i].nid, extensions[i].value);
		bool is_added =
		    extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

		X509_EXTENSION_free(extension);
		if (!is_added) {
			return false;
		}
	}
	return true;
}

static bool
set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool is_set =
	    number != NULL &&
	    BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

	BN_free(number);
	return is_set;
}

/* The first name is the subject; one that is too long for that is an alternative only. */
static bool
set_subject(X509 *certificate, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	const char *common = strlen(name) <= COMMON_NAME_MAX ? name : "deftpd";

	return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
	                                  (const unsigned char *)common, -1, -1,
	                                  0) == 1 &&
	       X509_set_issuer_name(certificate, subject) == 1;
}

static bool
set_dates(X509 *certificate, int64_t now)
{
	time_t base = (time_t)now;

	return X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -CLOCK_SKEW_SECONDS,
	                        &base) != NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(certificate), SELF_SIGNED_DAYS, 0,
	                        &base) != NULL;
}

static int
fill(X509 *certificate, EVP_PKEY *key, const char *const *names, size_t count,
     int64_t now)
{
	int result = add_names(certificate, names, count);

	if (result != 0) {
		return result;
	}
	if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
	    !set_serial(certificate) || !set_subject(certificate, names[0]) ||
	    !set_dates(certificate, now) || X509_set_pubkey(certificate, key) != 1 ||
	    !add_extensions(certificate) ||
	    X509_sign(certificate, key, EVP_sha256()) == 0) {
		return -EIO;
	}
	return 0;
}

/* Take what was written; it must fit, and its end be free for a NUL. */
static int
take_text(BIO *bio, char text[SELF_SIGNED_PEM_MAX])
{
	int len = BIO_read(bio, text, SELF_SIGNED_PEM_MAX);

	if (len <= 0 || len >= SELF_SIGNED_PEM_MAX) {
		return -EIO;
	}
	text[len] = '\0';
	return 0;
}

static int
write_pair(X509 *certificate, EVP_PKEY *key, struct self_signed *ret_pair)
{
	BIO *public = BIO_new(BIO_s_mem());
	BIO *private = BIO_new(BIO_s_secmem());
	int result = -EIO;

	if (public != NULL && private != NULL &&
	    PEM_write_bio_X509(public, certificate) == 1 &&
	    PEM_write_bio_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1) {
		result = take_text(public, ret_pair->certificate);
	}
	if (result == 0) {
		result = take_text(private, ret_pair->key);
	}
	BIO_free(public);
	BIO_free(private);
	return result;
}

int
self_signed_make(const char *const *names, size_t count, int64_t now,
                 struct self_signed *ret_pair)
{
	EVP_PKEY *key;
	X509 *certificate;
	int result = -EIO;

	if (count == 0 || count > SELF_SIGNED_NAMES_MAX) {
		return -EINVAL;
	}
	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	if (key != NULL && certificate != NULL) {
		result = fill(certificate, key, names, count, now);
	}
	if (result == 0) {
		result = write_pair(certificate, key, ret_pair);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return result;
}
