/*
 * test_option: the option table is whole, and each type takes and refuses what
 * deftpd.conf(5) says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/conf/option.h"
#include "ftpd/conf/reader.h"

#include "common/base.h"

static size_t
size_of_type(const struct option_row *row)
{
	switch (row->type) {
	case OPTION_BOOL: return sizeof(bool);
	case OPTION_PORT:
	case OPTION_UMASK: return sizeof(uint16_t);
	case OPTION_COUNT_OF:
	case OPTION_SECONDS: return sizeof(uint32_t);
	case OPTION_RATE:
	case OPTION_SIZE: return sizeof(uint64_t);
	case OPTION_WORD: return sizeof(uint8_t);
	case OPTION_PORTS: return sizeof(struct options_ports);
	case OPTION_LISTEN: return sizeof(struct options_listen_list);
	case OPTION_NETWORKS: return sizeof(struct options_network_list);
	case OPTION_NAMES: return sizeof(struct options_name_list);
	case OPTION_NAME: return OPTIONS_NAME_MAX;
	case OPTION_PATH:
	case OPTION_ROOT:
	case OPTION_HOST:
	case OPTION_FILE: return OPTIONS_TEXT_MAX;
	case OPTION_FILES: return sizeof(struct options_path_list);
	case OPTION_HOSTS: return sizeof(struct options_host_list);
	/* Bounded by its field, whichever that is. */
	case OPTION_TEXT: return row->size;
	case OPTION_TYPE_COUNT: break;
	}
	return 0;
}

static void
table_is_whole(void **state)
{
	const struct option_row *rows;
	size_t count;

	(void)state;
	rows = option_table(&count);
	assert_true(count <= READER_ROWS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = &rows[i];
		char name[OPTION_KEY_MAX];

		option_name(row, name);
		assert_true(strlen(row->section) + strlen(row->key) + 2 <=
		            OPTION_KEY_MAX);
		assert_ptr_equal(option_find(row->section, row->key), row);
		assert_ptr_equal(option_find_dotted(name), row);
		assert_int_equal(row->size, size_of_type(row));
		assert_true(row->offset + row->size <= sizeof(struct options));
		assert_true(row->section[0] == '\0' ||
		            option_section_find(row->section) != NULL);
		assert_true(row->min <= row->max);
		assert_int_equal(row->type == OPTION_WORD && row->words == NULL, false);
		assert_non_null(strchr(row->text, '.'));
	}
}

/* No two rows share a byte, or setting one would change the other. */
static void
fields_are_apart(void **state)
{
	const struct option_row *rows;
	size_t count;

	(void)state;
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_true(rows[i].offset + rows[i].size <= rows[j].offset ||
			            rows[j].offset + rows[j].size <= rows[i].offset);
		}
	}
}

static void
defaults_are_taken(void **state)
{
	char mistake[OPTION_MISTAKE_MAX];
	static struct options options;
	const struct option_row *rows;
	size_t count;

	(void)state;
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (!option_set(&rows[i], rows[i].initial, &options, mistake)) {
			fail_msg("%s: %s", rows[i].key, mistake);
		}
		assert_true(option_is_default(&rows[i], &options));
	}
	options_set_defaults(&options);
	assert_int_equal(options.listen.count, 1);
	assert_int_equal(options.listen.entry[0].family, ADDR_NONE);
	assert_int_equal(options.listen.entry[0].port, 21);
	assert_int_equal(options.passive_ports.low, 49152);
	assert_int_equal(options.passive_ports.high, 65535);
	assert_int_equal(options.max_sessions, 2000);
	assert_int_equal(options.sandbox, OPTIONS_SANDBOX_PREFER);
	assert_int_equal(options.tls.policy, OPTIONS_TLS_OPTIONAL);
	assert_int_equal(options.uploads.umask, 022);
	assert_true(options.local_users.chroot);
	assert_false(options.anonymous.enabled);
	assert_string_equal(options.anonymous.root, "/srv/ftp");
	assert_int_equal(options.logins.sources.count, 2);
	assert_string_equal(options.logins.sources.entry[0], "virtual");
	assert_string_equal(options.logins.sources.entry[1], "local");
	assert_int_equal(options.logins.allow_users.count, 0);
	assert_string_equal(options.logins.denied_file, "/etc/ftpusers");
	assert_int_equal(options.logins.tries, 5);
	assert_int_equal(options.logins.max_delay_s, 10);
	assert_int_equal(options.local_users.min_uid, 1000);
	assert_true(options.local_users.valid_shell);
	assert_true(options.anonymous.read_only);
	assert_int_equal(options.anonymous.umask, 077);
	assert_true(options.uploads.keep_partial);
	assert_int_equal(options.uploads.max_file_size, 0);
	assert_int_equal(options.rates.user_up, 0);
	assert_string_equal(options.worker_user, "deftpd");
	assert_string_equal(options.recorder_user, "deftpd-log");
}

