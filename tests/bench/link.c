/*
 * link: TLS on one connection of the benchmark's two programs, whether it blocks or not.
 * Runs in: ftpload and bare (test). Input: each other's, and servers under test.
 * Source: SSL_read(3), SSL_write(3), BIO_f_buffer(3).
 * Not here: what is said; see client.c and bare.c.
 */
#include "tests/bench/link.h"

#include <err.h>
#include <errno.h>
#include <malloc.h>
#include <openssl/err.h>

#include "common/base.h"

enum {
	READ_AHEAD_BYTES = 128 * 1024,
	/*
	 * Buffers of one connection come from the heap and stay there for the next one.
	 */
	HEAP_KEEPS_BYTES = 64 * 1024 * 1024
};

static SSL_CTX *
context_new(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL ||
	    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") != 1)
		errx(1, "no TLS 1.3 with AES-256-GCM");
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
	                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* What has arrived is counted; a server that ends without a word has ended. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	mallopt(M_MMAP_THRESHOLD, HEAP_KEEPS_BYTES);
	mallopt(M_TRIM_THRESHOLD, HEAP_KEEPS_BYTES);
	return context;
}

SSL_CTX *
link_client_context(void)
{
	return context_new(TLS_client_method());
}

SSL_CTX *
link_server_context(const char *pem)
{
	SSL_CTX *context = context_new(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(context, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) != 1)
		errx(1, "%s: no certificate and key", pem);
	SSL_CTX_set_num_tickets(context, 1);
	return context;
}

SSL *
link_new(SSL_CTX *context, int fd, SSL_SESSION *session, bool is_data)
{
	SSL *link = SSL_new(context);
	BIO *input = BIO_new_socket(fd, BIO_NOCLOSE);
	BIO *output = BIO_new_socket(fd, BIO_NOCLOSE);
	BIO *gathering = BIO_new(BIO_f_buffer());

	if (link == NULL || input == NULL || output == NULL || gathering == NULL)
		errx(1, "no memory");
	if (is_data) {
		BIO_set_write_buffer_size(gathering, LINK_GATHER_BYTES);
		SSL_set_default_read_buffer_len(link, READ_AHEAD_BYTES);
		SSL_set_read_ahead(link, 1);
		SSL_set_num_tickets(link, 0);
	}
	SSL_set_bio(link, input, BIO_push(gathering, output));
	if (SSL_is_server(link))
		SSL_set_accept_state(link);
	else
		SSL_set_connect_state(link);
	if (session != NULL)
		SSL_set_session(link, session);
	return link;
}

static int
trouble(SSL *link, int result)
{
	int reason = SSL_get_error(link, result);

	ERR_clear_error();
	if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	return reason == SSL_ERROR_ZERO_RETURN ? 0 : -EPROTO;
}

int
link_handshake(SSL *link)
{
	int result = SSL_do_handshake(link);

	if (result != 1) {
		result = trouble(link, result);
		return result == 0 ? -EPROTO : result;
	}
	return 0;
}

ssize_t
link_recv(SSL *link, void *bytes, size_t cap)
{
	size_t done = 0;

	while (done < cap) {
		size_t got = 0;
		int result = SSL_read_ex(link, (char *)bytes + done, cap - done, &got);

		if (result != 1) {
			result = trouble(link, result);
			return done > 0 ? (ssize_t)done : result;
		}
		done += got;
	}
	return (ssize_t)done;
}

ssize_t
link_send(SSL *link, const void *bytes, size_t len)
{
	size_t done = 0;
	int result = SSL_write_ex(link, bytes, len, &done);

	if (result != 1) {
		result = trouble(link, result);
		return result == 0 ? -EPROTO : result;
	}
	return (ssize_t)done;
}

int
link_flush(SSL *link)
{
	BIO *output = SSL_get_wbio(link);

	if (BIO_flush(output) == 1)
		return 0;
	return BIO_should_retry(output) ? -EAGAIN : -EPROTO;
}

int
link_end(SSL *link)
{
	int result = SSL_shutdown(link);

	if (result < 0) {
		result = trouble(link, result);
		if (result != -EAGAIN)
			return -EPROTO;
	}
	return link_flush(link);
}
