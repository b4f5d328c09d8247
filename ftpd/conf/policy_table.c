/*
 * policy_table: the keys of titled sections.
 * Runs in: master, deftpd-auth, the generator of deftpd.conf(5).
 */
#include "ftpd/conf/policy_table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ftpd/conf/value.h"

#include "common/base.h"

/* clang-format off */
#define FIELD(member) offsetof(struct policy, member), sizeof(((struct policy *)NULL)->member)
#define HOST_FIELD(member) offsetof(struct policy_host, member), sizeof(((struct policy_host *)NULL)->member)
#define EACH(name) {name, name, name}

static const struct policy_row table[POLICY_KEY_COUNT] = {
	[POLICY_LOGIN] = {"login", {NULL, NULL, NULL}, false, false, FIELD(may_log_in),
	 "Whether the user may log in. no: he may not, whatever else names him; yes changes nothing in the lists of section "
	 "logins, but overrules a no of a section farther out."},
	[POLICY_ROOT] = {"root", {"local_users.root", "virtual_users.root", "anonymous.root"}, false, false, FIELD(root),
	 "The directory that the user sees as /, written as local_users.root."},
	[POLICY_CHROOT] = {"chroot", {"local_users.chroot", NULL, NULL}, false, false, FIELD(chroot),
	 "Whether a user of the machine sees only what is beneath root. Virtual users always do."},
	[POLICY_READ_ONLY] = {"read_only", {NULL, NULL, "anonymous.read_only"}, true, false, FIELD(read_only),
	 "Whether nothing may be changed. The default of users with an account is no."},
	[POLICY_UPLOAD_MODE] = {"upload_mode", EACH("uploads.mode"), true, false, FIELD(upload_mode),
	 "As uploads.mode."},
	[POLICY_UMASK] = {"umask", {"uploads.umask", "uploads.umask", "anonymous.umask"}, true, false, FIELD(umask),
	 "As uploads.umask."},
	[POLICY_KEEP_PARTIAL] = {"keep_partial", EACH("uploads.keep_partial"), true, false, FIELD(keep_partial),
	 "As uploads.keep_partial."},
	[POLICY_MAX_FILE_SIZE] = {"max_file_size", EACH("uploads.max_file_size"), true, false, FIELD(max_file_size),
	 "As uploads.max_file_size."},
	[POLICY_MIN_FREE_SPACE] = {"min_free_space", EACH("uploads.min_free_space"), true, false, FIELD(min_free_space),
	 "As uploads.min_free_space."},
	[POLICY_MAX_SESSIONS] = {"max_sessions", {"max_sessions_per_user", "max_sessions_per_user", NULL}, false, false, FIELD(max_sessions),
	 "As max_sessions_per_user."},
	[POLICY_IDLE_TIMEOUT] = {"idle_timeout", EACH("idle_timeout"), false, false, FIELD(idle_timeout_s),
	 "As idle_timeout outside of sections."},
	[POLICY_RATE_DOWN] = {"rate_down", EACH("rates.session_down"), false, false, FIELD(rate_down),
	 "As rates.session_down."},
	[POLICY_RATE_UP] = {"rate_up", EACH("rates.session_up"), false, false, FIELD(rate_up),
	 "As rates.session_up."},
	[POLICY_USER_RATE_DOWN] = {"user_rate_down", {"rates.user_down", "rates.user_down", NULL}, false, false, FIELD(user_rate_down),
	 "As rates.user_down."},
	[POLICY_USER_RATE_UP] = {"user_rate_up", {"rates.user_up", "rates.user_up", NULL}, false, false, FIELD(user_rate_up),
	 "As rates.user_up."},
	[POLICY_TLS_POLICY] = {"tls_policy", EACH("tls.policy"), false, false, FIELD(tls_policy),
	 "As tls.policy, for this user; off means the same as optional here. It needs tls.certificate."},
	[POLICY_CLIENT_NAME] = {"client_name", {"tls.client_name", "tls.client_name", NULL}, false, false, FIELD(client_name),
	 "As tls.client_name. In a section user it may do without %u."},
	[POLICY_BANNER] = {"banner", EACH("banner"), false, true, HOST_FIELD(banner),
	 "As banner outside of sections, for clients that name this host by HOST, or when TLS begins."},
	[POLICY_ANONYMOUS_ROOT] = {"anonymous_root", {NULL, NULL, "anonymous.root"}, false, true, HOST_FIELD(anonymous_root),
	 "As anonymous.root, for anonymous clients of this host."},
	[POLICY_USERS_FILE] = {"users_file", {NULL, "virtual_users.file", NULL}, false, true, HOST_FIELD(users_file),
	 "As virtual_users.file, which it stands in for on this host."},
	[POLICY_CERTIFICATE] = {"certificate", EACH("tls.certificate"), false, true, HOST_FIELD(certificate),
	 "As tls.certificate, for clients that name this host."},
	[POLICY_PRIVATE_KEY] = {"private_key", EACH("tls.private_key"), false, true, HOST_FIELD(private_key),
	 "As tls.private_key, for certificate of this section."},
	[POLICY_OCSP_RESPONSE] = {"ocsp_response", EACH("tls.ocsp_response"), false, true, HOST_FIELD(ocsp_response),
	 "As tls.ocsp_response, for certificate of this section."},
};
/* clang-format on */

