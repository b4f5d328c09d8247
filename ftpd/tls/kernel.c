/*
 * kernel: whether the kernel encrypts what a connection sends, and how it is made to.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "ftpd/tls/context_internal.h"
#include "common/base.h"

/* The kernel's name for it. */
static const char layer_name[] = "tls";

/*
 * Every connection has to ask, as this is what prepares it. Where the kernel has no TLS
 * the first one of the process has asked for all.
 */
static bool
kernel_takes(const struct tls_stream *stream)
{
	int result;

	if (stream->context->is_kernel_without) {
		return false;
	}
	result = setsockopt(stream->wire.fd, IPPROTO_TCP, TCP_ULP, layer_name,
	                    sizeof(layer_name));
	stream->context->is_kernel_without = result != 0 && errno == ENOENT;
	return result == 0;
}

void
tls_stream_ask_kernel(struct tls_stream *stream)
{
	BIO *socket_bio = NULL;

	stream->kernel = TLS_KERNEL_OFF;
	if (stream->context->options->tls.kernel == OPTIONS_KERNEL_OFF) {
		return;
	}
	stream->kernel = TLS_KERNEL_MISSING;
	if (!kernel_takes(stream)) {
		return;
	}
	socket_bio = BIO_new_socket(stream->wire.fd, BIO_NOCLOSE);
	if (socket_bio == NULL) {
		return;
	}
	/*
	 * OpenSSL hands the keys over by the BIO that it writes to. The wire, by which it
	 * reads, knows of no kernel, and so receiving stays here.
	 */
	(void)SSL_set_options(stream->ssl, SSL_OP_ENABLE_KTLS);
	SSL_set0_wbio(stream->ssl, socket_bio);
	stream->kernel = TLS_KERNEL_USED;
}

void
kernel_settle(struct tls_stream *stream)
{
	BIO *wire_bio = SSL_get_rbio(stream->ssl);

	if (stream->kernel != TLS_KERNEL_USED ||
	    BIO_get_ktls_send(SSL_get_wbio(stream->ssl))) {
		return;
	}
	stream->kernel = TLS_KERNEL_NOT_THIS;
	(void)BIO_up_ref(wire_bio); /* SSL then has it twice; it cannot fail */
	SSL_set0_wbio(stream->ssl, wire_bio);
}

/*
 * Past OpenSSL: with the keys in the kernel, what is sent is data of records, and may be
 * taken in part, which SSL_write(3) could not say.
 */
ssize_t
kernel_write(struct tls_stream *stream, const void *bytes, size_t len)
{
	ssize_t sent = send(stream->wire.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	return sent >= 0 ? sent : -(errno == EINTR ? EAGAIN : errno);
}

ssize_t
tls_stream_send_file(struct tls_stream *stream, int file_fd, uint64_t offset, size_t len)
{
	off_t at = (off_t)offset;
	ssize_t sent = -1;

	if (stream->kernel != TLS_KERNEL_USED || !stream->is_open) {
		return -EINVAL;
	}
	stream->wants = EPOLLOUT;
	sent = sendfile(stream->wire.fd, file_fd, &at, len);
	return sent >= 0 ? sent : -(errno == EINTR ? EAGAIN : errno);
}

enum tls_kernel
tls_stream_kernel(const struct tls_stream *stream)
{
	return stream->kernel;
}

const char *
tls_kernel_text(enum tls_kernel kernel)
{
	switch (kernel) {
	case TLS_KERNEL_USED: return "by the kernel";
	case TLS_KERNEL_OFF: return "not by the kernel: tls.kernel is off";
	case TLS_KERNEL_UNASKED: return "not by the kernel: it is asked for downloads";
	case TLS_KERNEL_MISSING: return "not by the kernel: it has no TLS";
	case TLS_KERNEL_NOT_THIS:
		return "not by the kernel: it does not know this cipher";
	}
	return "";
}
