/*
 * test_policy: which section decides, who may log in, and what root directories become.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/conf/conf.h"
#include "ftpd/conf/policy_table.h"

#include "common/base.h"

enum { GROUPS_MAX = 3 };

static struct conf *
read_text(const char *text)
{
	struct conf *conf = conf_read_buffer("f", text, strlen(text), NULL, 0);

	assert_non_null(conf);
	conf_findings_print(conf, stderr);
	assert_int_equal(conf_findings_count(conf), 0);
	return conf;
}

/* A key has the type and the limits of every plain key that it stands for. */
static void
keys_are_as_their_plain_ones(void **state)
{
	(void)state;
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const struct policy_row *row = policy_row_get((enum policy_key)key);
		struct option_row own;
		enum policy_key found;

		policy_option((enum policy_key)key, &own);
		assert_non_null(row->key);
		assert_true(policy_key_find(row->key, &found));
		assert_int_equal(found, key);
		assert_true(row->offset + row->size <= (row->is_of_host
		                                            ? sizeof(struct policy_host)
		                                            : sizeof(struct policy)));
		assert_non_null(strchr(row->text, '.'));
		for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
			const struct option_row *plain;

			if (row->plain[kind] == NULL) {
				continue;
			}
			plain = option_find_dotted(row->plain[kind]);
			assert_non_null(plain);
			assert_int_equal(plain->size, own.size);
			if (key != POLICY_ROOT) {
				assert_int_equal(plain->type, own.type);
				assert_int_equal(plain->max, own.max);
			}
		}
	}
	assert_false(policy_key_find("log", &(enum policy_key){0}));
}

static const char everything[] =
    "local_users { enabled = yes root = /l chroot = no }\n"
    "virtual_users { root = /v }\n"
    "anonymous { enabled = yes root = /a umask = 027 max_rate = 7K }\n"
    "uploads { umask = 002 mode = atomic }\n"
    "max_sessions_per_user = 4\nidle_timeout = 44\n"
    "rates { session_down = 1K user_down = 2K }\n"
    "host ftp.example.org { umask = 010 max_sessions = 10 root = /h idle_timeout = 10 }\n"
    "group second { umask = 020 root = /g2 rate_down = 20 chroot = no }\n"
    "group first { umask = 030 max_sessions = 30 rate_down = 30 }\n"
    "user joe { umask = 040 login = no }\n"
    "user ann { login = yes }\n"
    "group closed { login = no }\n"
    "directory \"/in\" { umask = 050 read_only = no }\n"
    "directory \"/in/deep/er\" { read_only = yes }\n"
    "directory \"/\" { upload_mode = durable }\n"
    "directory \"/inside\" { umask = 060 }\n";

/* Who, and KEY=VALUE@LINE of the section that decides; 0: the plain key. */
static const struct {
	enum policy_kind kind;
	const char *user;
	const char *groups[GROUPS_MAX];
	const char *host;
	const char *wanted[8];
} resolved[] = {
    {POLICY_KIND_LOCAL,
     "bob",
     {NULL},
     "",
     {"login=yes@0", "root=/l@0", "chroot=no@0", "read_only=no@0", "umask=002@0",
      "max_sessions=4@0", "rate_down=1024@0", "user_rate_down=2048@0"}},
    {POLICY_KIND_VIRTUAL,
     "bob",
     {NULL},
     "",
     {"root=/v@0", "chroot=yes@0", "upload_mode=atomic@0", "idle_timeout=44@0"}},
    {POLICY_KIND_LOCAL, "joe", {NULL}, "", {"umask=040@11", "login=no@11", "root=/l@0"}},
    {POLICY_KIND_LOCAL, "Joe", {NULL}, "", {"umask=002@0", "login=yes@0"}},
    /* The first group in the file, not in the user's list; each key by itself. */
    {POLICY_KIND_LOCAL,
     "bob",
     {"first", NULL, "second"},
     "",
     {"umask=020@9", "root=/g2@9", "max_sessions=30@10", "rate_down=20@9"}},
    {POLICY_KIND_LOCAL,
     "joe",
     {"first"},
     "FTP.example.org",
     {"umask=040@11", "max_sessions=30@10", "root=/h@8", "idle_timeout=10@8"}},
    {POLICY_KIND_LOCAL, "bob", {NULL}, "other.example.org", {"umask=002@0"}},
    /* What is farther in overrules a no, too. */
    {POLICY_KIND_LOCAL, "bob", {"closed"}, "", {"login=no@13"}},
    {POLICY_KIND_LOCAL, "ann", {"closed"}, "", {"login=yes@12"}},
    /* A virtual user never leaves his root. */
    {POLICY_KIND_VIRTUAL, "bob", {"second"}, "", {"chroot=yes@0", "root=/g2@9"}},
    /* No titled section is about anonymous clients. */
    {POLICY_KIND_ANONYMOUS,
     "joe",
     {"first"},
     "ftp.example.org",
     {"root=/a@0", "umask=027@0", "login=yes@0", "read_only=yes@0", "chroot=yes@0",
      "rate_down=7168@0", "max_sessions=0@0", "user_rate_down=0@0"}},
};

