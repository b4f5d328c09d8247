/*
 * test_master_tls_source: which files section tls and the hosts name, when they have
 * changed, and what of them comes into the sealed file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/master/tls_source.h"
#include "common/base.h"

enum {
	PATH_CAP = 256,
	TOLD_MAX = 16,
	TEXT_CAP = 256,
};

struct told {
	size_t count;
	struct tls_report report[TOLD_MAX];
	char text[TOLD_MAX][TEXT_CAP];
};

struct place {
	char top[PATH_CAP];
	struct options options;
	struct overrides overrides;
	struct policy_override sections[3];
	struct policy_host hosts[3];
	struct tls_source source;
	struct told told;
};

static void
take(void *listener, const struct tls_report *report)
{
	struct told *told = listener;

	assert_in_range(told->count, 0, TOLD_MAX - 1);
	told->report[told->count] = *report;
	(void)snprintf(told->text[told->count++], TEXT_CAP, "%s", report->text);
}

/* Returns: the path, in one of a few buffers. */
static const char *
path_of(const struct place *place, const char *name)
{
	static char paths[8][2 * PATH_CAP];
	static unsigned at;
	char *path = paths[at++ % ARRAY_COUNT(paths)];

	(void)snprintf(path, 2 * PATH_CAP, "%s/%s", place->top, name);
	return path;
}