/* In: wanted: the text that the field gives back, or a part of the mistake behind '!'. */
static const struct {
	const char *key;
	const char *text;
	const char *wanted;
} values[] = {
    {"anonymous.enabled", "yes", "yes"},
    {"anonymous.enabled", "TRUE", "yes"},
    {"anonymous.enabled", "off", "no"},
    {"anonymous.enabled", "", "!neither yes nor no"},
    {"anonymous.enabled", "1", "!neither yes nor no"},
    {"max_sessions", "1", "1"},
    {"max_sessions", "007", "7"},
    {"max_sessions", "1000000", "1000000"},
    {"max_sessions", "1000001", "!from 1 to 1000000; write one"},
    {"max_sessions", "0", "!from 1 to 1000000"},
    {"max_sessions", "-1", "!not a number"},
    {"max_sessions", "+1", "!not a number"},
    {"max_sessions", " 1", "!not a number"},
    {"max_sessions", "1 ", "!not a number"},
    {"max_sessions", "0x10", "!not a number"},
    {"max_sessions", "", "!not a number"},
    {"max_sessions", "18446744073709551617", "!not a number"},
    {"idle_timeout", "5m", "!number of seconds from 1"},
    {"anonymous.max_rate", "1000000000000", "1000000000000"},
    {"anonymous.max_rate", "1k", "1024"},
    {"anonymous.max_rate", "20M", "20971520"},
    {"anonymous.max_rate", "1T",
     "!bytes a second from 0 to 1000000000000; write one, such"},
    {"anonymous.max_rate", "1MB", "!bytes a second"},
    {"anonymous.max_rate", "K", "!bytes a second"},
    {"anonymous.max_rate", "1 K", "!bytes a second"},
    {"anonymous.max_rate", "-1K", "!bytes a second"},
    {"anonymous.max_rate", "1.5M", "!bytes a second"},
    {"uploads.max_file_size", "4G", "4294967296"},
    {"uploads.max_file_size", "2t", "2199023255552"},
    {"uploads.max_file_size", "1048576T", "1152921504606846976"},
    {"uploads.max_file_size", "1048577T", "!number of bytes from 0"},
    {"uploads.max_file_size", "18446744073709551615T", "!number of bytes"},
    {"uploads.max_file_size", "16777216T", "!number of bytes"},
    {"max_sessions", "1K", "!not a number"},
    {"idle_timeout", "1K", "!number of seconds"},
    {"logins.tries", "0", "!from 1 to 100"},
    {"logins.max_delay", "0", "0"},
    {"logins.max_delay", "301", "!from 0 to 300"},
    {"local_users.appended_code", "6", "6"},
    {"local_users.appended_code", "13", "!from 0 to 12"},
    {"local_users.min_uid", "4294967294", "4294967294"},
    {"local_users.min_uid", "4294967295", "!from 1 to 4294967294"},
    {"logins.sources", "local", "local"},
    {"logins.sources", "ldap", "!write \"virtual\" or \"local\""},
    {"logins.sources", "", "!empty name"},
    {"logins.allow_users", "DOMAIN\\joe", "DOMAIN\\joe"},
    {"logins.allow_users", "joe@example.org", "joe@example.org"},
    {"logins.allow_users", "007", "007"},
    {"logins.allow_users", "a b", "a b"},
    {"logins.allow_users", "a:b", "!has a comma, colon or slash"},
    {"logins.deny_users", " ann", "!begins or ends with a blank"},
    {"logins.deny_users", "ann\t", "!control"},
    {"logins.deny_groups", "staff ", "!begins or ends with a blank"},
    {"logins.deny_users", "ann lee", "ann lee"},
    {"logins.allow_users", "a/b", "!has a comma, colon or slash"},
    {"logins.allow_users", "a,b", "!has a comma, colon or slash"},
    {"logins.allow_users", "a\nb", "!control character"},
    {"logins.allow_users",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "!has 64 bytes; shorten it to 63"},
    {"logins.denied_file", "", ""},
    {"logins.denied_file", "ftpusers", "!not an absolute path"},
    {"active_port", "0", "0"},
    {"active_port", "65535", "65535"},
    {"active_port", "65536", "!not a number"},
    {"sandbox", "require", "require"},
    {"sandbox", "off", "off"},
    {"sandbox", "Off", "!write \"require\", \"prefer\" or \"off\""},
    {"tls.policy", "some", "!write \"off\", \"optional\", \"logins\" or \"all\""},
    {"uploads.umask", "77", "077"},
    {"uploads.umask", "0777", "777"},
    {"uploads.umask", "1777", "!permission bits"},
    {"uploads.umask", "8", "!permission bits"},
    {"worker_user", "ftp-worker_1.x", "ftp-worker_1.x"},
    {"worker_user", "1st", "!not a name"},
    {"worker_user", "a b", "!not a name"},
    {"worker_user", "", "!is empty"},
    {"worker_user", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "!has 64 bytes; shorten it to 63"},
    {"anonymous.root", "/srv/a b", "/srv/a b"},
    {"anonymous.root", "srv", "!not an absolute path; begin it with /"},
    {"anonymous.root", "", "!is empty"},
    {"anonymous.root", "/a\x1b[2J", "!\"/a?[2J\" has a control character"},
    {"log.transfers", "", ""},
    {"log.events", "stderr", "stderr"},
    {"log.events", "/var/log/events", "/var/log/events"},
    {"log.events", "syslog", "!write \"journal\", \"stderr\" or an absolute path"},
    {"log.events", "", "!is empty"},
    {"local_users.root", "~", "~"},
    {"local_users.root", "~/ftp", "~/ftp"},
    {"local_users.root", "%h/./in", "%h/./in"},
    {"local_users.root", "/srv/%u", "/srv/%u"},
    {"local_users.root", "/srv/%u/./%h", "/srv/%u/./%h"},
    {"local_users.root", "~joe", "!write \"~\" for the home directory"},
    {"local_users.root", "%u", "!write \"~\" for the home directory"},
    {"local_users.root", "home", "!write \"~\" for the home directory"},
    {"local_users.root", "", "!write \"~\" for the home directory"},
    {"local_users.root", "/srv/%d", "!neither %u, the name, nor %h"},
    {"local_users.root", "/srv/%", "!neither %u"},
    {"local_users.root", "/srv/%%u", "!neither %u"},
    {"local_users.root", "/srv/../x", "!has \"..\" in it"},
    {"local_users.root", "/srv/..", "!has \"..\" in it"},
    {"local_users.root", "/srv/..a/b../a..b", "/srv/..a/b../a..b"},
    {"virtual_users.user", "", ""},
    {"passive_address", "", ""},
    {"passive_address", "192.0.2.1", "192.0.2.1"},
    {"passive_address", "ftp.example.org", "ftp.example.org"},
    {"passive_address", "x", "x"},
    {"passive_address", "192.0.2.300", "!neither an address nor a host name"},
    {"passive_address", "a..b", "!neither"},
    {"passive_address", "-a", "!neither"},
    {"passive_address", "a-", "!neither"},
    {"passive_address", "a-.b", "!neither"},
    {"passive_address", "a_b", "!neither"},
    {"passive_address", "2001:db8::1", "!IPv6 address"},
    {"passive_address", "0.0.0.0", "!no address that clients can reach"},
    {"banner", "", ""},
    {"banner", "Gr\xc3\xbc\xc3\x9f Gott!", "Gr\xc3\xbc\xc3\x9f Gott!"},
    {"banner", "two\nlines", "!\"two?lines\" has a control character"},
    {"tls.client_name",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "!has 256 bytes; shorten it to 255"},
    {"tls.certificate", "/c", "/c"},
    {"tls.certificate", "credential:ftp.pem", "credential:ftp.pem"},
    {"tls.certificate", "credential:", "!names no credential"},
    {"tls.certificate", "credential:a/b", "!names no credential"},
    {"tls.certificate", "credential:..", "!names no credential"},
    {"tls.certificate", "Credential:x", "!not an absolute path"},
    {"tls.certificate", "", "!is empty; write an absolute path"},
    {"tls.certificate", "/a\tb", "!control character"},
    {"tls.key_password", "credential:p", "credential:p"},
    {"tls.key_password", "", ""},
    {"tls.key_password", "secret", "!not an absolute path"},
    {"anonymous.root", "credential:x", "!not an absolute path"},
    {"tls.server_names", "FTP.Example.org", "ftp.example.org"},
    {"tls.server_names", "x", "x"},
    {"tls.server_names", "", "!is no host name"},
    {"tls.server_names", "192.0.2.1", "!is no host name"},
    {"tls.server_names", "2001:db8::1", "!is no host name"},
    {"tls.server_names", "*.example.org", "!is no host name"},
    {"tls.server_names", "example.org.", "!is no host name"},
    {"tls.min_version", "1.3", "1.3"},
    {"tls.min_version", "1.1", "!write \"1.2\" or \"1.3\""},
    {"anonymous.tls_policy", "same", "same"},
    {"passive_ports", "1024-65535", "1024-65535"},
    {"passive_ports", "5000-5000", "5000-5000"},
    {"passive_ports", "5001-5000", "!write \"5000-5001\""},
    {"passive_ports", "1023-5000", "!below 1024"},
    {"passive_ports", "5000", "!not a range"},
    {"passive_ports", "5000-65536", "!not a range"},
    {"passive_ports", "5000-", "!not a range"},
    {"passive_ports", "-5000", "!not a range"},
    {"passive_ports", "5000-6000-7000", "!not a range"},
    {"listen", "*:21", "*:21"},
    {"listen", "0.0.0.0:2121", "0.0.0.0:2121"},
    {"listen", "[::1]:21", "[::1]:21"},
    {"listen", "[0:0::1]:21", "[::1]:21"},
    {"listen", "[::]:1", "[::]:1"},
    {"listen", "[fe80::1%2]:21", "[fe80::1%2]:21"},
    {"listen", "[fe80::1%eth0]:21", "!does not begin with an address"},
    {"listen", "[fe80::1%0]:21", "!does not begin with an address"},
    {"listen", "::1", "!write \"[::1]:21\""},
    {"listen", "[::1]", "!has no port"},
    {"listen", "127.0.0.1", "!has no port"},
    {"listen", "*:", "!has no port"},
    {"listen", "*:0", "!no port from 1 to 65535"},
    {"listen", "*:65536", "!no port from 1 to 65535"},
    {"listen", "*:ftp", "!no port from 1 to 65535"},
    {"listen", ":21", "!does not begin with an address"},
    {"listen", "localhost:21", "!does not begin with an address"},
    {"listen", "[127.0.0.1]:21", "!does not begin with an address"},
    {"listen", "::1:21x", "!does not begin with an address"},
    {"passive_address_for", "10.0.0.0/8=192.168.1.1", "10.0.0.0/8=192.168.1.1"},
    {"passive_address_for", "0.0.0.0/0=192.168.1.1", "0.0.0.0/0=192.168.1.1"},
    {"passive_address_for", "10.0.0.1/32=192.168.1.1", "10.0.0.1/32=192.168.1.1"},
    {"passive_address_for", "10.0.0.1/31=192.168.1.1", "!bits beyond its prefix"},
    {"passive_address_for", "10.0.0.0/33=192.168.1.1", "!prefix above 32"},
    {"passive_address_for", "2001:db8::/32=192.168.1.1", "!IPv6"},
    {"passive_address_for", "10.0.0.0/8=::1", "!IPv6"},
    {"passive_address_for", "10.0.0.0/8 192.168.1.1", "!NETWORK/PREFIX=ADDRESS"},
    {"passive_address_for", "10.0.0.0/8=name", "!NETWORK/PREFIX=ADDRESS"},
    {"passive_address_for", "10.0.0.0=192.168.1.1", "!NETWORK/PREFIX=ADDRESS"},
    {"passive_address_for", "1=1/8", "!NETWORK/PREFIX=ADDRESS"},
};

