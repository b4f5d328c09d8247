/*
 * test_conf_titled: sections with a title are read into their places, and findings know
 * their lines.
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

#include "common/base.h"

static char *
printed(const struct conf *conf)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	assert_non_null(stream);
	conf_findings_print(conf, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* Sections with a title are kept in the order of the file, each key with its line. */
static void
titled_sections_are_read(void **state)
{
	static const char text[] =
	    "user \"DOM\\\\joe\" {\n\troot = \"~/in\"\n\tumask = 027\n}\n"
	    "group 'a b' { login = no rate_up = 1K }\n"
	    "user ann { }\n"
	    "host ftp.example.org { max_sessions = 3 idle_timeout = 9 }\n"
	    "directory \"/in\" { upload_mode = durable keep_partial = no\n"
	    "max_file_size = 2G }\n";
	struct conf *conf = conf_read_buffer("f", text, strlen(text), NULL, 0);
	const struct overrides *overrides = conf_overrides(conf);
	const struct policy_override *entry = overrides->entry;
	char *found = printed(conf);
	char where[64];

	(void)state;
	assert_string_equal(found, "");
	assert_int_equal(overrides->count, 5);
	assert_int_equal(entry[0].scope, POLICY_USER);
	assert_string_equal(entry[0].title, "DOM\\joe");
	assert_int_equal(entry[0].keys, 1U << POLICY_ROOT | 1U << POLICY_UMASK);
	assert_string_equal(entry[0].values.root, "~/in");
	assert_int_equal(entry[0].values.umask, 027);
	assert_int_equal(entry[0].line, 1);
	assert_int_equal(entry[0].key_line[POLICY_UMASK], 3);
	assert_int_equal(entry[1].scope, POLICY_GROUP);
	assert_string_equal(entry[1].title, "a b");
	assert_false(entry[1].values.may_log_in);
	assert_int_equal(entry[1].values.rate_up, 1024);
	assert_int_equal(entry[2].keys, 0);
	assert_int_equal(entry[3].scope, POLICY_HOST);
	assert_int_equal(entry[3].values.max_sessions, 3);
	assert_int_equal(entry[3].values.idle_timeout_s, 9);
	assert_int_equal(entry[4].scope, POLICY_DIRECTORY);
	assert_int_equal(entry[4].values.upload_mode, OPTIONS_UPLOAD_DURABLE);
	assert_false(entry[4].values.keep_partial);
	assert_int_equal(entry[4].values.max_file_size, UINT64_C(2) << 30);
	conf_where_titled(conf, &entry[4], POLICY_MAX_FILE_SIZE, where, sizeof(where));
	assert_string_equal(where, "f:9, directory \"/in\"");
	free(found);
	conf_free(conf);
}

/*
 * A host's own keys lie where policy_host_get() finds them; a key of a list has one line.
 */
static void
hosts_are_read(void **state)
{
	static const char text[] =
	    "tls { certificate = /c }\n"
	    "anonymous { enabled = yes }\n"
	    "user joe { client_name = \"joe@example.org\" tls_policy = all }\n"
	    "host FTP.example.org {\n"
	    "\tbanner = \"Welcome to \\\"us\\\"\"\n"
	    "\tcertificate = {\n\t\t/a,\n\t\t\"credential:b\"\n\t}\n"
	    "\tprivate_key = /k\n"
	    "\tusers_file = /u umask = 011\n"
	    "}\n";
	struct conf *conf = conf_read_buffer("f", text, strlen(text), NULL, 0);
	const struct policy_override *joe = conf_overrides(conf)->entry;
	const struct policy_override *host = policy_host_get(conf_overrides(conf), 1);
	char *found = printed(conf);
	char where[64];

	(void)state;
	assert_string_equal(found, "");
	assert_ptr_equal(host, &conf_overrides(conf)->entry[1]);
	assert_null(joe->host);
	assert_string_equal(joe->values.client_name, "joe@example.org");
	assert_int_equal(joe->values.tls_policy, OPTIONS_TLS_ALL);
	assert_string_equal(host->title, "FTP.example.org");
	assert_string_equal(host->host->banner, "Welcome to \"us\"");
	assert_int_equal(host->host->certificate.count, 2);
	assert_string_equal(host->host->certificate.entry[0], "/a");
	assert_string_equal(host->host->certificate.entry[1], "credential:b");
	assert_int_equal(host->host->private_key.count, 1);
	assert_string_equal(host->host->private_key.entry[0], "/k");
	assert_int_equal(host->values.umask, 011);
	assert_true(policy_sets(host, POLICY_USERS_FILE));
	assert_false(policy_sets(host, POLICY_OCSP_RESPONSE));
	conf_where_titled(conf, host, POLICY_PRIVATE_KEY, where, sizeof(where));
	assert_string_equal(where, "f:10, host \"FTP.example.org\"");
	conf_findings_add_titled(conf, host, POLICY_CERTIFICATE, "no %s", "file");
	free(found);
	found = printed(conf);
	assert_string_equal(found, "f:6: no file\n");
	free(found);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(titled_sections_are_read),
	    cmocka_unit_test(hosts_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
