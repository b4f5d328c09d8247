/*
 * check_handshake: TLS as a client would begin it, within this process.
 * Runs in: deftpd-worker, started by the master to check.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ftpd/tls/check_internal.h"
#include "ftpd/tls/connection.h"
#include "common/base.h"

enum {
	ROUNDS_MAX = 16, /* messages go to and fro a few times */
};

/* What a client that wants one kind of key offers. */
struct kind {
	int key; /* EVP_PKEY_base_id() */
	const char *signatures;
};

static const struct kind kinds[] = {
    {EVP_PKEY_RSA, "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
                   "RSA+SHA256:RSA+SHA384:RSA+SHA512"},
    {EVP_PKEY_RSA_PSS, "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512"},
    {EVP_PKEY_EC, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512"},
    {EVP_PKEY_ED25519, "ed25519"},
    {EVP_PKEY_ED448, "ed448"},
};

/* Both ends. */
struct handshake {
	SSL_CTX *client_ctx;
	SSL *client;
	SSL *server;
	struct tls_hello hello;
	const char *reason; /* why it failed */
};

static bool
set_up_client(struct handshake *handshake, const struct tls_site *site,
              const struct tls_pair *pair, int version)
{
	const struct policy_override *host =
	    policy_host_get(site->context->overrides, site->host);
	const char *signatures = NULL;
	char copy[OPTIONS_TEXT_MAX]; /* OpenSSL's macros want what could be written to */

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (EVP_PKEY_get_base_id(pair->key) == kinds[i].key) {
			signatures = kinds[i].signatures;
		}
	}
	handshake->client_ctx = SSL_CTX_new(TLS_client_method());
	if (handshake->client_ctx == NULL ||
	    SSL_CTX_set_min_proto_version(handshake->client_ctx, version) != 1 ||
	    SSL_CTX_set_max_proto_version(handshake->client_ctx, version) != 1) {
		return false;
	}
	(void)snprintf(copy, sizeof(copy), "%s", signatures != NULL ? signatures : "");
	if (signatures != NULL &&
	    SSL_CTX_set1_sigalgs_list(handshake->client_ctx, copy) != 1) {
		return false;
	}
	handshake->client = SSL_new(handshake->client_ctx);
	if (handshake->client == NULL) {
		return false;
	}
	SSL_set_connect_state(handshake->client);
	(void)snprintf(copy, sizeof(copy), "%s", host != NULL ? host->title : "");
	return host == NULL || SSL_set_tlsext_host_name(handshake->client, copy) == 1;
}

static bool
set_up_server(struct handshake *handshake, const struct tls_site *site)
{
	static const struct tls_binding none;

	if (tls_connection_new(site->context, &none, &handshake->hello,
	                       &handshake->server) != 0) {
		return false;
	}
	/* this client has no certificate; that is not what is being looked at */
	SSL_set_verify(handshake->server, SSL_VERIFY_NONE, NULL);
	return true;
}

static bool
join(struct handshake *handshake)
{
	BIO *up = BIO_new(BIO_s_mem());
	BIO *down = BIO_new(BIO_s_mem());

	if (up == NULL || down == NULL || BIO_up_ref(up) != 1 || BIO_up_ref(down) != 1) {
		BIO_free(up);
		BIO_free(down);
		return false;
	}
	SSL_set_bio(handshake->client, down, up);
	SSL_set_bio(handshake->server, up, down);
	return true;
}

/* Returns: false when it has failed for good. */
static bool
step(struct handshake *handshake, SSL *ssl)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(ssl);
	if (result == 1 || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ) {
		return true;
	}
	handshake->reason = handshake->hello.failure[0] != '\0' ? handshake->hello.failure
	                                                        : teller_reason();
	return false;
}

static bool
shake(struct handshake *handshake)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		if (!step(handshake, handshake->client) ||
		    !step(handshake, handshake->server)) {
			return false;
		}
		if (SSL_is_init_finished(handshake->client) == 1 &&
		    SSL_is_init_finished(handshake->server) == 1) {
			return true;
		}
	}
	handshake->reason = "it does not come to an end";
	return false;
}

static bool
is_served(struct handshake *handshake, const struct tls_pair *pair)
{
	const X509 *shown = SSL_get0_peer_certificate(handshake->client);

	if (shown != NULL && X509_cmp(shown, pair->certificate) == 0) {
		return true;
	}
	handshake->reason = "another certificate is shown";
	return false;
}

/* Returns: true if a client of that version is served with this pair. */
static bool
try_version(const struct tls_site *site, const struct tls_pair *pair, int version,
            char reason[TLS_FAILURE_MAX])
{
	struct handshake handshake = {.reason = "there was not enough memory"};
	bool is_well = set_up_client(&handshake, site, pair, version) &&
	               set_up_server(&handshake, site) && join(&handshake) &&
	               shake(&handshake) && is_served(&handshake, pair);

	(void)snprintf(reason, TLS_FAILURE_MAX, "%s", handshake.reason);
	SSL_free(handshake.client);
	SSL_free(handshake.server);
	SSL_CTX_free(handshake.client_ctx);
	ERR_clear_error();
	return is_well;
}

void
check_handshake(const struct tls_site *site, const struct tls_pair *pair,
                struct teller *teller)
{
	char reason_2[TLS_FAILURE_MAX] = "";
	char reason_3[TLS_FAILURE_MAX] = "";
	bool is_wanted_2 = SSL_CTX_get_min_proto_version(site->ctx) <= TLS1_2_VERSION;
	bool has_2 = is_wanted_2 && try_version(site, pair, TLS1_2_VERSION, reason_2);
	bool has_3 = try_version(site, pair, TLS1_3_VERSION, reason_3);

	if (!has_2 && !has_3) {
		teller_mistake(
		    teller, pair->place,
		    "no client could begin TLS with this certificate: %s; look "
		    "at tls.ciphers, tls.ciphersuites, and at the system's "
		    "openssl.cnf",
		    reason_3);
	} else if (!has_3) {
		teller_warning(
		    teller, pair->place,
		    "no client of TLS 1.3 will see this certificate: %s; look at "
		    "tls.ciphersuites and at the system's openssl.cnf",
		    reason_3);
	} else if (is_wanted_2 && !has_2) {
		teller_warning(
		    teller, pair->place,
		    "no client of TLS 1.2 will see this certificate: %s; add a "
		    "cipher for its kind of key to tls.ciphers, or set "
		    "tls.min_version = \"1.3\"",
		    reason_2);
	}
}
