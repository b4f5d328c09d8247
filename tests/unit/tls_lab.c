/*
 * tls_lab: a configuration, files that go with it, and a client, all in memory.
 */
#include "tests/unit/tls_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ftpd/tls/context_internal.h"
#include "common/base.h"

enum {
	ROUNDS = 16,
};

/* Both ends of a conversation. */
struct talk {
	SSL_CTX *ctx;
	SSL *client;
	SSL *server;
	struct tls_hello hello;
	struct lab_client *wish;
};

void
lab_begin(struct lab *lab, const char *text)
{
	*lab = (struct lab){0};
	assert_int_equal(tls_init(), 0);
	lab->conf = conf_read_buffer("f", text, strlen(text), NULL, 0);
	assert_non_null(lab->conf);
	conf_findings_print(lab->conf, stderr);
	assert_int_equal(conf_findings_count(lab->conf), 0);
	lab->files.file = lab->file;
	lab->setup = (struct tls_setup){conf_options(lab->conf),
	                                conf_overrides(lab->conf), &lab->files};
}

void
lab_add(struct lab *lab, enum tls_file_kind kind, uint16_t host, uint16_t index,
        const struct forge_pem *pem)
{
	size_t at = lab->files.count++;

	assert_true(at < LAB_FILES_MAX);
	/* exactly as long, so that a sanitizer sees a read behind the end */
	lab->bytes[at] = malloc(pem->len > 0 ? pem->len : 1);
	assert_non_null(lab->bytes[at]);
	memcpy(lab->bytes[at], pem->text, pem->len);
	lab->file[at] = (struct tls_file){.kind = kind,
	                                  .host = host,
	                                  .index = index,
	                                  .path = "/p",
	                                  .path_len = 2,
	                                  .bytes = lab->bytes[at],
	                                  .len = pem->len};
}

void
lab_add_plain(struct lab *lab, uint16_t host, uint16_t index,
              const struct forge_order *order)
{
	struct forge_pem *pem = calloc(1, sizeof(*pem));
	struct forged forged = forge(order);

	assert_non_null(pem);
	forge_put(pem, &forged);
	forge_put_key(pem, &forged, NULL);
	lab_add(lab, TLS_FILE_CERTIFICATE, host, index, pem);
	forge_free(&forged);
	free(pem);
}

void
lab_add_list(struct lab *lab, uint16_t host, uint16_t index,
             const struct forged *const list[3])
{
	struct forge_pem *pem = forge_new_pem();

	for (size_t i = 0; i < 3 && list[i] != NULL; i++) {
		forge_put(pem, list[i]);
	}
	forge_put_key(pem, list[0], NULL);
	lab_add(lab, TLS_FILE_CERTIFICATE, host, index, pem);
	free(pem);
}

void
lab_add_text(struct lab *lab, enum tls_file_kind kind, const char *text)
{
	struct forge_pem *pem = forge_new_pem();

	forge_put_text(pem, text);
	lab_add(lab, kind, 0, 0, pem);
	free(pem);
}

void
lab_end(struct lab *lab)
{
	tls_context_free(lab->context);
	for (size_t i = 0; i < lab->files.count; i++) {
		free(lab->bytes[i]);
	}
	conf_free(lab->conf);
	*lab = (struct lab){0};
}

static void
listen_to(void *listener, const struct tls_report *report)
{
	struct lab *lab = listener;
	struct lab_report *kept = &lab->reports[lab->report_count];

	assert_true(lab->report_count < LAB_REPORTS_MAX);
	assert_true(report->text_len > 0);
	assert_null(memchr(report->text, '\n', report->text_len));
	*kept = (struct lab_report){.type = report->type,
	                            .kind = report->kind,
	                            .host = report->host,
	                            .index = report->index,
	                            .begins = report->begins,
	                            .expires = report->expires};
	(void)snprintf(kept->text, sizeof(kept->text), "%.*s", (int)report->text_len,
	               report->text);
	lab->report_count++;
}

int
lab_make(struct lab *lab)
{
	int result;

	lab->report_count = 0;
	result = tls_context_new(&lab->setup, listen_to, lab, &lab->context);
	assert_true((result == -EINVAL) ==
	            (lab_find(lab, TLS_REPORT_MISTAKE, "") != NULL));
	assert_int_equal(ERR_peek_error(), 0);
	return result;
}

