/*
 * pem: certificates and keys out of text.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/pem.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "common/secret.h"
#include "common/base.h"

/* What the reader of an encrypted key is asked. */
struct question {
	const struct tls_file *password;
	bool is_asked;
	bool is_too_long;
};

static bool
is_der(const struct tls_file *file)
{
	return file->len > 4 && file->bytes[0] == 0x30 && (file->bytes[1] & 0x80) != 0;
}

/* In: command: of openssl, for what should be in the file. */
static void
tell_der(const struct tls_file *file, const char *command, struct teller *teller)
{
	const unsigned char *bytes = file->bytes;
	PKCS12 *store = d2i_PKCS12(NULL, &bytes, (long)file->len);

	if (store != NULL) {
		teller_mistake(
		    teller, tls_place_of(file),
		    "this file is in PKCS #12 form; \"openssl pkcs12 -noenc -in "
		    "FILE -out FILE.pem\" makes PEM of it");
	} else {
		teller_mistake(teller, tls_place_of(file),
		               "this file is in DER form; \"openssl %s -inform DER -in "
		               "FILE -out FILE.pem\" makes PEM of it",
		               command);
	}
	PKCS12_free(store);
	ERR_clear_error();
}

/* Returns: false at the end of what the file holds, and after an error. */
static bool
read_one(BIO *bio, STACK_OF(X509) * list)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	if (certificate == NULL) {
		return false;
	}
	if (sk_X509_push(list, certificate) == 0) {
		X509_free(certificate);
		return false;
	}
	return true;
}

static void
tell_no_certificate(const struct tls_file *file, struct teller *teller)
{
	if (is_der(file)) {
		tell_der(file, "x509", teller);
		return;
	}
	teller_mistake(teller, tls_place_of(file),
	               "there is no certificate in this file; it must have a line "
	               "\"-----BEGIN CERTIFICATE-----\"");
}

/* The list has ended: well, or at something that cannot be read. */
static int
end_list(const struct tls_file *file, int max, const STACK_OF(X509) * list,
         struct teller *teller)
{
	unsigned long error = ERR_peek_last_error();
	int count = sk_X509_num(list);

	if (count > max) {
		teller_mistake(teller, tls_place_of(file),
		               "certificate number %d is one too many; remove what does "
		               "not belong here",
		               count);
		return -EINVAL;
	}
	if (ERR_GET_LIB(error) != ERR_LIB_PEM ||
	    ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
		teller_mistake(teller, tls_place_of(file),
		               "certificate number %d cannot be read: %s; copy the file "
		               "again, from its BEGIN to its END line",
		               count + 1, teller_reason());
		return -EINVAL;
	}
	ERR_clear_error();
	if (count == 0) {
		tell_no_certificate(file, teller);
		return -EINVAL;
	}
	return 0;
}

int
tls_pem_certificates(const struct tls_file *file, struct teller *teller,
                     STACK_OF(X509) * *ret_list)
{
	int max = file->kind == TLS_FILE_CLIENT_CA ? TLS_CA_MAX : TLS_CHAIN_MAX;
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
	STACK_OF(X509) *list = sk_X509_new_null();
	int result = -ENOMEM;

	ERR_clear_error();
	if (bio != NULL && list != NULL) {
		while (sk_X509_num(list) <= max && read_one(bio, list)) {
		}
		result = end_list(file, max, list, teller);
	}
	BIO_free(bio);
	if (result != 0) {
		sk_X509_pop_free(list, X509_free);
		return result;
	}
	*ret_list = list;
	return 0;
}

static int
give_password(char *buffer, int cap, int is_for_writing, void *arg)
{
	struct question *question = arg;
	const uint8_t *end;
	size_t len;

	(void)is_for_writing; /* the signature is OpenSSL's */
	question->is_asked = true;
	if (question->password == NULL) {
		return -1;
	}
	len = question->password->len;
	end = len > 0 ? memchr(question->password->bytes, '\n', len) : NULL;
	if (end != NULL) {
		len = (size_t)(end - question->password->bytes);
	}
	if (len > 0 && question->password->bytes[len - 1] == '\r') {
		len--;
	}
	if (len > (size_t)cap) {
		question->is_too_long = true;
		return -1;
	}
	if (len > 0) {
		memcpy(buffer, question->password->bytes, len);
	}
	return (int)len;
}

/* Nothing in the file claims to be a private key. */
static void
tell_missing_key(const struct tls_file *file, struct teller *teller)
{
	if (file->kind != TLS_FILE_CERTIFICATE) {
		teller_mistake(teller, tls_place_of(file),
		               "there is no private key in this file; it must have a "
		               "line \"-----BEGIN PRIVATE KEY-----\"");
		return;
	}
	teller_mistake(teller, tls_place_of(file),
	               "there is no private key in this file; name the file of its key "
	               "in %s, or append the key to this one",
	               file->host > 0 ? "private_key of this section"
	                              : "tls.private_key");
}

static bool
has_key_line(const struct tls_file *file)
{
	static const char words[] = "PRIVATE KEY-----";

	return file->len > 0 &&
	       memmem(file->bytes, file->len, words, sizeof(words) - 1) != NULL;
}

static void
tell_no_key(const struct tls_file *file, const struct question *question,
            struct teller *teller)
{
	struct tls_place place = tls_place_of(file);

	if (question->is_asked && question->password == NULL) {
		teller_mistake(
		    teller, place,
		    "this key is encrypted; set tls.key_password to a file whose "
		    "first line is its password");
	} else if (question->is_too_long) {
		teller_mistake(
		    teller, tls_place_of(question->password),
		    "this password is longer than OpenSSL takes; make its first "
		    "line shorter");
	} else if (question->is_asked) {
		teller_mistake(teller, place,
		               "the first line of tls.key_password does not decrypt this "
		               "key: %s; write the right one there",
		               teller_reason());
	} else if (is_der(file)) {
		tell_der(file, "pkey", teller);
	} else if (!has_key_line(file)) {
		tell_missing_key(file, teller);
	} else {
		teller_mistake(teller, place,
		               "the private key in this file cannot be read: %s; copy it "
		               "again, from its BEGIN to its END line",
		               teller_reason());
	}
	ERR_clear_error();
}

int
tls_pem_key(const struct tls_file *file, const struct tls_file *password,
            struct teller *teller, EVP_PKEY **ret_key)
{
	struct question question = {.password = password};
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
	EVP_PKEY *key = NULL;

	ERR_clear_error();
	if (bio != NULL) {
		key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &question);
	}
	BIO_free(bio);
	if (key == NULL) {
		tell_no_key(file, &question, teller);
		return -EINVAL;
	}
	ERR_clear_error();
	*ret_key = key;
	return 0;
}
