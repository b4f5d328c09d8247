/*
 * explain: what applies to one user, and which line decides it.
 * Runs in: master, offline.
 */
#include "ftpd/master/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/addr.h"
#include "ftpd/conf/policy_table.h"
#include "ftpd/master/explain_host.h"
#include "ftpd/master/explain_print.h"
#include "ftpd/master/passive_plan.h"
#include "common/base.h"

static void
print_identity(const struct explanation *explanation)
{
	const struct account *account = &explanation->who.account;
	char value[64];

	(void)snprintf(value, sizeof(value), "%u, %u", (unsigned)account->uid,
	               (unsigned)account->gid);
	explain_row("uid, gid", value, "");
	if (explanation->who.kind == POLICY_KIND_ANONYMOUS) {
		return;
	}
	printf("%-22s", "groups");
	for (size_t i = 0; i < explanation->group_count; i++) {
		printf(" %s", explanation->groups[i]);
	}
	printf("%s\n", explanation->group_count == 0 ? " none" : "");
	explain_row("home", account->home, "");
	if (explanation->who.kind == POLICY_KIND_LOCAL) {
		explain_row("shell", account->shell, "");
	}
}

/* Which line an admission comes from. Out: where: "" if from none. */
static void
find_decider(const struct explanation *explanation, enum policy_admission admission,
             char where[EXPLAIN_WHERE_MAX])
{
	static const char *const keys[POLICY_ADMISSION_COUNT] = {
	    [POLICY_DENIED_USER] = "logins.deny_users",
	    [POLICY_DENIED_GROUP] = "logins.deny_groups",
	    [POLICY_NOT_ALLOWED] = "logins.allow_users",
	    [POLICY_DENIED_BY_FILE] = "logins.denied_file",
	    [POLICY_DENIED_SHELL] = "local_users.valid_shell",
	    [POLICY_DENIED_UID] = "local_users.min_uid",
	};
	const struct conf *conf = explanation->conf;
	const char *key = keys[admission];

	where[0] = '\0';
	if (admission == POLICY_NOT_ALLOWED && !conf_is_set(conf, key)) {
		key = "logins.allow_groups";
	}
	if (admission == POLICY_DENIED_BY_LOGIN) {
		explain_where(explanation, explanation->origins.by[POLICY_LOGIN],
		              POLICY_LOGIN, where);
	} else if (key != NULL) {
		conf_where(conf, key, where, EXPLAIN_WHERE_MAX);
	}
}

static void
print_admission(const struct explanation *explanation)
{
	const struct options *options = conf_options(explanation->conf);
	const struct account *account = &explanation->who.account;
	const char *file = options->logins.denied_file;
	const struct policy_subject subject = {.kind = explanation->who.kind,
	                                       .user = explanation->user,
	                                       .groups = explanation->groups,
	                                       .group_count = explanation->group_count,
	                                       .host = ""};
	struct policy_facts facts = {.uid = account->uid, .gid = account->gid};
	enum policy_admission admission;
	char where[EXPLAIN_WHERE_MAX];
	int is_listed = file[0] != '\0' ? account_is_listed(file, explanation->user) : 0;

	if (is_listed < 0) {
		printf("%-22s refused: logins.denied_file %s: %s\n", "admission", file,
		       strerror(-is_listed));
		return;
	}
	if (account->group_count > ACCOUNT_GROUP_NAMES_MAX &&
	    policy_minds_groups(options, conf_overrides(explanation->conf))) {
		printf("%-22s refused: in %zu groups, of which only %d can be compared "
		       "with logins.deny_groups and the sections \"group\"\n",
		       "admission", account->group_count, ACCOUNT_GROUP_NAMES_MAX);
		return;
	}
	facts.is_in_denied_file = is_listed > 0;
	facts.has_valid_shell = explanation->who.kind == POLICY_KIND_LOCAL &&
	                        account_has_valid_shell(account);
	admission = policy_admit(options, &explanation->policy, &subject, &facts);
	find_decider(explanation, admission, where);
	if (admission == POLICY_ADMITTED) {
		explain_row("admission", "by the lists and limits", "");
	} else {
		printf("%-22s refused: %s%s%s%s\n", "admission",
		       policy_admission_text(admission), where[0] != '\0' ? " (" : "",
		       where, where[0] != '\0' ? ")" : "");
	}
}

