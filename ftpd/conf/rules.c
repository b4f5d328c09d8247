/*
 * rules: what must hold between the values of several keys.
 * Runs in: master.
 * Not here: those of TLS; see rules_tls.c.  What only the system can tell; see the
 * master's check.
 */
#include "ftpd/conf/reader.h"

#include <inttypes.h>
#include <string.h>

#include "ftpd/conf/policy_table.h"

#include "common/base.h"

static void
check_spare(struct conf *conf)
{
	const struct options *options = &conf->options;

	if (options->spare_min > options->spare_max) {
		conf_findings_add(
		    conf, conf_is_set(conf, "spare_min") ? "spare_min" : "spare_max",
		    "spare_min %" PRIu32 " is above spare_max %" PRIu32
		    "; lower the first or raise the second",
		    options->spare_min, options->spare_max);
	}
}

/* "*" takes a port of both families, an unspecified address that of its own. */
static bool
do_collide(const struct addr *a, const struct addr *b)
{
	static const uint8_t zero[ADDR_IPV6_BYTES];

	if (a->port != b->port) {
		return false;
	}
	if (a->family == ADDR_NONE || b->family == ADDR_NONE) {
		return true;
	}
	return a->family == b->family &&
	       (addr_same_host(a, b) || memcmp(a->bytes, zero, sizeof(zero)) == 0 ||
	        memcmp(b->bytes, zero, sizeof(zero)) == 0);
}

/* Entries of listen first, those of listen_implicit_tls behind them. */
struct listened {
	const char *key;
	uint32_t entry; /* of that key */
	const struct addr *addr;
};

/* Returns: false behind the last. */
static bool
get_listened(const struct options *options, uint32_t index, struct listened *ret_listened)
{
	const struct options_listen_list *plain = &options->listen;
	const struct options_listen_list *implicit = &options->listen_implicit_tls;
	bool is_plain = index < plain->count;
	uint32_t entry = is_plain ? index : index - plain->count;

	if (!is_plain && entry >= implicit->count) {
		return false;
	}
	ret_listened->key = is_plain ? "listen" : "listen_implicit_tls";
	ret_listened->entry = entry;
	ret_listened->addr = is_plain ? &plain->entry[entry] : &implicit->entry[entry];
	return true;
}

/* Each entry has a line of its own. */
static void
report_listen(struct conf *conf, const struct listened *at, const char *text)
{
	const struct reader_origin *origin =
	    reader_origin(conf, option_find("", at->key));
	uint16_t port = at->addr->port;

	if (origin->override[0] == '\0' && origin->line != 0) {
		reader_report(conf, origin->entry_line[at->entry], "%s: port %u %s",
		              at->key, port, text);
	} else {
		conf_findings_add(conf, at->key, "%s: port %u %s", at->key, port, text);
	}
}

static void
check_listen(struct conf *conf)
{
	struct listened at;
	struct listened before;

	if (!get_listened(&conf->options, 0, &at)) {
		conf_findings_add(conf, "listen",
		                  "listen is empty; write at least one ADDRESS:PORT");
	}
	for (uint32_t i = 0; get_listened(&conf->options, i, &at); i++) {
		for (uint32_t j = 0; j < i && get_listened(&conf->options, j, &before);
		     j++) {
			if (do_collide(at.addr, before.addr)) {
				report_listen(
				    conf, &at,
				    strcmp(before.key, at.key) == 0
					? "is taken by an entry before; remove one"
					: "is taken by listen; choose another");
				break;
			}
		}
	}
}

static void
check_passive_ports(struct conf *conf)
{
	const struct options_ports *passive = &conf->options.passive_ports;
	bool is_chosen = conf_is_set(conf, "passive_ports");
	struct listened at;

	for (uint32_t i = 0; get_listened(&conf->options, i, &at); i++) {
		uint16_t port = at.addr->port;

		if (port < passive->low || port > passive->high) {
			continue;
		}
		if (is_chosen) {
			conf_findings_add(
			    conf, "passive_ports",
			    "passive_ports %u-%u hold port %u of %s; leave it out",
			    passive->low, passive->high, port, at.key);
		} else {
			report_listen(
			    conf, &at,
			    "lies in passive_ports; choose another or set passive_ports");
		}
	}
}