static void
assert_key(const struct policy *policy, const struct policy_origins *origins,
           const char *wanted, size_t index)
{
	char value[OPTION_VALUE_MAX];
	char found[OPTION_VALUE_MAX + 64];
	char name[OPTION_KEY_MAX];
	struct option_row row;
	enum policy_key key = POLICY_LOGIN;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(wanted, "="), wanted);
	assert_true(policy_key_find(name, &key));
	policy_option(key, &row);
	option_format_at(&row, policy, 0, value);
	(void)snprintf(found, sizeof(found), "%s=%s@%u", name, value,
	               origins->by[key] != NULL ? origins->by[key]->line : 0);
	if (strcmp(found, wanted) != 0) {
		fail_msg("%zu: found %s, wanted %s", index, found, wanted);
	}
}

static void
the_innermost_section_decides(void **state)
{
	struct conf *conf = read_text(everything);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(resolved); i++) {
		struct policy_subject subject = {.kind = resolved[i].kind,
		                                 .user = resolved[i].user,
		                                 .groups = resolved[i].groups,
		                                 .group_count = GROUPS_MAX,
		                                 .host = resolved[i].host};
		struct policy_origins origins;
		struct policy policy;

		policy_resolve(conf_options(conf), conf_overrides(conf), &subject,
		               &policy, &origins);
		for (size_t at = 0; at < 8 && resolved[i].wanted[at] != NULL; at++) {
			assert_key(&policy, &origins, resolved[i].wanted[at], i);
		}
		policy_resolve(conf_options(conf), conf_overrides(conf), &subject,
		               &policy, NULL);
	}
	conf_free(conf);
}

static const struct {
	const char *directory;
	const char *wanted[4];
} directories[] = {
    {"/", {"umask=040@11", "read_only=no@0", "upload_mode=durable@16"}},
    {"/in", {"umask=050@14", "read_only=no@14", "upload_mode=durable@16"}},
    {"/in/deep/er", {"umask=050@14", "read_only=yes@15", "upload_mode=durable@16"}},
    {"/inside", {"umask=060@17", "read_only=no@0", "upload_mode=durable@16"}},
};

static void
directories_inherit_from_those_above(void **state)
{
	struct conf *conf = read_text(everything);
	const struct overrides *overrides = conf_overrides(conf);
	const struct policy_subject joe = {
	    .kind = POLICY_KIND_LOCAL, .user = "joe", .host = ""};
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < overrides->count; i++) {
		struct policy_origins origins;
		struct policy policy;
		size_t at = 0;

		if (overrides->entry[i].scope != POLICY_DIRECTORY) {
			continue;
		}
		while (strcmp(directories[at].directory, overrides->entry[i].title) !=
		       0) {
			at++;
		}
		policy_resolve(conf_options(conf), overrides, &joe, &policy, &origins);
		policy_resolve_directory(overrides, &overrides->entry[i], &policy, NULL,
		                         &(struct policy){0}, NULL);
		policy_resolve_directory(overrides, &overrides->entry[i], &policy,
		                         &origins, &policy, &origins);
		for (size_t key = 0; key < 3; key++) {
			assert_key(&policy, &origins, directories[at].wanted[key], at);
		}
		seen++;
	}
	assert_int_equal(seen, ARRAY_COUNT(directories));
	conf_free(conf);
}

