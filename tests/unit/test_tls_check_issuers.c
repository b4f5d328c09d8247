/*
 * test_tls_check_issuers: which mistakes are found in what issuers say of certificates:
 * OCSP responses, those who vouch for clients, lists of what is revoked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ocsp.h>
#include <stdlib.h>

#include "tests/unit/tls_lab.h"
#include "common/base.h"

static const char with_ocsp[] =
    "tls { certificate = {\"/c\"} ocsp_response = {\"/o\"} }\n";
static const char with_ca[] =
    "tls { certificate = {\"/c\"} client_ca = \"/ca\" client_crl = \"/crl\" }\n";

/* Everybody who is needed, made once. */
struct people {
	struct forged root;
	struct forged between;
	struct forged server; /* of between */
	struct forged second; /* of between, too */
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
	made->second =
	    forge(&(struct forge_order){.subject = "second", .by = &made->between});
	made->other = forge(&(struct forge_order){.subject = "other"});
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
	forge_free(&made->second);
	forge_free(&made->other);
	free(made);
	return 0;
}

static void
ocsp_responses_are_looked_at(void **state)
{
	const struct people *made = *state;
	const struct {
		const struct forged *by;
		const X509 *about;
		int status;
		int64_t due_s;
		enum tls_report_type type;
		const char *words;
	} cases[] = {
	    {&made->between, made->server.certificate, V_OCSP_CERTSTATUS_GOOD, FORGE_DAY,
	     TLS_REPORT_END, NULL},
	    {&made->between, made->second.certificate, V_OCSP_CERTSTATUS_GOOD, FORGE_DAY,
	     TLS_REPORT_MISTAKE, "about another certificate"},
	    {&made->other, made->server.certificate, V_OCSP_CERTSTATUS_GOOD, FORGE_DAY,
	     TLS_REPORT_MISTAKE, "has not signed this OCSP response"},
	    {&made->between, made->server.certificate, V_OCSP_CERTSTATUS_REVOKED,
	     FORGE_DAY, TLS_REPORT_MISTAKE, "the certificate is revoked"},
	    {&made->between, made->server.certificate, V_OCSP_CERTSTATUS_UNKNOWN,
	     FORGE_DAY, TLS_REPORT_MISTAKE, "the certificate is unknown"},
	    {&made->between, made->server.certificate, V_OCSP_CERTSTATUS_GOOD, -FORGE_DAY,
	     TLS_REPORT_WARNING, "has expired and is not sent"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct forge_pem *pem = forge_new_pem();
		struct lab lab;

		lab_begin(&lab, with_ocsp);
		lab_add_list(
		    &lab, 0, 0,
		    (const struct forged *[3]){&made->server, &made->between, NULL});
		forge_ocsp(pem, cases[i].by, cases[i].by, cases[i].about, cases[i].status,
		           cases[i].due_s);
		lab_add(&lab, TLS_FILE_OCSP, 0, 0, pem);
		if (cases[i].type == TLS_REPORT_MISTAKE) {
			lab_expect_mistake(&lab, TLS_FILE_OCSP, cases[i].words);
		} else {
			lab_expect_warning(&lab, 0, TLS_FILE_OCSP, cases[i].words);
		}
		lab_end(&lab);
		free(pem);
	}
}

/* Signed by somebody else, though it names the right certificate. */
static void
forged_ocsp_responses_are_told(void **state)
{
	const struct people *made = *state;
	struct forge_pem *pem = forge_new_pem();
	struct lab lab;

	lab_begin(&lab, with_ocsp);
	lab_add_list(&lab, 0, 0,
	             (const struct forged *[3]){&made->server, &made->between, NULL});
	forge_ocsp(pem, &made->between, &made->other, made->server.certificate,
	           V_OCSP_CERTSTATUS_GOOD, FORGE_DAY);
	lab_add(&lab, TLS_FILE_OCSP, 0, 0, pem);
	lab_expect_mistake(&lab, TLS_FILE_OCSP, "has not signed this OCSP response");
	lab_end(&lab);
	lab_begin(&lab, with_ocsp);
	lab_add_list(&lab, 0, 0,
	             (const struct forged *[3]){&made->server, &made->between, NULL});
	lab_add_text(&lab, TLS_FILE_OCSP, "hello");
	lab_expect_mistake(&lab, TLS_FILE_OCSP, "no OCSP response in DER form");
	lab_end(&lab);
	free(pem);
}

static void
a_response_that_is_demanded_is_missed(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c\"} }\n");
	lab_add_plain(&lab, 0, 0,
	              &(struct forge_order){.names = "DNS:a", .must_staple = true});
	lab_expect_warning(&lab, 0, TLS_FILE_CERTIFICATE, "set ocsp_response");
	lab_end(&lab);
}

