/*
 * test_conf: what the reader says about files and overrides, each with every mistake and
 * its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ftpd/conf/conf.h"
#include "ftpd/conf/option.h"

#include "common/base.h"

enum { OVERRIDES_MAX = 4 };

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

/* Files without a mistake: text, key, value read, as option_format() writes it. */
static const struct {
	const char *text;
	const char *key;
	const char *value;
} right[] = {
    {"", "max_sessions", "2000"},
    {"max_sessions = 5", "max_sessions", "5"},
    {"max_sessions=5\n", "max_sessions", "5"},
    {"max_sessions = \"5\"\n", "max_sessions", "5"},
    {"max_sessions = '5'\n", "max_sessions", "5"},
    {"'max_sessions' = 5\n", "max_sessions", "5"},
    {"\tmax_sessions\t=\t5\t \r\n\r\n", "max_sessions", "5"},
    {"max_sessions = 5\r", "max_sessions", "5"},
    {"\xef\xbb\xbfmax_sessions = 5\n", "max_sessions", "5"},
    {"# max_sessions = 4\nmax_sessions = 5 # six\n", "max_sessions", "5"},
    {"// max_sessions = 4\nmax_sessions = 5 // six\n", "max_sessions", "5"},
    {"/* max_sessions = 4\n*/max_sessions = /**/ 5 /***/\n#", "max_sessions", "5"},
    {"max_sessions = 5 idle_timeout = 6", "idle_timeout", "6"},
    {"anonymous { enabled = yes root = /srv/x }", "anonymous.root", "/srv/x"},
    {"anonymous {\n\tenabled = yes\n}\nanonymous { root = \"/b\" }", "anonymous.enabled",
     "yes"},
    {"anonymous {\n\tenabled = yes\n}\nanonymous { root = \"/b\" }", "anonymous.root",
     "/b"},
    {"anonymous\n{\nroot = \"/a \\\"b\\\" \\\\\" }", "anonymous.root", "/a \"b\" \\"},
    {"anonymous { root = '/${HOME}/#/**/' }", "anonymous.root", "/${HOME}/#/**/"},
    {"anonymous { root = \"/\xc3\xa4\" }", "anonymous.root", "/\xc3\xa4"},
    {"listen = \"[::1]:21\"", "listen", "[::1]:21"},
    {"listen = {\"[::1]:21\"}", "listen", "[::1]:21"},
    {"listen = { \"[::1]:21\", # one\n\t\"*:22\", }", "listen", "[::1]:21"},
    {"tls { policy = optional }\nuploads { umask = 022 }", "tls.policy", "optional"},
    {"listen_implicit_tls = {}\npassive_address_for = {}", "listen_implicit_tls", NULL},
    {"log { transfers = \"\" events = stderr }", "log.transfers", ""},
    {"uploads { max_file_size = 4G }", "uploads.max_file_size", "4294967296"},
    {"logins { sources = local deny_users = { joe, \"DOM\\\\ann\" } }", "logins.sources",
     "local"},
    {"logins { sources = {} }", "logins.sources", NULL},
    {"user ftp { }\nuser joe { umask = 7 } idle_timeout = 6", "idle_timeout", "6"},
    {"banner = \"Hello\"", "banner", "Hello"},
    {"tls { certificate = /c }", "tls.certificate", "/c"},
    {"tls { certificate = { \"credential:c\", /d } private_key = /k }", "tls.certificate",
     "credential:c"},
    {"tls { certificate = /c server_names = { FTP.Example.ORG, b } }", "tls.server_names",
     "ftp.example.org"},
    {"tls { certificate = /c client_ca = \"credential:ca\" client_login = match\n"
     "client_name = \"%u@example.org\" client_crl = /crl client_certificate = require }",
     "tls.client_ca", "credential:ca"},
    {"tls { certificate = /c policy = all resume = require strict_close = off\n"
     "allow_ccc = yes kernel = off min_version = \"1.3\" }\n"
     "listen_implicit_tls = \"*:990\"\nanonymous { tls_policy = optional }",
     "listen_implicit_tls", "*:990"},
    {"tls { certificate = /c }\nanonymous { enabled = yes }\n"
     "host a { certificate = { /d, /e } private_key = /k ocsp_response = /o banner = \"\"\n"
     "anonymous_root = /a users_file = \"\" tls_policy = all client_name = \"%u\" }",
     "tls.certificate", "/c"},
    {"listen = {}\nlisten_implicit_tls = \"*:990\"\ntls { certificate = /c }", "listen",
     NULL},
    {"tls { private_key = {} policy = optional resume = off }", "tls.resume", "off"},
};

