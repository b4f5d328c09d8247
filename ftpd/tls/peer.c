/*
 * peer: what a stream knows of the client: its certificate's names, version and cipher,
 * the host that it has asked for.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 5280 4.2.1.6 (alternative names); SECURITY.md A13.
 * Not here: whether the certificate is to be believed; OpenSSL has checked that in the
 * handshake.
 */
#include "ftpd/tls/peer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "ftpd/tls/stream_internal.h"
#include "common/base.h"

enum {
	FIRST_PRINTABLE = 0x21,
	LAST_PRINTABLE = 0x7e,
};

/* A name of printable letters: none that could end early or pass for several. */
static bool
is_clean(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name[i] < FIRST_PRINTABLE || name[i] > LAST_PRINTABLE) {
			return false;
		}
	}
	return len > 0;
}

static const ASN1_IA5STRING *
text_of(const GENERAL_NAME *name)
{
	int type = 0;
	const ASN1_IA5STRING *text = GENERAL_NAME_get0_value(name, &type);

	return type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI ? text : NULL;
}

/* Append a name and LF, if it is one and fits. */
static size_t
append_name(const GENERAL_NAME *name, char names[TLS_NAMES_MAX_BYTES], size_t used)
{
	const ASN1_IA5STRING *text = text_of(name);
	const uint8_t *bytes = text != NULL ? ASN1_STRING_get0_data(text) : NULL;
	size_t len = text != NULL ? (size_t)ASN1_STRING_length(text) : 0;

	if (bytes == NULL || !is_clean(bytes, len) ||
	    len + 1 > TLS_NAMES_MAX_BYTES - used) {
		return used;
	}
	memcpy(names + used, bytes, len);
	names[used + len] = '\n';
	return used + len + 1;
}

size_t
tls_peer_names(const X509 *certificate, char names[TLS_NAMES_MAX_BYTES])
{
	GENERAL_NAMES *list =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		used = append_name(sk_GENERAL_NAME_value(list, i), names, used);
	}
	GENERAL_NAMES_free(list);
	ERR_clear_error();
	return used;
}

size_t
tls_stream_client_names(const struct tls_stream *stream, char names[TLS_NAMES_MAX_BYTES])
{
	const X509 *certificate = SSL_get0_peer_certificate(stream->ssl);

	return stream->is_open && certificate != NULL ? tls_peer_names(certificate, names)
	                                              : 0;
}

bool
tls_stream_has_client_certificate(const struct tls_stream *stream)
{
	return stream->is_open && SSL_get0_peer_certificate(stream->ssl) != NULL;
}

void
tls_stream_client(const struct tls_stream *stream, struct tls_client *ret_client)
{
	const X509 *certificate =
	    stream->is_open ? SSL_get0_peer_certificate(stream->ssl) : NULL;
	unsigned len = 0;

	*ret_client = (struct tls_client){.has_certificate = certificate != NULL};
	/* Fails for want of memory: such a digest, all zero, is nobody's. */
	if (certificate != NULL &&
	    X509_digest(certificate, EVP_sha256(), ret_client->digest, &len) != 1) {
		memset(ret_client->digest, 0, sizeof(ret_client->digest));
		ERR_clear_error();
	}
}

bool
tls_stream_is_client(const struct tls_stream *stream, const struct tls_client *client)
{
	static const uint8_t nobody[TLS_DIGEST_BYTES];
	struct tls_client own;

	if (!client->has_certificate || tls_stream_has_resumed(stream)) {
		return true;
	}
	tls_stream_client(stream, &own);
	return memcmp(own.digest, client->digest, sizeof(own.digest)) == 0 &&
	       memcmp(own.digest, nobody, sizeof(nobody)) != 0;
}

size_t
tls_stream_describe(const struct tls_stream *stream, char text[TLS_DESCRIPTION_MAX])
{
	const char *version = SSL_version(stream->ssl) == TLS1_3_VERSION ? "TLS 1.3"
	                      : SSL_version(stream->ssl) == TLS1_2_VERSION
	                          ? "TLS 1.2"
	                          : SSL_get_version(stream->ssl);
	int len = snprintf(text, TLS_DESCRIPTION_MAX, "%s, %s", version,
	                   SSL_get_cipher_name(stream->ssl));

	return len < 0                      ? 0
	       : len >= TLS_DESCRIPTION_MAX ? TLS_DESCRIPTION_MAX - 1
	                                    : (size_t)len;
}

bool
tls_stream_has_resumed(const struct tls_stream *stream)
{
	return stream->is_open && SSL_session_reused(stream->ssl) == 1;
}

uint16_t
tls_stream_host(const struct tls_stream *stream)
{
	return stream->hello.host;
}

const char *
tls_stream_server_name(const struct tls_stream *stream)
{
	return stream->hello.server_name;
}

const char *
tls_stream_failure(const struct tls_stream *stream)
{
	return stream->hello.failure;
}