static void
check_user(struct conf *conf, const char *key, const char *user)
{
	if (strcmp(user, "root") == 0) {
		conf_findings_add(
		    conf, key,
		    "%s must not be root, whom nothing confines; name a user who owns nothing",
		    key);
	}
}

static bool
has_name(const struct options_name_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (strcmp(list->entry[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* In: keys: of the two lists. */
static void
check_both_lists(struct conf *conf, const struct options_name_list *allow,
                 const struct options_name_list *deny, const char *allow_key,
                 const char *deny_key)
{
	for (uint32_t i = 0; i < deny->count; i++) {
		if (has_name(allow, deny->entry[i])) {
			conf_findings_add(conf, deny_key,
			                  "%s and %s both name %s; remove it from one",
			                  deny_key, allow_key, deny->entry[i]);
		}
	}
}

static void
check_sources(struct conf *conf)
{
	const struct options *options = &conf->options;
	const struct options_name_list *sources = &options->logins.sources;

	for (uint32_t i = 0; i < sources->count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (strcmp(sources->entry[i], sources->entry[j]) == 0) {
				conf_findings_add(
				    conf, "logins.sources",
				    "logins.sources names \"%s\" twice; remove one",
				    sources->entry[i]);
			}
		}
	}
	if (options->local_users.enabled && !has_name(sources, "local")) {
		conf_findings_add(
		    conf, "logins.sources",
		    "logins.sources lacks \"local\", but "
		    "local_users.enabled is yes; add it, or write no there");
	}
	if (options->virtual_users.file[0] != '\0' && !has_name(sources, "virtual")) {
		conf_findings_add(
		    conf, "logins.sources",
		    "logins.sources lacks \"virtual\", but virtual_users.file is "
		    "set; add it, or remove the file");
	}
}

static void
check_logins(struct conf *conf)
{
	const struct options_logins *logins = &conf->options.logins;

	check_both_lists(conf, &logins->allow_users, &logins->deny_users,
	                 "logins.allow_users", "logins.deny_users");
	check_both_lists(conf, &logins->allow_groups, &logins->deny_groups,
	                 "logins.allow_groups", "logins.deny_groups");
	check_sources(conf);
}

static void
check_upload_directory(struct conf *conf)
{
	const struct options_anonymous *anonymous = &conf->options.anonymous;
	char mistake[OPTION_MISTAKE_MAX];

	if (anonymous->upload_directory[0] == '\0') {
		return;
	}
	if (!policy_title_check(POLICY_DIRECTORY, anonymous->upload_directory, mistake)) {
		conf_findings_add(conf, "anonymous.upload_directory",
		                  "anonymous.upload_directory: %s", mistake);
	}
	if (!anonymous->enabled) {
		conf_findings_add(
		    conf, "anonymous.upload_directory",
		    "anonymous.upload_directory is set, but "
		    "anonymous.enabled is no; write yes there, or remove it");
	}
}

/* Sections about anonymous clients would never be looked at. */
static void
check_titles(struct conf *conf)
{
	size_t directories = 0;

	for (size_t i = 0; i < conf->overrides.count; i++) {
		const struct policy_override *override = &conf->overrides.entry[i];
		const char *title = override->title;
		bool is_anonymous =
		    strcmp(title, "anonymous") == 0 ||
		    (strcmp(title, "ftp") == 0 && conf->options.anonymous.enabled);

		if (override->scope == POLICY_USER && is_anonymous) {
			reader_report(conf, override->line,
			              "section user \"%s\" is about anonymous clients; "
			              "write anonymous { KEY = VALUE }",
			              title);
		}
		directories += override->scope == POLICY_DIRECTORY ? 1 : 0;
		if (override->scope == POLICY_DIRECTORY &&
		    directories == POLICY_DIRECTORIES_MAX + 1) {
			reader_report(conf, override->line,
			              "there are more than %d sections directory; remove "
			              "some",
			              POLICY_DIRECTORIES_MAX);
		}
	}
}

void
reader_check_rules(struct conf *conf)
{
	check_listen(conf);
	check_passive_ports(conf);
	check_spare(conf);
	check_user(conf, "worker_user", conf->options.worker_user);
	check_user(conf, "recorder_user", conf->options.recorder_user);
	check_user(conf, "anonymous.user", conf->options.anonymous.user);
	check_user(conf, "virtual_users.user", conf->options.virtual_users.user);
	check_logins(conf);
	check_upload_directory(conf);
	check_titles(conf);
	reader_check_tls(conf);
}
