/*
 * fuzz_tls_names: any bytes as the alternative names of a client's certificate.
 * Wanted:  no crash; each name given out is, to the last byte, one that is there; nothing
 *          in it could end a line or a text.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "ftpd/tls/peer.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static X509 *
make_certificate(const uint8_t *data, size_t size)
{
	X509 *certificate = X509_new();
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	fuzz_require(certificate != NULL && value != NULL);
	fuzz_require(ASN1_OCTET_STRING_set(value, data, (int)size) == 1);
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
	fuzz_require(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	return certificate;
}

static bool
is_there(const GENERAL_NAMES *list, const char *name, size_t len)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		int type = 0;
		const ASN1_STRING *text =
		    GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, i), &type);

		if ((type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) &&
		    (size_t)ASN1_STRING_length(text) == len &&
		    memcmp(ASN1_STRING_get0_data(text), name, len) == 0) {
			return true;
		}
	}
	return false;
}

static void
judge(const GENERAL_NAMES *list, const char *names, size_t len)
{
	while (len > 0) {
		const char *end = memchr(names, '\n', len);
		size_t name_len;

		fuzz_require(end != NULL);
		name_len = (size_t)(end - names);
		fuzz_require(name_len > 0 && is_there(list, names, name_len));
		for (size_t i = 0; i < name_len; i++) {
			fuzz_require(names[i] > ' ' && names[i] < '\x7f');
		}
		names += name_len + 1;
		len -= name_len + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char names[TLS_NAMES_MAX_BYTES];
	X509 *certificate;
	GENERAL_NAMES *list;
	size_t len;

	if (size > INT16_MAX) {
		return 0;
	}
	certificate = make_certificate(data, size);
	len = tls_peer_names(certificate, names);
	fuzz_require(len <= sizeof(names));
	list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	judge(list, names, len);
	GENERAL_NAMES_free(list);
	X509_free(certificate);
	ERR_clear_error();
	return 0;
}