static void
right_files_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(right); i++) {
		const struct option_row *row = option_find_dotted(right[i].key);
		struct conf *conf =
		    conf_read_buffer("f", right[i].text, strlen(right[i].text), NULL, 0);
		char *text = printed(conf);
		char value[OPTION_VALUE_MAX];

		assert_non_null(row);
		if (text[0] != '\0') {
			fail_msg("\"%s\": %s", right[i].text, text);
		}
		assert_int_equal(option_entries(row, conf_options(conf)) == 0,
		                 right[i].value == NULL);
		if (right[i].value != NULL) {
			option_format(row, conf_options(conf), 0, value);
			assert_string_equal(value, right[i].value);
		}
		free(text);
		conf_free(conf);
	}
}

static const struct {
	const char *text;
	const char *overrides[OVERRIDES_MAX];
	const char *findings;
} wrong[] = {
    /* Unknown names. */
    {"anonimous { enabled = yes }",
     {NULL},
     "f:1: unknown option anonimous; did you mean anonymous?\n"},
    {"\n\nMax-Sesions = 4",
     {NULL},
     "f:3: unknown option Max-Sesions; did you mean max_sessions?\n"},
    {"anonymous { enabeld = no }",
     {NULL},
     "f:1: unknown option enabeld; did you mean enabled?\n"},
    {"xyzzy = 1", {NULL}, "f:1: unknown option xyzzy; deftpd.conf(5) has the list\n"},
    {"enabled_ = 1\nroot = /x",
     {NULL},
     "f:1: unknown option enabled_; deftpd.conf(5) has the list\n"
     "f:2: unknown option root; write anonymous { root = VALUE }\n"},
    {"anonymous.root = /x",
     {NULL},
     "f:1: unknown option anonymous.root; write anonymous { root = VALUE }\n"},
    {"log { listen = \"*:21\" }",
     {NULL},
     "f:1: unknown option listen; write it outside of section log\n"},
    {"\x1b[31m = 1", {NULL}, "f:1: there is a control character; remove it\n"},
    {"\"\x1b[31m\" = 1",
     {NULL},
     "f:1: a string has a control character in it; remove it\n"},

    /* Several mistakes in one file, each with its line; what is right is taken. */
    {"/* a\n b */ max_sessions = none\nidle_timeout = 5\nfoo_bar = 1\nspare_min = 0\n",
     {NULL},
     "f:2: max_sessions: \"none\" is not a number from 1 to 1000000; write one\n"
     "f:4: unknown option foo_bar; deftpd.conf(5) has the list\n"
     "f:5: spare_min: \"0\" is not a number from 1 to 1024; write one\n"},
    {"listen = {\n\"*:21\",\n\"*:x\",\n\"y\" }",
     {NULL},
     "f:3: listen: \"*:x\" has no port from 1 to 65535 behind the colon; write one\n"
     "f:4: listen: \"y\" has no port; append one, as in \"*:21\"\n"},

    /* Form. */
    {"max_sessions 5", {NULL}, "f:1: max_sessions lacks its =; write max_sessions = 5\n"},
    {"max_sessions", {NULL}, "f:1: max_sessions ends too early; write KEY = VALUE\n"},
    {"max_sessions =\nidle_timeout = x",
     {NULL},
     "f:1: max_sessions ends too early; write KEY = VALUE on one line\n"
     "f:2: idle_timeout: \"x\" is not a number of seconds from 1 to 604800; write one\n"},
    {"max_sessions = 5;\nspare_max = 0",
     {NULL},
     "f:1: there is a semicolon, which ends nothing here; remove it\n"
     "f:2: spare_max: \"0\" is not a number from 1 to 1024; write one\n"},
    {"max_sessions = {5}",
     {NULL},
     "f:1: max_sessions takes one value; remove the braces\n"},
    {"max_sessions += 5",
     {NULL},
     "f:1: max_sessions is followed by +=; write = and all values\n"},
    {"max_sessions = 5\n\nmax_sessions = 6",
     {NULL},
     "f:3: max_sessions is set a second time; it is in line 1 already, keep one\n"},
    {"max_sessions { }",
     {NULL},
     "f:1: max_sessions is not a section; write max_sessions = VALUE\n"},
    {"log = x", {NULL}, "f:1: log is a section; write log { KEY = VALUE }\n"},
    {"log \"x\" { }", {NULL}, "f:1: section log takes no name; remove it\n"},
    {"log {\nevents = stderr", {NULL}, "f:1: section log has no end; close it with }\n"},
    {"log { tls { } }",
     {NULL},
     "f:1: a section begins within section log; close that with } first\n"},
    {"}\nmax_sessions = 5 }",
     {NULL},
     "f:1: there is a } without a {; remove it\n"
     "f:2: there is a } without a {; remove it\n"},
    {"= 5", {NULL}, "f:1: = stands where a key should; write KEY = VALUE\n"},
    {"{{{", {NULL}, "f:1: { stands where a key should; write KEY = VALUE\n"},
    {"listen = *:21",
     {NULL},
     "f:1: there is a sign that needs quotes; put the value in quotes\n"},
    {"listen = { \"*:21\" \"*:22\" }\nspare_max = 0",
     {NULL},
     "f:1: listen is followed by \"*:22\"; separate the values by commas and close the list with }\n"
     "f:2: spare_max: \"0\" is not a number from 1 to 1024; write one\n"},
    {"listen = { \"*:21\",\nspare_max = 0\nlog {\nevents = x }",
     {NULL},
     "f:1: listen ends too early; separate the values by commas and close the list with }\n"
     "f:2: spare_max: \"0\" is not a number from 1 to 1024; write one\n"
     "f:4: log.events: \"x\" is not known; write \"journal\", \"stderr\" or an absolute path\n"},
    {"worker_user = \"x\nspare_max = 0",
     {NULL},
     "f:1: a string has no end on its line; close the quote\n"
     "f:2: spare_max: \"0\" is not a number from 1 to 1024; write one\n"},
    {"worker_user = \"a\\x41\"",
     {NULL},
     "f:1: a backslash in a string escapes nothing but a quote and itself; write \\\\\n"},
    {"anonymous { root = /a//b }",
     {NULL},
     "f:1: a comment begins in the middle of a word; put the value in quotes, or a space before the comment\n"},
    {"spare_max = 0\n/* x",
     {NULL},
     "f:1: spare_max: \"0\" is not a number from 1 to 1024; write one\n"
     "f:1: a comment begun here or below has no end; close it with */\n"},

    /* What libconfuse would do and deftpd does not. */
    {"worker_user = \"${HOME}\"",
     {NULL},
     "f:1: ${NAME} is not replaced from the environment; write the value itself\n"},
    {"worker_user = ${HOME}",
     {NULL},
     "f:1: ${NAME} is not replaced from the environment; write the value itself\n"},
    {"include(\"/etc/passwd\")\nspare_max = 0",
     {NULL},
     "f:1: include is not supported; write everything into one file\n"
     "f:2: spare_max: \"0\" is not a number from 1 to 1024; write one\n"},

    /* Rules between keys. */
    {"spare_min = 33",
     {NULL},
     "f:1: spare_min 33 is above spare_max 32; lower the first or raise the second\n"},
    {"\nspare_max = 7",
     {NULL},
     "f:2: spare_min 8 is above spare_max 7; lower the first or raise the second\n"},
    {"listen = {}", {NULL}, "f:1: listen is empty; write at least one ADDRESS:PORT\n"},
    {"listen = { \"*:21\",\n\"[::1]:21\" }",
     {NULL},
     "f:2: listen: port 21 is taken by an entry before; remove one\n"},
    {"listen = { \"[::]:21\", \"0.0.0.0:21\", \"*:22\",\n\"127.0.0.1:21\" }",
     {NULL},
     "f:2: listen: port 21 is taken by an entry before; remove one\n"},
    {"listen = \"*:50000\"",
     {NULL},
     "f:1: listen: port 50000 lies in passive_ports; choose another or set passive_ports\n"},
    {"listen = \"*:2121\"\npassive_ports = \"2000-3000\"",
     {NULL},
     "f:2: passive_ports 2000-3000 hold port 2121 of listen; leave it out\n"},
    {"anonymous { user = root }",
     {NULL},
     "f:1: anonymous.user must not be root, whom nothing confines; name a user who owns nothing\n"},

    /* Not built. */
    {"log { format = json }",
     {NULL},
     "f:1: log.format is not built in this release; remove it\n"},

    /* TLS. A certificate with a mistake has no others in its train. */
    {"tls { certificate = relative private_key = /k\npolicy = all }\nlisten_implicit_tls = \"*:990\"",
     {NULL},
     "f:1: tls.certificate: \"relative\" is not an absolute path; begin it with /\n"},
    {"tls {\nprivate_key = /k\nkey_password = /p\nocsp_response = /o\nserver_names = a\n"
     "client_ca = /ca\npolicy = logins }\nanonymous { tls_policy = all }\n"
     "listen_implicit_tls = { \"*:990\" }\nuser joe { tls_policy = logins }\n"
     "host h { certificate = /c }",
     {NULL},
     "f:2: tls.private_key is set, but there is no tls.certificate; set it, or remove private_key\n"
     "f:3: tls.key_password is set, but there is no tls.certificate; set it, or remove key_password\n"
     "f:4: tls.ocsp_response is set, but there is no tls.certificate; set it, or remove ocsp_response\n"
     "f:5: tls.server_names is set, but there is no tls.certificate; set it, or remove server_names\n"
     "f:6: tls.client_ca is set, but there is no tls.certificate; set it, or remove client_ca\n"
     "f:7: tls.policy would let nobody log in, as there is no tls.certificate; set it (deftpd --self-signed makes one to begin with)\n"
     "f:8: anonymous.tls_policy would let nobody log in, as there is no tls.certificate; set it (deftpd --self-signed makes one to begin with)\n"
     "f:9: listen_implicit_tls needs TLS, but there is no tls.certificate; set it (deftpd --self-signed makes one to begin with)\n"
     "f:10: tls_policy would not let them log in, as there is no tls.certificate; set it (deftpd --self-signed makes one to begin with)\n"
     "f:11: there is no tls.certificate for clients that name no host; set it\n"},
    {"tls { certificate = /c policy = off }\nanonymous { tls_policy = logins }\n"
     "listen_implicit_tls = \"*:990\"\nuser joe { tls_policy = all }\nuser ann { tls_policy = optional }",
     {NULL},
     "f:2: anonymous.tls_policy would let nobody log in, as tls.policy is off; write optional, logins or all there\n"
     "f:3: listen_implicit_tls needs TLS, but tls.policy is off; write optional, logins or all there\n"
     "f:4: tls_policy would not let them log in, as tls.policy is off; write optional, logins or all there\n"},
    {"tls { certificate = /c\nprivate_key = { /k, /l }\nocsp_response = { /o, /p } }",
     {NULL},
     "f:2: tls.private_key names more files than tls.certificate; write one for each\n"
     "f:3: tls.ocsp_response names more files than tls.certificate; write one for each\n"},
    {"tls { certificate = /c\nclient_login = match\nclient_certificate = require\nclient_crl = /r }",
     {NULL},
     "f:2: tls.client_login means nothing without tls.client_ca, who vouches for clients; set it, or remove this\n"
     "f:3: tls.client_certificate means nothing without tls.client_ca, who vouches for clients; set it, or remove this\n"
     "f:4: tls.client_crl means nothing without tls.client_ca, who vouches for clients; set it, or remove this\n"},
    {"tls { certificate = /c client_ca = ca\nclient_login = match }",
     {NULL},
     "f:1: tls.client_ca: \"ca\" is not an absolute path; begin it with /\n"},
    {"tls { client_name = ftp }\nuser joe { client_name = joe }\ngroup g { client_name = joe }",
     {NULL},
     "f:1: tls.client_name has no %u, so that one certificate would be that of every user; put %u where the name is\n"
     "f:3: client_name has no %u, so that one certificate would be that of several users; put %u where the name is\n"},
    {"tls { certificate = /c min_version = \"1.3\"\nciphers = \"HIGH\" }",
     {NULL},
     "f:2: tls.ciphers are those of TLS 1.2, but tls.min_version is 1.3; write tls.ciphersuites, or lower the version\n"},
    {"tls { certificate = { /a, /b, /c, /d, /e } server_names = \"192.0.2.1\" client_ca = \"credential:../x\" }",
     {NULL},
     "f:1: tls.certificate: has more than 4 entries; remove some\n"
     "f:1: tls.server_names: \"192.0.2.1\" is no host name; write one, such as ftp.example.org\n"
     "f:1: tls.client_ca: \"credential:../x\" names no credential; write \"credential:NAME\" with the NAME of LoadCredential in the unit\n"},
    {"listen_implicit_tls = { \"*:990\",\n\"[::1]:990\",\n\"*:21\",\n\"*:50000\" } tls { certificate = /c }",
     {NULL},
     "f:2: listen_implicit_tls: port 990 is taken by an entry before; remove one\n"
     "f:3: listen_implicit_tls: port 21 is taken by listen; choose another\n"
     "f:4: listen_implicit_tls: port 50000 lies in passive_ports; choose another or set passive_ports\n"},
    {"listen_implicit_tls = \"*:2990\" tls { certificate = /c }\npassive_ports = \"2000-3000\"",
     {NULL},
     "f:2: passive_ports 2000-3000 hold port 2990 of listen_implicit_tls; leave it out\n"},

    /* Virtual hosts. */
    {"tls { certificate = /c }\nhost a {\nprivate_key = /k\nocsp_response = /o }\n"
     "host b { certificate = { /c, /d }\nprivate_key = { /k, /l, /m }\nocsp_response = { /o, /p } }",
     {NULL},
     "f:3: private_key is of no certificate, as this section has none; set certificate, or remove private_key\n"
     "f:4: ocsp_response is of no certificate, as this section has none; set certificate, or remove ocsp_response\n"
     "f:6: private_key names more files than certificate; write one for each\n"},
    {"host a { anonymous_root = /a\nusers_file = /u }\nlogins { sources = local }",
     {NULL},
     "f:1: anonymous_root is set, but anonymous.enabled is no; write yes there, or remove it\n"
     "f:2: users_file is set, but logins.sources lacks \"virtual\"; add it, or remove the file\n"},
    {"tls { certificate = /c }\nhost a {\ncertificate = {}\nbanner = { x, y }\nanonymous_root = rel\n"
     "certificate = { /a, b }\n}\nhost A { }",
     {NULL},
     "f:3: certificate has no value; write one, or remove it\n"
     "f:4: banner takes one value; remove the braces\n"
     "f:5: anonymous_root: \"rel\" is not an absolute path; begin it with /\n"
     "f:6: certificate: \"b\" is not an absolute path; begin it with /\n"
     "f:8: section host \"A\" is there a second time; it is in line 2 already, write all into one\n"},
    {"user joe { certificate = /c }\ngroup g { banner = x }\ndirectory / { users_file = /u }",
     {NULL},
     "f:1: certificate can differ by host alone; write it into a section host\n"
     "f:2: banner can differ by host alone; write it into a section host\n"
     "f:3: users_file can differ by host alone; write it into a section host\n"},

    /* Sections with a title. */
    {"user { umask = 7 }",
     {NULL},
     "f:1: section user lacks a name; write user \"NAME\" { KEY = VALUE }\n"},
    {"directory\n{ }",
     {NULL},
     "f:1: section directory lacks a name; write directory \"/PATH\" { KEY = VALUE }\n"},
    {"user \"\" { }",
     {NULL},
     "f:1: section user: has an empty name; write one, or remove it\n"},
    {"user a { }\ngroup a { }\nuser \"a\" { umask = 9 umsk = 7 }",
     {NULL},
     "f:3: section user \"a\" is there a second time; it is in line 1 already, write all into one\n"
     "f:3: unknown option umsk; did you mean umask?\n"},
    {"user \"a/b\" { }",
     {NULL},
     "f:1: section user: \"a/b\" is no name: it has a comma, colon or slash; remove it\n"},
    {"host \"a..b\" { }",
     {NULL},
     "f:1: section host: \"a..b\" is neither an address nor a host name; write one, such as 192.0.2.1 or ftp.example.org\n"},
    {"directory in { }\ndirectory \"/in/\" { }\ndirectory \"/a//b\" { }\ndirectory \"/a/../b\" { }\n"
     "directory \"/./b\" { }\ndirectory / { }",
     {NULL},
     "f:1: section directory: \"in\" is not an absolute path; begin it with /\n"
     "f:2: section directory: \"/in/\" is written in a roundabout way; leave out \"//\", \".\", \"..\" and a slash at the end\n"
     "f:3: section directory: \"/a//b\" is written in a roundabout way; leave out \"//\", \".\", \"..\" and a slash at the end\n"
     "f:4: section directory: \"/a/../b\" is written in a roundabout way; leave out \"//\", \".\", \"..\" and a slash at the end\n"
     "f:5: section directory: \"/./b\" is written in a roundabout way; leave out \"//\", \".\", \"..\" and a slash at the end\n"},
    {"directory \"/in\" {\nroot = /x\nlogin = no\nupload_mode = atomic }",
     {NULL},
     "f:2: root cannot differ by directory; write it into a section user, group or host\n"
     "f:3: login cannot differ by directory; write it into a section user, group or host\n"},
    {"group g {\numask = 9\nread_only = maybe\nrate_down = 1X\nroot = home\nupload_mode = fast }",
     {NULL},
     "f:2: umask: \"9\" is not a set of permission bits; write octal digits, as in \"022\"\n"
     "f:3: read_only: \"maybe\" is neither yes nor no; write one of them\n"
     "f:4: rate_down: \"1X\" is not a number of bytes a second from 0 to 1000000000000; write one, such as 1000000, 64K or 20M\n"
     "f:5: root: \"home\" is no directory; write \"~\" for the home directory, or an absolute path\n"
     "f:6: upload_mode: \"fast\" is not known; write \"direct\", \"atomic\" or \"durable\"\n"},
    {"user x {\numask = 7\numask = 8\nlogin = { no }\nlogin no }",
     {NULL},
     "f:3: umask is set a second time; it is in line 2 already, keep one\n"
     "f:4: login takes one value; remove the braces\n"
     "f:5: login lacks its =; write login = no\n"},
    {"user x { max_sessions_per_user = 3\nmode = atomic\npam_service = x\nmax_filesize = 3\nlisten = \"*:21\" }",
     {NULL},
     "f:1: unknown option max_sessions_per_user; did you mean max_sessions?\n"
     "f:2: unknown option mode; did you mean upload_mode?\n"
     "f:3: unknown option pam_service; write local_users { pam_service = VALUE }\n"
     "f:4: unknown option max_filesize; did you mean max_file_size?\n"
     "f:5: unknown option listen; write it outside of section user\n"},
    {"user x { log { } }\nuser y {",
     {NULL},
     "f:1: a section begins within section user; close that with } first\n"
     "f:2: section user has no end; close it with }\n"},
    {"user = x", {NULL}, "f:1: user is a section; write user { KEY = VALUE }\n"},
    {"user anonymous { umask = 7 }\nuser ftp { umask = 7 }",
     {NULL},
     "f:1: section user \"anonymous\" is about anonymous clients; write anonymous { KEY = VALUE }\n"},

    /* Rules between keys of logins and uploads. */
    {"anonymous { upload_directory = /in }",
     {NULL},
     "f:1: anonymous.upload_directory is set, but anonymous.enabled is no; write yes there, or remove it\n"},
    {"anonymous { enabled = yes\nupload_directory = /in/ }",
     {NULL},
     "f:2: anonymous.upload_directory: \"/in/\" is written in a roundabout way; leave out \"//\", \".\", \"..\" and a slash at the end\n"},
    {"virtual_users { user = root }",
     {NULL},
     "f:1: virtual_users.user must not be root, whom nothing confines; name a user who owns nothing\n"},
    {"logins { allow_users = { a, b }\ndeny_users = { c, b } }",
     {NULL},
     "f:2: logins.deny_users and logins.allow_users both name b; remove it from one\n"},
    {"logins { allow_groups = g\ndeny_groups = g }",
     {NULL},
     "f:2: logins.deny_groups and logins.allow_groups both name g; remove it from one\n"},
    {"logins { sources = { local, local } }",
     {NULL},
     "f:1: logins.sources names \"local\" twice; remove one\n"},
    {"logins { sources = {} }\nlocal_users { enabled = yes }\nvirtual_users { file = /v }",
     {NULL},
     "f:1: logins.sources lacks \"local\", but local_users.enabled is yes; add it, or write no there\n"
     "f:1: logins.sources lacks \"virtual\", but virtual_users.file is set; add it, or remove the file\n"},

    /* Overrides. */
    {"spare_max = 0",
     {"anonymous.enabled=maybe", "spare_max", "anonimous.enabled=yes", "tls.policy=all"},
     "f:1: spare_max: \"0\" is not a number from 1 to 1024; write one\n"
     "-o anonymous.enabled=maybe: anonymous.enabled: \"maybe\" is neither yes nor no; write one of them\n"
     "-o spare_max: there is no value; write -o KEY=VALUE\n"
     "-o anonimous.enabled=yes: unknown option anonimous.enabled; did you mean anonymous.enabled?\n"
     "-o tls.policy=all: tls.policy would let nobody log in, as there is no tls.certificate; set it (deftpd --self-signed makes one to begin with)\n"},
    {"spare_min = 20",
     {"spare_max=10"},
     "f:1: spare_min 20 is above spare_max 10; lower the first or raise the second\n"},
    {"",
     {"spare_min=40", "root=/x", "=x", "user.joe.umask=7"},
     "-o spare_min=40: spare_min 40 is above spare_max 32; lower the first or raise the second\n"
     "-o root=/x: unknown option root; did you mean anonymous.root?\n"
     "-o =x: unknown option ; deftpd.conf(5) has the list\n"
     "-o user.joe.umask=7: sections with a name are in the file only; write it there\n"},
};

