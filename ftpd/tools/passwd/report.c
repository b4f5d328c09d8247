/*
 * report: what is in a password file.
 * Runs in: deftp-passwd.
 */
#include "ftpd/tools/passwd/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/passwd_file.h"
#include "common/secret.h"
#include "common/text.h"
#include "ftpd/tools/passwd/edit.h"
#include "ftpd/tools/passwd/store.h"
#include "common/base.h"

/* Locked on purpose, which is no mistake: the mark goes before the hash. */
static bool
is_locked(const char *hash)
{
	return hash[0] == '!' || hash[0] == '*';
}

static void
print_user(const struct passwd_user *user)
{
	/* It names a method even when it is locked: what is behind the mark. */
	const char *hash = user->hash + strspn(user->hash, "!*");
	const char *method = passwd_hash_method(hash);
	const char *login = "yes";
	char name[PASSWD_NAME_MAX * TEXT_ESCAPED_SIZE + 1];
	char home[PASSWD_HOME_MAX * TEXT_ESCAPED_SIZE + 1];
	struct text text;

	if (user->uid == 0 || user->gid == 0) {
		login = "no: root";
	} else if (is_locked(user->hash)) {
		login = "no: locked";
	} else if (!passwd_hash_is_usable(user->hash)) {
		login = user->hash[0] == '\0' ? "no: empty" : "no: bad hash";
	}
	text_init(&text, name, sizeof(name));
	text_add_escaped(&text, user->name, strlen(user->name), TEXT_ESCAPE_LINE);
	text_init(&text, home, sizeof(home));
	text_add_escaped(&text, user->home, strlen(user->home), TEXT_ESCAPE_LINE);
	(void)printf("%-20s %10u %10u  %-13s %-12s %s\n", name, user->uid, user->gid,
	             method != NULL ? method : "-", login, home);
}

int
report_list(const struct request *request)
{
	struct store store;
	struct edit_cursor cursor;
	int status = STATUS_OK;

	if (!store_open(request->path, STORE_READ, &store)) {
		return STATUS_REFUSED;
	}
	cursor = (struct edit_cursor){.text = store.text, .len = store.len};
	(void)printf("%-20s %10s %10s  %-13s %-12s %s\n", "NAME", "UID", "GID", "METHOD",
	             "LOGIN", "HOME");
	while (edit_next(&cursor)) {
		struct passwd_user user;
		const char *mistake;

		switch (
		    passwd_line_parse(cursor.line, cursor.line_len, &user, &mistake)) {
		case PASSWD_LINE_USER:
			print_user(&user);
			secret_wipe(&user, sizeof(user));
			break;
		case PASSWD_LINE_WRONG:
			complain("%s:%u: %s", request->path, cursor.number, mistake);
			status = STATUS_REFUSED;
			break;
		case PASSWD_LINE_EMPTY: break;
		}
	}
	store_close(&store);
	return status;
}

/* A line's name, which lies in the text. */
struct named_line {
	const char *name;
	size_t len;
	unsigned number;
};

/* By name; lines of the same name as they stand in the file. */
static int
compare_lines(const void *a, const void *b)
{
	const struct named_line *left = a;
	const struct named_line *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->name, right->name, len);

	if (order == 0 && left->len != right->len) {
		order = left->len < right->len ? -1 : 1;
	}
	if (order == 0) {
		order = left->number < right->number ? -1 : 1;
	}
	return order;
}

/* Out: is_repeated: by line number. */
static void
mark_repeated(struct named_line *lines, size_t count, bool *is_repeated)
{
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 1; i < count; i++) {
		is_repeated[lines[i].number] =
		    lines[i].len == lines[i - 1].len &&
		    memcmp(lines[i].name, lines[i - 1].name, lines[i].len) == 0;
	}
}

/*
 * Find the lines whose user has an earlier one.
 * Returns: an array by line number, to be freed; NULL: no memory.
 */
static bool *
find_repeated(const struct store *store)
{
	struct edit_cursor cursor = {.text = store->text, .len = store->len};
	struct named_line *lines;
	bool *is_repeated;
	size_t count = 0;

	while (edit_next(&cursor)) {
	}
	lines = calloc((size_t)cursor.number + 1, sizeof(*lines));
	is_repeated = calloc((size_t)cursor.number + 1, sizeof(*is_repeated));
	if (lines == NULL || is_repeated == NULL) {
		free(lines);
		free(is_repeated);
		return NULL;
	}
	cursor = (struct edit_cursor){.text = store->text, .len = store->len};
	while (edit_next(&cursor)) {
		const char *colon = memchr(cursor.line, ':', cursor.line_len);

		if (colon != NULL && cursor.line[0] != '#') {
			lines[count].name = cursor.line;
			lines[count].len = (size_t)(colon - cursor.line);
			lines[count++].number = cursor.number;
		}
	}
	mark_repeated(lines, count, is_repeated);
	free(lines);
	return is_repeated;
}

/* Returns: NULL, or what is wrong with a user whose line is well formed. */
static const char *
user_mistake(const struct passwd_user *user, bool is_repeated)
{
	if (is_repeated) {
		return "an earlier line has the same name and decides; remove one of them";
	}
	if (user->uid == 0 || user->gid == 0) {
		return "uid or gid is 0, root's, who may not log in; write another";
	}
	if (user->hash[0] == '\0') {
		return "the hash is empty, so nobody can log in; deftp-passwd set makes one";
	}
	if (!is_locked(user->hash) && !passwd_hash_is_usable(user->hash)) {
		return "no password can match the hash; deftp-passwd set makes a new one, or "
		       "write ! before it";
	}
	return NULL;
}

/* Returns: how many mistakes there are, which are printed. */
static unsigned
check_lines(const struct request *request, const struct store *store,
            const bool *is_repeated, unsigned *ret_users)
{
	struct edit_cursor cursor = {.text = store->text, .len = store->len};
	unsigned mistakes = 0;

	while (edit_next(&cursor)) {
		struct passwd_user user;
		const char *mistake = NULL;
		enum passwd_line line =
		    passwd_line_parse(cursor.line, cursor.line_len, &user, &mistake);

		if (line == PASSWD_LINE_USER) {
			(*ret_users)++;
			mistake = user_mistake(&user, is_repeated[cursor.number]);
			secret_wipe(&user, sizeof(user));
		}
		if (line != PASSWD_LINE_EMPTY && mistake != NULL) {
			(void)printf("%s:%u: %s\n", request->path, cursor.number,
			             mistake);
			mistakes++;
		}
	}
	return mistakes;
}

int
report_verify(const struct request *request)
{
	struct store store;
	bool *is_repeated;
	unsigned users = 0;
	unsigned mistakes;

	if (!store_open(request->path, STORE_READ, &store)) {
		return STATUS_REFUSED;
	}
	is_repeated = find_repeated(&store);
	if (is_repeated == NULL) {
		complain("there is no memory");
		store_close(&store);
		return STATUS_REFUSED;
	}
	mistakes = check_lines(request, &store, is_repeated, &users);
	(void)printf("%s: %u user%s, %u mistake%s.\n", request->path, users,
	             users == 1 ? "" : "s", mistakes, mistakes == 1 ? "" : "s");
	free(is_repeated);
	store_close(&store);
	return mistakes == 0 ? STATUS_OK : STATUS_REFUSED;
}
