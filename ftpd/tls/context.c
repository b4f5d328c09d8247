/*
 * context: certificates, keys and rules of TLS, made once by the forkserver and shared by
 * its children.
 * Runs in: deftpd-worker.
 */
#include "ftpd/tls/context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <time.h>

#include "common/secret.h"
#include "ftpd/tls/client_ca.h"
#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/memory.h"
#include "ftpd/tls/rules.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

enum {
	/* name, cipher key and MAC key: what SSL_CTX_set_tlsext_ticket_keys() takes */
	TICKET_KEYS_MAX = 128,
};

int
tls_init(void)
{
	const uint64_t what = OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS |
	                      OPENSSL_INIT_LOAD_CRYPTO_STRINGS;
	const time_t epoch = 0;
	struct tm calendar;

	/* OpenSSL compares dates by it, and libc's first one opens /etc/localtime. */
	(void)gmtime_r(&epoch, &calendar);
	/* Only the second call in a process, as in a test, comes too late. */
	(void)tls_memory_wipe();
	if (OPENSSL_init_ssl(what, NULL) != 1 || RAND_status() != 1) {
		ERR_clear_error();
		return -EIO;
	}
	return 0;
}

/* Returns: 0; -EINVAL after a mistake was told. */
static int
use_pair(struct tls_site *site, const struct tls_pair *pair, struct teller *teller)
{
	const char *reason;

	if (SSL_CTX_use_cert_and_key(site->ctx, pair->certificate, pair->key, pair->chain,
	                             0) == 1) {
		return 0;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NOT_REPLACING_CERTIFICATE) {
		ERR_clear_error();
		teller_mistake(teller, pair->place,
		               "there is another certificate with a key of this kind "
		               "(%s); only one of each kind can be used, remove one of "
		               "them",
		               tls_pair_key_kind(pair->key));
		return -EINVAL;
	}
	reason = teller_reason();
	teller_mistake(teller, pair->place,
	               "OpenSSL refuses this certificate: %s; have a new one made, with "
	               "an RSA key of at least 2048 bits or an ECDSA key of 256, signed "
	               "with SHA-256",
	               reason);
	return -EINVAL;
}

/* Read the certificates of a site and use them. Goes on after a mistake, to tell more. */
static int
add_pairs(struct tls_site *site, const struct tls_setup *setup, uint32_t count,
          struct teller *teller)
{
	int worst = 0;

	for (uint16_t i = 0; i < count && i < OPTIONS_PATHS_MAX; i++) {
		struct tls_pair *pair = &site->pairs[site->pair_count];
		int result = tls_pair_read(setup, site->host, i, teller, pair);

		if (result == 0) {
			site->pair_count++;
			result = use_pair(site, pair, teller);
		}
		if (result == -ENOMEM) {
			return result;
		}
		worst = result != 0 ? result : worst;
	}
	return worst;
}

static int
begin_site(struct tls_context *context, uint16_t host)
{
	struct tls_site *site = &context->sites[context->site_count];

	*site = (struct tls_site){.context = context, .host = host};
	site->ctx = SSL_CTX_new(TLS_server_method());
	if (site->ctx == NULL) {
		return -ENOMEM;
	}
	context->site_count++;
	return 0;
}

static uint32_t
count_certificates(const struct tls_setup *setup, uint16_t host)
{
	const struct policy_override *override;

	if (host == 0) {
		return setup->options->tls.certificate.count;
	}
	override = policy_host_get(setup->overrides, host);
	return policy_sets(override, POLICY_CERTIFICATE)
	           ? override->host->certificate.count
	           : 0;
}

/* Returns: 0; -EINVAL after a mistake was told; -ENOMEM. */
static int
add_site(struct tls_context *context, const struct tls_setup *setup, uint16_t host,
         X509_STORE *vouchers, struct teller *teller)
{
	uint32_t count = count_certificates(setup, host);
	struct tls_site *site = &context->sites[context->site_count];
	int result;

	if (count == 0 && host > 0) {
		return 0;
	}
	result = begin_site(context, host);
	if (result == 0) {
		result = tls_rules_apply(site, teller);
	}
	if (result == 0 && vouchers != NULL) {
		result = tls_client_ca_use(site->ctx, setup, vouchers);
	}
	if (result != 0) {
		return result;
	}
	if (count == 0) {
		teller_mistake(teller, (struct tls_place){TLS_FILE_CERTIFICATE, 0, 0},
		               "there is no certificate; set tls.certificate");
		return -EINVAL;
	}
	return add_pairs(site, setup, count, teller);
}

/* Make room for the server and every section host. Returns: how many there may be. */
static uint16_t
count_sites(const struct overrides *overrides)
{
	uint16_t host = 1;

	while (policy_host_get(overrides, host) != NULL) {
		host++;
	}
	return host;
}

static int
add_sites(struct tls_context *context, const struct tls_setup *setup,
          struct teller *teller)
{
	uint16_t count = count_sites(setup->overrides);
	X509_STORE *vouchers = NULL;
	int worst = tls_client_ca_read(setup, teller, &vouchers);

	if (worst == -ENOMEM) {
		return worst;
	}
	for (uint16_t host = 0; host < count; host++) {
		int result = add_site(context, setup, host, vouchers, teller);

		worst = result != 0 ? result : worst;
		if (result == -ENOMEM) {
			break;
		}
	}
	X509_STORE_free(vouchers);
	return worst;
}

int
tls_context_new(const struct tls_setup *setup, tls_tell *tell, void *listener,
                struct tls_context **ret_context)
{
	struct teller teller = {.tell = tell, .listener = listener};
	struct tls_context *context = calloc(1, sizeof(*context));
	int result;

	if (context == NULL) {
		return -ENOMEM;
	}
	context->options = setup->options;
	context->overrides = setup->overrides;
	context->sites = calloc(count_sites(setup->overrides), sizeof(*context->sites));
	result = context->sites == NULL ? -ENOMEM : add_sites(context, setup, &teller);
	if (result != 0) {
		tls_context_free(context);
		return result;
	}
	*ret_context = context;
	return 0;
}

void
tls_context_free(struct tls_context *context)
{
	if (context == NULL) {
		return;
	}
	for (size_t i = 0; i < context->site_count; i++) {
		struct tls_site *site = &context->sites[i];

		SSL_CTX_free(site->ctx);
		for (size_t j = 0; j < site->pair_count; j++) {
			tls_pair_free(&site->pairs[j]);
		}
	}
	free(context->sites);
	free(context);
}

int
tls_context_seed(struct tls_context *context)
{
	uint8_t keys[TICKET_KEYS_MAX];
	SSL_CTX *ctx = context->sites[0].ctx;
	long needed = SSL_CTX_get_tlsext_ticket_keys(ctx, NULL, 0);
	bool is_done = needed > 0 && (size_t)needed <= sizeof(keys) &&
	               RAND_priv_bytes(keys, (int)needed) == 1 &&
	               SSL_CTX_set_tlsext_ticket_keys(ctx, keys, needed) == 1;

	secret_wipe(keys, sizeof(keys));
	ERR_clear_error();
	return is_done ? 0 : -EIO;
}

struct tls_site *
tls_context_site(const struct tls_context *context, uint16_t host)
{
	for (size_t i = 1; i < context->site_count; i++) {
		if (context->sites[i].host == host) {
			return &context->sites[i];
		}
	}
	return &context->sites[0];
}