/*
 * Findings about overrides keep the order in which they arose; those of rules come
 * behind.
 */
static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
assert_same_lines(char *found, const char *wanted, const char *input)
{
	char *lines[2][CONF_FINDINGS_MAX] = {{NULL}};
	size_t counts[2] = {0, 0};
	char *copies[2] = {found, strdup(wanted)};

	for (size_t side = 0; side < 2; side++) {
		char *rest = copies[side];
		char *line;

		while ((line = strsep(&rest, "\n")) != NULL &&
		       counts[side] < CONF_FINDINGS_MAX) {
			lines[side][counts[side]++] = line;
		}
		qsort(lines[side], counts[side], sizeof(lines[side][0]), compare_lines);
	}
	for (size_t i = 0; i < counts[0] || i < counts[1]; i++) {
		const char *one = i < counts[0] ? lines[0][i] : "(nothing)";
		const char *two = i < counts[1] ? lines[1][i] : "(nothing)";

		if (strcmp(one, two) != 0) {
			fail_msg("\"%s\":\nfound  %s\nwanted %s", input, one, two);
		}
	}
	free(copies[1]);
}

static void
every_mistake_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		size_t count = 0;
		struct conf *conf;
		char *text;

		while (count < OVERRIDES_MAX && wrong[i].overrides[count] != NULL) {
			count++;
		}
		conf = conf_read_buffer("f", wrong[i].text, strlen(wrong[i].text),
		                        wrong[i].overrides, count);
		assert_non_null(conf);
		text = printed(conf);
		assert_same_lines(text, wrong[i].findings, wrong[i].text);
		free(text);
		conf_free(conf);
	}
}

