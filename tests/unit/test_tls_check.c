/*
 * test_tls_check: which mistakes in certificates, keys and lists are found, and that what
 * is right passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ftpd/tls/pem.h"
#include "tests/unit/tls_lab.h"
#include "common/base.h"

static const char one[] = "tls { certificate = {\"/c\"} }\n";
static const char with_key[] = "tls { certificate = {\"/c\"} private_key = {\"/k\"} }\n";
static const char with_password[] =
    "tls { certificate = {\"/c\"} private_key = {\"/k\"} key_password = \"/p\" }\n";
/* Everybody who is needed, made once. */
struct people {
	struct forged root;
	struct forged between;
	struct forged server; /* of between */
	struct forged rsa;    /* of between, too */
	struct forged lone;   /* self-signed */
	struct forged other;  /* of a root of its own */
};

static int
make_people(void **state)
{
	struct people *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	assert_int_equal(tls_init(), 0);
	made->root = forge(&(struct forge_order){.subject = "root", .is_ca = true});
	made->between = forge(&(struct forge_order){
	    .subject = "between", .is_ca = true, .by = &made->root});
	made->server = forge(&(struct forge_order){
	    .subject = "server", .names = "DNS:ftp.example", .by = &made->between});
	made->rsa = forge(&(struct forge_order){.subject = "rsa",
	                                        .kind = "RSA",
	                                        .names = "DNS:ftp.example",
	                                        .by = &made->between});
	made->lone =
	    forge(&(struct forge_order){.subject = "lone", .names = "DNS:ftp.example"});
	made->other =
	    forge(&(struct forge_order){.subject = "other", .names = "DNS:ftp.example"});
	*state = made;
	return 0;
}

static int
free_people(void **state)
{
	struct people *made = *state;

	forge_free(&made->root);
	forge_free(&made->between);
	forge_free(&made->server);
	forge_free(&made->rsa);
	forge_free(&made->lone);
	forge_free(&made->other);
	free(made);
	return 0;
}

static void
what_is_right_passes(void **state)
{
	const struct people *made = *state;
	const struct lab_report *fact;
	struct lab lab;

	lab_begin(&lab, "tls { certificate = {\"/c\", \"/r\"} "
	                "server_names = {\"ftp.example\"} }\n");
	lab_add_list(
	    &lab, 0, 0,
	    (const struct forged *[3]){&made->server, &made->between, &made->root});
	lab_add_list(&lab, 0, 1,
	             (const struct forged *[3]){&made->rsa, &made->between, NULL});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, NULL);
	fact = lab_find(&lab, TLS_REPORT_FACT, "server");
	assert_non_null(fact);
	assert_int_equal(fact->index, 0);
	assert_string_equal(fact->text,
	                    "CN = server, ECDSA key of 256 bits, for ftp.example");
	fact = lab_find(&lab, TLS_REPORT_FACT, "RSA key of 2048 bits");
	assert_non_null(fact);
	assert_int_equal(fact->index, 1);
	assert_int_equal(lab.report_count, 2);
	lab_end(&lab);
}

static void
every_kind_of_key_is_served(void **state)
{
	static const char *const kinds[] = {"P-256", "RSA", "ED25519", "ED448",
	                                    "RSA-PSS"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		struct lab lab;

		lab_begin(&lab, one);
		lab_add_plain(&lab, 0, 0,
		              &(struct forge_order){.kind = kinds[i],
		                                    .names = "DNS:a, IP:192.0.2.1, "
		                                             "IP:2001:db8::1"});
		lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, NULL);
		assert_non_null(
		    lab_find(&lab, TLS_REPORT_FACT, "for a, 192.0.2.1, 2001:db8::1"));
		lab_end(&lab);
	}
}

static void
no_certificate_is_no_mistake(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab, "");
	assert_true(lab_check(&lab, 0));
	assert_int_equal(lab.report_count, 0);
	lab_end(&lab);
}

