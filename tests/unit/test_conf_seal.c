/*
 * test_conf_seal: options survive sealing field by field, and nothing but the master's
 * seal is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ftpd/conf/conf.h"
#include "ftpd/conf/option.h"
#include "ftpd/conf/options.h"
#include "ftpd/conf/seal.h"

#include "common/base.h"

/* Too large for the stack of a sanitizer build. */
struct work {
	struct options options;
	struct options back;
	uint8_t bytes[SEAL_MAX_BYTES];
};

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct work));
	return *state == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

/* A value of each key that is not its default. */
static const struct {
	const char *key;
	const char *text;
} others[] = {
    {"listen", "127.0.0.1:2121,[fe80::1%3]:2122"},
    {"listen_implicit_tls", "*:990"},
    {"passive_ports", "2000-3000"},
    {"passive_address", "ftp.example.org"},
    {"passive_address_for", "10.0.0.0/8=192.168.1.1,0.0.0.0/0=192.0.2.1"},
    {"active_port", "0"},
    {"max_sessions", "7"},
    {"max_sessions_per_address", "6"},
    {"max_sessions_per_user", "5"},
    {"shared_workers", "4"},
    {"spare_min", "3"},
    {"spare_max", "33"},
    {"renew_after", "9"},
    {"auth_workers", "11"},
    {"login_timeout", "61"},
    {"idle_timeout", "62"},
    {"data_timeout", "63"},
    {"stall_timeout", "64"},
    {"banner", "Welcome, \"you\""},
    {"sandbox", "off"},
    {"worker_user", "w"},
    {"recorder_user", "r"},
    {"tls.certificate", "/c,credential:ecdsa.pem,/c3,/c4"},
    {"tls.private_key", "/k,credential:k"},
    {"tls.key_password", "credential:password"},
    {"tls.ocsp_response", "/o"},
    {"tls.policy", "all"},
    {"tls.min_version", "1.3"},
    {"tls.ciphers", "HIGH:!aNULL"},
    {"tls.ciphersuites", "TLS_AES_256_GCM_SHA384"},
    {"tls.resume", "off"},
    {"tls.strict_close", "require"},
    {"tls.allow_ccc", "yes"},
    {"tls.server_names", "ftp.example.org,b"},
    {"tls.client_certificate", "require"},
    {"tls.client_ca", "/ca"},
    {"tls.client_crl", "credential:crl"},
    {"tls.client_login", "enough"},
    {"tls.client_name", "%u@example.org"},
    {"tls.kernel", "off"},
    {"anonymous.enabled", "yes"},
    {"anonymous.root", "/somewhere \"else\""},
    {"anonymous.user", "nobody"},
    {"anonymous.upload_directory", "/incoming"},
    {"anonymous.max_rate", "999999999999"},
    {"anonymous.tls_policy", "off"},
    {"local_users.enabled", "yes"},
    {"local_users.pam_service", "p"},
    {"local_users.pam_session", "yes"},
    {"local_users.chroot", "no"},
    {"local_users.root", "/home"},
    {"virtual_users.file", "/v"},
    {"virtual_users.user", "vu"},
    {"uploads.mode", "durable"},
    {"uploads.umask", "077"},
    {"log.transfers", ""},
    {"logins.sources", "local"},
    {"logins.allow_users", "joe,DOMAIN\\ann"},
    {"logins.allow_groups", "g"},
    {"logins.deny_users", "a,b,c"},
    {"logins.deny_groups", "d e"},
    {"logins.denied_file", ""},
    {"logins.tries", "3"},
    {"logins.max_delay", "0"},
    {"anonymous.read_only", "no"},
    {"anonymous.umask", "027"},
    {"local_users.min_uid", "500"},
    {"local_users.valid_shell", "no"},
    {"local_users.appended_code", "6"},
    {"virtual_users.root", "/srv/%u/./in"},
    {"uploads.keep_partial", "no"},
    {"uploads.max_file_size", "4G"},
    {"uploads.min_free_space", "1M"},
    {"rates.session_down", "1K"},
    {"rates.session_up", "2K"},
    {"rates.user_down", "3K"},
    {"rates.user_up", "4K"},
    {"rates.address_down", "5K"},
    {"rates.address_up", "6K"},
    {"log.format", "json"},
    {"log.events", "/e"},
};

static void
each_key_survives(void **state)
{
	struct work *work = *state;
	char mistake[OPTION_MISTAKE_MAX];
	size_t count;
	int fd;

	(void)option_table(&count);
	assert_int_equal(ARRAY_COUNT(others), count);
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		const struct option_row *row = option_find_dotted(others[i].key);

		options_set_defaults(&work->options);
		assert_true(option_set(row, others[i].text, &work->options, mistake));
		assert_false(option_is_default(row, &work->options));
		assert_int_equal(conf_seal(&work->options, NULL, &fd), 0);
		memset(&work->back, 0xa5, sizeof(work->back));
		assert_int_equal(conf_unseal(fd, &work->back), 0);
		assert_memory_equal(&work->back, &work->options, sizeof(work->options));
		assert_int_equal(close(fd), 0);
	}
}

