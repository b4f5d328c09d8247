/*
 * fuzz_tls_hello: any bytes as what a client begins TLS with. The first byte says which
 * side it is, and which host was named before.
 * Wanted:  no crash; a host is one that there is, and never another than was named
 *          before; a protocol is ours; whom we refuse for a name or a protocol is told
 *          so by the right alert.
 */
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "ftpd/conf/conf.h"
#include "ftpd/tls/connection.h"
#include "ftpd/tls/context.h"
#include "ftpd/tls/self_signed.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

enum {
	HOSTS = 2,
	PEM_FILES = 2,
	SIDE_BIT = 0x80,
};

static const char configuration[] =
    "tls { certificate = {\"/c\"} private_key = {\"/k\"} "
    "server_names = {\"ftp.example\"} }\n"
    "host \"a.example\" { certificate = {\"/c\"} private_key = {\"/k\"} }\n"
    "host \"b.example\" { banner = \"b\" }\n";

/* Of the server and of the first host: the same. */
static struct tls_context *
make_context(void)
{
	static const char *const names[] = {"ftp.example"};
	static struct self_signed pair;
	struct tls_file list[PEM_FILES * HOSTS];
	struct tls_files files = {.count = ARRAY_COUNT(list), .file = list};
	struct conf *conf =
	    conf_read_buffer("f", configuration, strlen(configuration), NULL, 0);
	struct tls_setup setup = {conf_options(conf), conf_overrides(conf), &files};
	struct tls_context *context = NULL;

	fuzz_require(conf_findings_count(conf) == 0 && tls_init() == 0);
	fuzz_require(self_signed_make(names, 1, time(NULL), &pair) == 0);
	for (size_t i = 0; i < ARRAY_COUNT(list); i++) {
		bool is_key = i % 2 == 1;
		const char *text = is_key ? pair.key : pair.certificate;

		list[i] = (struct tls_file){.kind = is_key ? TLS_FILE_KEY
		                                           : TLS_FILE_CERTIFICATE,
		                            .host = (uint16_t)(i / PEM_FILES),
		                            .path = "/",
		                            .path_len = 1,
		                            .bytes = (const uint8_t *)text,
		                            .len = strlen(text)};
	}
	fuzz_require(tls_context_new(&setup, NULL, NULL, &context) == 0);
	return context; /* as long as the process, as is conf */
}

static bool
is_protocol(const SSL *ssl, enum tls_side side)
{
	const unsigned char *name = NULL;
	unsigned int len = 0;

	SSL_get0_alpn_selected(ssl, &name, &len);
	return len == 0 || (len == 3 && memcmp(name, "ftp", len) == 0) ||
	       (side == TLS_DATA && len == 8 && memcmp(name, "ftp-data", len) == 0);
}

/* Read the alert that the server has sent, the last record. Returns: 0: none. */
static uint8_t
sent_alert(SSL *ssl)
{
	enum { RECORD = 7, ALERT = 21 };
	unsigned char *bytes = NULL;
	long len = BIO_get_mem_data(SSL_get_wbio(ssl), &bytes);

	return len >= RECORD && bytes[len - RECORD] == ALERT ? bytes[len - 1] : 0;
}

static void
judge(SSL *ssl, const struct tls_hello *hello, uint16_t given)
{
	uint8_t alert = sent_alert(ssl);

	fuzz_require(hello->host <= HOSTS || hello->host == given);
	fuzz_require(given == 0 || hello->host == given);
	fuzz_require(memchr(hello->server_name, '\0', sizeof(hello->server_name)) !=
	             NULL);
	fuzz_require(memchr(hello->failure, '\0', sizeof(hello->failure)) != NULL);
	fuzz_require(is_protocol(ssl, hello->side));
	/* OpenSSL itself says these, too, of names that are none */
	fuzz_require(hello->failure[0] == '\0' || alert == SSL_AD_UNRECOGNIZED_NAME ||
	             alert == SSL_AD_NO_APPLICATION_PROTOCOL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls_context *context;
	static const struct tls_binding binding = {{1}};
	struct fuzz_input input = {data, size};
	uint8_t first = fuzz_take_byte(&input);
	uint16_t given = first & 3;
	struct tls_hello hello = {
	    .side = (first & SIDE_BIT) != 0 ? TLS_DATA : TLS_CONTROL, .host = given};
	SSL *ssl = NULL;

	if (context == NULL) {
		context = make_context();
	}
	if (input.size > INT32_MAX) {
		return 0;
	}
	fuzz_require(tls_connection_new(context, &binding, &hello, &ssl) == 0);
	SSL_set_bio(ssl, BIO_new_mem_buf(input.data, (int)input.size),
	            BIO_new(BIO_s_mem()));
	fuzz_require(SSL_do_handshake(ssl) != 1); /* nobody can answer it by chance */
	judge(ssl, &hello, given);
	SSL_free(ssl);
	ERR_clear_error();
	return 0;
}
