/*
 * tls_source: the files that section tls and the sections host name: which they are,
 * whether they have changed, and what is in them.
 * Runs in: master, as root.
 */
#include "ftpd/master/tls_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/secret.h"
#include "common/base.h"

static const char credential_prefix[] = "credential:";

static const char *const keys[TLS_FILE_KIND_COUNT] = {
    [TLS_FILE_CERTIFICATE] = "tls.certificate", [TLS_FILE_KEY] = "tls.private_key",
    [TLS_FILE_PASSWORD] = "tls.key_password",   [TLS_FILE_OCSP] = "tls.ocsp_response",
    [TLS_FILE_CLIENT_CA] = "tls.client_ca",     [TLS_FILE_CLIENT_CRL] = "tls.client_crl",
};

/* What one file holds, in secret memory. */
struct content {
	uint8_t *bytes;
	size_t cap;
};

/* Files being read, and who is told of them. */
struct reading {
	tls_program_tell *tell;
	void *listener;
	struct tls_file *files;
	struct content *contents;
	size_t count;
	bool has_mistake;
};

/*
 * Returns: false if the list is full.
 */
static bool
add(struct tls_source *source, enum tls_file_kind kind, uint16_t host, uint32_t index,
    const char *path)
{
	struct tls_source_file *file;

	if (path[0] == '\0') {
		return true;
	}
	if (source->count == TLS_FILES_MAX) {
		return false;
	}
	file = &source->file[source->count++];
	*file = (struct tls_source_file){
	    .kind = kind, .host = host, .index = (uint16_t)index};
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	return true;
}

/* Certificates, their keys and what vouches for them, by index. */
static bool
add_pairs(struct tls_source *source, uint16_t host,
          const struct options_path_list *certificates,
          const struct options_path_list *private_keys,
          const struct options_path_list *responses)
{
	for (uint32_t i = 0; i < certificates->count; i++) {
		if (!add(source, TLS_FILE_CERTIFICATE, host, i, certificates->entry[i])) {
			return false;
		}
		source->file[source->count - 1].holds_key = i >= private_keys->count;
	}
	for (uint32_t i = 0; i < private_keys->count; i++) {
		if (!add(source, TLS_FILE_KEY, host, i, private_keys->entry[i])) {
			return false;
		}
	}
	for (uint32_t i = 0; i < responses->count; i++) {
		if (!add(source, TLS_FILE_OCSP, host, i, responses->entry[i])) {
			return false;
		}
	}
	return true;
}

static bool
add_host(struct tls_source *source, uint16_t number,
         const struct policy_override *override)
{
	static const struct options_path_list none;
	const struct policy_host *host = override->host;

	if (host == NULL || !policy_sets(override, POLICY_CERTIFICATE)) {
		return true;
	}
	return add_pairs(
	    source, number, &host->certificate,
	    policy_sets(override, POLICY_PRIVATE_KEY) ? &host->private_key : &none,
	    policy_sets(override, POLICY_OCSP_RESPONSE) ? &host->ocsp_response : &none);
}

static bool
add_all(struct tls_source *source, const struct options_tls *tls,
        const struct overrides *overrides)
{
	const struct policy_override *override;
	bool is_fitting = add_pairs(source, 0, &tls->certificate, &tls->private_key,
	                            &tls->ocsp_response) &&
	                  add(source, TLS_FILE_PASSWORD, 0, 0, tls->key_password) &&
	                  add(source, TLS_FILE_CLIENT_CA, 0, 0, tls->client_ca) &&
	                  add(source, TLS_FILE_CLIENT_CRL, 0, 0, tls->client_crl);

	for (uint16_t number = 1;
	     is_fitting && (override = policy_host_get(overrides, number)) != NULL;
	     number++) {
		is_fitting = add_host(source, number, override);
	}
	return is_fitting;
}

int
tls_source_list(const struct options *options, const struct overrides *overrides,
                struct tls_source *ret_source)
{
	struct tls_source source = {.file = calloc(TLS_FILES_MAX, sizeof(*source.file))};
	struct tls_source_file *smaller;

	if (source.file == NULL) {
		return -ENOMEM;
	}
	if (!add_all(&source, &options->tls, overrides)) {
		tls_source_free(&source);
		return -EMSGSIZE;
	}
	smaller = realloc(source.file, (source.count + 1) * sizeof(*source.file));
	if (smaller != NULL) {
		source.file = smaller;
	}
	*ret_source = source;
	return 0;
}

