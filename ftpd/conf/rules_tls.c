/*
 * rules_tls: what must hold between the keys of TLS and of virtual hosts.
 * Runs in: master.
 * Not here: whether the files are what they should be; deftpd-worker checks them, as only
 * it has OpenSSL.
 */
#include "ftpd/conf/reader.h"

#include <string.h>

#include "ftpd/conf/policy_table.h"

#include "common/base.h"

/*
 * A certificate that was refused is a mistake already; others would only follow from it.
 */
static bool
lacks_certificate(const struct conf *conf)
{
	return conf->options.tls.certificate.count == 0 &&
	       (conf->finding_count == 0 || !conf_is_set(conf, "tls.certificate"));
}

/* Why nothing can be encrypted, and what to do. Returns: NULL if it can be. */
static const char *
why_no_tls(const struct conf *conf)
{
	if (lacks_certificate(conf)) {
		return "there is no tls.certificate; set it (deftpd --self-signed makes "
		       "one to begin with)";
	}
	if (conf->options.tls.policy == OPTIONS_TLS_OFF) {
		return "tls.policy is off; write optional, logins or all there";
	}
	return NULL;
}

static bool
is_strict(uint8_t policy)
{
	return policy == OPTIONS_TLS_LOGINS || policy == OPTIONS_TLS_ALL;
}

/* Keys that mean nothing without a certificate. */
static void
check_lonely_keys(struct conf *conf)
{
	static const char *const keys[] = {
	    "tls.private_key",  "tls.key_password", "tls.ocsp_response",
	    "tls.server_names", "tls.client_ca",
	};

	for (size_t i = 0; lacks_certificate(conf) && i < ARRAY_COUNT(keys); i++) {
		const struct option_row *row = option_find_dotted(keys[i]);

		if (!option_is_default(row, &conf->options)) {
			conf_findings_add(
			    conf, keys[i],
			    "%s is set, but there is no tls.certificate; set it, or "
			    "remove %s",
			    keys[i], row->key);
		}
	}
}

static void
check_policies(struct conf *conf)
{
	const struct options *options = &conf->options;
	uint8_t anonymous = options->anonymous.tls_policy;
	const char *why = why_no_tls(conf);

	if (why == NULL) {
		return;
	}
	if (is_strict(options->tls.policy)) {
		conf_findings_add(conf, "tls.policy",
		                  "tls.policy would let nobody log in, as %s", why);
	}
	if (anonymous > 0 && is_strict((uint8_t)(anonymous - 1))) {
		conf_findings_add(conf, "anonymous.tls_policy",
		                  "anonymous.tls_policy would let nobody log in, as %s",
		                  why);
	}
	if (options->listen_implicit_tls.count > 0) {
		conf_findings_add(conf, "listen_implicit_tls",
		                  "listen_implicit_tls needs TLS, but %s", why);
	}
}

static void
check_counts(struct conf *conf)
{
	const struct options_tls *tls = &conf->options.tls;
	uint32_t count = tls->certificate.count;

	if (count > 0 && tls->private_key.count > count) {
		conf_findings_add(conf, "tls.private_key",
		                  "tls.private_key names more files than "
		                  "tls.certificate; write one for each");
	}
	if (count > 0 && tls->ocsp_response.count > count) {
		conf_findings_add(conf, "tls.ocsp_response",
		                  "tls.ocsp_response names more files than "
		                  "tls.certificate; write one for each");
	}
}

static void
need_client_ca(struct conf *conf, const char *key, bool is_used)
{
	if (is_used) {
		conf_findings_add(
		    conf, key,
		    "%s means nothing without tls.client_ca, who vouches for clients; "
		    "set it, or remove this",
		    key);
	}
}

static void
check_clients(struct conf *conf)
{
	const struct options_tls *tls = &conf->options.tls;

	if (tls->client_ca[0] == '\0' && !conf_is_set(conf, "tls.client_ca")) {
		need_client_ca(conf, "tls.client_login",
		               tls->client_login != OPTIONS_CERTIFICATE_OFF);
		need_client_ca(conf, "tls.client_certificate",
		               tls->client_certificate == OPTIONS_CLIENT_REQUIRE);
		need_client_ca(conf, "tls.client_crl", tls->client_crl[0] != '\0');
	}
	if (strstr(tls->client_name, "%u") == NULL) {
		conf_findings_add(
		    conf, "tls.client_name",
		    "tls.client_name has no %%u, so that one certificate would be that of "
		    "every user; put %%u where the name is");
	}
}

