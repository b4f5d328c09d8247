/*
 * tls_peer: a client of TLS for what no honest library says: renegotiation, floods of key
 * updates and of empty records, names that are none. The test makes the connection and
 * speaks FTP; this program gets it as a descriptor, does one thing, and prints what came
 * of it, one line each, for the test to judge.
 *
 *   tls_peer FD renegotiate           TLS 1.2; asks for another handshake, then NOOP
 *   tls_peer FD updates COUNT         TLS 1.3; so many KeyUpdates, then NOOP
 *   tls_peer FD empty COUNT           TLS 1.3; so many records without content, then NOOP
 *   tls_peer FD hello NAME [ALPN]     a handshake with this SNI, ALPN in wire format;
 *                                     bytes as \xHH
 *   tls_peer FD upload COUNT          of 16 KiB each, a KeyUpdate between them
 *   tls_peer FD download COUNT        read to the end, with a KeyUpdate after each MiB,
 *                                     at most COUNT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include "common/base.h"

enum {
	PATIENCE_S = 20,
	CHUNK_BYTES = 16 * 1024,
	UPDATE_BYTES = 1024 * 1024,
	SECRET_MAX = 64,
	IV_BYTES = 12,
	TAG_BYTES = 16,
	HEADER_BYTES = 5,
	CONTENT_APPLICATION = 23,
	CONTENT_MAX = 64,
	RECORD_MAX = HEADER_BYTES + CONTENT_MAX + TAG_BYTES,
};

struct peer {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	/* of TLS 1.3, for what we send after the handshake */
	unsigned char secret[SECRET_MAX];
	size_t secret_len;
};

/* Of TLS_AES_256_GCM_SHA384. */
struct keys {
	unsigned char key[32];
	unsigned char iv[IV_BYTES];
};

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "tls_peer: %s\n", what);
	exit(2);
}

/* The reason of the last mistake, as one line. */
static void
say_failure(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	printf("%s %s\n", what, reason == NULL ? "the connection has ended" : reason);
}

static size_t
from_hex(const char *text, unsigned char *bytes, size_t cap)
{
	size_t len = 0;

	for (; text[0] != '\0' && text[0] != '\n' && len < cap; text += 2) {
		char digits[3] = {text[0], text[1], '\0'};

		bytes[len++] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return len;
}

/* Takes the secret of what the client sends (NSS key log format). */
static void
keep_secret(const SSL *ssl, const char *line)
{
	static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
	struct peer *peer = SSL_get_app_data(ssl);
	const char *secret;

	if (strncmp(line, label, sizeof(label) - 1) != 0) {
		return;
	}
	secret = strrchr(line, ' ');
	if (secret != NULL) {
		peer->secret_len = from_hex(secret + 1, peer->secret, SECRET_MAX);
	}
}

static void
peer_init(struct peer *peer, int fd, int version)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};

	*peer = (struct peer){.fd = fd, .context = SSL_CTX_new(TLS_client_method())};
	if (peer->context == NULL) {
		fail("no context");
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	SSL_CTX_set_verify(peer->context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_keylog_callback(peer->context, keep_secret);
	if (version != 0) {
		SSL_CTX_set_min_proto_version(peer->context, version);
		SSL_CTX_set_max_proto_version(peer->context, version);
	}
	peer->ssl = SSL_new(peer->context);
	if (peer->ssl == NULL || SSL_set_fd(peer->ssl, fd) != 1) {
		fail("no connection");
	}
	SSL_set_app_data(peer->ssl, peer);
}

static void
peer_free(struct peer *peer)
{
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->context);
}

static bool
peer_begin(struct peer *peer)
{
	if (SSL_connect(peer->ssl) == 1) {
		printf("handshake %s\n", SSL_get_version(peer->ssl));
		return true;
	}
	say_failure("failed");
	return false;
}

/* The first line of what the server says next. */
static void
hear(struct peer *peer)
{
	char line[512];
	int got;

	ERR_clear_error();
	got = SSL_read(peer->ssl, line, sizeof(line) - 1);
	if (got <= 0) {
		say_failure("ended");
		return;
	}
	line[got] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	printf("reply %s\n", line);
}

static void
ask_noop(struct peer *peer)
{
	(void)SSL_write(peer->ssl, "NOOP\r\n", 6);
	hear(peer);
}