static void
values_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		const struct option_row *row = option_find_dotted(values[i].key);
		const char *wanted = values[i].wanted;
		char text[OPTION_VALUE_MAX];
		char mistake[OPTION_MISTAKE_MAX];
		static struct options options;
		static struct options before;
		bool is_set;

		assert_non_null(row);
		memset(&options, 0, sizeof(options));
		before = options;
		is_set = option_add(row, values[i].text, &options, mistake);
		if (is_set == (wanted[0] == '!')) {
			fail_msg("%s: \"%s\": %s", values[i].key, values[i].text,
			         is_set ? "taken" : mistake);
		}
		if (is_set) {
			option_format(row, &options, 0, text);
			assert_string_equal(text, wanted);
			continue;
		}
		if (strstr(mistake, wanted + 1) == NULL) {
			fail_msg("%s: \"%s\": %s", values[i].key, values[i].text,
			         mistake);
		}
		assert_memory_equal(&options, &before, sizeof(options));
	}
}

static void
lists_are_split_and_bounded(void **state)
{
	const struct option_row *row = option_find("", "listen");
	const struct option_row *names = option_find("logins", "deny_users");
	const struct option_row *files = option_find("tls", "certificate");
	const struct option_row *hosts = option_find("tls", "server_names");
	char mistake[OPTION_MISTAKE_MAX];
	static struct options options;

	(void)state;
	assert_true(option_set(row, "*:21,[::1]:22,127.0.0.1:23", &options, mistake));
	assert_int_equal(option_entries(row, &options), 3);
	assert_int_equal(options.listen.entry[2].port, 23);
	assert_true(option_set(row, "", &options, mistake));
	assert_int_equal(option_entries(row, &options), 0);
	assert_false(option_set(row, "*:21,,*:22", &options, mistake));
	option_clear(row, &options);
	for (size_t i = 0; i < OPTIONS_LIST_MAX; i++) {
		assert_true(option_add(row, "*:21", &options, mistake));
	}
	assert_false(option_add(row, "*:21", &options, mistake));
	assert_int_equal(options.listen.count, OPTIONS_LIST_MAX);
	assert_true(option_set(names, "joe,ann", &options, mistake));
	assert_int_equal(options.logins.deny_users.count, 2);
	assert_string_equal(options.logins.deny_users.entry[1], "ann");
	assert_false(option_set(names, "joe,,ann", &options, mistake));
	option_clear(names, &options);
	for (size_t i = 0; i < OPTIONS_LIST_MAX; i++) {
		assert_true(option_add(names, "joe", &options, mistake));
	}
	assert_false(option_add(names, "joe", &options, mistake));
	for (size_t i = 0; i < OPTIONS_PATHS_MAX; i++) {
		assert_true(option_add(files, "/c", &options, mistake));
	}
	assert_false(option_add(files, "/c", &options, mistake));
	assert_non_null(strstr(mistake, "more than 4 entries"));
	assert_int_equal(options.tls.certificate.count, OPTIONS_PATHS_MAX);
	for (size_t i = 0; i < OPTIONS_LIST_MAX; i++) {
		assert_true(option_add(hosts, "a", &options, mistake));
	}
	assert_false(option_add(hosts, "a", &options, mistake));
}