/* In: by: whose list; NULL: `text` is in its place. */
static void
begin_clients(struct lab *lab, const struct forged *ca, const struct forged *by,
              int64_t due_s, const char *text)
{
	struct forge_pem *pem = forge_new_pem();

	lab_begin(lab, with_ca);
	lab_add_plain(lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
	forge_put(pem, ca);
	lab_add(lab, TLS_FILE_CLIENT_CA, 0, 0, pem);
	pem->len = 0;
	if (by != NULL) {
		forge_put_crl(pem, by, NULL, due_s);
	} else {
		forge_put_text(pem, text);
	}
	lab_add(lab, TLS_FILE_CLIENT_CRL, 0, 0, pem);
	free(pem);
}

static void
client_ca_and_lists_are_looked_at(void **state)
{
	const struct people *made = *state;
	struct lab lab;

	begin_clients(&lab, &made->root, &made->root, FORGE_DAY, NULL);
	lab_expect_warning(&lab, 0, TLS_FILE_CLIENT_CRL, NULL);
	lab_expect_warning(&lab, 2 * FORGE_DAY, TLS_FILE_CLIENT_CRL,
	                   "is out of date since");
	lab_end(&lab);
	begin_clients(&lab, &made->root, &made->between, FORGE_DAY, NULL);
	lab_expect_mistake(&lab, TLS_FILE_CLIENT_CRL,
	                   "is of CN = between, which is not in");
	lab_end(&lab);
	begin_clients(&lab, &made->root, NULL, 0, "");
	lab_expect_mistake(&lab, TLS_FILE_CLIENT_CRL, "list number 1 cannot be read");
	lab_end(&lab);
	begin_clients(&lab, &made->root, NULL, 0,
	              "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n");
	lab_expect_mistake(&lab, TLS_FILE_CLIENT_CRL, "list number 1 cannot be read");
	lab_end(&lab);
	begin_clients(&lab, &made->server, &made->root, FORGE_DAY, NULL);
	lab_expect_mistake(&lab, TLS_FILE_CLIENT_CA, "may vouch for others (CA)");
	lab_end(&lab);
}

static void
a_client_ca_without_any_is_told(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c\"} client_ca = \"/ca\" }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.names = "DNS:a"});
	lab_add_text(&lab, TLS_FILE_CLIENT_CA, "nothing\n");
	lab_expect_mistake(&lab, TLS_FILE_CLIENT_CA, "no certificate in this file");
	lab_end(&lab);
}

static void
an_expired_client_ca_is_told(void **state)
{
	struct forged old = forge(&(struct forge_order){.subject = "old",
	                                                .is_ca = true,
	                                                .begins_s = -9 * FORGE_DAY,
	                                                .ends_s = -FORGE_DAY});
	struct lab lab;

	(void)state;
	begin_clients(&lab, &old, &old, FORGE_DAY, NULL);
	lab_expect_warning(&lab, 0, TLS_FILE_CLIENT_CA, "CN = old has expired on");
	lab_end(&lab);
	forge_free(&old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ocsp_responses_are_looked_at),
	    cmocka_unit_test(forged_ocsp_responses_are_told),
	    cmocka_unit_test(a_response_that_is_demanded_is_missed),
	    cmocka_unit_test(client_ca_and_lists_are_looked_at),
	    cmocka_unit_test(a_client_ca_without_any_is_told),
	    cmocka_unit_test(an_expired_client_ca_is_told),
	};

	return cmocka_run_group_tests(tests, make_people, free_people);
}