static void
fill_names(struct options *options)
{
	struct options_name_list *lists[] = {
	    &options->logins.allow_users, &options->logins.allow_groups,
	    &options->logins.deny_users, &options->logins.deny_groups};

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		lists[i]->count = OPTIONS_LIST_MAX;
		for (size_t at = 0; at < OPTIONS_LIST_MAX; at++) {
			memset(lists[i]->entry[at], 'n', OPTIONS_NAME_MAX - 1);
		}
	}
}

static void
fill_text(char *text, size_t cap)
{
	memset(text, 'x', cap - 1);
	text[0] = '/';
	text[cap - 1] = '\0';
}

static void
fill_files(struct options_path_list *list)
{
	list->count = OPTIONS_PATHS_MAX;
	for (size_t i = 0; i < OPTIONS_PATHS_MAX; i++) {
		fill_text(list->entry[i], OPTIONS_TEXT_MAX);
	}
}

static void
fill_host(struct policy_host *host)
{
	fill_text(host->banner, OPTIONS_TEXT_MAX);
	fill_text(host->anonymous_root, OPTIONS_TEXT_MAX);
	fill_text(host->users_file, OPTIONS_TEXT_MAX);
	fill_files(&host->certificate);
	fill_files(&host->private_key);
	fill_files(&host->ocsp_response);
}

/*
 * No host's name is as long as the longest of other titles, which does not matter here.
 */
static void
largest_overrides(struct overrides *ret_overrides)
{
	struct policy_override *entry = calloc(POLICY_OVERRIDES_MAX, sizeof(*entry));

	assert_non_null(entry);
	for (size_t i = 0; i < POLICY_OVERRIDES_MAX; i++) {
		entry[i].scope = POLICY_HOST;
		entry[i].host = calloc(1, sizeof(*entry[i].host));
		assert_non_null(entry[i].host);
		fill_host(entry[i].host);
		fill_text(entry[i].values.client_name, OPTIONS_HOST_MAX);
		entry[i].keys = (1U << POLICY_KEY_COUNT) - 1;
		entry[i].line = UINT32_MAX;
		memset(entry[i].title, 't', 253);
		for (size_t at = 63; at < 253; at += 64) {
			entry[i].title[at] = '.';
		}
		memset(entry[i].values.root, 'r', OPTIONS_TEXT_MAX - 1);
		entry[i].values.root[0] = '/';
		entry[i].values.max_file_size = UINT64_C(1) << 60;
		entry[i].values.min_free_space = UINT64_C(1) << 60;
		entry[i].values.rate_down = UINT64_C(1000000000000);
		entry[i].values.rate_up = UINT64_C(1000000000000);
		entry[i].values.user_rate_down = UINT64_C(1000000000000);
		entry[i].values.user_rate_up = UINT64_C(1000000000000);
		entry[i].values.max_sessions = 1000000;
		entry[i].values.idle_timeout_s = 604800;
		entry[i].values.umask = 0777;
	}
	ret_overrides->count = POLICY_OVERRIDES_MAX;
	ret_overrides->entry = entry;
}

/* Field by field, as the hosts are elsewhere. */
static void
assert_same_overrides(const struct overrides *a, const struct overrides *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		struct policy_override left = a->entry[i];
		struct policy_override right = b->entry[i];

		assert_int_equal(left.host != NULL, right.host != NULL);
		assert_true(left.host != right.host || left.host == NULL);
		if (left.host != NULL) {
			assert_memory_equal(left.host, right.host, sizeof(*left.host));
		}
		left.host = NULL;
		right.host = NULL;
		assert_memory_equal(&left, &right, sizeof(left));
	}
}

/* Every list full, every text as long as it may be. */
static void
fill_tls(struct options_tls *tls)
{
	fill_files(&tls->certificate);
	fill_files(&tls->private_key);
	fill_files(&tls->ocsp_response);
	fill_text(tls->ciphers, sizeof(tls->ciphers));
	fill_text(tls->ciphersuites, sizeof(tls->ciphersuites));
	fill_text(tls->client_name, sizeof(tls->client_name));
	tls->server_names.count = OPTIONS_LIST_MAX;
	for (size_t i = 0; i < OPTIONS_LIST_MAX; i++) {
		memset(tls->server_names.entry[i], 'n', 253);
	}
}