/* Settings of TLS 1.2 where nobody speaks it. */
static void
check_versions(struct conf *conf)
{
	const struct options_tls *tls = &conf->options.tls;

	if (tls->min_version == OPTIONS_TLS_1_3 && tls->ciphers[0] != '\0') {
		conf_findings_add(
		    conf, "tls.ciphers",
		    "tls.ciphers are those of TLS 1.2, but tls.min_version is 1.3; write "
		    "tls.ciphersuites, or lower the version");
	}
}

/* In: key: of a list of the section. */
static void
check_host_list(struct conf *conf, const struct policy_override *override,
                enum policy_key key, const struct options_path_list *list)
{
	const struct policy_host *host = override->host;
	const char *name = policy_row_get(key)->key;
	uint32_t line = override->key_line[key];

	if (!policy_sets(override, key)) {
		return;
	}
	if (override->key_line[POLICY_CERTIFICATE] == 0) {
		reader_report(conf, line,
		              "%s is of no certificate, as this section has none; set "
		              "certificate, or remove %s",
		              name, name);
	} else if (policy_sets(override, POLICY_CERTIFICATE) &&
	           list->count > host->certificate.count) {
		reader_report(conf, line,
		              "%s names more files than certificate; write one for each",
		              name);
	}
}

static bool
has_virtual_source(const struct options *options)
{
	const struct options_name_list *sources = &options->logins.sources;

	for (uint32_t i = 0; i < sources->count; i++) {
		if (strcmp(sources->entry[i], "virtual") == 0) {
			return true;
		}
	}
	return false;
}

static void
check_host(struct conf *conf, const struct policy_override *override)
{
	const uint32_t *lines = override->key_line;

	if (policy_sets(override, POLICY_CERTIFICATE) && lacks_certificate(conf)) {
		reader_report(
		    conf, lines[POLICY_CERTIFICATE],
		    "there is no tls.certificate for clients that name no host; "
		    "set it");
	}
	check_host_list(conf, override, POLICY_PRIVATE_KEY, &override->host->private_key);
	check_host_list(conf, override, POLICY_OCSP_RESPONSE,
	                &override->host->ocsp_response);
	if (policy_sets(override, POLICY_ANONYMOUS_ROOT) &&
	    !conf->options.anonymous.enabled) {
		reader_report(conf, lines[POLICY_ANONYMOUS_ROOT],
		              "anonymous_root is set, but anonymous.enabled is no; write "
		              "yes there, or remove it");
	}
	if (policy_sets(override, POLICY_USERS_FILE) &&
	    override->host->users_file[0] != '\0' &&
	    !has_virtual_source(&conf->options)) {
		reader_report(conf, lines[POLICY_USERS_FILE],
		              "users_file is set, but logins.sources lacks \"virtual\"; "
		              "add it, or remove the file");
	}
}

static void
check_titled(struct conf *conf, const struct policy_override *override)
{
	const char *why = why_no_tls(conf);

	if (policy_sets(override, POLICY_TLS_POLICY) &&
	    is_strict(override->values.tls_policy) && why != NULL) {
		reader_report(conf, override->key_line[POLICY_TLS_POLICY],
		              "tls_policy would not let them log in, as %s", why);
	}
	if (policy_sets(override, POLICY_CLIENT_NAME) && override->scope != POLICY_USER &&
	    strstr(override->values.client_name, "%u") == NULL) {
		reader_report(conf, override->key_line[POLICY_CLIENT_NAME],
		              "client_name has no %%u, so that one certificate would be "
		              "that of several users; put %%u where the name is");
	}
	if (override->scope == POLICY_HOST) {
		check_host(conf, override);
	}
}

void
reader_check_tls(struct conf *conf)
{
	check_lonely_keys(conf);
	check_policies(conf);
	check_counts(conf);
	check_clients(conf);
	check_versions(conf);
	for (size_t i = 0; i < conf->overrides.count; i++) {
		check_titled(conf, &conf->overrides.entry[i]);
	}
}
