/*
 * check_certificate: what a certificate is, its dates and its names.
 * Runs in: deftpd-worker, started by the master to check.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/text.h"
#include "ftpd/tls/check.h"
#include "ftpd/tls/check_internal.h"
#include "ftpd/tls/dates.h"
#include "common/base.h"

enum {
	DAY_SECONDS = 24 * 3600,
	FACT_MAX = 2 * 1024,
	ADDRESS_V4_BYTES = 4, /* as certificates have them */
	ADDRESS_V6_BYTES = 16,
};

static void
add_address(struct text *text, const ASN1_STRING *value)
{
	char name[INET6_ADDRSTRLEN] = "an address";
	int len = ASN1_STRING_length(value);
	int family = len == ADDRESS_V6_BYTES ? AF_INET6 : AF_INET;

	if (len == ADDRESS_V4_BYTES || len == ADDRESS_V6_BYTES) {
		(void)inet_ntop(family, ASN1_STRING_get0_data(value), name, sizeof(name));
	}
	text_add(text, "%s", name);
}

/* Write the names that clients compare. Returns: how many there are. */
static int
add_names(struct text *text, const X509 *certificate)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type = 0;
		const ASN1_STRING *value =
		    GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

		if (type != GEN_DNS && type != GEN_IPADD) {
			continue;
		}
		text_add(text, "%s", count == 0 ? ", for " : ", ");
		if (type == GEN_DNS) {
			text_add_escaped(text, (const char *)ASN1_STRING_get0_data(value),
			                 (size_t)ASN1_STRING_length(value),
			                 TEXT_ESCAPE_LINE);
		} else {
			add_address(text, value);
		}
		count++;
	}
	GENERAL_NAMES_free(names);
	return count;
}

static void
check_dates(const struct tls_pair *pair, int64_t now, struct teller *teller)
{
	int64_t begins = tls_date(X509_get0_notBefore(pair->certificate));
	int64_t expires = tls_date(X509_get0_notAfter(pair->certificate));
	char text[TLS_DATE_MAX];

	if (begins > now) {
		teller_warning(teller, pair->place,
		               "this certificate is not valid before %s, and clients "
		               "refuse it until then; set the clock right if it is wrong",
		               tls_date_text(begins, text));
	}
	if (expires <= now) {
		teller_warning(
		    teller, pair->place,
		    "this certificate has expired on %s, and clients refuse it; "
		    "have a new one made",
		    tls_date_text(expires, text));
	} else if (expires - now < (int64_t)CHECK_WARN_DAYS * DAY_SECONDS) {
		teller_warning(teller, pair->place,
		               "this certificate expires on %s; have a new one made",
		               tls_date_text(expires, text));
	}
}

/* A host's own certificate is there to name it. */
static void
check_host_name(const struct tls_site *site, const struct tls_pair *pair,
                struct teller *teller)
{
	const struct policy_override *host =
	    policy_host_get(site->context->overrides, site->host);

	if (host != NULL && X509_check_host(pair->certificate, host->title,
	                                    strlen(host->title), 0, NULL) != 1) {
		teller_warning(
		    teller, pair->place,
		    "this certificate does not name %s, whose section it is in, "
		    "and clients will not trust it; have one made that does",
		    host->title);
	}
}

/* A certificate may demand that its OCSP response comes along (RFC 7633). */
static void
check_stapling(const struct tls_pair *pair, struct teller *teller)
{
	if (pair->ocsp == NULL &&
	    X509_get_ext_by_NID(pair->certificate, NID_tlsfeature, -1) >= 0) {
		teller_warning(
		    teller, pair->place,
		    "this certificate demands an OCSP response with it, without "
		    "which clients refuse it; set ocsp_response");
	}
}

void
check_certificate(const struct tls_site *site, const struct tls_pair *pair, int64_t now,
                  struct teller *teller)
{
	char fact[FACT_MAX];
	char name[TELLER_NAME_MAX];
	struct text text;

	text_init(&text, fact, sizeof(fact));
	text_add(&text, "%s, %s key of %d bits",
	         teller_name(X509_get_subject_name(pair->certificate), name),
	         tls_pair_key_kind(pair->key), EVP_PKEY_get_bits(pair->key));
	if (add_names(&text, pair->certificate) == 0) {
		teller_warning(teller, pair->place,
		               "this certificate has no alternative names, and clients "
		               "look at no others; have one made that has");
	}
	teller_fact(teller, pair->place, pair->certificate, "%s", fact);
	check_dates(pair, now, teller);
	check_host_name(site, pair, teller);
	check_stapling(pair, teller);
	ERR_clear_error();
}