static void
garbled_files_are_told(void **state)
{
	static const char broken[] =
	    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
	    {"", "no certificate in this file"},
	    {"hello\n", "no certificate in this file"},
	    {broken, "number 1 cannot be read"},
	    {"-----BEGIN CERTIFICATE-----\nMIIB", "number 1 cannot be read"},
	    {"\x30\x82\x01\x01\x30", "openssl x509 -inform DER"},
	};
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		lab_begin(&lab, one);
		lab_add_text(&lab, TLS_FILE_CERTIFICATE, cases[i].text);
		lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, cases[i].words);
		lab_end(&lab);
	}
	/* a good one, and then a bad one */
	lab_begin(&lab, one);
	forge_put(pem, &made->server);
	forge_put_text(pem, broken);
	forge_put_key(pem, &made->server, NULL);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "number 2 cannot be read");
	lab_end(&lab);
	free(pem);
}

static void
a_store_of_keys_is_told(void **state)
{
	const struct people *made = *state;
	PKCS12 *store = PKCS12_create("pass", "name", made->lone.key,
	                              made->lone.certificate, NULL, 0, 0, 0, 0, 0);
	struct forge_pem *pem = forge_new_pem();
	unsigned char *bytes = (unsigned char *)pem->text;
	struct lab lab;
	int len;

	assert_non_null(store);
	assert_in_range(i2d_PKCS12(store, NULL), 1, sizeof(pem->text));
	len = i2d_PKCS12(store, &bytes);
	pem->len = (size_t)len;
	lab_begin(&lab, one);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "openssl pkcs12");
	lab_end(&lab);
	PKCS12_free(store);
	free(pem);
}

static void
long_files_are_told(void **state)
{
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	forge_put_key(pem, &made->lone, NULL);
	for (int i = 0; i < TLS_CHAIN_MAX; i++) {
		forge_put(pem, &made->lone);
	}
	lab_begin(&lab, one);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "number 2 of this file");
	lab_end(&lab);
	forge_put(pem, &made->lone);
	lab_begin(&lab, one);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "number 17 is one too many");
	lab_end(&lab);
	free(pem);
}

static void
keys_are_looked_at(void **state)
{
	const struct people *made = *state;
	const struct {
		const struct forged *own; /* NULL: none is there */
		const char *password;     /* of the key */
		const char *text;         /* in place of a key */
		const char *words;        /* NULL: it is right */
	} cases[] = {
	    {&made->lone, NULL, NULL, NULL},
	    {&made->other, NULL, NULL, "does not belong to the certificate /p"},
	    {&made->lone, "secret", NULL, "set tls.key_password"},
	    {NULL, NULL, "", "no private key in this file; it must have a line"},
	    {NULL, NULL, "\x30\x82\x01\x01\x30", "openssl pkey -inform DER"},
	    {NULL, NULL, "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
	     "the private key in this file cannot be read"},
	    {NULL, NULL, "-----BEGIN PRIVATE KEY-----\nMII", "cannot be read"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct forge_pem *pem = forge_new_pem();
		struct lab lab;

		lab_begin(&lab, with_key);
		forge_put(pem, &made->lone);
		lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
		pem->len = 0;
		if (cases[i].own != NULL) {
			forge_put_key(pem, cases[i].own, cases[i].password);
		} else {
			forge_put_text(pem, cases[i].text);
		}
		lab_add(&lab, TLS_FILE_KEY, 0, 0, pem);
		if (cases[i].words == NULL) {
			lab_expect_warning(&lab, 0, TLS_FILE_KEY, NULL);
		} else {
			lab_expect_mistake(&lab, TLS_FILE_KEY, cases[i].words);
		}
		lab_end(&lab);
		free(pem);
	}
}

static void
a_key_that_is_missing_is_told(void **state)
{
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	lab_begin(&lab, one);
	forge_put(pem, &made->lone);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "in tls.private_key, or");
	lab_end(&lab);
	free(pem);
}

