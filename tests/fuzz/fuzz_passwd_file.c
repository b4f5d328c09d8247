/*
 * fuzz_passwd_file: any bytes as a file of users, and edits of it.
 * Wanted:  no crash; a parsed user satisfies every rule, and the line made of him is
 *          parsed to the same; what is added is found and then gone, and nothing else
 *          changes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/passwd_file.h"
#include "common/text.h"
#include "ftpd/tools/passwd/edit.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static void
check_user(const struct passwd_user *user)
{
	static char bytes[2 * PASSWD_LINE_MAX];
	struct passwd_user again;
	const char *mistake;
	struct text line;

	fuzz_require(passwd_name_mistake(user->name) == NULL);
	fuzz_require(passwd_home_mistake(user->home) == NULL);
	fuzz_require(user->uid != UINT32_MAX && user->gid != UINT32_MAX);
	text_init(&line, bytes, sizeof(bytes));
	text_add(&line, "%s:%s:%u:%u:c:%s:s", user->name, user->hash, user->uid,
	         user->gid, user->home);
	fuzz_require(passwd_line_parse(line.bytes, line.len, &again, &mistake) ==
	             PASSWD_LINE_USER);
	fuzz_require(strcmp(again.name, user->name) == 0 &&
	             strcmp(again.hash, user->hash) == 0 &&
	             strcmp(again.home, user->home) == 0 && again.uid == user->uid &&
	             again.gid == user->gid);
}

static void
check_lines(const char *text, size_t size)
{
	struct edit_cursor cursor = {.text = text, .len = size};

	while (edit_next(&cursor)) {
		struct passwd_user user;
		const char *mistake = NULL;

		switch (
		    passwd_line_parse(cursor.line, cursor.line_len, &user, &mistake)) {
		case PASSWD_LINE_USER:
			check_user(&user);
			fuzz_require(
			    passwd_line_is_of(cursor.line, cursor.line_len, user.name));
			break;
		case PASSWD_LINE_WRONG: fuzz_require(mistake != NULL); break;
		case PASSWD_LINE_EMPTY:
			fuzz_require(
			    !passwd_line_is_of(cursor.line, cursor.line_len, "bob"));
			break;
		}
	}
	fuzz_require(cursor.at == size);
}

/* Add bob, change him, remove him: the rest is as it was. */
static void
check_edits(const char *text, size_t size)
{
	const struct passwd_user bob = {
	    .name = "bob", .hash = "x", .uid = 1, .gid = 1, .home = "/"};
	const struct edit_change change = {.hash = "a-new-hash"};
	size_t cap = size + 2 * EDIT_GROWTH + 1;
	char *bytes[4];
	struct text out[ARRAY_COUNT(bytes)];
	struct edit_cursor cursor = {0};
	const char *mistake;

	for (size_t i = 0; i < ARRAY_COUNT(bytes); i++) {
		bytes[i] = malloc(cap);
		fuzz_require(bytes[i] != NULL);
		text_init(&out[i], bytes[i], cap);
	}
	(void)edit_delete(text, size, "bob", &out[0]);
	fuzz_require(edit_add(out[0].bytes, out[0].len, &bob, &out[1]) == EDIT_DONE);
	cursor.text = out[1].bytes;
	cursor.len = out[1].len;
	fuzz_require(edit_set(&cursor, "bob", &change, &out[2], &mistake) == EDIT_DONE);
	fuzz_require(out[2].len == out[1].len + strlen("a-new-hash") - 1);
	fuzz_require(edit_delete(out[2].bytes, out[2].len, "bob", &out[3]) == 1);
	/* At most a line end was added, to a last line without one. */
	fuzz_require(out[3].len - out[0].len <= 1);
	fuzz_require(memcmp(out[3].bytes, out[0].bytes, out[0].len) == 0);
	for (size_t i = 0; i < ARRAY_COUNT(bytes); i++) {
		fuzz_require(!out[i].is_cut);
		free(bytes[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *)data : "";

	check_lines(text, size);
	check_edits(text, size);
	return 0;
}
