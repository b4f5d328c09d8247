/*
 * tls_check: reads certificates, keys and what belongs to them, and has them checked
 * before they are used.
 * Runs in: master.
 */
#include "ftpd/master/tls_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fd.h"
#include "ftpd/master/master.h"
#include "ftpd/master/program.h"
#include "common/base.h"

enum {
	KEY_MAX = 64,
};

struct checking {
	struct conf *conf;
	struct tls_load *load;
	users_warn *warn;
	void *context;
	bool has_mistake;
};

/* Returns: the key of a section host that names files of this kind. */
static enum policy_key
titled_key(enum tls_file_kind kind)
{
	switch (kind) {
	case TLS_FILE_KEY: return POLICY_PRIVATE_KEY;
	case TLS_FILE_OCSP: return POLICY_OCSP_RESPONSE;
	case TLS_FILE_CERTIFICATE:
	case TLS_FILE_PASSWORD:
	case TLS_FILE_CLIENT_CA:
	case TLS_FILE_CLIENT_CRL:
	case TLS_FILE_KIND_COUNT: break;
	}
	return POLICY_CERTIFICATE;
}

/*
 * A text about a key of the configuration begins with it: "tls.ciphers: ...".
 * Returns: true if it did, and is a finding there.
 */
static bool
add_by_key(struct conf *conf, const char *text)
{
	const char *colon = strchr(text, ':');
	char key[KEY_MAX];
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;

	if (len == 0 || len >= sizeof(key) || colon[1] != ' ') {
		return false;
	}
	memcpy(key, text, len);
	key[len] = '\0';
	if (!conf_is_set(conf, key)) {
		return false;
	}
	conf_findings_add(conf, key, "%s", colon + 2);
	return true;
}

/* A key may be in the file of its certificate, and another line is to be mended then. */
static void
add_finding(const struct checking *checking, const struct tls_report *report)
{
	struct conf *conf = checking->conf;
	const struct policy_override *override =
	    policy_host_get(conf_overrides(conf), report->host);
	enum policy_key key = titled_key(report->kind);
	const char *plain = tls_source_key(report->kind);
	char text[TLS_TEXT_MAX];

	(void)tls_load_describe(checking->load, report, text);
	if (override != NULL) {
		conf_findings_add_titled(
		    conf, override, policy_sets(override, key) ? key : POLICY_CERTIFICATE,
		    "%s", text);
	} else if (!add_by_key(conf, text)) {
		conf_findings_add(conf,
		                  conf_is_set(conf, plain) ? plain : "tls.certificate",
		                  "%s", text);
	}
}

static void
take(void *listener, const struct tls_report *report)
{
	struct checking *checking = listener;
	char text[TLS_TEXT_MAX];

	switch (report->type) {
	case TLS_REPORT_MISTAKE:
		checking->has_mistake = true;
		add_finding(checking, report);
		return;
	case TLS_REPORT_WARNING:
		checking->warn(checking->context,
		               tls_load_describe(checking->load, report, text));
		return;
	case TLS_REPORT_FACT:
		/* Without memory it is missing in warnings to come, nothing else. */
		(void)tls_load_add_fact(checking->load, report);
		return;
	case TLS_REPORT_CERTIFICATE:
	case TLS_REPORT_KEY:
	case TLS_REPORT_END:
	case TLS_REPORT_COUNT: return;
	}
}

/* Returns: 0 or negative errno. */
static int
run_program(struct checking *checking, const struct users *users)
{
	struct conf *conf = checking->conf;
	char dir[MASTER_PATH_MAX];
	struct tls_program_setup setup = {.dir = dir,
	                                  .identity = &users->worker,
	                                  .options_fd = -1,
	                                  .files_fd = checking->load->files_fd};
	int result;

	if (!program_find(dir)) {
		return -ENOENT;
	}
	result = conf_seal(conf_options(conf), conf_overrides(conf), &setup.options_fd);
	if (result == 0) {
		result = tls_program_check(&setup, take, checking);
	}
	fd_close(&setup.options_fd);
	return result;
}

static const char *
explain(int negative_errno)
{
	switch (-negative_errno) {
	case EPROTO: return "it ended before that; what it wrote before says why";
	case ETIMEDOUT: return "it does not come to an end with it; try again";
	default: return strerror(-negative_errno);
	}
}

static void
check(struct checking *checking, const struct users *users, const struct tls_pair *pair)
{
	struct conf *conf = checking->conf;
	bool is_clean = conf_findings_count(conf) == 0;
	int result = tls_source_seal(&checking->load->source, pair, take, checking,
	                             &checking->load->files_fd);

	if (result == 0 && is_clean) {
		result = run_program(checking, users);
		if (result != 0) {
			conf_findings_add(conf, "tls.certificate",
			                  "deftpd-worker cannot check the certificates: "
			                  "%s",
			                  explain(result));
		}
	} else if (result != 0 && !checking->has_mistake) {
		conf_findings_add(conf, "tls.certificate",
		                  "the files of section tls cannot be kept: %s",
		                  strerror(-result));
	}
	checking->has_mistake = checking->has_mistake || result != 0;
}

struct tls_load *
tls_check_files(struct conf *conf, const struct users *users, const struct tls_pair *pair,
                users_warn *warn, void *context)
{
	struct checking checking = {.conf = conf, .warn = warn, .context = context};

	if (!options_has_tls(conf_options(conf))) {
		return NULL;
	}
	checking.load = tls_load_new(conf_options(conf), conf_overrides(conf));
	if (checking.load == NULL) {
		conf_findings_add(conf, "tls.certificate",
		                  "out of memory, or more than %d files of section tls",
		                  TLS_FILES_MAX);
		return NULL;
	}
	checking.load->is_in_memory = pair != NULL;
	check(&checking, users, pair);
	if (checking.has_mistake || conf_findings_count(conf) > 0) {
		tls_load_free(checking.load);
		return NULL;
	}
	return checking.load;
}

void
tls_check_print(const struct tls_load *load)
{
	char date[TLS_DATE_MAX];

	for (size_t i = 0; load != NULL && i < load->fact_count; i++) {
		const struct tls_fact *fact = &load->fact[i];

		(void)printf("certificate: %s: %s, valid until %s\n",
		             tls_load_path(load, fact), fact->text,
		             tls_load_date(fact->expires, date));
	}
}