/* In: facts: d listed in the file, s a shell; uid and gid. */
static const struct {
	const char *text;
	enum policy_kind kind;
	const char *user;
	const char *group;
	const char *facts;
	uint32_t uid;
	uint32_t gid;
	enum policy_admission wanted;
} admissions[] = {
    {"", POLICY_KIND_LOCAL, "joe", "g", "s", 1000, 100, POLICY_ADMITTED},
    {"", POLICY_KIND_LOCAL, "joe", "g", "s", 999, 100, POLICY_DENIED_UID},
    {"local_users { min_uid = 500 }", POLICY_KIND_LOCAL, "joe", "g", "s", 999, 100,
     POLICY_ADMITTED},
    {"local_users { min_uid = 1 }", POLICY_KIND_LOCAL, "joe", "g", "s", 0, 100,
     POLICY_DENIED_UID},
    {"local_users { min_uid = 1 }", POLICY_KIND_LOCAL, "joe", "g", "s", 1, 0,
     POLICY_DENIED_UID},
    /* To the system this number is nobody's: it means "as it is". */
    {"", POLICY_KIND_LOCAL, "joe", "g", "s", UINT32_MAX, 100, POLICY_DENIED_UID},
    {"", POLICY_KIND_LOCAL, "joe", "g", "s", 1000, UINT32_MAX, POLICY_DENIED_UID},
    {"", POLICY_KIND_LOCAL, "joe", "g", "s", UINT32_MAX - 1, 100, POLICY_ADMITTED},
    {"", POLICY_KIND_VIRTUAL, "joe", "g", "", 5, 5, POLICY_ADMITTED},
    {"", POLICY_KIND_VIRTUAL, "joe", "g", "", UINT32_MAX, 5, POLICY_DENIED_UID},
    {"", POLICY_KIND_VIRTUAL, "joe", "g", "", 0, 5, POLICY_DENIED_UID},
    {"", POLICY_KIND_VIRTUAL, "joe", "g", "", 5, 0, POLICY_DENIED_UID},
    {"", POLICY_KIND_LOCAL, "joe", "g", "", 1000, 100, POLICY_DENIED_SHELL},
    {"local_users { valid_shell = no }", POLICY_KIND_LOCAL, "joe", "g", "", 1000, 100,
     POLICY_ADMITTED},
    {"", POLICY_KIND_LOCAL, "joe", "g", "ds", 1000, 100, POLICY_DENIED_BY_FILE},
    {"", POLICY_KIND_VIRTUAL, "joe", "g", "d", 1000, 100, POLICY_DENIED_BY_FILE},
    {"logins { allow_users = joe }", POLICY_KIND_LOCAL, "joe", "g", "ds", 1000, 100,
     POLICY_DENIED_BY_FILE},
    {"logins { allow_users = ann }", POLICY_KIND_LOCAL, "joe", "g", "s", 1000, 100,
     POLICY_NOT_ALLOWED},
    {"logins { allow_users = ann allow_groups = g }", POLICY_KIND_LOCAL, "joe", "g", "s",
     1000, 100, POLICY_ADMITTED},
    {"logins { allow_users = joe allow_groups = x }", POLICY_KIND_LOCAL, "joe", "g", "s",
     1000, 100, POLICY_ADMITTED},
    {"logins { allow_groups = x }", POLICY_KIND_VIRTUAL, "joe", "g", "", 1000, 100,
     POLICY_NOT_ALLOWED},
    {"logins { deny_users = { ann, joe } }", POLICY_KIND_LOCAL, "joe", "g", "s", 1000,
     100, POLICY_DENIED_USER},
    {"logins { deny_users = joe allow_groups = g }", POLICY_KIND_LOCAL, "joe", "g", "s",
     1000, 100, POLICY_DENIED_USER},
    {"logins { deny_groups = g allow_users = joe }", POLICY_KIND_LOCAL, "joe", "g", "s",
     1000, 100, POLICY_DENIED_GROUP},
    {"logins { deny_users = jo deny_groups = gg }", POLICY_KIND_LOCAL, "joe", "g", "s",
     1000, 100, POLICY_ADMITTED},
    {"user joe { login = no }", POLICY_KIND_LOCAL, "joe", "g", "s", 1000, 100,
     POLICY_DENIED_BY_LOGIN},
    {"user joe { login = yes } logins { deny_groups = g }", POLICY_KIND_LOCAL, "joe", "g",
     "s", 1000, 100, POLICY_DENIED_GROUP},
    {"logins { deny_users = ftp allow_users = joe }", POLICY_KIND_ANONYMOUS, "ftp", "ftp",
     "d", 14, 14, POLICY_ADMITTED},
};

