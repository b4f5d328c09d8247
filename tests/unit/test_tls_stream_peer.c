/*
 * test_tls_stream_peer: what is told of a client: names of its certificate, its host.
 * Source: SECURITY.md A13; RFC 5280 4.2.1.6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	MANY_NAMES = 1000,
	MANY_BYTES = 64 * 1024,
	LONG_NAME = 4095,
	TEXT_MAX = 1024,
};

struct people {
	struct lab lab;
	struct forged ca;
};

static const char only_ours[] = "client_ca = \"/ca\"";

static int
begin(void **state)
{
	struct people *people = calloc(1, sizeof(*people));
	struct forge_pem *pem = calloc(1, sizeof(*pem));
	char text[TEXT_MAX];

	assert_true(people != NULL && pem != NULL);
	people->ca = forge(&(struct forge_order){.subject = "ca", .is_ca = true});
	(void)snprintf(text, sizeof(text),
	               "tls { certificate = {\"/c0\"} %s }\n"
	               "host \"a.example\" { banner = \"a\" }\n",
	               only_ours);
	lab_begin(&people->lab, text);
	lab_add_plain(&people->lab, 0, 0, &(struct forge_order){.subject = "server"});
	forge_put(pem, &people->ca);
	lab_add(&people->lab, TLS_FILE_CLIENT_CA, 0, 0, pem);
	if (lab_make(&people->lab) != 0) {
		lab_print(&people->lab);
		fail();
	}
	assert_int_equal(tls_context_seed(people->lab.context), 0);
	free(pem);
	*state = people;
	return 0;
}

static int
end(void **state)
{
	struct people *people = *state;

	forge_free(&people->ca);
	lab_end(&people->lab);
	free(people);
	return 0;
}

/* The names that a stream tells of a certificate. */
static size_t
names_of(struct people *people, int version, const struct forged *own, char *names)
{
	struct duo_order order = {.version = version, .own = own};
	struct duo duo;
	size_t len;

	duo_open(&duo, &people->lab, &order);
	assert_int_equal(tls_stream_has_client_certificate(duo.stream), own != NULL);
	len = tls_stream_client_names(duo.stream, names);
	assert_int_equal(ERR_peek_error(), 0);
	assert_true(len < TLS_NAMES_MAX_BYTES + 1);
	duo_end(&duo);
	return len;
}

static void
names_are_listed(void **state)
{
	static const struct {
		const char *names;
		const char *told;
	} cases[] = {
	    {NULL, ""},
	    {"DNS:a.example", "a.example\n"},
	    {"DNS:a.example, email:a@example.org, URI:ftp://a/b, DNS:b",
	     "a.example\na@example.org\nftp://a/b\nb\n"},
	    {"DNS:*.example", "*.example\n"},
	    /* other kinds are nobody's name */
	    {"IP:127.0.0.1, RID:1.2.3.4, DNS:a", "a\n"},
	    {"IP:127.0.0.1", ""},
	};

	for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
		struct people *people = *state;
		struct forged own =
		    forge(&(struct forge_order){.subject = "somebody",
		                                .names = cases[i / 2].names,
		                                .by = &people->ca});
		char names[TLS_NAMES_MAX_BYTES];
		size_t len = names_of(people, duo_versions[i % 2], &own, names);

		assert_int_equal(len, strlen(cases[i / 2].told));
		assert_memory_equal(names, cases[i / 2].told, len);
		forge_free(&own);
	}
}

/* Sign a certificate anew, with names of any bytes, and one good one behind them. */
static void
set_names(struct forged *own, const struct forged *ca, int type, const void *bytes,
          size_t len)
{
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	int at = X509_get_ext_by_NID(own->certificate, NID_subject_alt_name, -1);

	assert_non_null(list);
	for (int i = 0; i < 2; i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		assert_true(name != NULL && text != NULL);
		assert_int_equal(
		    ASN1_STRING_set(text, i == 0 ? bytes : "good", i == 0 ? (int)len : 4),
		    1);
		GENERAL_NAME_set0_value(name, i == 0 ? type : GEN_DNS, text);
		assert_true(sk_GENERAL_NAME_push(list, name) > 0);
	}
	if (at >= 0) {
		X509_EXTENSION_free(X509_delete_ext(own->certificate, at));
	}
	assert_int_equal(X509_add1_ext_i2d(own->certificate, NID_subject_alt_name, list,
	                                   0, X509V3_ADD_APPEND),
	                 1);
	assert_true(X509_sign(own->certificate, ca->key, EVP_sha256()) > 0);
	GENERAL_NAMES_free(list);
}

static void
names_with_odd_bytes_are_left_out(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
	    {"admin\0.evil", 11}, {"\0", 1},    {"a\nroot", 6}, {"a\rb", 3}, {"a b", 3},
	    {"\xc3\xa4", 2},      {"a\x7f", 2}, {"\x1b[2J", 4}, {"", 0},
	};
	static const int types[] = {GEN_DNS, GEN_EMAIL, GEN_URI};

	for (size_t i = 0; i < ARRAY_COUNT(cases) * ARRAY_COUNT(types); i++) {
		struct people *people = *state;
		struct forged own = forge(
		    &(struct forge_order){.subject = "somebody", .by = &people->ca});
		char names[TLS_NAMES_MAX_BYTES];
		size_t len;

		set_names(&own, &people->ca, types[i % ARRAY_COUNT(types)],
		          cases[i / ARRAY_COUNT(types)].bytes,
		          cases[i / ARRAY_COUNT(types)].len);
		len = names_of(people, TLS1_3_VERSION, &own, names);
		assert_int_equal(len, 5);
		assert_memory_equal(names, "good\n", 5);
		forge_free(&own);
	}
}

