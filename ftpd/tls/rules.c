/*
 * rules: how TLS is spoken, whoever the certificates are of.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/rules.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ftpd/tls/ciphers.h"
#include "ftpd/tls/hello.h"
#include "ftpd/tls/ocsp.h"
#include "common/base.h"

enum {
	/*
	 * Sessions of TLS 1.2 that are kept, for clients without tickets. A worker has
	 * one client, whose data connections add none: new logins (REIN) do.
	 */
	KEPT_SESSIONS = 16,
	/*
	 * What TLS 1.3 allows at most; and Java throws away any ticket that promises
	 * more, of TLS 1.2 too. In TLS 1.3 tickets are fresh, so only a control
	 * connection of TLS 1.2 that is older cannot be resumed any more.
	 */
	SESSION_SECONDS = 7 * 24 * 3600,
	SECURITY_LEVEL_MIN = 2, /* 112 bits */
	/* A client's chain: more is nobody's certificate but an attempt. */
	CHAIN_BYTES_MAX = 64 * 1024,
};

/*
 * Groups of finite fields cost milliseconds each, at will of whoever connects (the attack
 * known as D(HE)at), and no client needs them. All else is OpenSSL's to decide.
 */
/* NOLINTBEGIN(readability-function-size): the signature is OpenSSL's */
static int
refuse_finite_fields(const SSL *ssl, const SSL_CTX *ctx, int operation, int bits, int nid,
                     void *other, void *original)
{
	int (*const *decide)(const SSL *, const SSL_CTX *, int, int, int, void *,
	                     void *) = original;

	if ((operation == SSL_SECOP_CURVE_SUPPORTED ||
	     operation == SSL_SECOP_CURVE_SHARED || operation == SSL_SECOP_CURVE_CHECK) &&
	    nid >= NID_ffdhe2048 && nid <= NID_ffdhe8192) {
		return 0;
	}
	return (*decide)(ssl, ctx, operation, bits, nid, other, NULL);
}
/* NOLINTEND(readability-function-size) */

static void
set_security(struct tls_site *site)
{
	/* a cipher list may lower it again by @SECLEVEL: that is its writer's will */
	if (SSL_CTX_get_security_level(site->ctx) < SECURITY_LEVEL_MIN) {
		SSL_CTX_set_security_level(site->ctx, SECURITY_LEVEL_MIN);
	}
	site->decide = SSL_CTX_get_security_callback(site->ctx);
	SSL_CTX_set0_security_ex_data(site->ctx, &site->decide);
	SSL_CTX_set_security_callback(site->ctx, refuse_finite_fields);
}

/* The system's policy may ask for more than ours. */
static bool
set_version(struct tls_site *site)
{
	int version = site->context->options->tls.min_version == OPTIONS_TLS_1_3
	                  ? TLS1_3_VERSION
	                  : TLS1_2_VERSION;

	return SSL_CTX_get_min_proto_version(site->ctx) >= version ||
	       SSL_CTX_set_min_proto_version(site->ctx, version) == 1;
}

static void
set_options(struct tls_site *site)
{
	bool can_resume = site->context->options->tls.resume != OPTIONS_RESUME_OFF;
	uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;

	/* without these the system's configuration could bring back what is unsafe */
	(void)SSL_CTX_clear_options(site->ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
	                                           SSL_OP_LEGACY_SERVER_CONNECT |
	                                           SSL_OP_ENABLE_KTLS);
	(void)SSL_CTX_set_options(site->ctx,
	                          options | (can_resume ? 0 : SSL_OP_NO_TICKET));
	(void)SSL_CTX_set_session_cache_mode(site->ctx, can_resume ? SSL_SESS_CACHE_SERVER
	                                                           : SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_sess_set_cache_size(site->ctx, KEPT_SESSIONS);
	(void)SSL_CTX_set_timeout(site->ctx, SESSION_SECONDS);
	/* what is in the file is sent, and nothing looked for at each handshake */
	(void)SSL_CTX_set_mode(site->ctx, SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_max_cert_list(site->ctx, CHAIN_BYTES_MAX);
	if (!can_resume) {
		(void)SSL_CTX_set_num_tickets(site->ctx, 0); /* cannot fail */
	}
}

int
tls_rules_apply(struct tls_site *site, struct teller *teller)
{
	set_security(site);
	set_options(site);
	if (!set_version(site)) {
		teller_mistake(
		    teller, (struct tls_place){TLS_FILE_CERTIFICATE, 0, 0},
		    "tls.min_version: OpenSSL does not take it: %s; look at the "
		    "system's openssl.cnf",
		    teller_reason());
		return -EINVAL;
	}
	SSL_CTX_set_alpn_select_cb(site->ctx, tls_hello_choose_protocol, NULL);
	(void)SSL_CTX_set_tlsext_servername_callback(site->ctx, tls_hello_choose_host);
	(void)SSL_CTX_set_tlsext_servername_arg(site->ctx, site->context);
	(void)SSL_CTX_set_tlsext_status_cb(site->ctx, tls_ocsp_staple);
	(void)SSL_CTX_set_tlsext_status_arg(site->ctx, site);
	return tls_ciphers_apply(site, teller);
}
