/*
 * test_tls_stream_hostile: clients that stall, flood, renegotiate, speak something else
 * or refuse us: each is told apart, none costs much.
 * Source: SECURITY.md T3, T7, T8; RFC 8446 4.6.3, 5.1; RFC 5246 7.4.1.1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	TEXT_MAX = 64 * 1024,
	UPDATES_FINE = 90,
	TINY = 10000,
	FLOOD = 10000,
	EMPTY = 1000,
	BIT = 1000,
	MEGABYTE = 1024 * 1024,
	RECORDS_A_CALL_MAX = 1000,
	STALL_CALLS = 1000,
	KEY_BYTES = 32,
	IV_BYTES = 12,
	TAG_BYTES = 16,
	NUMBER_BYTES = 8,
	HEADER_BYTES = 5,
	INFO_MAX = 64,
	HELLO_BYTES = 46,
	RECORD_MAX = 1024,
	SECRET_BYTES = 48, /* of SHA-384 */
	ALERT_UNKNOWN_CA = 48,
	ALERT_PROTOCOL_VERSION = 70,
};

static int
begin(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	duo_lab(lab, "");
	*state = lab;
	return 0;
}

static int
end(void **state)
{
	lab_end(*state);
	free(*state);
	return 0;
}

/* New keys as often as anybody needs, asked for in both directions, cost nothing. */
static void
key_updates_are_fine(void **state)
{
	struct duo_order order = {.side = TLS_DATA};
	char text[TEXT_MAX];
	struct duo duo;

	duo_open(&duo, *state, &order);
	for (int i = 0; i < UPDATES_FINE; i++) {
		int type =
		    i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;

		assert_int_equal(SSL_key_update(duo.client, type), 1);
		duo_say(&duo, "with new keys");
		assert_int_equal(duo_read(&duo, text, sizeof(text)), 13);
		assert_int_equal(tls_stream_write(duo.stream, "so have we", 10), 10);
		assert_int_equal(tls_stream_flush(duo.stream), 0);
		assert_int_equal(duo_hear(&duo, text, sizeof(text)), 10);
	}
	duo_end(&duo);
}

/* With data between them there may be any number. */
static void
key_updates_of_a_long_upload_are_fine(void **state)
{
	struct duo_order order = {.side = TLS_DATA};
	static char bytes[TEXT_MAX];
	struct duo duo;

	duo_open(&duo, *state, &order);
	for (int i = 0; i < 3 * TLS_KEY_UPDATES_MAX; i++) {
		size_t len = 0;

		assert_int_equal(SSL_key_update(duo.client, SSL_KEY_UPDATE_NOT_REQUESTED),
		                 1);
		assert_int_equal(SSL_write(duo.client, bytes, sizeof(bytes)),
		                 sizeof(bytes));
		(void)duo_send(&duo, SIZE_MAX);
		assert_true(duo_read_all(&duo, bytes, sizeof(bytes), &len) > 0);
		assert_int_equal(len, sizeof(bytes));
	}
	duo_end(&duo);
}