static void
renegotiate(struct peer *peer)
{
	if (!peer_begin(peer)) {
		return;
	}
	if (SSL_renegotiate(peer->ssl) != 1 || SSL_do_handshake(peer->ssl) != 1) {
		say_failure("refused");
		return;
	}
	/* What the server says to it comes with the next bytes that are read. */
	ask_noop(peer);
	printf("renegotiations %ld\n", SSL_num_renegotiations(peer->ssl));
}

static void
flood_updates(struct peer *peer, long count)
{
	if (!peer_begin(peer)) {
		return;
	}
	for (long i = 0; i < count; i++) {
		if (SSL_key_update(peer->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
		    SSL_do_handshake(peer->ssl) != 1) {
			printf("updates %ld\n", i);
			say_failure("ended");
			return;
		}
	}
	printf("updates %ld\n", count);
	ask_noop(peer);
}

/* HKDF-Expand-Label of RFC 8446 7.1, with no context. */
static void
derive(const struct peer *peer, const char *label, unsigned char *key, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	const EVP_MD *digest =
	    SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(peer->ssl));
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	char prefix[] = "tls13 ";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_int("mode", &mode),
	    OSSL_PARAM_construct_utf8_string(
		"digest", (char *)(uintptr_t)EVP_MD_get0_name(digest), 0),
	    OSSL_PARAM_construct_octet_string("key", (void *)(uintptr_t)peer->secret,
	                                      peer->secret_len),
	    OSSL_PARAM_construct_octet_string("prefix", prefix, strlen(prefix)),
	    OSSL_PARAM_construct_octet_string("label", (void *)(uintptr_t)label,
	                                      strlen(label)),
	    OSSL_PARAM_construct_end(),
	};

	if (context == NULL || EVP_KDF_derive(context, key, len, params) != 1) {
		fail("no key can be derived");
	}
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

/*
 * Encrypts with TLS_AES_256_GCM_SHA384, as record of that number, what may be nothing.
 * Returns the length of the record.
 */
static size_t
make_record(const struct keys *keys, uint64_t number, const char *text,
            unsigned char record[RECORD_MAX])
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	size_t len = strlen(text) + 1;
	unsigned char content[CONTENT_MAX];
	unsigned char nonce[IV_BYTES];
	int done = 0;

	memcpy(content, text, len);
	content[len - 1] = CONTENT_APPLICATION;
	memcpy(record,
	       (unsigned char[]){CONTENT_APPLICATION, 3, 3, 0,
	                         (unsigned char)(len + TAG_BYTES)},
	       HEADER_BYTES);
	memcpy(nonce, keys->iv, IV_BYTES);
	for (unsigned i = 0; i < 8; i++) {
		nonce[IV_BYTES - 1 - i] ^= (unsigned char)(number >> (8 * i));
	}
	if (context == NULL ||
	    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, keys->key, nonce) != 1 ||
	    EVP_EncryptUpdate(context, NULL, &done, record, HEADER_BYTES) != 1 ||
	    EVP_EncryptUpdate(context, record + HEADER_BYTES, &done, content, (int)len) !=
	        1 ||
	    EVP_EncryptFinal_ex(context, record + HEADER_BYTES + len, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES,
	                        record + HEADER_BYTES + len) != 1) {
		fail("a record cannot be made");
	}
	EVP_CIPHER_CTX_free(context);
	return HEADER_BYTES + len + TAG_BYTES;
}

/* OpenSSL does not know of our records, so that NOOP has to be one of them. */
static void
flood_empty(struct peer *peer, uint64_t count)
{
	struct keys keys = {0};
	unsigned char record[RECORD_MAX];
	uint64_t sent = 0;
	bool is_open;

	SSL_set_ciphersuites(peer->ssl, "TLS_AES_256_GCM_SHA384");
	if (!peer_begin(peer)) {
		return;
	}
	derive(peer, "key", keys.key, sizeof(keys.key));
	derive(peer, "iv", keys.iv, sizeof(keys.iv));
	do {
		size_t len =
		    make_record(&keys, sent, sent < count ? "" : "NOOP\r\n", record);

		is_open = send(peer->fd, record, len, MSG_NOSIGNAL) == (ssize_t)len;
	} while (is_open && sent++ < count);
	printf("records %llu\n", (unsigned long long)sent);
	hear(peer);
}