static void
write_file(const struct place *place, const char *name, const char *content)
{
	int fd =
	    open(path_of(place, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	fd_close(&fd);
}

static void
add_path(const struct place *place, struct options_path_list *list, const char *name)
{
	const char *path =
	    strncmp(name, "credential:", 11) == 0 ? name : path_of(place, name);

	(void)snprintf(list->entry[list->count++], OPTIONS_TEXT_MAX, "%s", path);
}

/* Two pairs for all; of three hosts the second has a pair, the third one in one file. */
static int
set_up(void **state)
{
	static const char *const names[] = {"a.crt", "a.key", "b.crt", "b.ocsp", "pw",
	                                    "ca",    "h.crt", "h.key", "i.pem"};
	struct place *place = calloc(1, sizeof(*place));
	struct options_tls *tls;

	assert_non_null(place);
	(void)snprintf(place->top, sizeof(place->top), "/tmp/deftpd-tls-XXXXXX");
	assert_non_null(mkdtemp(place->top));
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		write_file(place, names[i], names[i]);
	}
	options_set_defaults(&place->options);
	tls = &place->options.tls;
	add_path(place, &tls->certificate, "a.crt");
	add_path(place, &tls->certificate, "b.crt");
	add_path(place, &tls->private_key, "a.key");
	add_path(place, &tls->ocsp_response, "b.ocsp");
	(void)snprintf(tls->key_password, OPTIONS_TEXT_MAX, "%s", path_of(place, "pw"));
	(void)snprintf(tls->client_ca, OPTIONS_TEXT_MAX, "%s", path_of(place, "ca"));
	place->overrides.entry = place->sections;
	place->overrides.count = ARRAY_COUNT(place->sections);
	for (size_t i = 0; i < ARRAY_COUNT(place->sections); i++) {
		place->sections[i].scope = POLICY_HOST;
		place->sections[i].host = &place->hosts[i];
	}
	place->sections[0].keys = 1U << POLICY_BANNER;
	place->sections[1].keys = 1U << POLICY_CERTIFICATE | 1U << POLICY_PRIVATE_KEY;
	add_path(place, &place->hosts[1].certificate, "h.crt");
	add_path(place, &place->hosts[1].private_key, "h.key");
	place->sections[2].keys = 1U << POLICY_CERTIFICATE;
	add_path(place, &place->hosts[2].certificate, "i.pem");
	/* Not set, and so without meaning. */
	add_path(place, &place->hosts[2].private_key, "nowhere");
	assert_int_equal(
	    tls_source_list(&place->options, &place->overrides, &place->source), 0);
	*state = place;
	return 0;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	tls_source_free(&place->source);
	assert_int_equal(nftw(place->top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(place);
	return 0;
}

struct file_case {
	enum tls_file_kind kind;
	uint16_t host;
	uint16_t index;
	bool holds_key;
	const char *name;
};

static const struct file_case files[] = {
    {TLS_FILE_CERTIFICATE, 0, 0, false, "a.crt"},
    {TLS_FILE_CERTIFICATE, 0, 1, true, "b.crt"},
    {TLS_FILE_KEY, 0, 0, false, "a.key"},
    {TLS_FILE_OCSP, 0, 0, false, "b.ocsp"},
    {TLS_FILE_PASSWORD, 0, 0, false, "pw"},
    {TLS_FILE_CLIENT_CA, 0, 0, false, "ca"},
    {TLS_FILE_CERTIFICATE, 2, 0, false, "h.crt"},
    {TLS_FILE_KEY, 2, 0, false, "h.key"},
    {TLS_FILE_CERTIFICATE, 3, 0, true, "i.pem"},
};

static void
all_files_are_listed(void **state)
{
	const struct place *place = *state;

	assert_int_equal(place->source.count, ARRAY_COUNT(files));
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		const struct tls_source_file *file = tls_source_find(
		    &place->source, files[i].kind, files[i].host, files[i].index);

		assert_non_null(file);
		assert_string_equal(file->path, path_of(place, files[i].name));
		assert_int_equal(file->holds_key, files[i].holds_key);
	}
	assert_null(tls_source_find(&place->source, TLS_FILE_KEY, 0, 1));
	assert_null(tls_source_find(&place->source, TLS_FILE_CLIENT_CRL, 0, 0));
	assert_null(tls_source_find(&place->source, TLS_FILE_CERTIFICATE, 1, 0));
}

static void
files_are_sealed_as_they_are(void **state)
{
	struct place *place = *state;
	struct tls_files sealed;
	int fd;

	assert_int_equal(tls_source_seal(&place->source, NULL, take, &place->told, &fd),
	                 0);
	assert_int_equal(place->told.count, 0);
	assert_int_equal(tls_files_unseal(fd, &sealed), 0);
	assert_int_equal(sealed.count, ARRAY_COUNT(files));
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		const struct tls_file *file =
		    tls_files_find(&sealed, files[i].kind, files[i].host, files[i].index);

		assert_non_null(file);
		assert_int_equal(file->len, strlen(files[i].name));
		assert_memory_equal(file->bytes, files[i].name, file->len);
	}
	tls_files_free(&sealed);
	fd_close(&fd);
}

/* --serve --tls */
static void
a_pair_stands_in_place_of_the_first(void **state)
{
	static const struct tls_pair pair = {.certificate = "CERT", .key = "KEY"};
	struct place *place = *state;
	struct tls_source source;
	struct options options;
	struct overrides none = {0};
	struct tls_files sealed;
	const struct tls_file *file;
	int fd;

	options_set_defaults(&options);
	add_path(place, &options.tls.certificate, "credential:self-signed");
	assert_int_equal(tls_source_list(&options, &none, &source), 0);
	assert_int_equal(tls_source_seal(&source, &pair, take, &place->told, &fd), 0);
	assert_int_equal(place->told.count, 0);
	assert_int_equal(tls_files_unseal(fd, &sealed), 0);
	assert_int_equal(sealed.count, 2);
	file = tls_files_find(&sealed, TLS_FILE_CERTIFICATE, 0, 0);
	assert_int_equal(file->len, 4);
	assert_memory_equal(file->bytes, "CERT", 4);
	file = tls_files_find(&sealed, TLS_FILE_KEY, 0, 0);
	assert_int_equal(file->len, 3);
	assert_memory_equal(file->bytes, "KEY", 3);
	tls_files_free(&sealed);
	fd_close(&fd);
	tls_source_free(&source);
}

static void
changes_are_seen(void **state)
{
	struct place *place = *state;
	struct tls_source copy;

	assert_true(tls_source_look(&place->source)); /* the first look */
	assert_false(tls_source_look(&place->source));
	assert_int_equal(tls_source_copy(&place->source, &copy), 0);
	/* Another size; the same size; gone; a link to another file. */
	write_file(place, "a.crt", "longer than before");
	assert_true(tls_source_look(&place->source));
	assert_false(tls_source_look(&place->source));
	assert_int_equal(rename(path_of(place, "b.ocsp"), path_of(place, "ca")), 0);
	assert_true(tls_source_look(&place->source));
	assert_false(tls_source_look(&place->source));
	write_file(place, "new", "h.key");
	assert_int_equal(unlink(path_of(place, "h.key")), 0);
	assert_true(tls_source_look(&place->source));
	assert_int_equal(symlink("new", path_of(place, "h.key")), 0);
	assert_true(tls_source_look(&place->source));
	assert_false(tls_source_look(&place->source));
	assert_int_equal(chmod(path_of(place, "i.pem"), 0640), 0);
	assert_true(tls_source_look(&place->source));
	/* What the link names is what counts. */
	write_file(place, "other", "other");
	assert_int_equal(rename(path_of(place, "other"), path_of(place, "new")), 0);
	assert_true(tls_source_look(&place->source));
	/* The copy has stamps of its own. */
	assert_true(tls_source_look(&copy));
	assert_false(tls_source_look(&copy));
	tls_source_free(&copy);
}

static void
expect_mistake(struct place *place, enum tls_file_kind kind, const char *text)
{
	int fd = -1;

	memset(&place->told, 0, sizeof(place->told));
	assert_int_equal(tls_source_seal(&place->source, NULL, take, &place->told, &fd),
	                 -EINVAL);
	assert_int_equal(fd, -1);
	assert_int_equal(place->told.count, 1);
	assert_int_equal(place->told.report[0].type, TLS_REPORT_MISTAKE);
	assert_int_equal(place->told.report[0].kind, kind);
	assert_non_null(strstr(place->told.text[0], text));
}

static void
files_that_cannot_be_used(void **state)
{
	struct place *place = *state;
	const char *path = path_of(place, "a.crt");

	assert_int_equal(unlink(path), 0);
	expect_mistake(place, TLS_FILE_CERTIFICATE, "create it");
	assert_int_equal(mkdir(path, 0700), 0);
	expect_mistake(place, TLS_FILE_CERTIFICATE, "no regular file");
	assert_int_equal(rmdir(path), 0);
	/* Nobody writes into it: opening must not wait. */
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_mistake(place, TLS_FILE_CERTIFICATE, "no regular file");
	assert_int_equal(unlink(path), 0);
	write_file(place, "a.crt", "");
	assert_int_equal(truncate(path, TLS_FILE_MAX_BYTES + 1), 0);
	expect_mistake(place, TLS_FILE_CERTIFICATE, "longer than 256 KiB");
	/* Both are told, not the first alone. */
	assert_int_equal(unlink(path_of(place, "a.key")), 0);
	memset(&place->told, 0, sizeof(place->told));
	assert_int_equal(
	    tls_source_seal(&place->source, NULL, take, &place->told, &(int){-1}),
	    -EINVAL);
	assert_int_equal(place->told.count, 2);
	assert_int_equal(place->told.report[1].kind, TLS_FILE_KEY);
}

static void
open_keys_are_warned_of(void **state)
{
	static const struct {
		const char *name;
		bool is_secret;
	} rows[] = {{"a.crt", false}, {"b.crt", true}, {"a.key", true}, {"pw", true},
	            {"ca", false},    {"h.key", true}, {"i.pem", true}};
	struct place *place = *state;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const char *path = path_of(place, rows[i].name);
		int fd;

		memset(&place->told, 0, sizeof(place->told));
		assert_int_equal(chmod(path, 0604), 0);
		assert_int_equal(
		    tls_source_seal(&place->source, NULL, take, &place->told, &fd), 0);
		fd_close(&fd);
		assert_int_equal(place->told.count, rows[i].is_secret ? 1 : 0);
		if (rows[i].is_secret) {
			assert_int_equal(place->told.report[0].type, TLS_REPORT_WARNING);
			assert_non_null(strstr(place->told.text[0], "chmod o-r"));
		}
		assert_int_equal(chmod(path, 0600), 0);
	}
}