static void
floods_of_key_updates_are_cut(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct duo_order order = {.side = i == 0 ? TLS_CONTROL : TLS_DATA};
		char text[TEXT_MAX];
		ssize_t result = -EAGAIN;
		int sent = 0;
		struct duo duo;

		duo_open(&duo, *state, &order);
		while (result == -EAGAIN && sent < FLOOD) {
			assert_int_equal(
			    SSL_key_update(duo.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
			(void)SSL_do_handshake(duo.client);
			(void)duo_send(&duo, SIZE_MAX);
			result = tls_stream_read(duo.stream, text, sizeof(text));
			sent++;
		}
		assert_int_equal(result, -EBADMSG);
		assert_int_equal(sent, TLS_KEY_UPDATES_MAX + 1);
		assert_non_null(strstr(tls_stream_failure(duo.stream), "key updates"));
		assert_int_equal(tls_stream_read(duo.stream, text, sizeof(text)),
		                 -EBADMSG);
		assert_true(tls_stream_write(duo.stream, "x", 1) < 0);
		/* the loop is not asked for what it cannot tell */
		assert_true(tls_stream_has_input(duo.stream));
		duo_end(&duo);
	}
}

/* Many that have come at once, too. */
static void
floods_at_once_are_cut(void **state)
{
	struct duo_order order = {.side = TLS_CONTROL};
	char text[TEXT_MAX];
	struct duo duo;

	duo_open(&duo, *state, &order);
	for (int i = 0; i < BIT; i++) {
		assert_int_equal(SSL_key_update(duo.client, SSL_KEY_UPDATE_NOT_REQUESTED),
		                 1);
		(void)SSL_do_handshake(duo.client);
	}
	(void)duo_send(&duo, SIZE_MAX);
	assert_int_equal(duo_read(&duo, text, sizeof(text)), -EBADMSG);
	duo_end(&duo);
}

static void
renegotiation_is_refused(void **state)
{
	struct duo_order order = {.version = TLS1_2_VERSION};
	char text[TEXT_MAX];
	struct duo duo;

	duo_open(&duo, *state, &order);
	assert_int_equal(SSL_renegotiate(duo.client), 1);
	(void)SSL_do_handshake(duo.client);
	(void)duo_send(&duo, SIZE_MAX);
	assert_int_equal(duo_read(&duo, text, sizeof(text)), -EAGAIN);
	assert_int_equal(tls_stream_flush(duo.stream), 0);
	(void)duo_receive(&duo);
	/* the client takes it as an error, as it was the one to ask */
	assert_true(SSL_do_handshake(duo.client) < 1);
	assert_int_equal(duo.alert, SSL_AD_NO_RENEGOTIATION);
	/* for the server, all is as before */
	assert_int_equal(duo_read(&duo, text, sizeof(text)), -EAGAIN);
	assert_string_equal(tls_stream_failure(duo.stream), "");
	duo_end(&duo);
}

static void
tiny_records_come_in_slices(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i], .side = TLS_DATA};
		static char text[TEXT_MAX];
		size_t sum = 0;
		struct duo duo;

		duo_open(&duo, *state, &order);
		for (int n = 0; n < TINY; n++) {
			assert_int_equal(SSL_write(duo.client, "x", 1), 1);
		}
		while (sum < TINY) {
			ssize_t len = -EAGAIN;

			(void)duo_send(&duo, SIZE_MAX);
			len = tls_stream_read(duo.stream, text, sizeof(text));
			assert_true(len > 0 || len == -EAGAIN);
			assert_true(len <= RECORDS_A_CALL_MAX);
			sum += len > 0 ? (size_t)len : 0;
		}
		assert_int_equal(sum, TINY);
		duo_end(&duo);
	}
}

/* Of a client whose records are made by hand. */
struct keys {
	uint8_t secret[SECRET_BYTES]; /* TLS 1.3 */
	size_t secret_len;
	uint8_t key[KEY_BYTES];
	uint8_t iv[IV_BYTES];
	uint64_t number;
};

static uint8_t
from_hex(const char *text)
{
	char two[3] = {text[0], text[1], '\0'};

	return (uint8_t)strtoul(two, NULL, 16);
}

/* "CLIENT_TRAFFIC_SECRET_0 RANDOM SECRET" */
static void
note_secret(const SSL *ssl, const char *line)
{
	static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
	struct keys *keys = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *secret = strrchr(line, ' ');

	if (strncmp(line, label, sizeof(label) - 1) != 0 || secret == NULL) {
		return;
	}
	secret++;
	keys->secret_len = strlen(secret) / 2;
	assert_true(keys->secret_len <= sizeof(keys->secret));
	for (size_t i = 0; i < keys->secret_len; i++) {
		keys->secret[i] = from_hex(secret + 2 * i);
	}
}