static void
lists_and_limits_admit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(admissions); i++) {
		struct conf *conf = read_text(admissions[i].text);
		const struct policy_subject subject = {.kind = admissions[i].kind,
		                                       .user = admissions[i].user,
		                                       .groups = &admissions[i].group,
		                                       .group_count = 1,
		                                       .host = ""};
		const struct policy_facts facts = {
		    .is_in_denied_file = strchr(admissions[i].facts, 'd') != NULL,
		    .has_valid_shell = strchr(admissions[i].facts, 's') != NULL,
		    .uid = admissions[i].uid,
		    .gid = admissions[i].gid};
		struct policy policy;
		enum policy_admission found;

		policy_resolve(conf_options(conf), conf_overrides(conf), &subject,
		               &policy, NULL);
		found = policy_admit(conf_options(conf), &policy, &subject, &facts);
		if (found != admissions[i].wanted) {
			fail_msg("%zu (%s): found %s, wanted %s", i, admissions[i].text,
			         policy_admission_text(found),
			         policy_admission_text(admissions[i].wanted));
		}
		conf_free(conf);
	}
	for (unsigned i = 0; i < POLICY_ADMISSION_COUNT; i++) {
		assert_string_not_equal(policy_admission_text((enum policy_admission)i),
		                        "");
	}
}

/* In: wanted: "ROOT START", NULL where it is refused. */
static const struct {
	const char *root;
	const char *user;
	const char *home;
	const char *chrooted;
	const char *open; /* without chroot */
} roots[] = {
    {"~", "joe", "/home/joe", "/home/joe /", "/ /home/joe"},
    {"~", "joe", "/home/joe/", "/home/joe /", "/ /home/joe"},
    {"~", "joe", "/", "/ /", "/ /"},
    {"~/ftp", "joe", "/home/joe", "/home/joe/ftp /", "/ /home/joe/ftp"},
    {"~/", "joe", "/home/joe", "/home/joe /", "/ /home/joe"},
    {"%h", "joe", "/home/joe", "/home/joe /", "/ /home/joe"},
    {"/srv/%u", "joe", "/home/joe", "/srv/joe /", "/ /srv/joe"},
    {"/srv/%u.d/%u", "joe", "", "/srv/joe.d/joe /", "/ /srv/joe.d/joe"},
    {"/srv", "../x", "", "/srv /", "/ /srv"},
    {"/srv/%h", "joe", "/home/joe", "/srv/home/joe /", "/ /srv/home/joe"},
    {"/", "joe", "/home/joe", "/ /", "/ /"},
    {"//srv///ftp//", "joe", "", "/srv/ftp /", "/ /srv/ftp"},
    {"/srv/.", "joe", "", "/srv /", "/ /srv"},
    /* Root and start directory, in the option as in homes. */
    {"/srv/./in", "joe", "", "/srv /in", "/ /srv/in"},
    {"~/./in", "joe", "/home/joe", "/home/joe /in", "/ /home/joe/in"},
    {"~", "joe", "/srv/ftp/./joe", "/srv/ftp /joe", "/ /srv/ftp/joe"},
    {"~", "joe", "/./joe", "/ /joe", "/ /joe"},
    {"~", "joe", "/srv/./a/./b", "/srv /a/b", "/ /srv/a/b"},
    {"/srv/./%u", "joe", "", "/srv /joe", "/ /srv/joe"},
    {"/srv/./", "joe", "", "/srv /", "/ /srv"},
    {"/./", "joe", "", "/ /", "/ /"},
    /* Names that would lead elsewhere. */
    {"/srv/%u", "../x", "/home/x", NULL, NULL},
    {"/srv/%u", "a/b", "/home/x", NULL, NULL},
    {"/srv/%u", "..", "/home/x", NULL, NULL},
    {"/srv/%u", ".", "/home/x", NULL, NULL},
    {"/srv/%u", "", "/home/x", NULL, NULL},
    {"/srv/x%u", "..", "/home/x", NULL, NULL},
    {"/srv/.%u", ".x", "/home/x", "/srv/..x /", "/ /srv/..x"},
    {"/srv/.%u", ".", "/home/x", NULL, NULL},
    {"/srv/%u", "%h", "/home/x", "/srv/%h /", "/ /srv/%h"},
    {"/srv/%u", "~", "/home/x", "/srv/~ /", "/ /srv/~"},
    {"~", "joe", "/home/%u", "/home/%u /", "/ /home/%u"},
    {"~", "joe", "/home/../etc", NULL, NULL},
    {"~", "joe", "/srv/./../etc", NULL, NULL},
    {"~", "joe", "/home/..", NULL, NULL},
    {"~", "joe", "/home/..x", "/home/..x /", "/ /home/..x"},
    {"~", "joe", "home/joe", NULL, NULL},
    {"~", "joe", "", NULL, NULL},
    {"/x/~", "joe", "", "/x/~ /", "/ /x/~"},
    {"~joe", "joe", "/home/joe", NULL, NULL},
    {"", "joe", "/home/joe", NULL, NULL},
    {"/%", "joe", "/home/joe", NULL, NULL},
    {"/%d", "joe", "/home/joe", NULL, NULL},
};

