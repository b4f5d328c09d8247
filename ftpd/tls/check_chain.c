/*
 * check_chain: whether the certificates behind the server's own lead on to a root.
 * Runs in: deftpd-worker, started by the master to check.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "ftpd/tls/check_internal.h"
#include "ftpd/tls/dates.h"
#include "common/base.h"

static bool
is_self_signed(X509 *certificate)
{
	return X509_self_signed(certificate, 0) == 1;
}

/* Returns: number n of the file; the server's own is 0. */
static X509 *
get(const struct tls_pair *pair, int n)
{
	return n == 0 ? pair->certificate : sk_X509_value(pair->chain, n - 1);
}

static bool
is_issuer_elsewhere(const struct tls_pair *pair, int of)
{
	for (int i = 1; i <= sk_X509_num(pair->chain); i++) {
		if (i != of &&
		    X509_check_issued(get(pair, i), get(pair, of)) == X509_V_OK) {
			return true;
		}
	}
	return false;
}

/* Each must be signed by the next one: TLS 1.2 demands it (RFC 5246 7.4.2). */
static bool
is_in_order(const struct tls_pair *pair, struct teller *teller)
{
	for (int i = 0; i < sk_X509_num(pair->chain); i++) {
		if (!is_self_signed(get(pair, i)) &&
		    X509_check_issued(get(pair, i + 1), get(pair, i)) == X509_V_OK) {
			continue;
		}
		if (is_issuer_elsewhere(pair, i) && !is_self_signed(get(pair, i))) {
			teller_mistake(teller, pair->place,
			               "the certificates of this file are not in order; "
			               "behind number %d must stand that of its issuer",
			               i + 1);
		} else {
			teller_mistake(
			    teller, pair->place,
			    "certificate number %d of this file has nothing to "
			    "do with the one before it; remove it",
			    i + 2);
		}
		return false;
	}
	return true;
}

/* Nobody has to send a root; but who sends his own only is often misunderstood. */
static void
check_end(const struct tls_pair *pair, struct teller *teller)
{
	char name[TELLER_NAME_MAX];

	if (sk_X509_num(pair->chain) == 0 && !is_self_signed(pair->certificate)) {
		teller_warning(
		    teller, pair->place,
		    "the certificate of its issuer, %s, is not in this file; "
		    "append it, unless clients know it already",
		    teller_name(X509_get_issuer_name(pair->certificate), name));
	}
}

/* The dates of the others; that of the server's own is told elsewhere. */
static void
check_dates(const struct tls_pair *pair, int64_t now, struct teller *teller)
{
	char date[TLS_DATE_MAX];

	for (int i = 1; i <= sk_X509_num(pair->chain); i++) {
		int64_t expires = tls_date(X509_get0_notAfter(get(pair, i)));

		if (expires <= now) {
			teller_warning(
			    teller, pair->place,
			    "certificate number %d of this file has expired on "
			    "%s; fetch a new chain from the issuer",
			    i + 1, tls_date_text(expires, date));
		}
	}
}

/* Verify as a client that trusts the last one. Returns: X509_V_OK or why not. */
static int
verify(const struct tls_site *site, const struct tls_pair *pair, int *ret_depth)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	if (store != NULL && ctx != NULL &&
	    X509_STORE_add_cert(store, get(pair, sk_X509_num(pair->chain))) == 1 &&
	    X509_STORE_CTX_init(ctx, store, pair->certificate, pair->chain) == 1) {
		X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(ctx);

		(void)X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN |
		                                             X509_V_FLAG_NO_CHECK_TIME);
		(void)X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
		X509_VERIFY_PARAM_set_auth_level(rules,
		                                 SSL_CTX_get_security_level(site->ctx));
		error = X509_verify_cert(ctx) == 1 ? X509_V_OK
		                                   : X509_STORE_CTX_get_error(ctx);
		*ret_depth = X509_STORE_CTX_get_error_depth(ctx);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return error;
}

void
check_chain(const struct tls_site *site, const struct tls_pair *pair, int64_t now,
            struct teller *teller)
{
	int depth = 0;
	int error;

	if (!is_in_order(pair, teller)) {
		return;
	}
	check_end(pair, teller);
	check_dates(pair, now, teller);
	error = verify(site, pair, &depth);
	if (error != X509_V_OK) {
		teller_mistake(
		    teller, pair->place,
		    "clients will refuse certificate number %d of this file: %s; "
		    "have one made for a server (serverAuth) by an issuer that "
		    "may (CA)",
		    depth + 1, X509_verify_cert_error_string(error));
	}
}
