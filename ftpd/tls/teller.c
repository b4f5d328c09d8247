/*
 * teller: puts what is found into words, for whoever listens.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/teller.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "ftpd/tls/dates.h"
#include "common/base.h"

struct tls_place
tls_place_of(const struct tls_file *file)
{
	return (struct tls_place){
	    .kind = file->kind, .host = file->host, .index = file->index};
}

static void __attribute__((format(printf, 4, 0)))
say(const struct teller *teller, struct tls_place place, struct tls_report report,
    const char *format, va_list arguments)
{
	char text[TLS_REPORT_TEXT_MAX];
	int len;

	if (teller->tell == NULL) {
		return;
	}
	len = vsnprintf(text, sizeof(text), format, arguments);
	report.text = text;
	report.text_len = len < 0 ? 0 : (size_t)len;
	if (report.text_len >= sizeof(text)) {
		report.text_len = sizeof(text) - 1; /* cut: still worth reading */
	}
	report.kind = place.kind;
	report.host = place.host;
	report.index = place.index;
	teller->tell(teller->listener, &report);
}

void
teller_mistake(struct teller *teller, struct tls_place place, const char *format, ...)
{
	struct tls_report report = {.type = TLS_REPORT_MISTAKE};
	va_list arguments;

	teller->has_mistake = true;
	va_start(arguments, format);
	say(teller, place, report, format, arguments);
	va_end(arguments);
}

void
teller_warning(struct teller *teller, struct tls_place place, const char *format, ...)
{
	struct tls_report report = {.type = TLS_REPORT_WARNING};
	va_list arguments;

	va_start(arguments, format);
	say(teller, place, report, format, arguments);
	va_end(arguments);
}

void
teller_fact(struct teller *teller, struct tls_place place, const X509 *certificate,
            const char *format, ...)
{
	struct tls_report report = {.type = TLS_REPORT_FACT,
	                            .begins = tls_date(X509_get0_notBefore(certificate)),
	                            .expires = tls_date(X509_get0_notAfter(certificate))};
	va_list arguments;

	va_start(arguments, format);
	say(teller, place, report, format, arguments);
	va_end(arguments);
}

const char *
teller_name(const X509_NAME *name, char text[TELLER_NAME_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) >= 0) {
		len = BIO_read(bio, text, TELLER_NAME_MAX - 1);
	}
	BIO_free(bio);
	if (len <= 0) {
		(void)snprintf(text, TELLER_NAME_MAX, "nobody");
	} else {
		text[len] = '\0';
	}
	return text;
}

const char *
teller_reason(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;

	ERR_clear_error();
	return reason != NULL ? reason : "OpenSSL gives no reason";
}