static void
roots_are_expanded(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(roots); i++) {
		bool is_chrooted = i % 2 == 0;
		const char *wanted =
		    is_chrooted ? roots[i / 2].chrooted : roots[i / 2].open;
		char root[OPTIONS_TEXT_MAX] = "untouched";
		char start[OPTIONS_TEXT_MAX] = "untouched";
		char found[2 * OPTIONS_TEXT_MAX + 2];
		bool is_done =
		    policy_expand_root(roots[i / 2].root, roots[i / 2].user,
		                       roots[i / 2].home, is_chrooted, root, start);

		(void)snprintf(found, sizeof(found), "%s %s", root, start);
		assert_int_equal(is_done, wanted != NULL);
		if (strcmp(found, wanted != NULL ? wanted : "untouched untouched") != 0) {
			fail_msg("%s, %s: found %s", roots[i / 2].root, roots[i / 2].home,
			         found);
		}
	}
}

/* Of n bytes: one slash and n - 1 letters. */
static void
fill(char *text, size_t n)
{
	memset(text, 'x', n);
	text[0] = '/';
	text[n] = '\0';
}

static void
long_roots_are_refused(void **state)
{
	char root[OPTIONS_TEXT_MAX];
	char start[OPTIONS_TEXT_MAX];
	char home[3 * OPTIONS_TEXT_MAX];

	(void)state;
	fill(home, OPTIONS_TEXT_MAX - 1);
	assert_true(policy_expand_root("~", "joe", home, true, root, start));
	assert_string_equal(root, home);
	assert_true(policy_expand_root("~", "joe", home, false, root, start));
	assert_string_equal(start, home);
	assert_true(policy_expand_root("~/./in", "joe", home, true, root, start));
	/* Joined they do not fit. */
	assert_false(policy_expand_root("~/./in", "joe", home, false, root, start));
	assert_false(policy_expand_root("~/in", "joe", home, true, root, start));
	fill(home, OPTIONS_TEXT_MAX);
	assert_false(policy_expand_root("~", "joe", home, true, root, start));
	fill(home, sizeof(home) - 1);
	assert_false(policy_expand_root("~", "joe", home, true, root, start));
}

static const char hosts[] =
    "tls { certificate = /c policy = logins client_name = \"%u@a.org\" }\n"
    "anonymous { enabled = yes tls_policy = optional }\n"
    "user joe { tls_policy = all client_name = \"joe\" }\n"
    "host FTP.example.org { banner = \"b\" users_file = /u }\n"
    "group g { client_name = \"%u/%u\" }\n"
    "host other.example.org { certificate = { /d, /e } tls_policy = all }\n";

static const struct {
	const char *name;
	size_t len;
	uint16_t number;
} host_names[] = {
    {"ftp.example.org", 15, 1},
    {"FTP.EXAMPLE.ORG.", 16, 1},
    {"other.example.org", 17, 2},
    {"other.example.orgs", 17, 2},
    {"ftp.example.org..", 17, 0},
    {"ftp.example.or", 14, 0},
    {"ftp.example.org\0", 16, 0},
    {"ftp.example\0org", 15, 0},
    {"joe", 3, 0},
    {"g", 1, 0},
    {".", 1, 0},
    {"", 0, 0},
};