static void
origins_are_told(void **state)
{
	static const char text[] = "\nspare_max = 33\nspare_min = 9\n";
	static const char *const overrides[] = {"spare_min=10"};
	struct conf *conf = conf_read_buffer("f", text, strlen(text), overrides, 1);
	char where[64];

	(void)state;
	conf_where(conf, "spare_max", where, sizeof(where));
	assert_string_equal(where, "f:2");
	conf_where(conf, "spare_min", where, sizeof(where));
	assert_string_equal(where, "-o spare_min=10");
	conf_where(conf, "anonymous.root", where, sizeof(where));
	assert_string_equal(where, "default");
	conf_free(conf);
}

/* In: head, tail: around a number. */
static struct conf *
read_many(const char *head, const char *tail, size_t count)
{
	size_t cap = count * 64;
	char *text = malloc(cap);
	struct conf *conf;
	size_t len = 0;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++) {
		len += (size_t)snprintf(text + len, cap - len, "%s%zu%s", head, i, tail);
	}
	conf = conf_read_buffer("f", text, len, NULL, 0);
	free(text);
	return conf;
}

static void
titled_sections_are_bounded(void **state)
{
	struct conf *conf = read_many("user u", " { umask = 7 }\n", POLICY_OVERRIDES_MAX);
	char *found;

	(void)state;
	assert_int_equal(conf_findings_count(conf), 0);
	assert_int_equal(conf_overrides(conf)->count, POLICY_OVERRIDES_MAX);
	conf_free(conf);

	conf = read_many("user u", " { umask = 7 }\n", POLICY_OVERRIDES_MAX + 1);
	found = printed(conf);
	assert_string_equal(
	    found, "f:257: there are more than 256 sections with a name; remove some\n");
	free(found);
	conf_free(conf);

	conf = read_many("directory /u", " { umask = 7 }\n", POLICY_DIRECTORIES_MAX + 2);
	found = printed(conf);
	assert_string_equal(
	    found, "f:65: there are more than 64 sections directory; remove some\n");
	free(found);
	conf_free(conf);
}

