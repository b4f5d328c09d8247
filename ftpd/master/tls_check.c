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

/* A key may be in the file of its certificate, and another key is to be mended then. */
static void
add_finding(struct conf *conf, const struct tls_report *report)
{
	const struct policy_override *override =
	    report->host != 0 ? policy_host_get(conf_overrides(conf), report->host)
			      : NULL;
	enum policy_key key = titled_key(report->kind);
	const char *plain = tls_source_key(report->kind);

	if (override != NULL) {
		conf_findings_add_titled(
		    conf, override, policy_sets(override, key) ? key : POLICY_CERTIFICATE,
		    "%s", report->text);
		return;
	}
	conf_findings_add(conf, conf_is_set(conf, plain) ? plain : "tls.certificate",
	                  "%s", report->text);
}

static void
take(void *listener, const struct tls_report *report)
{
	struct checking *checking = listener;

	switch (report->type) {
	case TLS_REPORT_MISTAKE:
		checking->has_mistake = true;
		add_finding(checking->conf, report);
		return;
	case TLS_REPORT_WARNING: checking->warn(checking->context, report->text); return;
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
