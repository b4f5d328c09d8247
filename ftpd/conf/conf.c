/*
 * conf: reads the configuration file and the -o overrides.
 * Runs in: master.
 * Not here: the form of statements (statement.c), values (values.c), rules between keys
 * (rules.c).
 */
#include "ftpd/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/conf/reader.h"

#include "common/base.h"

static struct conf *
conf_new(const char *name)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (conf != NULL) {
		options_set_defaults(&conf->options);
		option_quote(name, strlen(name), conf->name, sizeof(conf->name));
	}
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf != NULL) {
		overrides_free(&conf->overrides);
	}
	free(conf);
}

const struct overrides *
conf_overrides(const struct conf *conf)
{
	return &conf->overrides;
}

const struct options *
conf_options(const struct conf *conf)
{
	return &conf->options;
}

/*
 * Carriage returns at the ends of lines and a byte order mark are what editors leave;
 * they mean nothing.
 */
static void
drop_editor_traces(char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		memset(text, ' ', 3);
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r' && (i + 1 == len || text[i + 1] == '\n')) {
			text[i] = ' ';
		}
	}
}

static uint32_t
line_of(const char *text, const char *at)
{
	uint32_t line = 1;

	for (const char *c = text; c < at; c++) {
		line += *c == '\n';
	}
	return line;
}

/* In: text: len bytes and a NUL; is changed.  Returns: false if memory ran out. */
static bool
read_text(struct conf *conf, char *text, size_t len)
{
	struct token_source source = {.text = text, .len = len, .line = 1};
	const char *nul = memchr(text, '\0', len);

	if (len > CONF_FILE_MAX_BYTES) {
		reader_report(conf, 0, "has more than %d bytes; shorten it",
		              CONF_FILE_MAX_BYTES);
		return true;
	}
	if (nul != NULL) {
		reader_report(conf, line_of(text, nul),
		              "there is a NUL byte; write plain text");
		return true;
	}
	drop_editor_traces(text, len);
	reader_check_statements(conf, &source);
	return reader_take_values(conf, text);
}

static struct conf *
finish(struct conf *conf, const char *const *overrides, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		reader_take_override(conf, overrides[i]);
	}
	reader_check_rules(conf);
	return conf;
}

struct conf *
conf_read_buffer(const char *name, const void *bytes, size_t size,
                 const char *const *overrides, size_t count)
{
	size_t len = size <= CONF_FILE_MAX_BYTES ? size : CONF_FILE_MAX_BYTES + 1;
	struct conf *conf = conf_new(name);
	char *text = calloc(1, len + 1);
	bool is_read = conf != NULL && text != NULL;

	if (is_read) {
		if (len > 0) {
			memcpy(text, bytes, len);
		}
		is_read = read_text(conf, text, len);
	}
	free(text);
	if (!is_read) {
		conf_free(conf);
		return NULL;
	}
	return finish(conf, overrides, count);
}

/* Returns: bytes read, one more than CONF_FILE_MAX_BYTES at most, or a negative errno. */
static ssize_t
load(const char *path, char *bytes)
{
	const size_t cap = CONF_FILE_MAX_BYTES + 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = 1;
	size_t len = 0;

	if (fd < 0) {
		return -errno;
	}
	while (got != 0 && len < cap) {
		got = read(fd, bytes + len, cap - len);
		if (got < 0 && errno != EINTR) {
			got = -errno;
			fd_close(&fd);
			return got;
		}
		len += got > 0 ? (size_t)got : 0;
	}
	fd_close(&fd);
	return (ssize_t)len;
}

static struct conf *
conf_unreadable(const char *path, int error, const char *const *overrides, size_t count)
{
	struct conf *conf = conf_new(path);

	if (conf == NULL) {
		return NULL;
	}
	reader_report(conf, 0, "cannot be read: %s; name a file that can be with -c",
	              strerrordesc_np(error));
	return finish(conf, overrides, count);
}

struct conf *
conf_read(const char *path, const char *const *overrides, size_t count)
{
	struct conf *conf;
	char *bytes;
	ssize_t len;

	if (path == NULL) {
		return conf_read_buffer("default", "", 0, overrides, count);
	}
	bytes = malloc(CONF_FILE_MAX_BYTES + 1);
	if (bytes == NULL) {
		return NULL;
	}
	len = load(path, bytes);
	conf = len >= 0 ? conf_read_buffer(path, bytes, (size_t)len, overrides, count)
	                : conf_unreadable(path, (int)-len, overrides, count);
	free(bytes);
	return conf;
}