static void
findings_are_in_order_of_lines(void **state)
{
	static const char text[] = "spare_min = 99\nfoo = 1\nmax_sessions = 0\nbar = 1\n";
	static const char *const overrides[] = {"spare_max=x"};
	struct conf *conf = conf_read_buffer("f", text, strlen(text), overrides, 1);

	(void)state;
	assert_int_equal(conf_findings_count(conf), 5);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(conf_finding_get(conf, i)->line, i + 1);
	}
	assert_int_equal(conf_finding_get(conf, 4)->line, 0);
	assert_null(conf_finding_get(conf, 5));
	conf_free(conf);
}

static void
a_wrong_value_leaves_the_default(void **state)
{
	static const char text[] =
	    "listen = { \"*:2121\", \"x\" }\nidle_timeout = 9\nspare_max = 0\n";
	static const char *const overrides[] = {"login_timeout=x", "data_timeout=8"};
	struct conf *conf = conf_read_buffer("f", text, strlen(text), overrides, 2);
	const struct options *options = conf_options(conf);

	(void)state;
	assert_int_equal(conf_findings_count(conf), 3);
	assert_int_equal(options->listen.count, 1);
	assert_int_equal(options->listen.entry[0].port, 21);
	assert_int_equal(options->idle_timeout_s, 9);
	assert_int_equal(options->spare_max, 32);
	assert_int_equal(options->login_timeout_s, 60);
	assert_int_equal(options->data_timeout_s, 8);
	conf_free(conf);
}

