/*
 * client_ca: who vouches for clients, and whose certificates are revoked.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/client_ca.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "ftpd/tls/connection.h"
#include "ftpd/tls/dates.h"
#include "ftpd/tls/pem.h"
#include "common/base.h"

enum {
	CRLS_MAX = 512,
};

static int
add_certificates(const struct tls_file *file, X509_STORE *store, struct teller *teller)
{
	STACK_OF(X509) *list = NULL;
	int result = tls_pem_certificates(file, teller, &list);

	for (int i = 0; result == 0 && i < sk_X509_num(list); i++) {
		X509 *certificate = sk_X509_value(list, i);

		if (X509_check_ca(certificate) == 0) {
			teller_mistake(
			    teller, tls_place_of(file),
			    "certificate number %d is not one that may vouch for "
			    "others (CA); give that of the issuer of the clients' "
			    "certificates",
			    i + 1);
			result = -EINVAL;
		} else if (X509_STORE_add_cert(store, certificate) != 1) {
			result = -ENOMEM;
		}
	}
	sk_X509_pop_free(list, X509_free);
	return result;
}

/* The one who has signed a list must be among those who vouch. */
static X509 *
find_issuer(X509_STORE *store, X509_CRL *crl)
{
	STACK_OF(X509) *all = X509_STORE_get1_all_certs(store);
	X509 *found = NULL;

	for (int i = 0; found == NULL && i < sk_X509_num(all); i++) {
		X509 *one = sk_X509_value(all, i);

		if (X509_NAME_cmp(X509_get_subject_name(one), X509_CRL_get_issuer(crl)) ==
		        0 &&
		    X509_CRL_verify(crl, X509_get0_pubkey(one)) == 1) {
			found = one;
			(void)X509_up_ref(found); /* fails for NULL only */
		}
	}
	sk_X509_pop_free(all, X509_free);
	ERR_clear_error();
	return found;
}

static int
add_crl(const struct tls_file *file, int number, X509_CRL *crl, X509_STORE *store,
        struct teller *teller)
{
	char name[TELLER_NAME_MAX];
	X509 *issuer = find_issuer(store, crl);

	if (issuer == NULL) {
		teller_mistake(teller, tls_place_of(file),
		               "list number %d is of %s, which is not in tls.client_ca; "
		               "give the list of one that is",
		               number, teller_name(X509_CRL_get_issuer(crl), name));
		return -EINVAL;
	}
	X509_free(issuer);
	return X509_STORE_add_crl(store, crl) == 1 ? 0 : -ENOMEM;
}

static int
add_crls(const struct tls_file *file, BIO *bio, X509_STORE *store, struct teller *teller)
{
	int count = 0;
	int result = 0;

	while (result == 0 && count < CRLS_MAX) {
		X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

		if (crl == NULL) {
			break;
		}
		count++;
		result = add_crl(file, count, crl, store, teller);
		X509_CRL_free(crl);
	}
	if (result == 0 && count == CRLS_MAX) {
		teller_mistake(teller, tls_place_of(file),
		               "more than %d lists are here; remove those that are not "
		               "needed",
		               CRLS_MAX - 1);
		return -EINVAL;
	}
	if (result == 0 && (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) !=
	                                      PEM_R_NO_START_LINE)) {
		teller_mistake(
		    teller, tls_place_of(file),
		    "list number %d cannot be read: %s; it must be in PEM form, "
		    "with a line \"-----BEGIN X509 CRL-----\"",
		    count + 1, teller_reason());
		return -EINVAL;
	}
	ERR_clear_error();
	return result;
}

static int
read_crls(const struct tls_file *file, X509_STORE *store, struct teller *teller)
{
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
	int result;

	if (bio == NULL) {
		return -ENOMEM;
	}
	ERR_clear_error();
	result = add_crls(file, bio, store, teller);
	BIO_free(bio);
	if (result == 0 &&
	    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
	                                    X509_V_FLAG_CRL_CHECK_ALL) != 1) {
		return -ENOMEM;
	}
	return result;
}