static void
print_directories_seen(const struct explanation *explanation)
{
	const struct policy *policy = &explanation->policy;
	bool is_anonymous = explanation->who.kind == POLICY_KIND_ANONYMOUS;
	char root[OPTIONS_TEXT_MAX];
	char start[OPTIONS_TEXT_MAX];
	struct stat info;
	char where[EXPLAIN_WHERE_MAX];

	explain_where(explanation, explanation->origins.by[POLICY_ROOT], POLICY_ROOT,
	              where);
	if (is_anonymous) {
		/* It is taken as it is written. */
		memcpy(root, policy->root, sizeof(root));
		memcpy(start, "/", 2);
	} else if (!policy_expand_root(policy->root, explanation->user,
	                               explanation->who.account.home, policy->chroot,
	                               root, start)) {
		printf(
		    "%-22s refused: \"%s\" with the home \"%s\" is no absolute path, or too "
		    "long (%s)\n",
		    "directory seen as /", policy->root, explanation->who.account.home,
		    where);
		return;
	}
	explain_row("directory seen as /", root, where);
	explain_row("begins in", start, "");
	/* Only the agent, as the user, can tell whether it may be entered. */
	if (stat(root, &info) != 0 || !S_ISDIR(info.st_mode)) {
		printf("%-22s there is no directory %s; he cannot log in\n", "", root);
	}
}

/* Anonymous clients have neither of these keys. */
static bool
is_about_accounts(enum policy_key key)
{
	return key == POLICY_LOGIN || key == POLICY_CHROOT ||
	       key == POLICY_MAX_SESSIONS || key == POLICY_USER_RATE_DOWN ||
	       key == POLICY_USER_RATE_UP || key == POLICY_CLIENT_NAME;
}

static void
print_settings(const struct explanation *explanation)
{
	bool is_anonymous = explanation->who.kind == POLICY_KIND_ANONYMOUS;

	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		struct option_row row;

		policy_option((enum policy_key)key, &row);
		if (row.is_built && !policy_row_get((enum policy_key)key)->is_of_host &&
		    !(is_anonymous && is_about_accounts((enum policy_key)key))) {
			explain_key(explanation, &explanation->policy,
			            &explanation->origins, (enum policy_key)key);
		}
	}
	if (is_anonymous) {
		explain_plain(explanation->conf, "upload_directory",
		              "anonymous.upload_directory");
	}
}

/* What a certificate of his has to do with his password. */
static void
print_certificate(const struct explanation *explanation)
{
	const struct options_tls *tls = &conf_options(explanation->conf)->tls;
	char where[EXPLAIN_WHERE_MAX];
	char name[OPTIONS_HOST_MAX];
	char value[OPTIONS_HOST_MAX + 64];

	if (tls->client_login == OPTIONS_CERTIFICATE_OFF) {
		return;
	}
	if (!policy_client_name(&explanation->policy, explanation->user, name)) {
		(void)snprintf(value, sizeof(value), "can be none: the name is too long");
	} else if (tls->client_login == OPTIONS_CERTIFICATE_MATCH) {
		(void)snprintf(value, sizeof(value), "for %s, besides the password",
		               name);
	} else {
		(void)snprintf(value, sizeof(value), "for %s, or the password", name);
	}
	conf_where(explanation->conf, "tls.client_login", where, sizeof(where));
	explain_row("his certificate", value, where);
}

static void
print_tls(const struct explanation *explanation)
{
	const struct conf *conf = explanation->conf;
	const struct options *options = conf_options(conf);
	const char *key =
	    options->tls.certificate.count == 0 ? "tls.certificate" : "tls.policy";
	char place[EXPLAIN_WHERE_MAX];

	if (!options_has_tls(options)) {
		conf_where(conf, key, place, sizeof(place));
		printf("%-22s %-22s %s (%s)\n", "encryption", "none", place, key);
		return;
	}
	if (options->tls.client_certificate == OPTIONS_CLIENT_REQUIRE) {
		explain_plain(conf, "client_certificate", "tls.client_certificate");
	}
	if (explanation->who.kind != POLICY_KIND_ANONYMOUS) {
		print_certificate(explanation);
	}
}

static void
print_directory(const struct explanation *explanation,
                const struct policy_override *directory)
{
	struct policy policy;
	struct policy_origins origins;

	policy_resolve_directory(conf_overrides(explanation->conf), directory,
	                         &explanation->policy, &explanation->origins, &policy,
	                         &origins);
	printf("\nbeneath %s\n", directory->title);
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if (policy_row_get((enum policy_key)key)->is_for_directories) {
			explain_key(explanation, &policy, &origins, (enum policy_key)key);
		}
	}
}

static void
print_sections(const struct explanation *explanation)
{
	const struct overrides *overrides = conf_overrides(explanation->conf);

	if (explanation->who.kind == POLICY_KIND_ANONYMOUS) {
		return;
	}
	for (size_t i = 0; i < overrides->count; i++) {
		if (overrides->entry[i].scope == POLICY_DIRECTORY) {
			print_directory(explanation, &overrides->entry[i]);
		}
	}
}