bool
lab_check(struct lab *lab, int64_t from_now_s)
{
	bool is_well;

	lab->report_count = 0;
	is_well = tls_check(&lab->setup, time(NULL) + from_now_s, listen_to, lab);
	assert_true(is_well == (lab_find(lab, TLS_REPORT_MISTAKE, "") == NULL));
	assert_int_equal(ERR_peek_error(), 0);
	return is_well;
}

const struct lab_report *
lab_find(const struct lab *lab, enum tls_report_type type, const char *words)
{
	for (size_t i = 0; i < lab->report_count; i++) {
		if (lab->reports[i].type == type &&
		    strstr(lab->reports[i].text, words) != NULL) {
			return &lab->reports[i];
		}
	}
	return NULL;
}

void
lab_expect_mistake(struct lab *lab, enum tls_file_kind kind, const char *words)
{
	const struct lab_report *found;

	assert_false(lab_check(lab, 0));
	found = lab_find(lab, TLS_REPORT_MISTAKE, words);
	if (found == NULL || found->kind != kind) {
		lab_print(lab);
		fail_msg("no such mistake: %s", words);
	}
}

void
lab_expect_warning(struct lab *lab, int64_t from_now_s, enum tls_file_kind kind,
                   const char *words)
{
	bool is_well = lab_check(lab, from_now_s);
	const struct lab_report *found =
	    lab_find(lab, TLS_REPORT_WARNING, words != NULL ? words : "");

	if (!is_well || (found != NULL) != (words != NULL) ||
	    (found != NULL && found->kind != kind)) {
		lab_print(lab);
		fail_msg("not what is wanted: %s", words != NULL ? words : "nothing");
	}
}

void
lab_print(const struct lab *lab)
{
	for (size_t i = 0; i < lab->report_count; i++) {
		const struct lab_report *report = &lab->reports[i];

		(void)fprintf(stderr, "report %d, file %d of %d, %d: %s\n",
		              (int)report->type, (int)report->kind, report->host,
		              report->index, report->text);
	}
}

static void
note_alert(const SSL *ssl, int where, int value)
{
	struct lab_client *wish = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
		wish->alert = value & 0xff;
	}
}

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct lab_client *wish = SSL_get_app_data(ssl);

	SSL_SESSION_free(wish->kept);
	wish->kept = session;
	return 1; /* ours now */
}

static void
offer(const struct talk *talk)
{
	const struct lab_client *wish = talk->wish;
	char text[LAB_TEXT_MAX];

	if (wish->server_name != NULL) {
		(void)snprintf(text, sizeof(text), "%s", wish->server_name);
		assert_int_equal(SSL_set_tlsext_host_name(talk->client, text), 1);
	}
	if (wish->protocols != NULL) {
		assert_int_equal(SSL_set_alpn_protos(
				     talk->client, (const unsigned char *)wish->protocols,
				     (unsigned)strlen(wish->protocols)),
		                 0);
	}
	if (wish->signatures != NULL) {
		(void)snprintf(text, sizeof(text), "%s", wish->signatures);
		assert_int_equal(SSL_set1_sigalgs_list(talk->client, text), 1);
	}
	if (wish->ciphers != NULL) {
		assert_int_equal(SSL_set_cipher_list(talk->client, wish->ciphers), 1);
	}
	if (wish->has_groups) {
		(void)snprintf(text, sizeof(text), "ffdhe2048");
		assert_int_equal(SSL_set1_groups_list(talk->client, text), 1);
	}
	if (wish->wants_status) {
		(void)SSL_set_tlsext_status_type(talk->client, TLSEXT_STATUSTYPE_ocsp);
	}
	if (wish->own != NULL) {
		assert_int_equal(
		    SSL_use_certificate(talk->client, wish->own->certificate), 1);
		assert_int_equal(SSL_use_PrivateKey(talk->client, wish->own->key), 1);
	}
	if (wish->session != NULL) {
		assert_int_equal(SSL_set_session(talk->client, wish->session), 1);
	}
}