static void
overrides_win_and_later_ones_most(void **state)
{
	static const char text[] =
	    "listen = { \"*:1\", \"*:2\" }\nanonymous { root = /a }";
	static const char *const overrides[] = {"listen=*:3", "anonymous.root=/b",
	                                        "anonymous.root=/c d=e",
	                                        "passive_address_for=10.0.0.0/8=1.2.3.4"};
	struct conf *conf = conf_read_buffer("f", text, strlen(text), overrides, 4);
	const struct options *options = conf_options(conf);

	(void)state;
	assert_int_equal(conf_findings_count(conf), 0);
	assert_int_equal(options->listen.count, 1);
	assert_int_equal(options->listen.entry[0].port, 3);
	assert_string_equal(options->anonymous.root, "/c d=e");
	assert_int_equal(options->passive_address_for.entry[0].prefix_bits, 8);
	assert_true(conf_is_set(conf, "listen"));
	assert_true(conf_is_set(conf, "passive_address_for"));
	assert_false(conf_is_set(conf, "max_sessions"));
	conf_free(conf);
}

static void
the_master_adds_findings_at_the_right_place(void **state)
{
	static const char text[] = "\nanonymous {\n\tuser = nobody_here\n}\n";
	static const char *const overrides[] = {"anonymous.root=/nowhere"};
	struct conf *conf = conf_read_buffer("f", text, strlen(text), overrides, 1);
	char *found;

	(void)state;
	conf_findings_add(conf, "anonymous.root", "%s does not exist; make it",
	                  "/nowhere");
	conf_findings_add(conf, "worker_user", "there is no user deftpd; make one");
	conf_findings_add(conf, "anonymous.user", "there is no user %s; make one",
	                  "nobody_here");
	found = printed(conf);
	assert_string_equal(
	    found, "f:3: there is no user nobody_here; make one\n"
		   "-o anonymous.root=/nowhere: /nowhere does not exist; make it\n"
		   "f: there is no user deftpd; make one\n");
	free(found);
	conf_free(conf);
}