static void
passwords_decrypt_keys(void **state)
{
	static const struct {
		const char *password;
		const char *file;
		const char *words;
	} cases[] = {
	    {"secret", "secret", NULL},
	    {"secret", "secret\n", NULL},
	    {"secret", "secret\r\nand more\n", NULL},
	    {"a secret", "a secret\nand more", NULL},
	    {"secret", "Secret\n", "does not decrypt"},
	    {"secret", "\n", "does not decrypt"},
	    {"secret", "", "does not decrypt"},
	    {NULL, "needed by nobody\n", NULL},
	};
	const struct people *made = *state;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct forge_pem *pem = forge_new_pem();
		struct lab lab;

		lab_begin(&lab, with_password);
		forge_put(pem, &made->lone);
		lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
		pem->len = 0;
		forge_put_key(pem, &made->lone, cases[i].password);
		lab_add(&lab, TLS_FILE_KEY, 0, 0, pem);
		lab_add_text(&lab, TLS_FILE_PASSWORD, cases[i].file);
		if (cases[i].words == NULL) {
			lab_expect_warning(&lab, 0, TLS_FILE_KEY, NULL);
		} else {
			lab_expect_mistake(&lab, TLS_FILE_KEY, cases[i].words);
		}
		lab_end(&lab);
		free(pem);
	}
}

/*
 * As other programs write them: parameters before the key, the key before its
 * certificate.
 */
static void
any_order_of_blocks_will_do(void **state)
{
	static const char parameters[] = "-----BEGIN EC PARAMETERS-----\n"
					 "BggqhkjOPQMBBw==\n"
					 "-----END EC PARAMETERS-----\n";
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	lab_begin(&lab, one);
	forge_put_text(pem, "Bag Attributes\n    friendlyName: x\n");
	forge_put_text(pem, parameters);
	forge_put_key(pem, &made->lone, NULL);
	forge_put(pem, &made->lone);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, NULL);
	lab_end(&lab);
	free(pem);
}

static void
chains_are_in_order_and_whole(void **state)
{
	const struct people *made = *state;
	const struct {
		const struct forged *list[3]; /* the key is the first one's */
		enum tls_report_type type;    /* END: all is well */
		const char *words;
	} cases[] = {
	    {{&made->server, &made->between, &made->root}, TLS_REPORT_END, NULL},
	    {{&made->server, &made->between, NULL}, TLS_REPORT_END, NULL},
	    {{&made->server, NULL, NULL}, TLS_REPORT_WARNING, "CN = between"},
	    {{&made->server, &made->root, &made->between},
	     TLS_REPORT_MISTAKE,
	     "behind number 1 must stand that of its issuer"},
	    {{&made->server, &made->other, NULL},
	     TLS_REPORT_MISTAKE,
	     "number 2 of this file has nothing to do"},
	    {{&made->server, &made->between, &made->other},
	     TLS_REPORT_MISTAKE,
	     "number 3 of this file has nothing to do"},
	    {{&made->lone, &made->other, NULL}, TLS_REPORT_MISTAKE, "number 2"},
	    {{&made->lone, NULL, NULL}, TLS_REPORT_END, NULL},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct forged *list[3] = {cases[i].list[0], cases[i].list[1],
		                                cases[i].list[2]};
		struct lab lab;

		lab_begin(&lab, one);
		lab_add_list(&lab, 0, 0, list);
		if (cases[i].type == TLS_REPORT_MISTAKE) {
			lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, cases[i].words);
		} else {
			lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, cases[i].words);
		}
		lab_end(&lab);
	}
}

static void
the_servers_own_comes_first(void **state)
{
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	lab_begin(&lab, one);
	forge_put(pem, &made->between);
	forge_put(pem, &made->server);
	forge_put_key(pem, &made->server, NULL);
	lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "number 2 in its file");
	lab_end(&lab);
	free(pem);
}