struct credential_case {
	const char *directory; /* NULL: not set; "": the test's */
	const char *name;
	const char *mistake; /* NULL: it is read */
};

static void
credentials_are_found(void **state)
{
	static const struct credential_case rows[] = {
	    {"", "credential:a.key", NULL},
	    {"", "credential:missing", "create it"},
	    {NULL, "credential:a.key", "LoadCredential"},
	    {"relative", "credential:a.key", "LoadCredential"},
	    {"", "credential:../a.key", "no credential"},
	    {"", "credential:..", "no credential"},
	    {"", "credential:", "no credential"},
	    {"", "credential:/etc/passwd", "no credential"},
	};
	struct place *place = *state;
	struct tls_source_file *key = &place->source.file[2];

	assert_int_equal(key->kind, TLS_FILE_KEY);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const char *directory = rows[i].directory;
		int fd;

		if (directory == NULL) {
			assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
		} else {
			assert_int_equal(
			    setenv("CREDENTIALS_DIRECTORY",
			           directory[0] == '\0' ? place->top : directory, 1),
			    0);
		}
		(void)snprintf(key->path, sizeof(key->path), "%s", rows[i].name);
		if (rows[i].mistake != NULL) {
			expect_mistake(place, TLS_FILE_KEY, rows[i].mistake);
			continue;
		}
		memset(&place->told, 0, sizeof(place->told));
		assert_int_equal(
		    tls_source_seal(&place->source, NULL, take, &place->told, &fd), 0);
		fd_close(&fd);
		/* It is looked at, too. */
		(void)tls_source_look(&place->source);
		assert_int_not_equal(key->stamp.inode, 0);
	}
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void
too_many_files_are_refused(void **state)
{
	struct place *place = *state;
	struct policy_override *sections = calloc(256, sizeof(*sections));
	struct overrides overrides = {.count = 256, .entry = sections};
	struct tls_source source;
	struct policy_host *host = &place->hosts[1];

	assert_non_null(sections);
	while (host->certificate.count < OPTIONS_PATHS_MAX) {
		add_path(place, &host->certificate, "h.crt");
	}
	while (host->private_key.count < OPTIONS_PATHS_MAX) {
		add_path(place, &host->private_key, "h.key");
	}
	for (size_t i = 0; i < overrides.count; i++) {
		sections[i].scope = POLICY_HOST;
		sections[i].keys = 1U << POLICY_CERTIFICATE | 1U << POLICY_PRIVATE_KEY;
		sections[i].host = host;
	}
	assert_int_equal(tls_source_list(&place->options, &overrides, &source),
	                 -EMSGSIZE);
	overrides.count = (TLS_FILES_MAX - 6) / (2 * OPTIONS_PATHS_MAX);
	assert_int_equal(tls_source_list(&place->options, &overrides, &source), 0);
	tls_source_free(&source);
	free(sections);
}

static void
kinds_have_keys(void **state)
{
	(void)state;
	for (int kind = 0; kind < TLS_FILE_KIND_COUNT; kind++) {
		assert_memory_equal(tls_source_key((enum tls_file_kind)kind), "tls.", 4);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_files_are_listed),
	    TEST(files_are_sealed_as_they_are),
	    TEST(a_pair_stands_in_place_of_the_first),
	    TEST(changes_are_seen),
	    TEST(files_that_cannot_be_used),
	    TEST(open_keys_are_warned_of),
	    TEST(credentials_are_found),
	    TEST(too_many_files_are_refused),
	    cmocka_unit_test(kinds_have_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