static void
make_client(struct talk *talk)
{
	struct lab_client *wish = talk->wish;

	talk->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(talk->ctx);
	/* whatever the server lets through shall be seen */
	SSL_CTX_set_security_level(talk->ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(talk->ctx, wish->version != 0
	                                                              ? wish->version
	                                                              : TLS1_VERSION),
	                 1);
	if (wish->version != 0) {
		assert_int_equal(SSL_CTX_set_max_proto_version(talk->ctx, wish->version),
		                 1);
	}
	(void)SSL_CTX_set_session_cache_mode(talk->ctx, SSL_SESS_CACHE_CLIENT |
	                                                    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(talk->ctx, keep_session);
	SSL_CTX_set_info_callback(talk->ctx, note_alert);
	if (wish->has_no_tickets) {
		(void)SSL_CTX_set_options(talk->ctx, SSL_OP_NO_TICKET);
	}
	talk->client = SSL_new(talk->ctx);
	assert_non_null(talk->client);
	(void)SSL_set_app_data(talk->client, wish);
	SSL_set_connect_state(talk->client);
	offer(talk);
}

static void
make_server(struct talk *talk, struct lab *lab)
{
	struct tls_binding binding = {{talk->wish->binding}};
	BIO *up = BIO_new(BIO_s_mem());
	BIO *down = BIO_new(BIO_s_mem());

	talk->hello.side = talk->wish->side;
	talk->hello.host = talk->wish->host;
	assert_int_equal(
	    tls_connection_new(lab->context, &binding, &talk->hello, &talk->server), 0);
	assert_true(up != NULL && down != NULL);
	(void)BIO_up_ref(up);
	(void)BIO_up_ref(down);
	SSL_set_bio(talk->client, down, up);
	SSL_set_bio(talk->server, up, down);
}

/* The server's side fails first, then the client reads its alert; or the other way. */
static bool
shake(struct talk *talk)
{
	bool is_client_well = true;
	bool is_server_well = true;

	for (int i = 0; i < ROUNDS && (is_client_well || is_server_well); i++) {
		int result = SSL_do_handshake(talk->client);

		is_client_well = result == 1 || SSL_get_error(talk->client, result) ==
		                                    SSL_ERROR_WANT_READ;
		result = SSL_do_handshake(talk->server);
		is_server_well = result == 1 || SSL_get_error(talk->server, result) ==
		                                    SSL_ERROR_WANT_READ;
	}
	ERR_clear_error();
	return is_client_well && is_server_well && SSL_is_init_finished(talk->client) &&
	       SSL_is_init_finished(talk->server);
}

static void
look(struct talk *talk)
{
	struct lab_client *wish = talk->wish;
	X509 *shown = SSL_get0_peer_certificate(talk->client);
	const unsigned char *protocol = NULL;
	const unsigned char *status = NULL;
	unsigned int len = 0;
	char byte;

	/* TLS 1.3: tickets, or the refusal of a certificate, come behind the handshake */
	(void)SSL_read(talk->client, &byte, 1);
	ERR_clear_error();
	if (shown != NULL) {
		(void)X509_NAME_get_text_by_NID(X509_get_subject_name(shown),
		                                NID_commonName, wish->shown,
		                                sizeof(wish->shown));
	}
	wish->shown_count = (size_t)sk_X509_num(SSL_get_peer_cert_chain(talk->client));
	SSL_get0_alpn_selected(talk->client, &protocol, &len);
	(void)snprintf(wish->protocol, sizeof(wish->protocol), "%.*s", (int)len,
	               len > 0 ? (const char *)protocol : "");
	(void)snprintf(wish->cipher, sizeof(wish->cipher), "%s",
	               SSL_get_cipher_name(talk->client));
	wish->spoken = SSL_version(talk->client);
	wish->has_resumed = SSL_session_reused(talk->server) == 1;
	wish->status_len = SSL_get_tlsext_status_ocsp_resp(talk->client, &status);
}

void
lab_talk(struct lab *lab, struct lab_client *client)
{
	struct talk talk = {.wish = client};

	client->alert = -1;
	client->kept = NULL;
	make_client(&talk);
	make_server(&talk, lab);
	client->is_open = shake(&talk);
	look(&talk);
	client->chosen = talk.hello.host;
	(void)snprintf(client->failure, sizeof(client->failure), "%s",
	               talk.hello.failure);
	/* who ends without a word, loses his session */
	(void)SSL_shutdown(talk.server);
	(void)SSL_shutdown(talk.client);
	SSL_free(talk.client);
	SSL_free(talk.server);
	SSL_CTX_free(talk.ctx);
}