/* RFC 8446 7.1, HKDF-Expand-Label, without a context. */
static void
expand(const struct keys *keys, const char *label, uint8_t *out, size_t len)
{
	char text[INFO_MAX];
	uint8_t info[INFO_MAX] = {0, (uint8_t)len};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	const EVP_MD *md = keys->secret_len == SECRET_BYTES ? EVP_sha384() : EVP_sha256();
	size_t text_len = (size_t)snprintf(text, sizeof(text), "tls13 %s", label);
	size_t used = 3 + text_len + 1; /* lengths, text, no context */

	info[2] = (uint8_t)text_len;
	memcpy(info + 3, text, text_len);
	assert_true(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
	assert_int_equal(EVP_PKEY_CTX_set_hkdf_mode(ctx, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY),
	                 1);
	assert_int_equal(EVP_PKEY_CTX_set_hkdf_md(ctx, md), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set1_hkdf_key(ctx, keys->secret, (int)keys->secret_len), 1);
	assert_int_equal(EVP_PKEY_CTX_add1_hkdf_info(ctx, info, (int)used), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, out, &len), 1);
	EVP_PKEY_CTX_free(ctx);
}

static void
seal(const uint8_t *key, const uint8_t *iv, const uint8_t *head, size_t head_len,
     uint8_t *bytes, size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done = 0;

	assert_non_null(ctx);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &done, head, (int)head_len), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, bytes, &done, bytes, (int)len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, bytes + len, &done), 1);
	assert_int_equal(
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, bytes + len), 1);
	EVP_CIPHER_CTX_free(ctx);
}

static void
put_number(uint8_t bytes[NUMBER_BYTES], uint64_t number)
{
	for (size_t i = 0; i < NUMBER_BYTES; i++) {
		bytes[NUMBER_BYTES - 1 - i] = (uint8_t)(number >> (NUMBER_BYTES * i));
	}
}

static void
put_header(uint8_t header[HEADER_BYTES], uint8_t type, size_t len)
{
	const uint8_t bytes[HEADER_BYTES] = {type, 3, 3, (uint8_t)(len >> 8),
	                                     (uint8_t)len};

	memcpy(header, bytes, sizeof(bytes));
}

/* A record that OpenSSL would not write: of any type, perhaps with nothing in it. */
static void
send_record(struct duo *duo, struct keys *keys, uint8_t type, const void *bytes,
            size_t len)
{
	uint8_t record[RECORD_MAX];
	uint8_t iv[IV_BYTES];
	uint8_t number[NUMBER_BYTES];

	memcpy(record + HEADER_BYTES, bytes, len);
	record[HEADER_BYTES + len] = type;
	put_header(record, SSL3_RT_APPLICATION_DATA, len + 1 + TAG_BYTES);
	memcpy(iv, keys->iv, sizeof(iv));
	put_number(number, keys->number++);
	for (size_t i = 0; i < NUMBER_BYTES; i++) {
		iv[IV_BYTES - NUMBER_BYTES + i] ^= number[i];
	}
	seal(keys->key, iv, record, HEADER_BYTES, record + HEADER_BYTES, len + 1);
	(void)send(duo->client_fd, record, HEADER_BYTES + len + 1 + TAG_BYTES,
	           MSG_NOSIGNAL);
}

/* The same in TLS 1.2: RFC 5246 6.2.3.3, RFC 5288. */
static void
send_old_record(struct duo *duo, struct keys *keys, uint8_t type, const void *bytes,
                size_t len)
{
	uint8_t record[RECORD_MAX];
	uint8_t head[NUMBER_BYTES + HEADER_BYTES];
	uint8_t *number = record + HEADER_BYTES;

	put_number(head, keys->number);
	put_header(head + NUMBER_BYTES, type, len);
	put_header(record, type, NUMBER_BYTES + len + TAG_BYTES);
	put_number(number, keys->number++);
	memcpy(keys->iv + IV_BYTES - NUMBER_BYTES, number, NUMBER_BYTES);
	memcpy(number + NUMBER_BYTES, bytes, len);
	seal(keys->key, keys->iv, head, sizeof(head), number + NUMBER_BYTES, len);
	(void)send(duo->client_fd, record, HEADER_BYTES + NUMBER_BYTES + len + TAG_BYTES,
	           MSG_NOSIGNAL);
}