static void
hosts_are_found_by_any_spelling(void **state)
{
	struct conf *conf = read_text(hosts);
	const struct overrides *overrides = conf_overrides(conf);
	struct overrides copy;

	(void)state;
	assert_int_equal(overrides_copy(overrides, &copy), 0);
	for (size_t i = 0; i < ARRAY_COUNT(host_names); i++) {
		uint16_t number = 99;
		const struct policy_override *found = policy_host_find(
		    overrides, host_names[i].name, host_names[i].len, &number);

		assert_int_equal(number, host_names[i].number);
		assert_ptr_equal(found, policy_host_get(overrides, number));
		assert_int_equal(found == NULL, number == 0);
	}
	assert_null(policy_host_get(overrides, 3));
	assert_null(policy_host_get(overrides, UINT16_MAX));
	assert_true(policy_sets(policy_host_get(overrides, 1), POLICY_BANNER));
	assert_false(policy_sets(policy_host_get(overrides, 1), POLICY_CERTIFICATE));
	assert_false(policy_sets(NULL, POLICY_BANNER));
	/* The copy outlives its pattern. */
	conf_free(conf);
	assert_string_equal(policy_host_get(&copy, 1)->host->users_file, "/u");
	assert_int_equal(policy_host_get(&copy, 2)->host->certificate.count, 2);
	assert_null(copy.entry[0].host);
	overrides_free(&copy);
}

static const struct {
	enum policy_kind kind;
	const char *user;
	const char *group;
	const char *host;
	uint8_t policy;
	const char *client_name;
} tls[] = {
    {POLICY_KIND_LOCAL, "ann", NULL, "", OPTIONS_TLS_LOGINS, "ann@a.org"},
    {POLICY_KIND_VIRTUAL, "joe", "g", "", OPTIONS_TLS_ALL, "joe"},
    {POLICY_KIND_VIRTUAL, "ann", "g", "", OPTIONS_TLS_LOGINS, "ann/ann"},
    {POLICY_KIND_LOCAL, "ann", NULL, "Other.example.org.", OPTIONS_TLS_ALL, "ann@a.org"},
    {POLICY_KIND_LOCAL, "%u", NULL, "", OPTIONS_TLS_LOGINS, "%u@a.org"},
    {POLICY_KIND_ANONYMOUS, "ftp", NULL, "other.example.org", OPTIONS_TLS_OPTIONAL, NULL},
};

static void
tls_and_names_of_certificates_are_resolved(void **state)
{
	struct conf *conf = read_text(hosts);
	char name[OPTIONS_HOST_MAX];
	char user[OPTIONS_HOST_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(tls); i++) {
		struct policy_subject subject = {.kind = tls[i].kind,
		                                 .user = tls[i].user,
		                                 .groups = &tls[i].group,
		                                 .group_count = 1,
		                                 .host = tls[i].host};
		struct policy policy;
		bool has_name;

		policy_resolve(conf_options(conf), conf_overrides(conf), &subject,
		               &policy, NULL);
		assert_int_equal(policy.tls_policy, tls[i].policy);
		has_name = policy_client_name(&policy, tls[i].user, name);
		assert_int_equal(has_name, tls[i].client_name != NULL);
		if (has_name) {
			assert_string_equal(name, tls[i].client_name);
		}
		/* "@a.org" and the NUL need seven bytes. */
		memset(user, 'u', sizeof(user));
		user[OPTIONS_HOST_MAX - 7] = '\0';
		(void)snprintf(policy.client_name, sizeof(policy.client_name),
		               "%%u@a.org");
		assert_true(policy_client_name(&policy, user, name));
		user[OPTIONS_HOST_MAX - 7] = 'u';
		user[OPTIONS_HOST_MAX - 6] = '\0';
		assert_false(policy_client_name(&policy, user, name));
	}
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_as_their_plain_ones),
	    cmocka_unit_test(the_innermost_section_decides),
	    cmocka_unit_test(directories_inherit_from_those_above),
	    cmocka_unit_test(hosts_are_found_by_any_spelling),
	    cmocka_unit_test(tls_and_names_of_certificates_are_resolved),
	    cmocka_unit_test(lists_and_limits_admit),
	    cmocka_unit_test(roots_are_expanded),
	    cmocka_unit_test(long_roots_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
