/*
 * failure: why TLS on a connection has failed, in words for a log.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/failure.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base.h"

void
failure_explain(struct tls_stream *stream, const char *format, ...)
{
	va_list arguments;

	if (stream->hello.failure[0] != '\0') {
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(stream->hello.failure, sizeof(stream->hello.failure), format,
	                arguments);
	va_end(arguments);
}

/* The first word of the TLS library itself; what it uses may have said more before. */
static unsigned long
find_error(void)
{
	unsigned long first = ERR_peek_error();
	unsigned long error = 0;

	while ((error = ERR_get_error()) != 0) {
		if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
			return error;
		}
	}
	return first;
}

void
failure_of_openssl(struct tls_stream *stream)
{
	unsigned long error = find_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
		failure_explain(
		    stream, "the client's alert: %s",
		    SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
	} else {
		failure_explain(stream, "%s",
		                text != NULL ? text : "an error without a name");
	}
	ERR_clear_error();
}