const struct policy_row *
policy_row_get(enum policy_key key)
{
	return &table[key];
}

bool
policy_key_find(const char *name, enum policy_key *ret_key)
{
	for (size_t i = 0; i < POLICY_KEY_COUNT; i++) {
		if (strcmp(table[i].key, name) == 0) {
			*ret_key = (enum policy_key)i;
			return true;
		}
	}
	return false;
}

void
policy_option(enum policy_key key, struct option_row *ret_row)
{
	static const struct option_row yes_or_no = {
	    .type = OPTION_BOOL, .is_built = true, .initial = "yes"};
	const struct policy_row *row = &table[key];
	const struct option_row *plain = NULL;

	for (size_t i = 0; plain == NULL && i < POLICY_KIND_COUNT; i++) {
		if (row->plain[i] != NULL) {
			plain = option_find_dotted(row->plain[i]);
		}
	}
	*ret_row = plain != NULL ? *plain : yes_or_no;
	ret_row->section = "";
	ret_row->key = row->key;
	ret_row->offset = row->offset;
	ret_row->size = row->size;
	ret_row->text = row->text;
}

void *
policy_values(struct policy_override *override, enum policy_key key)
{
	return table[key].is_of_host ? (void *) override->host
	                             : (void *)&override->values;
}

const void *
policy_const_values(const struct policy_override *override, enum policy_key key)
{
	return table[key].is_of_host ? (const void *) override->host
	                             : (const void *)&override->values;
}

bool
policy_override_prepare(struct policy_override *override)
{
	if (override->scope == POLICY_HOST && override->host == NULL) {
		override->host = calloc(1, sizeof(*override->host));
		return override->host != NULL;
	}
	return true;
}

void
policy_override_clear(struct policy_override *override)
{
	free(override->host);
	memset(override, 0, sizeof(*override));
}

bool
policy_key_fits(enum policy_key key, enum policy_scope scope)
{
	return (scope != POLICY_DIRECTORY || table[key].is_for_directories) &&
	       (scope == POLICY_HOST || !table[key].is_of_host);
}

bool
policy_is_same_host(const char *title, const char *name, size_t len)
{
	if (len > 0 && name[len - 1] == '.') {
		len--;
	}
	/* A NUL among a client's bytes is in no title, so that nothing is equal to it. */
	return strlen(title) == len && strncasecmp(title, name, len) == 0;
}

const char *
policy_scope_name(enum policy_scope scope)
{
	switch (scope) {
	case POLICY_USER: return "user";
	case POLICY_GROUP: return "group";
	case POLICY_HOST: return "host";
	case POLICY_DIRECTORY: return "directory";
	case POLICY_SCOPE_COUNT: break;
	}
	return "";
}

static bool
check_directory(const char *title, const char *quoted, char mistake[OPTION_MISTAKE_MAX])
{
	size_t start = 1;

	if (title[0] != '/') {
		return value_refuse(
		    mistake,
		    "\"%s\" is no directory as a client sees it; begin it with /",
		    quoted);
	}
	for (size_t i = 1; title[1] != '\0'; i++) {
		size_t len = i - start;

		if (title[i] != '/' && title[i] != '\0') {
			continue;
		}
		if (len == 0 || (len == 1 && title[start] == '.') ||
		    (len == 2 && memcmp(title + start, "..", 2) == 0)) {
			return value_refuse(
			    mistake,
			    "\"%s\" is written in a roundabout way; leave out \"//\", "
			    "\".\", \"..\" and a slash at the end",
			    quoted);
		}
		if (title[i] == '\0') {
			break;
		}
		start = i + 1;
	}
	return true;
}

bool
policy_title_check(enum policy_scope scope, const char *title,
                   char mistake[OPTION_MISTAKE_MAX])
{
	static const struct option_row name = {.type = OPTION_NAMES,
	                                       .size = OPTIONS_NAME_MAX};
	static const struct option_row path = {.type = OPTION_PATH,
	                                       .size = OPTIONS_TEXT_MAX};
	static const struct option_row host = {.type = OPTION_HOST,
	                                       .size = OPTIONS_TEXT_MAX};
	char quoted[VALUE_QUOTED_MAX];

	option_quote(title, strlen(title), quoted, sizeof(quoted));
	switch (scope) {
	case POLICY_USER:
	case POLICY_GROUP: return value_list_name(&name, title, mistake);
	case POLICY_HOST: return value_text(&host, title, mistake);
	case POLICY_DIRECTORY:
		return value_text(&path, title, mistake) &&
		       check_directory(title, quoted, mistake);
	case POLICY_SCOPE_COUNT: break;
	}
	return value_refuse(mistake, "belongs to no kind of section; remove it");
}