/* In: count: how often unit is repeated. */
static const struct {
	const char *unit;
	size_t count;
	const char *first;
} floods[] = {
    {"\n", 200000, NULL},
    {"foo = 1\n", 30000, "f:1: unknown option foo; deftpd.conf(5) has the list"},
    {"{", 250000, "f:1: { stands where a key should; write KEY = VALUE"},
    {"}", 250000, "f:1: there is a } without a {; remove it"},
    {"a{", 120000, "f:1: unknown option a; deftpd.conf(5) has the list"},
    {"tls{", 60000, "f:1: a section begins within section tls; close that with } first"},
    {"listen={\"*:21\",", 15000,
     "f:1: listen is followed by =; separate the values by commas and close the list with }"},
    {"\"", 250000, "f:1: unknown option \"\"; deftpd.conf(5) has the list"},
    {"x", 1000000, "f: has more than 262144 bytes; shorten it"},
};

static void
floods_are_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(floods); i++) {
		size_t unit = strlen(floods[i].unit);
		char *text = malloc(unit * floods[i].count);
		struct conf *conf;
		char *found;

		assert_non_null(text);
		for (size_t at = 0; at < floods[i].count; at++) {
			memcpy(text + at * unit, floods[i].unit, unit);
		}
		conf = conf_read_buffer("f", text, unit * floods[i].count, NULL, 0);
		found = printed(conf);
		found[strcspn(found, "\n")] = '\0';
		assert_string_equal(found,
		                    floods[i].first != NULL ? floods[i].first : "");
		free(found);
		conf_free(conf);
		free(text);
	}
}

