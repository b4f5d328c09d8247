/*
 * passwd_file: users in a text file of our own.
 * Runs in: deftpd-auth, deftp-passwd, master.
 * Source: passwd(5).
 * Not here: hashes; see passwd_hash.c, which needs libcrypt.
 */
#include "common/passwd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/secret.h"
#include "common/base.h"

enum field {
	FIELD_NAME,
	FIELD_HASH,
	FIELD_UID,
	FIELD_GID,
	FIELD_GECOS,
	FIELD_HOME,
	FIELD_SHELL,
};

struct span {
	const char *text;
	size_t len;
};

static bool
is_control(char byte)
{
	return (uint8_t)byte < 0x20 || byte == 0x7f;
}

static bool
has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_control(text[i])) {
			return true;
		}
	}
	return false;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

const char *
passwd_name_mistake(const char *name)
{
	size_t len = strlen(name);

	if (len == 0) {
		return "the name is empty; write one before the first \":\"";
	}
	if (len > PASSWD_NAME_MAX) {
		return "the name is longer than 64 bytes; shorten it";
	}
	if (has_control(name, len) || strchr(name, ':') != NULL) {
		return "the name has a colon or a control character; leave it out";
	}
	if (is_blank(name[0]) || is_blank(name[len - 1])) {
		return "the name begins or ends with a blank; leave it out";
	}
	/* It may become part of a path, as %u in root. */
	if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		return "the name has a slash or is a directory's; choose another";
	}
	if (name[0] == '#' || name[0] == '+' || name[0] == '-') {
		return "the name begins with \"#\", \"+\" or \"-\"; choose another";
	}
	return NULL;
}

const char *
passwd_home_mistake(const char *home)
{
	size_t len = strlen(home);

	if (home[0] != '/') {
		return "the home directory is no absolute path; begin it with \"/\"";
	}
	if (len > PASSWD_HOME_MAX) {
		return "the home directory's path is longer than 1023 bytes; shorten it";
	}
	if (has_control(home, len) || strchr(home, ':') != NULL) {
		return "the home directory has a colon or a control character; rename it";
	}
	return NULL;
}

/* Exactly PASSWD_FIELDS of them. */
static bool
split(const char *text, size_t len, struct span *fields)
{
	const char *end = text + len;
	size_t count = 0;

	for (;;) {
		const char *colon = memchr(text, ':', (size_t)(end - text));

		fields[count].text = text;
		fields[count].len = (size_t)((colon != NULL ? colon : end) - text);
		count++;
		if (colon == NULL || count == PASSWD_FIELDS) {
			return colon == NULL && count == PASSWD_FIELDS;
		}
		text = colon + 1;
	}
}

static bool
parse_id(const struct span *field, uint32_t *ret_id)
{
	uint64_t id = 0;

	if (field->len == 0 || field->len > 10) {
		return false;
	}
	for (size_t i = 0; i < field->len; i++) {
		if (field->text[i] < '0' || field->text[i] > '9') {
			return false;
		}
		id = id * 10 + (uint64_t)(field->text[i] - '0');
	}
	/* The last one means "no change" to the system. */
	if (id >= UINT32_MAX) {
		return false;
	}
	*ret_id = (uint32_t)id;
	return true;
}

/* False if it is longer than the buffer. */
static bool
take_text(const struct span *field, char *text, size_t cap)
{
	if (field->len >= cap) {
		return false;
	}
	memcpy(text, field->text, field->len);
	text[field->len] = '\0';
	return true;
}

static const char *
take_fields(const struct span *fields, struct passwd_user *user)
{
	const char *mistake;

	if (!take_text(&fields[FIELD_NAME], user->name, sizeof(user->name))) {
		return "the name is longer than 64 bytes; shorten it";
	}
	mistake = passwd_name_mistake(user->name);
	if (mistake != NULL) {
		return mistake;
	}
	if (!take_text(&fields[FIELD_HASH], user->hash, sizeof(user->hash))) {
		return "the hash is longer than any method's; set the password anew";
	}
	if (!parse_id(&fields[FIELD_UID], &user->uid) ||
	    !parse_id(&fields[FIELD_GID], &user->gid)) {
		return "uid or gid is no number from 0 to 4294967294; write one";
	}
	if (!take_text(&fields[FIELD_HOME], user->home, sizeof(user->home))) {
		return "the home directory's path is longer than 1023 bytes; shorten it";
	}
	return passwd_home_mistake(user->home);
}

static bool
is_empty(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && is_blank(text[at])) {
		at++;
	}
	return at == len || text[at] == '#';
}

static const char *
parse_user(const char *text, size_t len, struct passwd_user *user)
{
	struct span fields[PASSWD_FIELDS];

	if (len > PASSWD_LINE_MAX) {
		return "the line is longer than 4096 bytes; shorten it";
	}
	if (text[len - 1] == '\r') {
		return "the line ends with a carriage return; save the file with Unix line "
		       "ends";
	}
	if (has_control(text, len)) {
		return "the line has a control character; leave it out";
	}
	if (!split(text, len, fields)) {
		return "the line has not seven fields; write "
		       "NAME:HASH:UID:GID:COMMENT:HOME:SHELL";
	}
	return take_fields(fields, user);
}

