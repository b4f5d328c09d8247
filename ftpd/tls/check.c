/*
 * check: whether certificates, keys and what belongs to them may be used.
 * Runs in: deftpd-worker, started by the master to check.
 */
#include "ftpd/tls/check.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "ftpd/tls/check_internal.h"
#include "ftpd/tls/ciphers.h"
#include "ftpd/tls/client_ca.h"
#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

static bool
has_certificate_for(const struct tls_site *site, const char *name)
{
	for (size_t i = 0; i < site->pair_count; i++) {
		if (X509_check_host(site->pairs[i].certificate, name, strlen(name), 0,
		                    NULL) == 1) {
			return true;
		}
	}
	return false;
}

/* Whoever may be named should be able to prove that he is it. */
static void
check_server_names(const struct tls_context *context, struct teller *teller)
{
	const struct options_host_list *names = &context->options->tls.server_names;
	const struct tls_site *server = &context->sites[0];

	for (uint32_t i = 0; i < names->count; i++) {
		if (!has_certificate_for(server, names->entry[i])) {
			teller_warning(
			    teller, server->pairs[0].place,
			    "no certificate of the server names %s, which "
			    "tls.server_names does, and clients will not trust it; have "
			    "one made that does",
			    names->entry[i]);
		}
	}
}

static void
check_context(const struct tls_context *context, int64_t now, struct teller *teller)
{
	for (size_t i = 0; i < context->site_count; i++) {
		const struct tls_site *site = &context->sites[i];

		for (size_t j = 0; j < site->pair_count; j++) {
			check_certificate(site, &site->pairs[j], now, teller);
			check_chain(site, &site->pairs[j], now, teller);
			check_handshake(site, &site->pairs[j], teller);
		}
	}
	check_server_names(context, teller);
	tls_ciphers_check(&context->sites[0], teller);
	/* empty unless there is client_ca */
	tls_client_ca_check(SSL_CTX_get_cert_store(context->sites[0].ctx), now, teller);
}

bool
tls_check(const struct tls_setup *setup, int64_t now, tls_tell *tell, void *listener)
{
	struct teller teller = {.tell = tell, .listener = listener};
	struct tls_context *context = NULL;
	int result;

	if (setup->options->tls.certificate.count == 0) {
		return true; /* there is no TLS */
	}
	result = tls_context_new(setup, tell, listener, &context);
	if (result == -ENOMEM) {
		teller_mistake(&teller, (struct tls_place){TLS_FILE_CERTIFICATE, 0, 0},
		               "there was not enough memory to check it; try again");
	}
	if (result != 0) {
		return false;
	}
	check_context(context, now, &teller);
	tls_context_free(context);
	ERR_clear_error();
	return !teller.has_mistake;
}
