/*
 * connection: OpenSSL's end of one connection, ready for its handshake.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/connection.h"

#include <errno.h>
#include <openssl/err.h>

#include "ftpd/tls/context_internal.h"
#include "common/base.h"

/*
 * Sessions of data connections are not kept, so that theirs never push out the one of the
 * control connection, and ten thousand of them take no memory.
 */
static int
is_not_to_be_resumed(SSL *ssl, int is_forward_secure)
{
	(void)ssl;
	(void)is_forward_secure; /* the signature is OpenSSL's */
	return 1;
}

static bool
set_up(SSL *ssl, const struct tls_context *context, const struct tls_binding *binding,
       struct tls_hello *hello)
{
	SSL_set_accept_state(ssl);
	if (SSL_set_session_id_context(ssl, binding->bytes, TLS_BINDING_BYTES) != 1 ||
	    SSL_set_app_data(ssl, hello) != 1) {
		return false;
	}
	if (hello->host != 0 &&
	    SSL_set_SSL_CTX(ssl, tls_context_site(context, hello->host)->ctx) == NULL) {
		return false;
	}
	if (hello->side == TLS_DATA) {
		SSL_set_not_resumable_session_callback(ssl, is_not_to_be_resumed);
		return SSL_set_num_tickets(ssl, 0) == 1;
	}
	return true;
}

int
tls_connection_new(struct tls_context *context, const struct tls_binding *binding,
                   struct tls_hello *hello, SSL **ret_ssl)
{
	SSL *ssl = SSL_new(context->sites[0].ctx);

	if (ssl == NULL || !set_up(ssl, context, binding, hello)) {
		SSL_free(ssl);
		ERR_clear_error();
		return -ENOMEM;
	}
	*ret_ssl = ssl;
	return 0;
}