static void
print_passive_address(const struct conf *conf, const struct addr *peer)
{
	static const struct addr nowhere = {.family = ADDR_IPV4};
	const struct options *options = conf_options(conf);
	const char *text = options->passive_address;
	const char *key = "passive_address";
	struct addr resolved = {0};
	char told[ADDR_TEXT_MAX];
	char where[EXPLAIN_WHERE_MAX];
	struct addr addr;

	if (peer->family != ADDR_IPV4) {
		explain_row("PASV tells him", "nothing",
		            "it knows IPv4 alone; he uses EPSV");
		return;
	}
	addr = passive_plan_announce(&options->passive_address_for, &resolved, peer,
	                             &nowhere);
	if (!addr_same_host(&addr, &nowhere)) {
		key = "passive_address_for";
		(void)addr_format(&addr, told);
		text = told;
	} else if (text[0] == '\0') {
		text = "the address that he has connected to";
	}
	conf_where(conf, key, where, sizeof(where));
	printf("%-22s %-22s %s (%s)\n", "PASV tells him", text, where, key);
}

static void
print_address(const struct conf *conf, const struct addr *peer)
{
	char text[ADDR_TEXT_MAX];

	(void)addr_format(peer, text); /* its length is not needed */
	printf("\nfrom %s%s\n", text,
	       peer->family == ADDR_IPV6 ? ", and all of its /64 network together" : "");
	explain_plain(conf, "sessions at once", "max_sessions_per_address");
	explain_plain(conf, "rate_down", "rates.address_down");
	explain_plain(conf, "rate_up", "rates.address_up");
	print_passive_address(conf, peer);
	printf(
	    "Whether the address has to wait after wrong passwords, only the running server "
	    "knows.\n");
}

/* USER@ADDRESS, where USER may have an @ in it. Returns: false if it is too long. */
static bool
split(const char *text, struct explanation *explanation)
{
	const char *at = strrchr(text, '@');
	size_t len = strlen(text);

	if (at != NULL && addr_parse(at + 1, strlen(at + 1), &explanation->peer)) {
		addr_unmap(&explanation->peer);
		len = (size_t)(at - text);
	}
	if (len >= sizeof(explanation->user)) {
		return false;
	}
	memcpy(explanation->user, text, len);
	explanation->user[len] = '\0';
	return true;
}

static void
resolve(struct explanation *explanation)
{
	const struct account *account = &explanation->who.account;
	struct policy_subject subject = {.kind = explanation->who.kind,
	                                 .user = explanation->user,
	                                 .groups = explanation->groups,
	                                 .host = ""};
	/* The agents of anonymous clients have no other group than their user's. */
	size_t named = explanation->who.kind != POLICY_KIND_ANONYMOUS
	                   ? account->group_name_count
	                   : 0;

	for (size_t i = 0; i < named && explanation->group_count < POLICY_GROUPS_MAX;
	     i++) {
		if (account->group_names[i] != NULL) {
			explanation->groups[explanation->group_count++] =
			    account->group_names[i];
		}
	}
	subject.group_count = explanation->group_count;
	policy_resolve(conf_options(explanation->conf), conf_overrides(explanation->conf),
	               &subject, &explanation->policy, &explanation->origins);
}

/* A directory service may know him in another spelling: what he is called decides. */
static void
take_spelling(struct explanation *explanation)
{
	const char *name = explanation->who.account.name;

	if (explanation->who.kind == POLICY_KIND_LOCAL && name != NULL &&
	    strcmp(name, explanation->user) != 0 &&
	    strlen(name) < sizeof(explanation->user)) {
		memcpy(explanation->user, name, strlen(name) + 1);
		explain_row("is called", name, "");
	}
}

static void
print_all(const struct explanation *explanation)
{
	print_identity(explanation);
	print_admission(explanation);
	print_directories_seen(explanation);
	print_settings(explanation);
	print_tls(explanation);
	print_sections(explanation);
	explain_hosts(explanation);
	if (explanation->peer.family != ADDR_NONE) {
		print_address(explanation->conf, &explanation->peer);
	}
}

int
explain(const struct conf *conf, const char *who)
{
	struct explanation *explanation;
	bool is_found = false;

	if (conf_findings_count(conf) > 0) {
		conf_findings_print(conf, stderr);
		return EXIT_FAILURE;
	}
	explanation = calloc(1, sizeof(*explanation));
	if (explanation == NULL || !split(who, explanation)) {
		(void)fprintf(stderr, "deftpd: --explain: the name is too long\n");
		free(explanation);
		return EXIT_FAILURE;
	}
	explanation->conf = conf;
	explain_row("user", explanation->user, "");
	is_found = explain_who_find(conf, explanation->user, &explanation->who);
	if (is_found) {
		take_spelling(explanation);
		resolve(explanation);
		print_all(explanation);
	} else {
		explain_hosts_unknown(explanation);
	}
	explain_who_free(&explanation->who);
	free(explanation);
	return is_found && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
