/*
 * test_tls_self_signed: a pair that is made for a first try serves at once, and clients
 * that are given it trust it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ftpd/tls/self_signed.h"
#include "tests/unit/tls_lab.h"
#include "common/base.h"

static X509 *
read_certificate(const struct self_signed *pair)
{
	BIO *bio = BIO_new_mem_buf(pair->certificate, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(certificate);
	return certificate;
}

static void
what_is_made_serves(void **state)
{
	static const char *const names[] = {"ftp.example", "localhost", "127.0.0.1",
	                                    "2001:db8::1"};
	static struct self_signed pair;
	struct lab_client client = {0};
	struct forge_pem *pem = calloc(1, sizeof(*pem));
	const struct lab_report *fact;
	struct lab lab;

	(void)state;
	assert_non_null(pem);
	assert_int_equal(self_signed_make(names, ARRAY_COUNT(names), time(NULL), &pair),
	                 0);
	lab_begin(&lab, "tls { certificate = {\"/c\"} private_key = {\"/k\"} "
	                "server_names = {\"ftp.example\", \"localhost\"} }\n");
	forge_put_text(pem, pair.certificate);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	pem->len = 0;
	forge_put_text(pem, pair.key);
	lab_add(&lab, TLS_FILE_KEY, 0, 0, pem);
	assert_true(lab_check(&lab, 0));
	assert_null(lab_find(&lab, TLS_REPORT_WARNING, ""));
	fact = lab_find(&lab, TLS_REPORT_FACT,
	                "CN = ftp.example, ECDSA key of 256 bits, for ftp.example, "
	                "localhost, 127.0.0.1, 2001:db8::1");
	assert_non_null(fact);
	assert_true(llabs(fact->expires - (time(NULL) + SELF_SIGNED_DAYS * FORGE_DAY)) <
	            60);
	assert_int_equal(lab_make(&lab), 0);
	lab_talk(&lab, &client);
	assert_true(client.is_open);
	SSL_SESSION_free(client.kept);
	lab_end(&lab);
	free(pem);
}

static void
clients_that_have_it_trust_it(void **state)
{
	static const char *const names[] = {"ftp.example"};
	static struct self_signed pair;
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *certificate;

	(void)state;
	assert_int_equal(self_signed_make(names, 1, time(NULL), &pair), 0);
	certificate = read_certificate(&pair);
	assert_int_equal(X509_STORE_add_cert(store, certificate), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, certificate, NULL), 1);
	assert_int_equal(X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER), 1);
	(void)X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
	                                  X509_V_FLAG_X509_STRICT);
	if (X509_verify_cert(ctx) != 1) {
		fail_msg("%s",
		         X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	}
	assert_int_equal(X509_check_host(certificate, "ftp.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(certificate, "example", 0, 0, NULL), 0);
	/* it cannot vouch for others, should its key be lost */
	assert_int_equal(X509_check_ca(certificate), 0);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(certificate);
}

static void
no_two_are_alike(void **state)
{
	static const char *const names[] = {"a"};
	static struct self_signed pairs[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(self_signed_make(names, 1, time(NULL), &pairs[i]), 0);
	}
	assert_string_not_equal(pairs[0].certificate, pairs[1].certificate);
	assert_string_not_equal(pairs[0].key, pairs[1].key);
}

static void
names_are_checked(void **state)
{
	static char label_63[64];
	static char label_64[65];
	static char name_253[254];
	static char name_254[255];
	const struct {
		const char *name;
		int result;
	} cases[] = {
	    {"a", 0},
	    {"a.example", 0},
	    {"my_host", 0},
	    {"a1.2b", 0},
	    {"192.0.2.1", 0},
	    {"::1", 0},
	    {label_63, 0},
	    {name_253, 0}, /* too long for a subject, but not for a name */
	    {"", -EINVAL},
	    {".", -EINVAL},
	    {"a.", -EINVAL},
	    {".a", -EINVAL},
	    {"a..b", -EINVAL},
	    {"192.0.2.256", -EINVAL},
	    {"192.0.2", -EINVAL},
	    {"a b", -EINVAL},
	    {"a\n", -EINVAL},
	    {"a,DNS:b", -EINVAL},
	    {"*", -EINVAL},
	    {"\xc3\xa4.example", -EINVAL},
	    {":::1", -EINVAL},
	    {label_64, -EINVAL},
	    {name_254, -EINVAL},
	};
	static struct self_signed pair;

	(void)state;
	memset(label_63, 'a', sizeof(label_63) - 1);
	memset(label_64, 'a', sizeof(label_64) - 1);
	for (size_t i = 0; i < 253; i++) {
		name_253[i] = i % 2 == 1 ? '.' : 'a';
		name_254[i] = name_253[i];
	}
	name_254[252] = 'a';
	name_254[253] = 'a';
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int result = self_signed_make(&cases[i].name, 1, time(NULL), &pair);

		if (result != cases[i].result) {
			fail_msg("%s: %d", cases[i].name, result);
		}
	}
}

static void
many_names_fit_and_too_many_do_not(void **state)
{
	const char *names[SELF_SIGNED_NAMES_MAX + 1];
	static struct self_signed pair;
	static char longest[SELF_SIGNED_NAMES_MAX + 1][64];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		(void)snprintf(longest[i], sizeof(longest[i]), "host-%zu.%s", i,
		               "department.of.some.example");
		names[i] = longest[i];
	}
	assert_int_equal(
	    self_signed_make(names, SELF_SIGNED_NAMES_MAX, time(NULL), &pair), 0);
	X509_free(read_certificate(&pair));
	assert_int_equal(
	    self_signed_make(names, SELF_SIGNED_NAMES_MAX + 1, time(NULL), &pair),
	    -EINVAL);
	assert_int_equal(self_signed_make(names, 0, time(NULL), &pair), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_made_serves),
	    cmocka_unit_test(clients_that_have_it_trust_it),
	    cmocka_unit_test(no_two_are_alike),
	    cmocka_unit_test(names_are_checked),
	    cmocka_unit_test(many_names_fit_and_too_many_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