int
tls_client_ca_read(const struct tls_setup *setup, struct teller *teller,
                   X509_STORE **ret_store)
{
	const struct tls_file *file =
	    tls_files_find(setup->files, TLS_FILE_CLIENT_CA, 0, 0);
	const struct tls_file *crl =
	    tls_files_find(setup->files, TLS_FILE_CLIENT_CRL, 0, 0);
	X509_STORE *store;
	int result;

	if (file == NULL && setup->options->tls.client_ca[0] == '\0') {
		return 0;
	}
	if (file == NULL) { /* whoever should prove himself must not slip in */
		teller_mistake(teller, (struct tls_place){TLS_FILE_CLIENT_CA, 0, 0},
		               "the file was not read; see that it is there");
		return -EINVAL;
	}
	if (crl == NULL && setup->options->tls.client_crl[0] != '\0') {
		teller_mistake(teller, (struct tls_place){TLS_FILE_CLIENT_CRL, 0, 0},
		               "the file was not read; see that it is there");
		return -EINVAL;
	}
	store = X509_STORE_new();
	if (store == NULL) {
		return -ENOMEM;
	}
	/* who is in the file is believed, whoever has signed his certificate */
	result = X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1
	             ? add_certificates(file, store, teller)
	             : -ENOMEM;
	if (result == 0 && crl != NULL) {
		result = read_crls(crl, store, teller);
	}
	if (result != 0) {
		X509_STORE_free(store);
		return result;
	}
	*ret_store = store;
	return 0;
}

/*
 * Somebody's certificate is looked at, from its root down. Revoked ones are refused, and
 * those of whose issuer there is no list; but who has none for the issuers above means to
 * trust these.
 */
static int
judge_client(int is_fine, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_hello *hello = SSL_get_app_data(ssl);
	X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	char name[TELLER_NAME_MAX] = "";

	if (is_fine == 1) {
		return 1;
	}
	if (error == X509_V_ERR_UNABLE_TO_GET_CRL &&
	    X509_STORE_CTX_get_error_depth(ctx) > 0) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (certificate != NULL) {
		(void)teller_name(X509_get_subject_name(certificate), name);
	}
	(void)snprintf(hello->failure, sizeof(hello->failure),
	               "the client's certificate is refused: %s (%s)",
	               X509_verify_cert_error_string(error), name);
	return 0;
}

int
tls_client_ca_use(SSL_CTX *ctx, const struct tls_setup *setup, X509_STORE *store)
{
	int mode = SSL_VERIFY_PEER;
	STACK_OF(X509) * all;
	int result = 0;

	if (setup->options->tls.client_certificate == OPTIONS_CLIENT_REQUIRE) {
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	}
	SSL_CTX_set_verify(ctx, mode, judge_client);
	SSL_CTX_set1_cert_store(ctx, store);
	all = X509_STORE_get1_all_certs(store);
	for (int i = 0; result == 0 && i < sk_X509_num(all); i++) {
		if (SSL_CTX_add_client_CA(ctx, sk_X509_value(all, i)) != 1) {
			result = -ENOMEM;
		}
	}
	sk_X509_pop_free(all, X509_free);
	return result;
}

static void
check_authority(X509 *certificate, int64_t now, struct teller *teller)
{
	struct tls_place place = {TLS_FILE_CLIENT_CA, 0, 0};
	int64_t expires = tls_date(X509_get0_notAfter(certificate));
	char name[TELLER_NAME_MAX];
	char date[TLS_DATE_MAX];

	if (expires <= now) {
		(void)teller_name(X509_get_subject_name(certificate), name);
		teller_warning(
		    teller, place,
		    "the certificate of %s has expired on %s, and clients whose "
		    "certificates it has signed are refused; put a new one in its "
		    "place, or remove it",
		    name, tls_date_text(expires, date));
	}
}

static void
check_list(const X509_CRL *crl, int64_t now, struct teller *teller)
{
	struct tls_place place = {TLS_FILE_CLIENT_CRL, 0, 0};
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	char name[TELLER_NAME_MAX];
	char date[TLS_DATE_MAX];

	(void)teller_name(X509_CRL_get_issuer(crl), name);
	if (next != NULL && tls_date(next) <= now) {
		teller_warning(
		    teller, place,
		    "the list of revoked certificates of %s is out of date "
		    "since %s, and clients with certificates of this issuer are "
		    "refused; fetch a new one",
		    name, tls_date_text(tls_date(next), date));
	}
	if (tls_date(X509_CRL_get0_lastUpdate(crl)) > now) {
		teller_warning(
		    teller, place,
		    "the list of revoked certificates of %s is not yet valid, "
		    "and clients with certificates of this issuer are refused; set "
		    "the clock right",
		    name);
	}
}

void
tls_client_ca_check(X509_STORE *store, int64_t now, struct teller *teller)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
		X509 *certificate = X509_OBJECT_get0_X509(object);
		X509_CRL *crl = X509_OBJECT_get0_X509_CRL(object);

		if (certificate != NULL) {
			check_authority(certificate, now, teller);
		}
		if (crl != NULL) {
			check_list(crl, now, teller);
		}
	}
}