int
tls_source_copy(const struct tls_source *source, struct tls_source *ret_source)
{
	struct tls_source_file *files = calloc(source->count + 1, sizeof(*files));

	if (files == NULL) {
		return -ENOMEM;
	}
	if (source->count > 0) {
		memcpy(files, source->file, source->count * sizeof(*files));
	}
	*ret_source = (struct tls_source){.count = source->count, .file = files};
	return 0;
}

void
tls_source_free(struct tls_source *source)
{
	free(source->file);
	*source = (struct tls_source){0};
}

/*
 * Find the file itself.
 * Returns: NULL, and what is wrong with the name in *ret_mistake.
 */
static const char *
resolve(const char *written, char text[PATH_MAX], const char **ret_mistake)
{
	size_t prefix_len = sizeof(credential_prefix) - 1;
	const char *directory;
	int len;

	if (strncmp(written, credential_prefix, prefix_len) != 0) {
		return written;
	}
	directory = getenv("CREDENTIALS_DIRECTORY");
	if (directory == NULL || directory[0] != '/') {
		*ret_mistake = "the service manager passes no credentials; put "
			       "LoadCredential=NAME:FILE into deftpd.service";
		return NULL;
	}
	written += prefix_len;
	len = snprintf(text, PATH_MAX, "%s/%s", directory, written);
	if (strchr(written, '/') != NULL || written[0] == '.' || written[0] == '\0' ||
	    len < 0 || len >= PATH_MAX) {
		*ret_mistake = "no credential can have this name; name one of "
			       "LoadCredential in deftpd.service";
		return NULL;
	}
	return text;
}

