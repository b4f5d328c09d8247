/*
 * test_tls_context: which certificate a client is shown, whom it is refused for, what is
 * spoken, and what can be resumed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/tls/context_internal.h"
#include "tests/unit/tls_lab.h"
#include "common/base.h"

enum {
	UNKNOWN_NAME = 112, /* alert unrecognized_name */
	NO_PROTOCOL = 120,  /* alert no_application_protocol */
	NO_VERSION = 70,    /* alert protocol_version */
	NO_COMMON = 40,     /* alert handshake_failure */
	NO_CERTIFICATE = 116 /* alert certificate_required */,
};

static const char plain[] = "tls { certificate = {\"/c0\"} }\n";

static const char hosts[] =
    "tls { certificate = {\"/c0\"} server_names = {\"ftp.example\"} }\n"
    "host \"a.example\" { certificate = {\"/a\"} }\n"
    "host \"b.example\" { certificate = {\"/b\"} }\n"
    "host \"bare.example\" { banner = \"hello\" }\n";

static void
begin_hosts(struct lab *lab)
{
	lab_begin(lab, hosts);
	lab_add_plain(lab, 0, 0, &(struct forge_order){.subject = "server"});
	lab_add_plain(lab, 1, 0, &(struct forge_order){.subject = "a"});
	lab_add_plain(lab, 2, 0, &(struct forge_order){.subject = "b"});
	assert_int_equal(lab_make(lab), 0);
}

static void
sni_and_host_choose_the_certificate(void **state)
{
	static const struct {
		const char *server_name;
		uint16_t given;
		int alert;
		uint16_t chosen;
		const char *shown;
	} cases[] = {
	    {NULL, 0, -1, 0, "server"},
	    {"ftp.example", 0, -1, 0, "server"},
	    {"FTP.Example", 0, -1, 0, "server"},
	    {"ftp.example.", 0, -1, 0, "server"},
	    {"a.example", 0, -1, 1, "a"},
	    {"A.EXAMPLE", 0, -1, 1, "a"},
	    {"b.example.", 0, -1, 2, "b"},
	    {"bare.example", 0, -1, 3, "server"}, /* a host without one of its own */
	    {"c.example", 0, UNKNOWN_NAME, 0, ""},
	    {"a.example.c", 0, UNKNOWN_NAME, 0, ""},
	    {"ftp.example..", 0, UNKNOWN_NAME, 0, ""},
	    {".", 0, UNKNOWN_NAME, 0, ""},
	    /* HOST was first */
	    {NULL, 1, -1, 1, "a"},
	    {NULL, 3, -1, 3, "server"},
	    {NULL, 9, -1, 9, "server"},
	    {"a.example", 1, -1, 1, "a"},
	    {"ftp.example", 2, -1, 2, "b"},
	    {"a.example", 2, UNKNOWN_NAME, 2, ""},
	    {"bare.example", 2, UNKNOWN_NAME, 2, ""},
	};
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct lab lab;

	(void)state;
	begin_hosts(&lab);
	for (size_t i = 0; i < ARRAY_COUNT(cases) * ARRAY_COUNT(versions); i++) {
		size_t at = i / ARRAY_COUNT(versions);
		struct lab_client client = {.version =
		                                versions[i % ARRAY_COUNT(versions)],
		                            .side = i % 3 == 0 ? TLS_DATA : TLS_CONTROL,
		                            .server_name = cases[at].server_name,
		                            .host = cases[at].given};

		lab_talk(&lab, &client);
		assert_int_equal(client.alert, cases[at].alert);
		assert_int_equal(client.is_open, cases[at].alert == -1);
		assert_int_equal(client.chosen, cases[at].chosen);
		assert_string_equal(client.shown, cases[at].shown);
		assert_true(client.is_open == (strstr(client.failure, "SNI") == NULL));
		SSL_SESSION_free(client.kept);
	}
	lab_end(&lab);
}

static void
without_server_names_all_are_welcome(void **state)
{
	struct lab_client client = {.server_name = "whatever.example"};
	struct lab lab;

	(void)state;
	lab_begin(&lab, plain);
	lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
	assert_int_equal(lab_make(&lab), 0);
	lab_talk(&lab, &client);
	assert_true(client.is_open);
	SSL_SESSION_free(client.kept);
	lab_end(&lab);
}

