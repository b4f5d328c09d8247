/*
 * edit: changing one user in the text of a password file.
 * Runs in: deftp-passwd. Pure: no system call.
 */
#include "ftpd/tools/passwd/edit.h"

#include <string.h>

#include "common/secret.h"
#include "common/base.h"

enum {
	/* Of NAME:HASH:UID:GID:COMMENT:HOME:SHELL. */
	FIELD_HASH = 1,
	FIELD_UID = 2,
	FIELD_GID = 3,
	FIELD_HOME = 5,
};

bool
edit_next(struct edit_cursor *cursor)
{
	const char *lf;
	size_t left = cursor->len - cursor->at;

	if (left == 0) {
		return false;
	}
	cursor->line = cursor->text + cursor->at;
	lf = memchr(cursor->line, '\n', left);
	cursor->line_len = lf != NULL ? (size_t)(lf - cursor->line) : left;
	cursor->at += cursor->line_len + (lf != NULL ? 1 : 0);
	cursor->number++;
	return true;
}

bool
edit_find(struct edit_cursor *cursor, const char *name)
{
	while (edit_next(cursor)) {
		if (passwd_line_is_of(cursor->line, cursor->line_len, name)) {
			return true;
		}
	}
	return false;
}

enum edit_result
edit_add(const char *text, size_t len, const struct passwd_user *user, struct text *out)
{
	struct edit_cursor cursor = {.text = text, .len = len};
	size_t begin;

	if (edit_find(&cursor, user->name)) {
		return EDIT_EXISTS;
	}
	text_add_bytes(out, text, len);
	if (len > 0 && text[len - 1] != '\n') {
		text_add_bytes(out, "\n", 1);
	}
	begin = out->len;
	text_add(out, "%s:%s:%u:%u::%s:/usr/sbin/nologin", user->name, user->hash,
	         user->uid, user->gid, user->home);
	if (out->len - begin > PASSWD_LINE_MAX) {
		return EDIT_TOO_LONG;
	}
	text_add_bytes(out, "\n", 1);
	return EDIT_DONE;
}

/* One field, as it is or as it shall be. */
static void
add_field(struct text *out, unsigned number, const char *field, size_t len,
          const struct edit_change *change)
{
	if (number == FIELD_HASH && change->hash != NULL) {
		text_add(out, "%s", change->hash);
	} else if (number == FIELD_UID && change->uid != NULL) {
		text_add(out, "%u", *change->uid);
	} else if (number == FIELD_GID && change->gid != NULL) {
		text_add(out, "%u", *change->gid);
	} else if (number == FIELD_HOME && change->home != NULL) {
		text_add(out, "%s", change->home);
	} else {
		text_add_bytes(out, field, len);
	}
}

/* Returns: false if it has become too long. */
static bool
add_line(struct text *out, const char *line, size_t len, const struct edit_change *change)
{
	const char *end = line + len;
	size_t begin = out->len;

	for (unsigned number = 0; number < PASSWD_FIELDS; number++) {
		const char *colon = memchr(line, ':', (size_t)(end - line));
		const char *field_end = colon != NULL ? colon : end;

		add_field(out, number, line, (size_t)(field_end - line), change);
		if (colon != NULL) {
			text_add_bytes(out, ":", 1);
			line = colon + 1;
		}
	}
	return !out->is_cut && out->len - begin <= PASSWD_LINE_MAX;
}

enum edit_result
edit_set(struct edit_cursor *cursor, const char *name, const struct edit_change *change,
         struct text *out, const char **ret_mistake)
{
	struct passwd_user user;
	const char *line_end;

	if (!edit_find(cursor, name)) {
		return EDIT_UNKNOWN;
	}
	/* It has seven fields, or it would not be touched. */
	if (passwd_line_parse(cursor->line, cursor->line_len, &user, ret_mistake) !=
	    PASSWD_LINE_USER) {
		return EDIT_WRONG;
	}
	secret_wipe(&user, sizeof(user));
	text_add_bytes(out, cursor->text, (size_t)(cursor->line - cursor->text));
	if (!add_line(out, cursor->line, cursor->line_len, change)) {
		return EDIT_TOO_LONG;
	}
	line_end = cursor->line + cursor->line_len;
	text_add_bytes(out, line_end, (size_t)(cursor->text + cursor->len - line_end));
	return EDIT_DONE;
}

unsigned
edit_delete(const char *text, size_t len, const char *name, struct text *out)
{
	struct edit_cursor cursor = {.text = text, .len = len};
	size_t begin = 0;
	unsigned count = 0;

	while (edit_next(&cursor)) {
		if (passwd_line_is_of(cursor.line, cursor.line_len, name)) {
			count++;
		} else {
			text_add_bytes(out, text + begin, cursor.at - begin);
		}
		begin = cursor.at;
	}
	return count;
}
