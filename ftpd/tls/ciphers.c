/*
 * ciphers: which ciphers are spoken.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/ciphers.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/text.h"
#include "common/base.h"

enum {
	LIST_MAX = 8 * 1024, /* names of all ciphers that OpenSSL has */
};

static const struct tls_place nowhere = {TLS_FILE_CERTIFICATE, 0, 0};

/* Which setter of OpenSSL takes a list. */
typedef int list_setter(SSL_CTX *ctx, const char *list);

static bool
is_of_1_3(const SSL_CIPHER *cipher)
{
	return SSL_CIPHER_get_kx_nid(cipher) == NID_kx_any;
}

static bool
is_good(const SSL_CIPHER *cipher)
{
	return SSL_CIPHER_is_aead(cipher) == 1 &&
	       SSL_CIPHER_get_kx_nid(cipher) == NID_kx_ecdhe &&
	       (SSL_CIPHER_get_auth_nid(cipher) == NID_auth_rsa ||
	        SSL_CIPHER_get_auth_nid(cipher) == NID_auth_ecdsa);
}

/* Of what the system's policy allows in TLS 1.2, keep the good ones, in its order. */
static int
narrow_to_good(SSL_CTX *ctx)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
	char list[LIST_MAX];
	struct text text;

	text_init(&text, list, sizeof(list));
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);

		if (!is_of_1_3(cipher) && is_good(cipher)) {
			text_add(&text, "%s%s", text.len > 0 ? ":" : "",
			         SSL_CIPHER_get_name(cipher));
		}
	}
	if (text.len == 0) { /* then the policy leaves TLS 1.3 only */
		return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 ? 0
		                                                               : -ENOMEM;
	}
	return SSL_CTX_set_cipher_list(ctx, list) == 1 ? 0 : -ENOMEM;
}

/*
 * Ask OpenSSL whether it knows one name of a list. It leaves unknown ones out without a
 * word, which is how a typing error weakens a server.
 */
static bool
is_known(const char *name, size_t len, list_setter *set)
{
	char text[OPTIONS_TEXT_MAX];
	SSL_CTX *scratch = SSL_CTX_new(TLS_server_method());
	bool is_taken;

	if (scratch == NULL) {
		return true; /* the list itself will fail, and for the right reason */
	}
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, name);
	is_taken = set(scratch, text) == 1;
	SSL_CTX_free(scratch);
	ERR_clear_error();
	return is_taken;
}

static bool
tell_unknown(const char *key, const char *list, list_setter *set, struct teller *teller)
{
	bool has_unknown = false;

	while (*list != '\0') {
		size_t len = strcspn(list, ":, ");

		/* who takes away what is not there has got what he wants */
		if (len > 0 && strchr("!-+@", list[0]) == NULL &&
		    !is_known(list, len, set)) {
			teller_mistake(teller, nowhere,
			               "tls.%s: OpenSSL knows no cipher \"%.*s\"; see "
			               "\"openssl ciphers -v ALL\"",
			               key, (int)len, list);
			has_unknown = true;
		}
		list += len;
		list += strspn(list, ":, ");
	}
	return has_unknown;
}

static int
set_list(const struct tls_site *site, const char *key, const char *list, list_setter *set,
         struct teller *teller)
{
	/* each host has the same list: one is enough to look at it name by name */
	if (site->host == 0 && tell_unknown(key, list, set, teller)) {
		return -EINVAL;
	}
	if (set(site->ctx, list) != 1) {
		teller_mistake(
		    teller, nowhere,
		    "tls.%s: OpenSSL does not take \"%s\": %s; name at least one "
		    "cipher",
		    key, list, teller_reason());
		return -EINVAL;
	}
	return 0;
}

int
tls_ciphers_apply(struct tls_site *site, struct teller *teller)
{
	const struct options_tls *options = &site->context->options->tls;
	/* and one is enough to hear of a mistake */
	struct teller nobody = {.tell = NULL};
	struct teller *listening = site->host == 0 ? teller : &nobody;
	int result;

	if (options->ciphers[0] == '\0') {
		result = narrow_to_good(site->ctx);
	} else {
		result = set_list(site, "ciphers", options->ciphers,
		                  SSL_CTX_set_cipher_list, listening);
		/* whoever lists ciphers with DHE shall have them */
		(void)SSL_CTX_set_dh_auto(site->ctx, 1);
	}
	if (result == 0 && options->ciphersuites[0] != '\0') {
		result = set_list(site, "ciphersuites", options->ciphersuites,
		                  SSL_CTX_set_ciphersuites, listening);
	}
	return result;
}

void
tls_ciphers_check(const struct tls_site *site, struct teller *teller)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(site->ctx);

	/* the first is enough to look again */
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);

		if (is_of_1_3(cipher) || is_good(cipher)) {
			continue;
		}
		teller_warning(teller, nowhere,
		               "tls.ciphers: %s is without authenticated encryption or "
		               "without forward secrecy, or costs much; leave the list "
		               "empty to have none such",
		               SSL_CIPHER_get_name(cipher));
		return;
	}
}