static struct tls_stamp
stamp_of(const struct stat *info)
{
	return (struct tls_stamp){.device = info->st_dev,
	                          .inode = info->st_ino,
	                          .size = info->st_size,
	                          .written = info->st_mtim,
	                          .changed = info->st_ctim};
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
tls_stamp_is_same(const struct tls_stamp *a, const struct tls_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       is_same_time(&a->written, &b->written) &&
	       is_same_time(&a->changed, &b->changed);
}

bool
tls_source_look(struct tls_source *source)
{
	bool has_changed = false;

	for (size_t i = 0; i < source->count; i++) {
		struct tls_source_file *file = &source->file[i];
		struct tls_stamp stamp = {0};
		const char *mistake;
		char text[PATH_MAX];
		const char *path = resolve(file->path, text, &mistake);
		struct stat info;

		if (path != NULL && stat(path, &info) == 0) {
			stamp = stamp_of(&info);
		}
		has_changed = has_changed || !tls_stamp_is_same(&stamp, &file->stamp);
		file->stamp = stamp;
	}
	return has_changed;
}

static void tell(struct reading *reading, enum tls_report_type type,
                 const struct tls_source_file *file, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
tell(struct reading *reading, enum tls_report_type type,
     const struct tls_source_file *file, const char *format, ...)
{
	struct tls_report report = {
	    .type = type, .kind = file->kind, .host = file->host, .index = file->index};
	char text[TLS_REPORT_TEXT_MAX];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	report.text = text;
	report.text_len = strlen(text);
	if (type == TLS_REPORT_MISTAKE) {
		reading->has_mistake = true;
	}
	reading->tell(reading->listener, &report);
}

static const char *
remedy(int error)
{
	switch (error) {
	case ENOENT: return "; create it or name another";
	case EACCES: return "; let the user who starts deftpd read it";
	default: return "";
	}
}

static bool
is_secret(const struct tls_source_file *file)
{
	return file->kind == TLS_FILE_KEY || file->kind == TLS_FILE_PASSWORD ||
	       (file->kind == TLS_FILE_CERTIFICATE && file->holds_key);
}

/* Returns: false after a mistake was told. */
static bool
check_status(struct reading *reading, const struct tls_source_file *file, int fd,
             size_t *ret_size)
{
	struct stat info;

	if (fstat(fd, &info) != 0) {
		tell(reading, TLS_REPORT_MISTAKE, file, "%s", strerror(errno));
		return false;
	}
	if (!S_ISREG(info.st_mode)) {
		tell(reading, TLS_REPORT_MISTAKE, file,
		     "this is no regular file; name one");
		return false;
	}
	if (info.st_size > TLS_FILE_MAX_BYTES) {
		tell(reading, TLS_REPORT_MISTAKE, file,
		     "this file is longer than %d KiB; name the right one",
		     TLS_FILE_MAX_BYTES / 1024);
		return false;
	}
	*ret_size = (size_t)info.st_size;
	if ((info.st_mode & S_IROTH) != 0 && is_secret(file)) {
		tell(reading, TLS_REPORT_WARNING, file,
		     "everybody on this machine can read this file, which is for %s; "
		     "chmod o-r it%s",
		     file->kind == TLS_FILE_PASSWORD ? "a password" : "a private key",
		     file->kind == TLS_FILE_PASSWORD ? "" : ", or better, renew the key");
	}
	return true;
}

/* Returns: bytes, cap at most; negative errno. */
static ssize_t
read_all(int fd, uint8_t *bytes, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t got = read(fd, bytes + len, cap - len);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static void
take(struct reading *reading, const struct tls_source_file *file, const uint8_t *bytes,
     size_t len)
{
	reading->files[reading->count++] =
	    (struct tls_file){.kind = file->kind,
	                      .host = file->host,
	                      .index = file->index,
	                      .path = file->path,
	                      .path_len = strlen(file->path),
	                      .bytes = bytes,
	                      .len = len};
}

/*
 * In:      size: what the file has now. One that grows meanwhile is cut, and will be
 *          found changed.
 * Returns: 0, also when a mistake was told; negative errno.
 */
static int
read_open(struct reading *reading, const struct tls_source_file *file, int fd,
          size_t size)
{
	struct content *content = &reading->contents[reading->count];
	ssize_t len;

	content->cap = size + 1; /* not nothing */
	content->bytes = secret_alloc(content->cap);
	if (content->bytes == NULL) {
		return -ENOMEM;
	}
	len = read_all(fd, content->bytes, size);
	if (len < 0) {
		tell(reading, TLS_REPORT_MISTAKE, file, "%s", strerror((int)-len));
		secret_free(content->bytes, content->cap);
		content->bytes = NULL;
		return 0;
	}
	take(reading, file, content->bytes, (size_t)len);
	return 0;
}

/* Returns: 0, also when a mistake was told; negative errno. */
static int
read_file(struct reading *reading, const struct tls_source_file *file)
{
	const char *mistake = "";
	char text[PATH_MAX];
	const char *path = resolve(file->path, text, &mistake);
	size_t size = 0;
	int result = 0;
	int fd;

	if (path == NULL) {
		tell(reading, TLS_REPORT_MISTAKE, file, "%s", mistake);
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		tell(reading, TLS_REPORT_MISTAKE, file, "%s%s", strerror(errno),
		     remedy(errno));
		return 0;
	}
	if (check_status(reading, file, fd, &size)) {
		result = read_open(reading, file, fd, size);
	}
	fd_close(&fd);
	return result;
}

/* Returns: true if the pair stands in place of this file. */
static bool
replace(struct reading *reading, const struct tls_source_file *file,
        const struct tls_pair *pair)
{
	static const struct tls_source_file key = {.kind = TLS_FILE_KEY};

	if (pair == NULL || file->kind != TLS_FILE_CERTIFICATE || file->host != 0 ||
	    file->index != 0) {
		return false;
	}
	take(reading, file, (const uint8_t *)pair->certificate,
	     strlen(pair->certificate));
	take(reading, &key, (const uint8_t *)pair->key, strlen(pair->key));
	return true;
}

static int
read_and_seal(struct reading *reading, const struct tls_source *source,
              const struct tls_pair *pair, int *ret_fd)
{
	for (size_t i = 0; i < source->count; i++) {
		int result = replace(reading, &source->file[i], pair)
		                 ? 0
		                 : read_file(reading, &source->file[i]);

		if (result != 0) {
			return result;
		}
	}
	if (reading->has_mistake) {
		return -EINVAL;
	}
	return tls_files_seal(reading->files, reading->count, ret_fd);
}

int
tls_source_seal(const struct tls_source *source, const struct tls_pair *pair,
                tls_program_tell *tell_listener, void *listener, int *ret_fd)
{
	size_t cap = source->count + 1; /* the pair's key */
	struct reading reading = {.tell = tell_listener,
	                          .listener = listener,
	                          .files = calloc(cap, sizeof(*reading.files)),
	                          .contents = calloc(cap, sizeof(*reading.contents))};
	int result = -ENOMEM;

	if (reading.files != NULL && reading.contents != NULL) {
		result = read_and_seal(&reading, source, pair, ret_fd);
	}
	for (size_t i = 0; reading.contents != NULL && i < cap; i++) {
		secret_free(reading.contents[i].bytes, reading.contents[i].cap);
	}
	free(reading.contents);
	free(reading.files);
	return result;
}

const struct tls_source_file *
tls_source_find(const struct tls_source *source, enum tls_file_kind kind, uint16_t host,
                uint16_t index)
{
	for (size_t i = 0; i < source->count; i++) {
		const struct tls_source_file *file = &source->file[i];

		if (file->kind == kind && file->host == host && file->index == index) {
			return file;
		}
	}
	return NULL;
}

const char *
tls_source_key(enum tls_file_kind kind)
{
	return keys[kind];
}