/* RFC 5246 6.3: the client's key, the server's, 4 bytes of the client's vectors. */
static void
derive_old_keys(SSL *ssl, struct keys *keys)
{
	static const char label[] = "key expansion";
	uint8_t master[SECRET_BYTES];
	uint8_t random[2][SSL3_RANDOM_SIZE];
	uint8_t block[2 * KEY_BYTES + 2 * (IV_BYTES - NUMBER_BYTES)];
	size_t len = sizeof(block);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_TLS1_PRF, NULL);
	size_t master_len =
	    SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));

	(void)SSL_get_server_random(ssl, random[0], sizeof(random[0]));
	(void)SSL_get_client_random(ssl, random[1], sizeof(random[1]));
	assert_true(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
	assert_int_equal(EVP_PKEY_CTX_set_tls1_prf_md(ctx, EVP_sha384()), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_tls1_prf_secret(ctx, master, (int)master_len),
	                 1);
	assert_int_equal(EVP_PKEY_CTX_add1_tls1_prf_seed(ctx, (const uint8_t *)label,
	                                                 sizeof(label) - 1),
	                 1);
	assert_int_equal(EVP_PKEY_CTX_add1_tls1_prf_seed(ctx, random[0], sizeof(random)),
	                 1);
	assert_int_equal(EVP_PKEY_derive(ctx, block, &len), 1);
	EVP_PKEY_CTX_free(ctx);
	memcpy(keys->key, block, KEY_BYTES);
	memcpy(keys->iv, block + 2 * KEY_BYTES, IV_BYTES - NUMBER_BYTES);
	keys->number = 1; /* behind the Finished */
}

static void
open_by_hand(struct duo *duo, struct lab *lab, struct keys *keys)
{
	struct duo_order order = {.side = TLS_CONTROL};

	duo_begin(duo, lab, &order);
	assert_int_equal(SSL_set_ciphersuites(duo->client, "TLS_AES_256_GCM_SHA384"), 1);
	(void)SSL_CTX_set_app_data(duo->ctx, keys);
	SSL_CTX_set_keylog_callback(duo->ctx, note_secret);
	assert_int_equal(duo_shake(duo), TLS_READY);
	expand(keys, "key", keys->key, sizeof(keys->key));
	expand(keys, "iv", keys->iv, sizeof(keys->iv));
}

static void
empty_records_are_cut(void **state)
{
	static const uint8_t data = 23;
	struct keys keys = {.number = 0};
	char text[TEXT_MAX];
	ssize_t result = -EAGAIN;
	int sent = 0;
	struct duo duo;

	open_by_hand(&duo, *state, &keys);
	/* a few are allowed by RFC 8446 5.1 */
	for (int i = 0; i < 10; i++) {
		send_record(&duo, &keys, data, "", 0);
	}
	assert_int_equal(duo_read(&duo, text, sizeof(text)), -EAGAIN);
	send_record(&duo, &keys, data, "then some", 9);
	assert_int_equal(duo_read(&duo, text, sizeof(text)), 9);
	while (result == -EAGAIN && sent < EMPTY) {
		send_record(&duo, &keys, data, "", 0);
		result = duo_read(&duo, text, sizeof(text));
		sent++;
	}
	assert_int_equal(result, -EBADMSG);
	assert_true(sent < TLS_KEY_UPDATES_MAX);
	duo_end(&duo);
}