/* What does not fit is left out whole; what fits behind it is told. */
static void
names_are_bounded(void **state)
{
	struct people *people = *state;
	char *text = calloc(1, MANY_BYTES);
	char name[LONG_NAME + 1];
	char names[TLS_NAMES_MAX_BYTES];
	struct forged own;
	size_t used = 0;
	size_t len;

	assert_non_null(text);
	for (int i = 0; i < MANY_NAMES; i++) {
		used += (size_t)snprintf(text + used, MANY_BYTES - used, "%sDNS:n%06d",
		                         i > 0 ? "," : "", i);
	}
	own = forge(
	    &(struct forge_order){.subject = "many", .names = text, .by = &people->ca});
	len = names_of(people, TLS1_3_VERSION, &own, names);
	assert_int_equal(len, TLS_NAMES_MAX_BYTES / 8 * 8);
	assert_memory_equal(names, "n000000\nn000001\n", 16);
	assert_int_equal(names[len - 1], '\n');
	forge_free(&own);
	free(text);

	/* the longest that fits leaves no room for the second; a longer one does */
	memset(name, 'x', sizeof(name));
	own = forge(&(struct forge_order){.subject = "long", .by = &people->ca});
	set_names(&own, &people->ca, GEN_DNS, name, LONG_NAME);
	assert_int_equal(names_of(people, TLS1_3_VERSION, &own, names),
	                 TLS_NAMES_MAX_BYTES);
	set_names(&own, &people->ca, GEN_DNS, name, LONG_NAME + 1);
	assert_int_equal(names_of(people, TLS1_3_VERSION, &own, names), 5);
	forge_free(&own);
}

/* On a resumed connection the certificate is that of the session. */
static void
a_resumed_session_keeps_its_certificate(void **state)
{
	struct people *people = *state;
	struct forged own = forge(&(struct forge_order){
	    .subject = "somebody", .names = "DNS:a", .by = &people->ca});

	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .own = &own};
		char names[TLS_NAMES_MAX_BYTES];
		struct duo control;
		struct duo data;

		duo_open(&control, &people->lab, &order);
		order.own = NULL;
		order.side = TLS_DATA;
		order.session = control.kept;
		duo_open(&data, &people->lab, &order);
		assert_true(tls_stream_has_resumed(data.stream));
		assert_int_equal(tls_stream_client_names(data.stream, names), 2);
		assert_memory_equal(names, "a\n", 2);
		duo_end(&data);
		duo_end(&control);
	}
	forge_free(&own);
}

static void
nobody_has_no_names(void **state)
{
	char names[TLS_NAMES_MAX_BYTES];

	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		assert_int_equal(names_of(*state, duo_versions[i], NULL, names), 0);
	}
}

/* One whom nobody vouches for, and why. */
static void
strangers_are_refused_by_name(void **state)
{
	struct people *people = *state;
	struct forged own = forge(&(struct forge_order){.subject = "stranger"});
	struct forged late = forge(&(struct forge_order){.subject = "late",
	                                                 .by = &people->ca,
	                                                 .begins_s = -2 * FORGE_DAY,
	                                                 .ends_s = -60});
	static const char *const failures[] = {"self-signed certificate",
	                                       "certificate has expired"};

	for (size_t i = 0; i < 2 * ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i / 2],
		                          .own = i % 2 == 0 ? &own : &late};
		char names[TLS_NAMES_MAX_BYTES];
		struct duo duo;

		duo_begin(&duo, &people->lab, &order);
		assert_int_equal(duo_shake(&duo), TLS_FAILED);
		assert_non_null(
		    strstr(tls_stream_failure(duo.stream), "the client's certificate"));
		assert_non_null(strstr(tls_stream_failure(duo.stream), failures[i % 2]));
		assert_false(tls_stream_has_client_certificate(duo.stream));
		assert_int_equal(tls_stream_client_names(duo.stream, names), 0);
		duo_end(&duo);
	}
	forge_free(&own);
	forge_free(&late);
}

static void
hosts_are_told(void **state)
{
	static const struct {
		uint16_t given;
		const char *server_name;
		uint16_t chosen;
	} cases[] = {
	    {0, NULL, 0},        {0, "a.example", 1}, {1, NULL, 1},
	    {1, "a.example", 1}, {0, "b.example", 0},
	};

	for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
		struct people *people = *state;
		struct duo_order order = {.version = duo_versions[i % 2],
		                          .host = cases[i / 2].given,
		                          .server_name = cases[i / 2].server_name};
		struct duo duo;

		duo_open(&duo, &people->lab, &order);
		assert_int_equal(tls_stream_host(duo.stream), cases[i / 2].chosen);
		assert_string_equal(tls_stream_server_name(duo.stream),
		                    order.server_name != NULL ? order.server_name : "");
		duo_end(&duo);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_listed),
	    cmocka_unit_test(names_with_odd_bytes_are_left_out),
	    cmocka_unit_test(names_are_bounded),
	    cmocka_unit_test(a_resumed_session_keeps_its_certificate),
	    cmocka_unit_test(nobody_has_no_names),
	    cmocka_unit_test(strangers_are_refused_by_name),
	    cmocka_unit_test(hosts_are_told),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