static void
surplus_findings_are_counted(void **state)
{
	char text[8 * 100 + 1] = "";
	struct conf *conf;
	char *found;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		memcpy(text + 8 * i, "foo = 1\n", 9);
	}
	conf = conf_read_buffer("f", text, strlen(text), NULL, 0);
	assert_int_equal(conf_findings_count(conf), 100);
	assert_null(conf_finding_get(conf, CONF_FINDINGS_MAX));
	found = printed(conf);
	assert_non_null(strstr(found, "\nf: 36 more mistakes; mend these first\n"));
	free(found);
	conf_free(conf);
}

static void
nul_bytes_are_told(void **state)
{
	static const char text[] = "\n\nmax_sessions = 5\0\n";
	struct conf *conf = conf_read_buffer("f", text, sizeof(text) - 1, NULL, 0);
	char *found = printed(conf);

	(void)state;
	assert_string_equal(found, "f:3: there is a NUL byte; write plain text\n");
	free(found);
	conf_free(conf);
}

static void
files_are_opened_or_the_reason_told(void **state)
{
	char path[] = "/tmp/test_conf_XXXXXX";
	int fd = mkstemp(path);
	struct conf *conf;
	char *found;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "max_sessions = 5\n", 17), 17);
	assert_int_equal(close(fd), 0);
	conf = conf_read(path, NULL, 0);
	assert_int_equal(conf_findings_count(conf), 0);
	assert_int_equal(conf_options(conf)->max_sessions, 5);
	conf_free(conf);
	assert_int_equal(unlink(path), 0);
	conf = conf_read(path, NULL, 0);
	found = printed(conf);
	assert_non_null(
	    strstr(found, "cannot be read: No such file or directory; name a file"));
	free(found);
	conf_free(conf);
	conf = conf_read("/", NULL, 0);
	assert_int_equal(conf_findings_count(conf), 1);
	conf_free(conf);
	conf = conf_read(NULL, NULL, 0);
	assert_int_equal(conf_findings_count(conf), 0);
	assert_int_equal(conf_options(conf)->max_sessions, 2000);
	conf_free(conf);
	conf_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(right_files_are_read),
	    cmocka_unit_test(every_mistake_is_told),
	    cmocka_unit_test(origins_are_told),
	    cmocka_unit_test(titled_sections_are_bounded),
	    cmocka_unit_test(findings_are_in_order_of_lines),
	    cmocka_unit_test(a_wrong_value_leaves_the_default),
	    cmocka_unit_test(overrides_win_and_later_ones_most),
	    cmocka_unit_test(the_master_adds_findings_at_the_right_place),
	    cmocka_unit_test(floods_are_answered),
	    cmocka_unit_test(surplus_findings_are_counted),
	    cmocka_unit_test(nul_bytes_are_told),
	    cmocka_unit_test(files_are_opened_or_the_reason_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