/* One that asks again and again is cut off; OpenSSL alone would answer for ever. */
static void
floods_of_renegotiation_are_cut(void **state)
{
	/* no more than its first bytes is looked at */
	static const uint8_t hello[] = {1, 0, 0, 42, 3, 3};
	uint8_t bytes[HELLO_BYTES] = {0};
	struct duo_order order = {.version = TLS1_2_VERSION,
	                          .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"};
	struct keys keys = {.number = 0};
	char text[TEXT_MAX];
	ssize_t result = -EAGAIN;
	int sent = 0;
	struct duo duo;

	memcpy(bytes, hello, sizeof(hello));
	duo_open(&duo, *state, &order);
	derive_old_keys(duo.client, &keys);
	send_old_record(&duo, &keys, SSL3_RT_APPLICATION_DATA, "data", 4);
	assert_int_equal(duo_read(&duo, text, sizeof(text)), 4);
	while (result == -EAGAIN && sent < FLOOD) {
		send_old_record(&duo, &keys, SSL3_RT_HANDSHAKE, bytes, sizeof(bytes));
		result = duo_read(&duo, text, sizeof(text));
		(void)tls_stream_flush(duo.stream);
		sent++;
	}
	assert_int_equal(result, -EBADMSG);
	assert_int_equal(sent, TLS_KEY_UPDATES_MAX + 1);
	duo_end(&duo);
}

/* Alerts and handshakes within an open connection that nobody should send. */
static void
what_nobody_sends_ends_it(void **state)
{
	static const struct {
		uint8_t type;
		const char *text;
		const char *failure;
	} cases[] = {
	    {22, "\1\1\1\4abcd", NULL},   /* a ClientHello */
	    {22, "\x18\1\1\1\2", NULL},   /* a key update that is too long */
	    {22, "\x14", NULL},           /* a part of a Finished, then nothing */
	    {20, "\1", NULL},             /* change of the cipher, encrypted */
	    {21, "\2\x30", "unknown CA"}, /* fatal alerts, by name */
	    {21, "\2\x28", "handshake failure"},
	    {21, "\2\x50", "internal error"},
	    {99, "what", NULL}, /* no such type */
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct keys keys = {.number = 0};
		char text[TEXT_MAX];
		ssize_t result;
		struct duo duo;

		open_by_hand(&duo, *state, &keys);
		send_record(&duo, &keys, cases[i].type, cases[i].text,
		            strlen(cases[i].text));
		result = duo_read(&duo, text, sizeof(text));
		if (cases[i].text[0] == '\x14') {
			assert_int_equal(result, -EAGAIN);
		} else {
			assert_int_equal(result, -EBADMSG);
			assert_true(tls_stream_failure(duo.stream)[0] != '\0');
		}
		if (cases[i].failure != NULL) {
			assert_non_null(
			    strstr(tls_stream_failure(duo.stream), "client's alert: "));
			assert_non_null(
			    strstr(tls_stream_failure(duo.stream), cases[i].failure));
		}
		duo_end(&duo);
	}
}

static void
other_protocols_are_told(void **state)
{
	static const struct {
		const char *bytes;
		const char *failure;
	} cases[] = {
	    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http request"},
	    {"CONNECT a:1 HTTP/1.1\r\n\r\n", "proxy"},
	    {"USER anonymous\r\nPASS x\r\n", "wrong version number"},
	    {"SSH-2.0-OpenSSH_9.2\r\n", ""},
	    /* SSL 2.0, as it was spoken once */
	    {"\x80\x2e\x01\x03\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01", ""},
	    /* a message of ours */
	    {"\x16\x03\x01\x01\x01\x02\x01\x01\xfc\x03\x03\x01\x01\x01\x01\x01", ""},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct duo_order order = {0};
		size_t len = strlen(cases[i].bytes);
		struct duo duo;

		duo_begin(&duo, *state, &order);
		assert_int_equal(send(duo.client_fd, cases[i].bytes, len, 0), len);
		assert_int_equal(shutdown(duo.client_fd, SHUT_WR), 0);
		(void)tls_stream_handshake(duo.stream);
		assert_int_equal(tls_stream_handshake(duo.stream), TLS_FAILED);
		assert_true(tls_stream_failure(duo.stream)[0] != '\0');
		assert_non_null(strstr(tls_stream_failure(duo.stream), cases[i].failure));
		/* for good */
		assert_int_equal(tls_stream_handshake(duo.stream), TLS_FAILED);
		assert_true(tls_stream_write(duo.stream, "x", 1) < 0);
		duo_end(&duo);
	}
}

static double
cpu_seconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Stop after each message of the handshake: nothing goes on, nothing spins or grows. */
static void
stalls_cost_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		for (int steps = 0; steps < 4; steps++) {
			struct duo_order order = {.version = duo_versions[i]};
			enum tls_progress progress = TLS_WANTS_READ;
			double before = 0;
			struct duo duo;

			duo_begin(&duo, *state, &order);
			for (int n = 0; n < steps / 2; n++) {
				(void)SSL_do_handshake(duo.client);
				(void)duo_send(&duo, SIZE_MAX);
				progress = tls_stream_handshake(duo.stream);
				(void)duo_receive(&duo);
			}
			if (progress == TLS_READY) {
				duo_end(&duo);
				continue;
			}
			if (steps % 2 == 1) { /* and a piece of the next one */
				(void)SSL_do_handshake(duo.client);
				(void)duo_send(&duo, 20);
			}
			before = cpu_seconds();
			for (int n = 0; n < STALL_CALLS; n++) {
				assert_int_equal(tls_stream_handshake(duo.stream),
				                 TLS_WANTS_READ);
			}
			assert_true(cpu_seconds() - before < 1.0);
			assert_int_equal(shutdown(duo.client_fd, SHUT_WR), 0);
			(void)tls_stream_handshake(duo.stream);
			assert_int_equal(tls_stream_handshake(duo.stream), TLS_FAILED);
			assert_non_null(strstr(tls_stream_failure(duo.stream),
			                       "closed the connection"));
			duo_end(&duo);
		}
	}
}

