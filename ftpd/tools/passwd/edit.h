/*
 * edit: changing one user in the text of a password file, and nothing else in it:
 * comments, order and lines that are not understood stay.
 * Runs in: deftp-passwd. Pure: no system call.
 * Source: passwd(5).
 * Not here: the file; see store.h.
 */
#ifndef FTPD_TOOLS_PASSWD_EDIT_H
#define FTPD_TOOLS_PASSWD_EDIT_H

#include "common/passwd_file.h"
#include "common/text.h"
#include "common/base.h"

enum {
	/*
	 * What an edit adds at most to a text: a line, its end and that of the line
	 * before.
	 */
	EDIT_GROWTH = PASSWD_LINE_MAX + 2,
};

/* A place in the text. Begin with zeros but for text and len. */
struct edit_cursor {
	const char *text;
	size_t len;
	size_t at; /* where the next line begins */
	unsigned number;
	/* the current line, without its end */
	const char *line;
	size_t line_len;
};

/* What set changes. NULL: it stays. */
struct edit_change {
	const char *hash;
	const char *home;
	const uint32_t *uid;
	const uint32_t *gid;
};

enum edit_result {
	EDIT_DONE,
	EDIT_UNKNOWN,  /* there is no such user */
	EDIT_EXISTS,   /* there is one already */
	EDIT_WRONG,    /* his line is wrong */
	EDIT_TOO_LONG, /* his line would be too long */
	EDIT_RESULT_COUNT,
};

/*
 * Go to the next line.
 * Returns: false at the end of the text.
 */
bool edit_next(struct edit_cursor *cursor);

/*
 * Find the user's first line, which is the one that counts.
 * In:      cursor: at the beginning.
 * Returns: true, with the cursor there.
 */
bool edit_find(struct edit_cursor *cursor, const char *name);

/*
 * Add a user at the end.
 * In:      text, len: the file's. user: checked.
 * Out:     out: the new text; has EDIT_GROWTH more room than len.
 * Returns: EDIT_DONE, EDIT_EXISTS or EDIT_TOO_LONG.
 */
enum edit_result edit_add(const char *text, size_t len, const struct passwd_user *user,
                          struct text *out);

/*
 * Change fields of a user's line; comment and shell stay.
 * In:      cursor: at the beginning.
 * Out:     out: as edit_add(). ret_mistake, and the line at the cursor: with EDIT_WRONG.
 * Returns: EDIT_DONE, EDIT_UNKNOWN, EDIT_WRONG or EDIT_TOO_LONG.
 */
enum edit_result edit_set(struct edit_cursor *cursor, const char *name,
                          const struct edit_change *change, struct text *out,
                          const char **ret_mistake);

/*
 * Remove every line of a user: were a second one left, it would let him in.
 * Returns: how many there were.
 */
unsigned edit_delete(const char *text, size_t len, const char *name, struct text *out);

#endif