/* Undoes \xHH. */
static size_t
unescape(const char *text, unsigned char *bytes, size_t cap)
{
	size_t len = 0;

	while (*text != '\0' && len < cap) {
		if (text[0] == '\\' && text[1] == 'x') {
			from_hex((char[]){text[2], text[3], '\0'}, bytes + len, 1);
			text += 4;
		} else {
			bytes[len] = (unsigned char)*text++;
		}
		len++;
	}
	return len;
}

static void
say_hello(struct peer *peer, const char *name, const char *alpn)
{
	unsigned char bytes[4096];
	const unsigned char *chosen;
	unsigned chosen_len;
	size_t len = unescape(name, bytes, sizeof(bytes) - 1);

	bytes[len] = '\0';
	if (len > 0) {
		(void)SSL_ctrl(peer->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		               TLSEXT_NAMETYPE_host_name, bytes);
	}
	if (alpn != NULL) {
		len = unescape(alpn, bytes, sizeof(bytes));
		(void)SSL_set_alpn_protos(peer->ssl, bytes, (unsigned)len);
	}
	if (!peer_begin(peer)) {
		return;
	}
	SSL_get0_alpn_selected(peer->ssl, &chosen, &chosen_len);
	printf("alpn %.*s\n", (int)chosen_len, (const char *)chosen);
	ask_noop(peer);
}

static bool
update(struct peer *peer)
{
	return SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED) == 1;
}

static void
upload(struct peer *peer, long count)
{
	static char chunk[CHUNK_BYTES];

	if (!peer_begin(peer)) {
		return;
	}
	memset(chunk, 'u', sizeof(chunk));
	for (long i = 0; i < count; i++) {
		if (!update(peer) || SSL_write(peer->ssl, chunk, CHUNK_BYTES) <= 0) {
			printf("chunks %ld\n", i);
			say_failure("ended");
			return;
		}
	}
	printf("chunks %ld\n", count);
	(void)SSL_shutdown(peer->ssl);
	/* What the server says has to be read, or the close becomes a reset. */
	while (SSL_read(peer->ssl, chunk, CHUNK_BYTES) > 0) {
	}
}

static void
download(struct peer *peer, long count)
{
	static char chunk[CHUNK_BYTES];
	size_t total = 0;
	long updates = 0;
	int got;

	if (!peer_begin(peer)) {
		return;
	}
	while ((got = SSL_read(peer->ssl, chunk, CHUNK_BYTES)) > 0) {
		total += (size_t)got;
		if (updates < count && total / UPDATE_BYTES > (size_t)updates) {
			updates++;
			/* It is sent with what is written next, or by this. */
			if (!update(peer) || SSL_do_handshake(peer->ssl) != 1) {
				say_failure("ended");
				return;
			}
		}
	}
	printf("bytes %zu\n", total);
	printf("updates %ld\n", updates);
	printf("end %s\n", SSL_get_error(peer->ssl, got) == SSL_ERROR_ZERO_RETURN
	                       ? "close_notify"
	                       : "cut");
	(void)SSL_shutdown(peer->ssl);
}

int
main(int argc, char **argv)
{
	struct peer peer;
	const char *what = argc > 2 ? argv[2] : "";
	long count = argc > 3 ? strtol(argv[3], NULL, 10) : 0;

	if (argc < 3) {
		fail("FD and what to do");
	}
	(void)signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	peer_init(&peer, (int)strtol(argv[1], NULL, 10),
	          strcmp(what, "renegotiate") == 0 ? TLS1_2_VERSION
	          : strcmp(what, "hello") == 0     ? 0
	                                           : TLS1_3_VERSION);
	if (strcmp(what, "renegotiate") == 0) {
		renegotiate(&peer);
	} else if (strcmp(what, "updates") == 0) {
		flood_updates(&peer, count);
	} else if (strcmp(what, "empty") == 0) {
		flood_empty(&peer, (uint64_t)count);
	} else if (strcmp(what, "hello") == 0 && argc > 3) {
		say_hello(&peer, argv[3], argc > 4 ? argv[4] : NULL);
	} else if (strcmp(what, "upload") == 0) {
		upload(&peer, count);
	} else if (strcmp(what, "download") == 0) {
		download(&peer, count);
	} else {
		fail("what?");
	}
	peer_free(&peer);
	return 0;
}