/* The client refuses us, or has nothing in common with us: for the log, by name. */
static void
refusals_are_named(void **state)
{
	struct lab only_new;
	struct duo_order order = {.version = TLS1_2_VERSION};
	struct duo duo;

	duo_begin(&duo, *state, &order);
	SSL_set_verify(duo.client, SSL_VERIFY_PEER, NULL);
	assert_int_equal(duo_shake(&duo), TLS_FAILED);
	assert_string_equal(tls_stream_failure(duo.stream),
	                    "the client's alert: unknown CA");
	duo_end(&duo);

	order.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
	duo_begin(&duo, *state, &order);
	assert_int_equal(duo_shake(&duo), TLS_FAILED);
	assert_string_equal(tls_stream_failure(duo.stream), "no shared cipher");
	duo_end(&duo);

	duo_lab(&only_new, "min_version = \"1.3\"");
	order.ciphers = NULL;
	duo_begin(&duo, &only_new, &order);
	assert_int_equal(duo_shake(&duo), TLS_FAILED);
	assert_string_equal(tls_stream_failure(duo.stream), "unsupported protocol");
	(void)duo_receive(&duo);
	(void)SSL_do_handshake(duo.client);
	assert_int_equal(duo.alert, ALERT_PROTOCOL_VERSION);
	duo_end(&duo);
	lab_end(&only_new);
	ERR_clear_error();
}

/* Any byte of what a client says turned over: refused or not, never worse. */
static void
broken_handshakes_fail_in_order(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(duo_versions); i++) {
		for (size_t at = 0; at < 240; at += 3) {
			struct duo_order order = {.version = duo_versions[i]};
			char bytes[TEXT_MAX];
			char text[TEXT_MAX];
			int len = 0;
			struct duo duo;

			duo_begin(&duo, *state, &order);
			(void)SSL_do_handshake(duo.client);
			len = BIO_read(duo.to_server, bytes, sizeof(bytes));
			assert_true(len > 0);
			bytes[at < (size_t)len ? at : (size_t)len - 1] ^= (char)0x41;
			assert_int_equal(send(duo.client_fd, bytes, (size_t)len, 0), len);
			(void)shutdown(duo.client_fd, SHUT_WR);
			for (int n = 0; n < 3; n++) {
				assert_int_not_equal(tls_stream_handshake(duo.stream),
				                     TLS_READY);
				assert_int_equal(ERR_peek_error(), 0);
			}
			assert_int_equal(tls_stream_handshake(duo.stream), TLS_FAILED);
			assert_true(tls_stream_failure(duo.stream)[0] != '\0');
			assert_true(tls_stream_read(duo.stream, text, 1) < 0);
			duo_end(&duo);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_updates_are_fine),
	    cmocka_unit_test(key_updates_of_a_long_upload_are_fine),
	    cmocka_unit_test(floods_of_key_updates_are_cut),
	    cmocka_unit_test(floods_at_once_are_cut),
	    cmocka_unit_test(renegotiation_is_refused),
	    cmocka_unit_test(tiny_records_come_in_slices),
	    cmocka_unit_test(empty_records_are_cut),
	    cmocka_unit_test(floods_of_renegotiation_are_cut),
	    cmocka_unit_test(what_nobody_sends_ends_it),
	    cmocka_unit_test(other_protocols_are_told),
	    cmocka_unit_test(stalls_cost_nothing),
	    cmocka_unit_test(refusals_are_named),
	    cmocka_unit_test(broken_handshakes_fail_in_order),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