/* What anonymous clients must encrypt: their own key, else tls.policy. */
static void
anonymous_clients_have_a_policy(void **state)
{
	static const struct {
		const char *certificate;
		const char *policy;
		const char *own;
		enum options_tls_policy wanted;
		bool has_tls;
	} cases[] = {
	    {"", "optional", "same", OPTIONS_TLS_OFF, false},
	    {"", "optional", "all", OPTIONS_TLS_OFF, false},
	    {"/c", "off", "logins", OPTIONS_TLS_OFF, false},
	    {"/c", "optional", "same", OPTIONS_TLS_OPTIONAL, true},
	    {"/c", "all", "same", OPTIONS_TLS_ALL, true},
	    {"/c", "all", "optional", OPTIONS_TLS_OPTIONAL, true},
	    {"/c", "all", "off", OPTIONS_TLS_OFF, true},
	    {"/c", "optional", "logins", OPTIONS_TLS_LOGINS, true},
	};
	char mistake[OPTION_MISTAKE_MAX];
	static struct options options;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		options_set_defaults(&options);
		assert_true(option_set(option_find("tls", "certificate"),
		                       cases[i].certificate, &options, mistake));
		assert_true(option_set(option_find("tls", "policy"), cases[i].policy,
		                       &options, mistake));
		assert_true(option_set(option_find("anonymous", "tls_policy"),
		                       cases[i].own, &options, mistake));
		assert_int_equal(options_has_tls(&options), cases[i].has_tls);
		assert_int_equal(options_anonymous_tls(&options), cases[i].wanted);
	}
}

static void
quoting_cuts_and_cleans(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} cases[] = {
	    {"", ""},
	    {"abcdefg", "abcdefg"},
	    {"abcdefgh", "abcd..."},
	    {"a\nb\x7f", "a?b?"},
	    {"\xc3\xa4", "\xc3\xa4"},
	};
	char text[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		option_quote(cases[i].text, strlen(cases[i].text), text, sizeof(text));
		assert_string_equal(text, cases[i].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_is_whole),
	    cmocka_unit_test(fields_are_apart),
	    cmocka_unit_test(defaults_are_taken),
	    cmocka_unit_test(values_are_judged),
	    cmocka_unit_test(lists_are_split_and_bounded),
	    cmocka_unit_test(anonymous_clients_have_a_policy),
	    cmocka_unit_test(quoting_cuts_and_cleans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