static void
alpn_is_ftp_or_nothing(void **state)
{
	static const struct {
		enum tls_side side;
		const char *offered;
		const char *chosen; /* NULL: refused */
	} cases[] = {
	    {TLS_CONTROL, NULL, ""},
	    {TLS_DATA, NULL, ""},
	    {TLS_CONTROL, "\3ftp", "ftp"},
	    {TLS_CONTROL, "\2h2\3ftp", "ftp"},
	    {TLS_CONTROL, "\17x-filezilla-ftp\3ftp", "ftp"},
	    {TLS_DATA, "\3ftp", "ftp"},
	    {TLS_DATA, "\10ftp-data", "ftp-data"},
	    {TLS_DATA, "\10ftp-data\3ftp", "ftp"},
	    {TLS_CONTROL, "\10ftp-data", NULL},
	    {TLS_CONTROL, "\2h2\10http/1.1", NULL},
	    {TLS_DATA, "\10http/1.1", NULL},
	    {TLS_CONTROL, "\3FTP", NULL},
	    {TLS_CONTROL, "\2ft", NULL},
	    {TLS_CONTROL, "\4ftp ", NULL},
	    {TLS_CONTROL, "\5\3ftp!", NULL}, /* ours within another */
	};
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct lab lab;

	(void)state;
	lab_begin(&lab, plain);
	lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
	assert_int_equal(lab_make(&lab), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases) * 2; i++) {
		struct lab_client client = {.version = versions[i % 2],
		                            .side = cases[i / 2].side,
		                            .protocols = cases[i / 2].offered};

		lab_talk(&lab, &client);
		assert_int_equal(client.is_open, cases[i / 2].chosen != NULL);
		if (cases[i / 2].chosen != NULL) {
			assert_string_equal(client.protocol, cases[i / 2].chosen);
		} else {
			assert_int_equal(client.alert, NO_PROTOCOL);
			assert_non_null(strstr(client.failure, "ALPN"));
		}
		SSL_SESSION_free(client.kept);
	}
	lab_end(&lab);
}

static void
two_kinds_of_key_serve_side_by_side(void **state)
{
	static const struct {
		int version;
		const char *signatures;
		const char *shown; /* "": refused */
	} cases[] = {
	    {TLS1_3_VERSION, NULL, "ecdsa"},
	    {TLS1_2_VERSION, NULL, "ecdsa"},
	    {TLS1_3_VERSION, "RSA-PSS+SHA256:ECDSA+SHA256", "ecdsa"},
	    {TLS1_3_VERSION, "RSA-PSS+SHA256", "rsa"},
	    {TLS1_2_VERSION, "RSA-PSS+SHA256", "rsa"},
	    {TLS1_2_VERSION, "RSA+SHA256", "rsa"},
	    {TLS1_2_VERSION, "ECDSA+SHA256", "ecdsa"},
	    {TLS1_2_VERSION, "RSA+SHA1", ""},
	};
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c0\", \"/c1\"} }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){.subject = "rsa", .kind = "RSA"});
	lab_add_plain(&lab, 0, 1, &(struct forge_order){.subject = "ecdsa"});
	assert_int_equal(lab_make(&lab), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab_client client = {.version = cases[i].version,
		                            .signatures = cases[i].signatures};

		lab_talk(&lab, &client);
		assert_string_equal(client.shown, cases[i].shown);
		assert_int_equal(client.is_open, cases[i].shown[0] != '\0');
		SSL_SESSION_free(client.kept);
	}
	lab_end(&lab);
}