static void
largest_options_fit(void **state)
{
	struct overrides overrides;
	struct overrides back;
	struct work *work = *state;
	char mistake[OPTION_MISTAKE_MAX];
	char path[OPTIONS_TEXT_MAX];
	const struct option_row *rows;
	size_t count;
	size_t len;

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	options_set_defaults(&work->options);
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].type == OPTION_PATH || rows[i].type == OPTION_ROOT ||
		    rows[i].type == OPTION_FILE) {
			assert_true(option_set(&rows[i], path, &work->options, mistake));
		}
	}
	while (work->options.listen.count < OPTIONS_LIST_MAX) {
		assert_true(option_add(
		    option_find("", "listen"),
		    "[2001:db8:1111:2222:3333:4444:5555:6666%4294967295]:65535",
		    &work->options, mistake));
	}
	while (work->options.passive_address_for.count < OPTIONS_LIST_MAX) {
		assert_true(option_add(option_find("", "passive_address_for"),
		                       "255.255.255.255/32=192.168.100.100",
		                       &work->options, mistake));
	}
	work->options.listen_implicit_tls = work->options.listen;
	fill_names(&work->options);
	fill_tls(&work->options.tls);
	fill_text(work->options.banner, sizeof(work->options.banner));
	largest_overrides(&overrides);
	assert_int_equal(seal_encode(&work->options, &overrides, work->bytes,
	                             sizeof(work->bytes), &len),
	                 0);
	assert_int_equal(seal_decode(work->bytes, len, &work->back, &back), 0);
	assert_memory_equal(&work->back, &work->options, sizeof(work->options));
	assert_same_overrides(&back, &overrides);
	overrides_free(&back);
	overrides_free(&overrides);
}

/* Each key of each kind of section. */
static const char titled[] =
    "user joe { login = no root = \"/srv/%u/./in\" chroot = no read_only = yes\n"
    "upload_mode = durable umask = 027 keep_partial = no max_file_size = 4G\n"
    "min_free_space = 1M max_sessions = 3 idle_timeout = 9 rate_down = 1K\n"
    "rate_up = 2K user_rate_down = 3K user_rate_up = 4K tls_policy = off\n"
    "client_name = joe@example.org }\n"
    "group \"a b\" { umask = 077 }\n"
    "tls { certificate = /c }\nanonymous { enabled = yes }\n"
    "host ftp.example.org { banner = \"b\" anonymous_root = /a users_file = /u\n"
    "certificate = { /c, \"credential:d\" } private_key = /k ocsp_response = { /o }\n"
    "umask = 011 }\n"
    "directory \"/in\" { read_only = no }\n";

static void
titled_sections_survive(void **state)
{
	struct work *work = *state;
	struct conf *conf = conf_read_buffer("f", titled, sizeof(titled) - 1, NULL, 0);
	const struct overrides *overrides = conf_overrides(conf);
	struct overrides copy;
	struct overrides back;
	int fd;

	assert_int_equal(conf_findings_count(conf), 0);
	assert_int_equal(conf_seal(conf_options(conf), overrides, &fd), 0);
	assert_int_equal(conf_unseal(fd, &work->back), 0);
	assert_memory_equal(&work->back, conf_options(conf), sizeof(work->back));
	assert_int_equal(overrides_unseal(fd, &back), 0);
	assert_int_equal(back.count, 4);
	/* Lines of keys stay with the master. */
	assert_int_equal(overrides_copy(overrides, &copy), 0);
	for (size_t i = 0; i < copy.count; i++) {
		memset(copy.entry[i].key_line, 0, sizeof(copy.entry[i].key_line));
	}
	assert_same_overrides(&back, &copy);
	overrides_free(&copy);
	assert_int_equal(back.entry[2].host->certificate.count, 2);
	assert_string_equal(back.entry[2].host->certificate.entry[1], "credential:d");
	assert_string_equal(back.entry[2].host->users_file, "/u");
	overrides_free(&back);
	overrides_free(&back);
	conf_free(conf);
	assert_int_equal(close(fd), 0);
}

static void
cut_and_wrong_sections_are_refused(void **state)
{
	struct work *work = *state;
	struct conf *conf = conf_read_buffer("f", titled, sizeof(titled) - 1, NULL, 0);
	struct overrides back = {0};
	size_t plain;
	size_t len;

	assert_int_equal(seal_encode(conf_options(conf), NULL, work->bytes,
	                             sizeof(work->bytes), &plain),
	                 0);
	assert_int_equal(seal_encode(conf_options(conf), conf_overrides(conf),
	                             work->bytes, sizeof(work->bytes), &len),
	                 0);
	for (size_t cut = plain - 2; cut < len; cut++) {
		assert_int_equal(seal_decode(work->bytes, cut, &work->back, &back),
		                 -EBADMSG);
	}
	/* The count, then the first section: scope, length of the title, title. */
	work->bytes[plain] = POLICY_SCOPE_COUNT;
	assert_int_equal(seal_decode(work->bytes, len, &work->back, &back), -EBADMSG);
	work->bytes[plain] = POLICY_USER;
	assert_memory_equal(work->bytes + plain + 3, "joe", 3);
	work->bytes[plain + 4] = '/';
	assert_int_equal(seal_decode(work->bytes, len, &work->back, &back), -EBADMSG);
	work->bytes[plain + 4] = 'o';
	/* The mask, behind the title and the line. */
	work->bytes[plain + 10] |= 0x80;
	assert_int_equal(seal_decode(work->bytes, len, &work->back, &back), -EBADMSG);
	work->bytes[plain + 10] &= 0x7f;
	/* The count itself. */
	work->bytes[plain - 2] = 2;
	assert_int_equal(seal_decode(work->bytes, len, &work->back, &back), -EBADMSG);
	work->bytes[plain - 2] = 0;
	assert_null(back.entry);
	assert_int_equal(seal_decode(work->bytes, len, &work->back, &back), 0);
	overrides_free(&back);
	conf_free(conf);
}

