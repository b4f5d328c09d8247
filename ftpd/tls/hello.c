/*
 * hello: what a client says in its first message of whom it wants to speak to, and in
 * which protocol.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/tls/hello.h"

#include <openssl/tls1.h>
#include <string.h>
#include <strings.h>

#include "ftpd/tls/connection.h"
#include "ftpd/tls/context_internal.h"
#include "common/base.h"

struct protocol {
	const char *name;
	size_t len;
	bool is_for_data_only;
};

/* In the order of our liking. */
static const struct protocol protocols[] = {
    {"ftp", 3, false},
    {"ftp-data", 8, true},
};

static bool
is_own_name(const struct options_host_list *names, const char *name, size_t len)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (strlen(names->entry[i]) == len &&
		    strncasecmp(names->entry[i], name, len) == 0) {
			return true;
		}
	}
	return false;
}

static int
refuse_name(struct tls_hello *hello, int *ret_alert, const char *why)
{
	*ret_alert = SSL_AD_UNRECOGNIZED_NAME;
	(void)snprintf(hello->failure, sizeof(hello->failure),
	               "the client wants to speak to \"%s\" (SNI), %s",
	               hello->server_name, why);
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int
tls_hello_choose_host(SSL *ssl, int *ret_alert, void *arg)
{
	const struct tls_context *context = arg;
	const struct options_host_list *names = &context->options->tls.server_names;
	struct tls_hello *hello = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	uint16_t number = 0;
	size_t len;

	if (name == NULL) {
		return SSL_TLSEXT_ERR_NOACK;
	}
	(void)snprintf(hello->server_name, sizeof(hello->server_name), "%s", name);
	len = strlen(name);
	if (len > 1 && name[len - 1] == '.') {
		len--;
	}
	if (policy_host_find(context->overrides, name, len, &number) != NULL) {
		if (hello->host != 0 && hello->host != number) {
			return refuse_name(hello, ret_alert,
			                   "but has named another host by HOST");
		}
		hello->host = number;
		if (SSL_set_SSL_CTX(ssl, tls_context_site(context, number)->ctx) ==
		    NULL) {
			*ret_alert = SSL_AD_INTERNAL_ERROR;
			return SSL_TLSEXT_ERR_ALERT_FATAL;
		}
		return SSL_TLSEXT_ERR_OK;
	}
	if (names->count > 0 && !is_own_name(names, name, len)) {
		return refuse_name(hello, ret_alert,
		                   "which is neither in tls.server_names nor a host");
	}
	return SSL_TLSEXT_ERR_OK;
}

/* Find a protocol in a list of names, each behind its length. OpenSSL has checked it. */
static const unsigned char *
find_protocol(const struct protocol *protocol, const unsigned char *offered, size_t len)
{
	for (size_t at = 0; at < len && offered[at] < len - at; at += offered[at] + 1U) {
		if (offered[at] == protocol->len &&
		    memcmp(&offered[at + 1], protocol->name, protocol->len) == 0) {
			return &offered[at + 1];
		}
	}
	return NULL;
}

int
tls_hello_choose_protocol(SSL *ssl, const unsigned char **ret_protocol,
                          unsigned char *ret_len, const unsigned char *offered,
                          unsigned int offered_len, void *unused)
{
	struct tls_hello *hello = SSL_get_app_data(ssl);
	int shown;

	(void)unused; /* the signature is OpenSSL's */
	for (size_t i = 0; i < ARRAY_COUNT(protocols); i++) {
		const unsigned char *found =
		    find_protocol(&protocols[i], offered, offered_len);

		if (found != NULL &&
		    (hello->side == TLS_DATA || !protocols[i].is_for_data_only)) {
			*ret_protocol = found;
			*ret_len = (unsigned char)protocols[i].len;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	shown = offered_len > 1 && offered[0] < offered_len ? offered[0] : 0;
	(void)snprintf(hello->failure, sizeof(hello->failure),
	               "the client wants to speak \"%.*s\" and not FTP (ALPN)", shown,
	               shown > 0 ? (const char *)&offered[1] : "");
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}