static void
only_what_is_safe_is_spoken(void **state)
{
	static const struct {
		const char *options; /* of section tls */
		int version;
		const char *ciphers;
		int alert; /* -1: served */
	} cases[] = {
	    {"", TLS1_2_VERSION, NULL, -1},
	    {"", TLS1_3_VERSION, NULL, -1},
	    {"", TLS1_1_VERSION, NULL, NO_VERSION},
	    {"", TLS1_VERSION, NULL, NO_VERSION},
	    {"min_version = \"1.3\"", TLS1_2_VERSION, NULL, NO_VERSION},
	    {"min_version = \"1.3\"", TLS1_3_VERSION, NULL, -1},
	    {"", TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", -1},
	    {"", TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", -1},
	    /* no authenticated encryption; no forward secrecy; no key at all */
	    {"", TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA384", NO_COMMON},
	    {"", TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA", NO_COMMON},
	    {"", TLS1_2_VERSION, "AES256-GCM-SHA384", NO_COMMON},
	    {"", TLS1_2_VERSION, "aNULL:eNULL", NO_COMMON},
	    /* DHE costs more than it is worth, unless somebody wants it */
	    {"", TLS1_2_VERSION, "DHE-RSA-AES256-GCM-SHA384", NO_COMMON},
	    {"ciphers = \"DHE-RSA-AES256-GCM-SHA384\"", TLS1_2_VERSION,
	     "DHE-RSA-AES256-GCM-SHA384", -1},
	    {"ciphers = \"ECDHE-RSA-AES256-SHA384\"", TLS1_2_VERSION, NULL, -1},
	    {"ciphers = \"ECDHE-RSA-AES256-SHA384\"", TLS1_2_VERSION,
	     "ECDHE-RSA-AES256-GCM-SHA384", NO_COMMON},
	    {"ciphersuites = \"TLS_AES_128_GCM_SHA256\"", TLS1_3_VERSION, NULL, -1},
	};
	struct forged rsa = forge(&(struct forge_order){.kind = "RSA"});

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab_client client = {.version = cases[i].version,
		                            .ciphers = cases[i].ciphers};
		char text[LAB_TEXT_MAX];
		struct lab lab;

		(void)snprintf(text, sizeof(text), "tls { certificate = {\"/c0\"} %s }\n",
		               cases[i].options);
		lab_begin(&lab, text);
		lab_add_list(&lab, 0, 0, (const struct forged *[3]){&rsa, NULL, NULL});
		assert_int_equal(lab_make(&lab), 0);
		lab_talk(&lab, &client);
		assert_int_equal(client.alert, cases[i].alert);
		assert_int_equal(client.is_open, cases[i].alert == -1);
		if (strstr(cases[i].options, "ciphersuites") != NULL) {
			assert_string_equal(client.cipher, "TLS_AES_128_GCM_SHA256");
		}
		SSL_SESSION_free(client.kept);
		lab_end(&lab);
	}
	forge_free(&rsa);
}

static void
finite_fields_are_refused(void **state)
{
	struct lab_client client = {.version = TLS1_3_VERSION, .has_groups = true};
	struct lab lab;

	(void)state;
	lab_begin(&lab, plain);
	lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
	assert_int_equal(lab_make(&lab), 0);
	lab_talk(&lab, &client);
	assert_false(client.is_open);
	assert_int_equal(client.alert, NO_COMMON);
	lab_end(&lab);
}

static void
mistakes_in_ciphers_are_told(void **state)
{
	static const struct {
		const char *options;
		const char *words; /* NULL: no mistake */
	} cases[] = {
	    {"ciphers = \"ECDHE-RSA-AES256-GCM-SHA384:HIHG\"", "\"HIHG\""},
	    {"ciphers = \"nonsense\"", "\"nonsense\""},
	    {"ciphers = \"ALL:!ALL\"", "does not take"},
	    {"ciphers = \"HIGH:!aNULL:!MD5:!RC4:@STRENGTH\"", NULL},
	    {"ciphers = \"DEFAULT:@SECLEVEL=2\"", NULL},
	    {"ciphersuites = \"TLS_AES_256_GCM_SHA384:TLS_AES_512\"", "\"TLS_AES_512\""},
	    {"ciphersuites = \"ECDHE-RSA-AES256-GCM-SHA384\"",
	     "\"ECDHE-RSA-AES256-GCM-SHA384\""},
	    {"ciphersuites = \"TLS_CHACHA20_POLY1305_SHA256\"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[LAB_TEXT_MAX];
		struct lab lab;

		(void)snprintf(text, sizeof(text), "tls { certificate = {\"/c0\"} %s }\n",
		               cases[i].options);
		lab_begin(&lab, text);
		lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
		assert_int_equal(lab_make(&lab), cases[i].words != NULL ? -EINVAL : 0);
		if (cases[i].words != NULL) {
			assert_non_null(
			    lab_find(&lab, TLS_REPORT_MISTAKE, cases[i].words));
			assert_int_equal(lab.report_count, 1);
		}
		lab_end(&lab);
	}
}

/* Only a connection of the same binding resumes, and only a control connection's. */
static void
sessions_are_bound(void **state)
{
	static const struct {
		int version;
		bool has_no_tickets;
	} cases[] = {
	    {TLS1_2_VERSION, false},
	    {TLS1_2_VERSION, true},
	    {TLS1_3_VERSION, false},
	};
	struct lab lab;

	(void)state;
	begin_hosts(&lab);
	assert_int_equal(tls_context_seed(lab.context), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab_client first = {.version = cases[i].version,
		                           .has_no_tickets = cases[i].has_no_tickets,
		                           .server_name = "a.example",
		                           .binding = 1};
		struct lab_client data = first;

		lab_talk(&lab, &first);
		assert_true(first.is_open && !first.has_resumed);
		assert_non_null(first.kept);
		data.side = TLS_DATA;
		data.session = first.kept;
		data.host = 1;
		lab_talk(&lab, &data);
		assert_true(data.is_open && data.has_resumed);
		assert_null(data.kept); /* no new ticket */
		data.binding = 2;
		lab_talk(&lab, &data);
		assert_true(data.is_open && !data.has_resumed);
		/* nothing of a data connection can be resumed, its own session neither */
		data.session = data.kept;
		SSL_SESSION_free(first.kept);
		first.kept = data.kept;
		lab_talk(&lab, &data);
		assert_true(data.is_open && !data.has_resumed);
		SSL_SESSION_free(data.kept);
		SSL_SESSION_free(first.kept);
	}
	lab_end(&lab);
}

static void
seeding_parts_processes(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct lab lab;

	(void)state;
	begin_hosts(&lab);
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct lab_client first = {.version = versions[i]};
		struct lab_client again = first;

		lab_talk(&lab, &first);
		assert_non_null(first.kept);
		again.session = first.kept;
		assert_int_equal(tls_context_seed(lab.context), 0);
		lab_talk(&lab, &again);
		assert_true(again.is_open && !again.has_resumed);
		SSL_SESSION_free(again.kept);
		SSL_SESSION_free(first.kept);
	}
	lab_end(&lab);
}

static void
resume_off_gives_nothing_to_resume(void **state)
{
	static const struct {
		int version;
		bool has_no_tickets;
	} cases[] = {
	    {TLS1_2_VERSION, false},
	    {TLS1_2_VERSION, true},
	    {TLS1_3_VERSION, false},
	};
	struct lab lab;

	(void)state;
	lab_begin(&lab, "tls { certificate = {\"/c0\"} resume = \"off\" }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
	assert_int_equal(lab_make(&lab), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab_client client = {.version = cases[i].version,
		                            .has_no_tickets = cases[i].has_no_tickets};

		lab_talk(&lab, &client);
		assert_true(client.is_open);
		assert_null(client.kept);
	}
	lab_end(&lab);
}

/* What a client does again and again with its data connections. */
static size_t
talk_often(struct lab *lab, struct lab_client *first, unsigned count)
{
	size_t before = 0;

	lab_talk(lab, first);
	assert_true(first->is_open);
	for (unsigned i = 0; i < count; i++) {
		/* OpenSSL's clients use a ticket of TLS 1.3 once only */
		SSL_SESSION *session = SSL_SESSION_dup(first->kept);
		struct lab_client client = {.version = first->version,
		                            .has_no_tickets = first->has_no_tickets,
		                            .side = TLS_DATA,
		                            .host = i % 3 == 0 ? 1 : 0,
		                            .session = i % 2 == 0 ? session : NULL,
		                            .binding = 1};

		lab_talk(lab, &client);
		assert_true(client.is_open);
		assert_int_equal(client.has_resumed, i % 2 == 0);
		SSL_SESSION_free(client.kept);
		SSL_SESSION_free(session);
		if (i == count / 2) {
			before = mallinfo2().uordblks;
		}
	}
	return before;
}

/* SECURITY.md T6: ten thousand data connections take no memory that stays. */
static void
data_connections_leave_nothing(void **state)
{
	enum { CONNECTIONS = 200, GROWTH_MAX = 16 * 1024 };
	static const struct {
		int version;
		bool has_no_tickets;
		long kept; /* sessions in memory: the control connection's, if at all */
	} cases[] = {
	    {TLS1_2_VERSION, false, 0},
	    {TLS1_2_VERSION, true, 1},
	    {TLS1_3_VERSION, false, 0},
	};
	struct lab lab;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab_client first = {.version = cases[i].version,
		                           .has_no_tickets = cases[i].has_no_tickets,
		                           .binding = 1};
		size_t before;

		begin_hosts(&lab);
		before = talk_often(&lab, &first, CONNECTIONS);
		assert_true(mallinfo2().uordblks < before + GROWTH_MAX);
		assert_int_equal(
		    SSL_CTX_sess_number(tls_context_site(lab.context, 0)->ctx),
		    cases[i].kept);
		SSL_SESSION_free(first.kept);
		lab_end(&lab);
	}
}

struct authority {
	struct forged root;
	struct forged between;
	struct forged good;
	struct forged revoked;
	struct forged below;
	struct forged stranger;
	struct forged old;
};

static struct authority
found_authority(void)
{
	struct authority made;

	made.root = forge(&(struct forge_order){.subject = "root", .is_ca = true});
	made.between = forge(
	    &(struct forge_order){.subject = "between", .is_ca = true, .by = &made.root});
	made.good = forge(&(struct forge_order){.subject = "good", .by = &made.root});
	made.revoked =
	    forge(&(struct forge_order){.subject = "revoked", .by = &made.root});
	made.below =
	    forge(&(struct forge_order){.subject = "below", .by = &made.between});
	made.stranger = forge(&(struct forge_order){.subject = "stranger"});
	made.old = forge(&(struct forge_order){.subject = "old",
	                                       .by = &made.root,
	                                       .begins_s = -9 * FORGE_DAY,
	                                       .ends_s = -FORGE_DAY});
	return made;
}

static void
free_authority(struct authority *made)
{
	forge_free(&made->root);
	forge_free(&made->between);
	forge_free(&made->good);
	forge_free(&made->revoked);
	forge_free(&made->below);
	forge_free(&made->stranger);
	forge_free(&made->old);
}

static void
begin_clients(struct lab *lab, const char *mode, const struct authority *made,
              bool has_crl)
{
	struct forge_pem *pem = calloc(1, sizeof(*pem));
	char text[LAB_TEXT_MAX];

	assert_non_null(pem);
	(void)snprintf(text, sizeof(text),
	               "tls { certificate = {\"/c0\"} client_ca = \"/ca\" "
	               "client_certificate = \"%s\" %s }\n"
	               "host \"a.example\" { certificate = {\"/a\"} }\n",
	               mode, has_crl ? "client_crl = \"/crl\"" : "");
	lab_begin(lab, text);
	lab_add_plain(lab, 0, 0, &(struct forge_order){0});
	lab_add_plain(lab, 1, 0, &(struct forge_order){0});
	forge_put(pem, &made->root);
	forge_put(pem, &made->between);
	lab_add(lab, TLS_FILE_CLIENT_CA, 0, 0, pem);
	if (has_crl) {
		pem->len = 0;
		forge_put_crl(pem, &made->root, made->revoked.certificate,
		              30 * FORGE_DAY);
		lab_add(lab, TLS_FILE_CLIENT_CRL, 0, 0, pem);
	}
	assert_int_equal(lab_make(lab), 0);
	free(pem);
}

static void
clients_are_judged(void **state)
{
	struct authority made = found_authority();
	const struct {
		const char *mode;
		bool has_crl;
		const struct forged *own;
		const char *words; /* NULL: welcome */
	} cases[] = {
	    {"request", false, NULL, NULL},
	    {"request", false, &made.good, NULL},
	    {"request", false, &made.below, NULL},
	    {"request", false, &made.revoked, NULL},
	    {"request", false, &made.stranger, "self-signed"},
	    {"request", false, &made.old, "expired"},
	    {"require", false, NULL, ""},
	    {"require", false, &made.good, NULL},
	    {"require", true, &made.good, NULL},
	    {"require", true, &made.revoked, "revoked"},
	    {"request", true, &made.revoked, "revoked"},
	    /* of its issuer there is no list: nobody knows whether it is revoked */
	    {"request", true, &made.below, "CRL"},
	    {"request", true, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases) * 4; i++) {
		size_t at = i / 4;
		struct lab_client client = {.version = i % 2 == 0 ? TLS1_2_VERSION
		                                                  : TLS1_3_VERSION,
		                            .server_name = i % 4 < 2 ? "a.example" : NULL,
		                            .own = cases[at].own};
		struct lab lab;

		begin_clients(&lab, cases[at].mode, &made, cases[at].has_crl);
		lab_talk(&lab, &client);
		if (cases[at].words == NULL) {
			assert_true(client.is_open);
			assert_int_equal(client.alert, -1);
		} else {
			assert_false(client.is_open);
			assert_true(client.alert > 0);
			assert_non_null(strstr(client.failure, cases[at].words));
		}
		SSL_SESSION_free(client.kept);
		lab_end(&lab);
	}
	free_authority(&made);
}

/* One who is vouched for by others vouches as well as they do. */
static void
an_issuer_in_the_middle_is_enough(void **state)
{
	struct authority made = found_authority();
	const struct {
		const struct forged *own;
		bool has_crl;
		bool is_welcome;
	} cases[] = {
	    {&made.below, false, true},
	    {&made.below, true, true},
	    {&made.good, false, false}, /* of the root, which is not there */
	    {&made.stranger, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab_client client = {.own = cases[i].own};
		struct forge_pem *pem = forge_new_pem();
		struct lab lab;

		lab_begin(&lab, cases[i].has_crl
		                    ? "tls { certificate = {\"/c\"} client_ca = \"/ca\" "
		                      "client_crl = \"/crl\" }\n"
		                    : "tls { certificate = {\"/c\"} "
		                      "client_ca = \"/ca\" }\n");
		lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
		forge_put(pem, &made.between);
		lab_add(&lab, TLS_FILE_CLIENT_CA, 0, 0, pem);
		pem->len = 0;
		forge_put_crl(pem, &made.between, NULL, FORGE_DAY);
		if (cases[i].has_crl) {
			lab_add(&lab, TLS_FILE_CLIENT_CRL, 0, 0, pem);
		}
		assert_int_equal(lab_make(&lab), 0);
		lab_talk(&lab, &client);
		assert_int_equal(client.alert == -1, cases[i].is_welcome);
		assert_int_equal(client.is_open, cases[i].is_welcome);
		SSL_SESSION_free(client.kept);
		lab_end(&lab);
		free(pem);
	}
	free_authority(&made);
}

/* Clients get what is in the file: all of it, and nothing that was found elsewhere. */
static void
the_chain_is_sent_as_it_is(void **state)
{
	static const char text[] = "tls { certificate = {\"/c\"} client_ca = \"/ca\" }\n";
	struct authority made = found_authority();
	struct forged server =
	    forge(&(struct forge_order){.subject = "server", .by = &made.between});
	const struct forged *const lists[][3] = {
	    {&server, NULL, NULL},
	    {&server, &made.between, NULL},
	    {&server, &made.between, &made.root},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		struct lab_client client = {0};
		struct forge_pem *pem = forge_new_pem();
		struct lab lab;

		lab_begin(&lab, text);
		lab_add_list(&lab, 0, 0, lists[i]);
		forge_put(pem, &made.between);
		forge_put(pem, &made.root);
		lab_add(&lab, TLS_FILE_CLIENT_CA, 0, 0, pem);
		assert_int_equal(lab_make(&lab), 0);
		lab_talk(&lab, &client);
		assert_true(client.is_open);
		assert_int_equal(client.shown_count, i + 1);
		SSL_SESSION_free(client.kept);
		lab_end(&lab);
		free(pem);
	}
	forge_free(&server);
	free_authority(&made);
}

/* A certificate of its own with a response of its own, and one without. */
static void
ocsp_responses_are_shown_to_who_asks(void **state)
{
	static const int64_t due[] = {5 * FORGE_DAY, -FORGE_DAY};
	struct forged root =
	    forge(&(struct forge_order){.subject = "root", .is_ca = true});
	struct forged server =
	    forge(&(struct forge_order){.subject = "server", .by = &root});
	struct forge_pem *pem = calloc(1, sizeof(*pem));

	(void)state;
	assert_non_null(pem);
	for (size_t i = 0; i < ARRAY_COUNT(due) * 4; i++) {
		struct lab_client client = {.version = i % 2 == 0 ? TLS1_2_VERSION
		                                                  : TLS1_3_VERSION,
		                            .wants_status = i % 4 < 2};
		struct lab lab;
		bool is_shown = due[i / 4] > 0 && client.wants_status;
		long len;

		lab_begin(&lab,
		          "tls { certificate = {\"/c\"} ocsp_response = {\"/o\"} }\n");
		pem->len = 0;
		forge_put(pem, &server);
		forge_put(pem, &root);
		forge_put_key(pem, &server, NULL);
		lab_add(&lab, TLS_FILE_CERTIFICATE, 0, 0, pem);
		pem->len = 0;
		forge_ocsp(pem, &root, &root, server.certificate, V_OCSP_CERTSTATUS_GOOD,
		           due[i / 4]);
		len = (long)pem->len;
		if (i % 2 == 0) {
			forge_put_text(pem, "\n"); /* no part of it, and not sent */
		}
		lab_add(&lab, TLS_FILE_OCSP, 0, 0, pem);
		assert_int_equal(lab_make(&lab), 0);
		lab_talk(&lab, &client);
		assert_true(client.is_open);
		assert_int_equal(client.status_len, is_shown ? len : -1);
		SSL_SESSION_free(client.kept);
		lab_end(&lab);
	}
	free(pem);
	forge_free(&server);
	forge_free(&root);
}

static void
absent_files_are_told(void **state)
{
	struct lab lab;

	(void)state;
	lab_begin(&lab, hosts);
	lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
	assert_int_equal(lab_make(&lab), -EINVAL);
	assert_int_equal(lab.report_count, 2); /* of both hosts, not only the first */
	assert_int_equal(lab.reports[0].host, 1);
	assert_int_equal(lab.reports[1].host, 2);
	lab_end(&lab);
	lab_begin(&lab, "tls { certificate = {\"/c\"} client_ca = \"/ca\" }\n");
	lab_add_plain(&lab, 0, 0, &(struct forge_order){0});
	assert_int_equal(lab_make(&lab), -EINVAL);
	assert_int_equal(lab.reports[0].kind, TLS_FILE_CLIENT_CA);
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sni_and_host_choose_the_certificate),
	    cmocka_unit_test(without_server_names_all_are_welcome),
	    cmocka_unit_test(alpn_is_ftp_or_nothing),
	    cmocka_unit_test(two_kinds_of_key_serve_side_by_side),
	    cmocka_unit_test(only_what_is_safe_is_spoken),
	    cmocka_unit_test(finite_fields_are_refused),
	    cmocka_unit_test(mistakes_in_ciphers_are_told),
	    cmocka_unit_test(sessions_are_bound),
	    cmocka_unit_test(seeding_parts_processes),
	    cmocka_unit_test(resume_off_gives_nothing_to_resume),
	    cmocka_unit_test(data_connections_leave_nothing),
	    cmocka_unit_test(clients_are_judged),
	    cmocka_unit_test(an_issuer_in_the_middle_is_enough),
	    cmocka_unit_test(the_chain_is_sent_as_it_is),
	    cmocka_unit_test(ocsp_responses_are_shown_to_who_asks),
	    cmocka_unit_test(absent_files_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