enum passwd_line
passwd_line_parse(const char *text, size_t len, struct passwd_user *ret_user,
                  const char **ret_mistake)
{
	struct passwd_user user;
	const char *mistake;

	if (is_empty(text, len)) {
		return PASSWD_LINE_EMPTY;
	}
	mistake = parse_user(text, len, &user);
	if (mistake == NULL) {
		*ret_user = user;
	} else {
		*ret_mistake = mistake;
	}
	secret_wipe(&user, sizeof(user));
	return mistake == NULL ? PASSWD_LINE_USER : PASSWD_LINE_WRONG;
}

bool
passwd_line_is_of(const char *text, size_t len, const char *name)
{
	const char *colon = memchr(text, ':', len);
	size_t name_len = colon != NULL ? (size_t)(colon - text) : len;

	if (is_empty(text, len)) {
		return false;
	}
	while (name_len > 0 && (is_blank(text[0]) || is_control(text[0]))) {
		text++;
		name_len--;
	}
	while (name_len > 0 &&
	       (is_blank(text[name_len - 1]) || is_control(text[name_len - 1]))) {
		name_len--;
	}
	return name_len == strlen(name) && memcmp(text, name, name_len) == 0;
}

int
passwd_file_check(int fd)
{
	struct stat file;

	if (fstat(fd, &file) != 0) {
		return -errno;
	}
	if (!S_ISREG(file.st_mode)) {
		return -EINVAL;
	}
	if ((file.st_uid != 0 && file.st_uid != geteuid()) ||
	    (file.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
		return -EPERM;
	}
	return 0;
}

/* A search through the file, which is read in pieces into memory that is wiped. */
struct search {
	const char *name;
	unsigned line;       /* number of the one being read */
	unsigned found_line; /* of his first one; 0: none yet */
	enum passwd_line found;
	struct passwd_user user;
	struct passwd_user parsed; /* of whatever line was last */
	bool is_overlong;          /* the rest of a line that did not fit is skipped */
	size_t len;
	char bytes[4 * PASSWD_LINE_MAX];
};

static void
consider_line(struct search *search, const char *text, size_t len)
{
	const char *mistake;
	enum passwd_line line = passwd_line_parse(text, len, &search->parsed, &mistake);

	/*
	 * A wrong line of his counts, so that it is he who is refused, rather than taken
	 * for a user of another source or by a later line.
	 */
	if (line == PASSWD_LINE_EMPTY || search->found_line != 0 ||
	    !passwd_line_is_of(text, len, search->name)) {
		return;
	}
	search->found_line = search->line;
	search->found = line;
	search->user = search->parsed;
}

/* All lines that are there whole; at the end of the file also what has no line end. */
static void
consider_bytes(struct search *search, bool is_end)
{
	size_t at = 0;

	while (at < search->len) {
		const char *text = search->bytes + at;
		const char *lf = memchr(text, '\n', search->len - at);
		size_t len = lf != NULL ? (size_t)(lf - text) : search->len - at;

		if (lf == NULL && !is_end && len <= PASSWD_LINE_MAX) {
			break;
		}
		if (!search->is_overlong) {
			search->line++;
			consider_line(search, text, len);
		}
		search->is_overlong = lf == NULL;
		at += lf != NULL ? len + 1 : len;
	}
	search->len -= at;
	memmove(search->bytes, search->bytes + at, search->len);
}

static int
search_through(struct search *search, int fd)
{
	for (;;) {
		ssize_t n = read(fd, search->bytes + search->len,
		                 sizeof(search->bytes) - search->len);

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n >= 0) {
			search->len += (size_t)n;
			consider_bytes(search, n == 0);
		}
		if (n == 0) {
			return 0;
		}
	}
}

static int
verdict(const struct search *search, struct passwd_user *ret_user, unsigned *ret_line)
{
	if (search->found_line == 0) {
		return -ENOENT;
	}
	*ret_line = search->found_line;
	if (search->found != PASSWD_LINE_USER) {
		return -EBADMSG;
	}
	*ret_user = search->user;
	return 0;
}

int
passwd_file_find(const char *path, const char *name, struct passwd_user *ret_user,
                 unsigned *ret_line)
{
	struct search *search;
	/* Not waiting, should somebody have put a FIFO there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error;

	if (fd < 0) {
		/* Not to be taken for a user who is missing. */
		return errno == ENOENT ? -ENODATA : -errno;
	}
	error = passwd_file_check(fd);
	search = error == 0 ? secret_alloc(sizeof(*search)) : NULL;
	if (error == 0 && search == NULL) {
		error = -ENOMEM;
	}
	if (error == 0) {
		search->name = name;
		error = search_through(search, fd);
	}
	if (error == 0) {
		error = verdict(search, ret_user, ret_line);
	}
	secret_free(search, sizeof(*search));
	fd_close(&fd);
	return error;
}