static void
every_cut_is_refused(void **state)
{
	struct work *work = *state;
	size_t len;

	options_set_defaults(&work->options);
	assert_int_equal(
	    seal_encode(&work->options, NULL, work->bytes, sizeof(work->bytes), &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(seal_decode(work->bytes, cut, &work->back, NULL),
		                 -EBADMSG);
		assert_int_equal(
		    seal_encode(&work->options, NULL, work->bytes, cut, &(size_t){0}),
		    -EMSGSIZE);
	}
	assert_int_equal(
	    seal_encode(&work->options, NULL, work->bytes, sizeof(work->bytes), &len), 0);
	assert_int_equal(seal_decode(work->bytes, len + 1, &work->back, NULL), -EBADMSG);
}

/* Magic and fingerprint are the first twelve bytes. */
static void
another_build_is_refused(void **state)
{
	struct work *work = *state;
	size_t len;

	options_set_defaults(&work->options);
	assert_int_equal(
	    seal_encode(&work->options, NULL, work->bytes, sizeof(work->bytes), &len), 0);
	for (size_t i = 0; i < 12; i++) {
		work->bytes[i] ^= 1;
		assert_int_equal(seal_decode(work->bytes, len, &work->back, NULL),
		                 -EBADMSG);
		work->bytes[i] ^= 1;
	}
	assert_int_equal(seal_decode(work->bytes, len, &work->back, NULL), 0);
}

/* The first row is listen = "*:21": its count at 12, its length at 14, its text at 16. */
static void
values_are_checked_again(void **state)
{
	struct work *work = *state;
	size_t len;

	options_set_defaults(&work->options);
	assert_int_equal(
	    seal_encode(&work->options, NULL, work->bytes, sizeof(work->bytes), &len), 0);
	assert_memory_equal(work->bytes + 16, "*:21", 4);
	work->bytes[19] = 'x';
	assert_int_equal(seal_decode(work->bytes, len, &work->back, NULL), -EBADMSG);
	work->bytes[19] = '\0';
	assert_int_equal(seal_decode(work->bytes, len, &work->back, NULL), -EBADMSG);
	work->bytes[19] = '2';
	assert_int_equal(seal_decode(work->bytes, len, &work->back, NULL), 0);
	assert_int_equal(work->back.listen.entry[0].port, 22);
	work->bytes[13] = 2;
	assert_int_equal(seal_decode(work->bytes, len, &work->back, NULL), -EBADMSG);
}

static void
a_refused_seal_leaves_the_options(void **state)
{
	struct work *work = *state;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int pair[2];
	size_t len;

	memset(&work->back, 0x5a, sizeof(work->back));
	options_set_defaults(&work->options);
	assert_int_equal(
	    seal_encode(&work->options, NULL, work->bytes, sizeof(work->bytes), &len), 0);
	assert_int_equal(write(fd, work->bytes, len), len);
	assert_int_equal(conf_unseal(fd, &work->back), -EBADMSG);
	assert_int_equal(
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_int_equal(conf_unseal(fd, &work->back), -EBADMSG);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
	for (size_t i = 0; i < sizeof(work->back); i++) {
		assert_int_equal(((const uint8_t *)&work->back)[i], 0x5a);
	}
	assert_int_equal(conf_unseal(fd, &work->back), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(conf_unseal(fd, &work->back), -EBADF);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(conf_unseal(pair[0], &work->back), -EBADMSG);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
}

static void
the_sealed_file_cannot_change(void **state)
{
	struct work *work = *state;
	int fd;

	options_set_defaults(&work->options);
	assert_int_equal(conf_seal(&work->options, NULL, &fd), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_key_survives, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(largest_options_fit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(titled_sections_survive, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(cut_and_wrong_sections_are_refused, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(every_cut_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_build_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(values_are_checked_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_refused_seal_leaves_the_options, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(the_sealed_file_cannot_change, set_up,
	                                    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