static void
what_clients_refuse_is_told(void **state)
{
	const struct people *made = *state;
	const struct {
		struct forge_order order;
		const char *words;
	} cases[] = {
	    {{.kind = "RSA-1024", .names = "DNS:a"}, "ee key too small"},
	    {{.digest = "SHA1", .names = "DNS:a", .by = &made->root}, "md too weak"},
	    {{.usage = "clientAuth", .names = "DNS:a"}, "purpose"},
	    {{.names = "DNS:a", .by = &made->other}, "invalid CA certificate"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct forged bad = forge(&cases[i].order);
		const struct forged *list[3] = {&bad, cases[i].order.by, NULL};
		struct lab lab;

		lab_begin(&lab, one);
		lab_add_list(&lab, 0, 0, list);
		lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, cases[i].words);
		lab_end(&lab);
		forge_free(&bad);
	}
}

/* It is served, as the clock may be wrong; and who renews one is told from when on. */
static void
one_of_the_future_is_told(void **state)
{
	const struct lab_report *fact;
	struct lab lab;

	(void)state;
	lab_begin(&lab, one);
	lab_add_plain(&lab, 0, 0,
	              &(struct forge_order){.names = "DNS:a", .begins_s = FORGE_DAY});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, " UTC, and clients refuse it");
	fact = lab_find(&lab, TLS_REPORT_FACT, "");
	assert_non_null(fact);
	assert_true(llabs(fact->begins - (time(NULL) + FORGE_DAY)) < 60);
	lab_end(&lab);
}

static void
dates_are_told_in_time(void **state)
{
	static const struct {
		int64_t from_now_s;
		const char *words; /* NULL: nothing to tell */
	} cases[] = {
	    {0, NULL},
	    {(90 - CHECK_WARN_DAYS - 1) * FORGE_DAY, NULL},
	    {(90 - CHECK_WARN_DAYS) * FORGE_DAY + 60, "expires on "},
	    {90 * FORGE_DAY - 60, "expires on "},
	    {90 * FORGE_DAY + 60, "has expired on "},
	    {900 * FORGE_DAY, "has expired on "},
	};
	struct lab lab;

	(void)state;
	lab_begin(&lab, one);
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct lab_report *fact;

		lab_expect_warning(&lab, cases[i].from_now_s, TLS_FILE_CERTIFICATE,
		                   cases[i].words);
		fact = lab_find(&lab, TLS_REPORT_FACT, "");
		assert_non_null(fact);
		assert_true(llabs(fact->expires - (time(NULL) + 90 * FORGE_DAY)) < 60);
	}
	lab_end(&lab);
}

static void
an_expired_issuer_is_told(void **state)
{
	const struct people *made = *state;
	struct forged old = forge(&(struct forge_order){.subject = "old",
	                                                .is_ca = true,
	                                                .begins_s = -9 * FORGE_DAY,
	                                                .ends_s = -FORGE_DAY,
	                                                .by = &made->root});
	struct forged server = forge(&(struct forge_order){.names = "DNS:a", .by = &old});
	struct lab lab;

	lab_begin(&lab, one);
	lab_add_list(&lab, 0, 0, (const struct forged *[3]){&server, &old, NULL});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE,
	                   "number 2 of this file has expired");
	lab_end(&lab);
	forge_free(&server);
	forge_free(&old);
}

static void
names_are_compared(void **state)
{
	static const struct {
		const char *names;
		const char *words; /* NULL: nothing to tell */
	} cases[] = {
	    {"DNS:a.example", NULL},
	    {"DNS:*.example", "does not name a.example"}, /* of a whole domain */
	    {"DNS:b.example, DNS:A.Example", NULL},
	    {"DNS:b.example", "does not name a.example"},
	    {"IP:127.0.0.1", "does not name a.example"},
	    {NULL, "no alternative names"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct lab_report *found;
		struct lab lab;

		lab_begin(&lab, "tls { certificate = {\"/c\"} }\n"
		                "host \"z.example\" { banner = \"z\" }\n"
		                "host \"a.example\" { certificate = {\"/a\"} }\n");
		lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:b"});
		lab_add_plain(&lab, 2, 0, &(struct forge_order){.names = cases[i].names});
		lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, cases[i].words);
		found = lab_find(&lab, TLS_REPORT_WARNING, "");
		assert_true(found == NULL || found->host == 2);
		lab_end(&lab);
	}
}

static void
server_names_are_compared(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c\"} "
	                "server_names = {\"a.example\", \"b.example\"} }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a.example"});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, "names b.example");
	assert_null(lab_find(&lab, TLS_REPORT_WARNING, "names a.example"));
	lab_end(&lab);
}

static void
only_one_of_a_kind(void **state)
{
	const struct people *made = *state;
	struct lab lab;

	lab_begin(&lab, "tls { certificate = {\"/c\", \"/d\"} }\n");
	lab_add_list(&lab, 0, 0, (const struct forged *[3]){&made->lone, NULL, NULL});
	lab_add_list(&lab, 0, 1, (const struct forged *[3]){&made->other, NULL, NULL});
	lab_expect_mistake(&lab, TLS_FILE_CERTIFICATE, "of this kind (ECDSA)");
	assert_int_equal(lab.reports[0].index, 1);
	lab_end(&lab);
}

/* Ciphers for one kind of key only leave the other without clients of TLS 1.2. */
static void
handshakes_are_tried(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c\"} "
	                "ciphers = \"ECDHE-RSA-AES256-GCM-SHA384\" }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, "no client of TLS 1.2");
	lab_end(&lab);
	lab_begin(&lab, "tls { certificate = {\"/c\"} min_version = \"1.3\" }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, NULL);
	lab_end(&lab);
}

static void
weak_ciphers_are_told(void **state)
{
	static const struct {
		const char *ciphers;
		const char *words;
	} cases[] = {
	    {"", NULL},
	    {"ECDHE+AESGCM", NULL},
	    {"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA",
	     "tls.ciphers: ECDHE-ECDSA-AES256-SHA is without"},
	    {"HIGH:!aNULL", "is without"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[LAB_TEXT_MAX];
		struct lab lab;

		(void)snprintf(text, sizeof(text),
		               "tls { certificate = {\"/c\"} ciphers = \"%s\" }\n",
		               cases[i].ciphers);
		lab_begin(&lab, text);
		lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
		lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, cases[i].words);
		lab_end(&lab);
	}
}

/* Clients must bring a certificate; the check's own client need not. */
static void
required_certificates_do_not_disturb(void **state)
{
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	lab_begin(&lab, "tls { certificate = {\"/c\"} client_ca = \"/ca\" "
	                "client_certificate = \"require\" }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
	forge_put(pem, &made->root);
	lab_add(&lab, TLS_FILE_CLIENT_CA, 0, 0, pem);
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, NULL);
	lab_end(&lab);
	free(pem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_right_passes),
	    cmocka_unit_test(every_kind_of_key_is_served),
	    cmocka_unit_test(no_certificate_is_no_mistake),
	    cmocka_unit_test(garbled_files_are_told),
	    cmocka_unit_test(a_store_of_keys_is_told),
	    cmocka_unit_test(long_files_are_told),
	    cmocka_unit_test(keys_are_looked_at),
	    cmocka_unit_test(a_key_that_is_missing_is_told),
	    cmocka_unit_test(passwords_decrypt_keys),
	    cmocka_unit_test(any_order_of_blocks_will_do),
	    cmocka_unit_test(chains_are_in_order_and_whole),
	    cmocka_unit_test(the_servers_own_comes_first),
	    cmocka_unit_test(what_clients_refuse_is_told),
	    cmocka_unit_test(one_of_the_future_is_told),
	    cmocka_unit_test(dates_are_told_in_time),
	    cmocka_unit_test(an_expired_issuer_is_told),
	    cmocka_unit_test(names_are_compared),
	    cmocka_unit_test(server_names_are_compared),
	    cmocka_unit_test(only_one_of_a_kind),
	    cmocka_unit_test(handshakes_are_tried),
	    cmocka_unit_test(weak_ciphers_are_told),
	    cmocka_unit_test(required_certificates_do_not_disturb),
	};

	return cmocka_run_group_tests(tests, make_people, free_people);
}
