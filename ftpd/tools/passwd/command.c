/*
 * command: add, set, del, and verify of one user.
 * Runs in: deftp-passwd.
 */
#include "ftpd/tools/passwd/command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/passwd_file.h"
#include "common/secret.h"
#include "ftpd/tools/passwd/ask.h"
#include "ftpd/tools/passwd/edit.h"
#include "ftpd/tools/passwd/hash.h"
#include "ftpd/tools/passwd/store.h"
#include "common/base.h"

enum {
	/* nobody's; of no account unless virtual_users.user is empty */
	ID_NOBODY = 65534,
};

/* Everything that is said of a user before the file is looked at. */
static bool
is_acceptable(const struct request *request)
{
	const char *mistake = passwd_name_mistake(request->name);

	if (mistake == NULL && request->home != NULL) {
		mistake = passwd_home_mistake(request->home);
	}
	if (mistake != NULL) {
		complain("%s", mistake);
		return false;
	}
	if ((request->has_uid && request->uid == 0) ||
	    (request->has_gid && request->gid == 0)) {
		complain("uid and gid 0 are root's, who may not log in; name others");
		return false;
	}
	if (hash_prefix(request->method) == NULL) {
		complain("the method %s is not known or too weak; choose %s",
		         request->method, hash_methods());
		return false;
	}
	return true;
}

/* It may be made later; until then nobody can log in. */
static void
look_at_home(const char *home)
{
	struct stat directory;

	if (home != NULL &&
	    (stat(home, &directory) != 0 || !S_ISDIR(directory.st_mode))) {
		complain(
		    "note: %s is no directory yet; logins are refused until it is one",
		    home);
	}
}

static bool
get_password(const struct request *request, bool is_new, char *password)
{
	return request->is_stdin ? ask_stdin(password)
	                         : ask_terminal(request->name, is_new, password);
}

/*
 * Returns: the hash of a password that was asked for, in secret memory; NULL: told why.
 */
static char *
make_hash(const struct request *request)
{
	char *password = secret_alloc(ASK_SIZE);
	char *hash = secret_alloc(HASH_SIZE);
	bool is_made = false;

	if (password == NULL || hash == NULL) {
		complain("there is no memory");
	} else if (get_password(request, true, password)) {
		is_made = hash_make(hash_prefix(request->method), password, hash);
		if (!is_made) {
			complain(
			    "libcrypt of this machine does not make such hashes; choose "
			    "another --method");
		}
	}
	secret_free(password, ASK_SIZE);
	if (!is_made) {
		secret_free(hash, HASH_SIZE);
		return NULL;
	}
	return hash;
}

/* Is there such a user? Asked before a person types a password for nothing. */
static bool
has_user(const char *path, const char *name, enum store_mode mode, bool *ret_has_user)
{
	struct store store;
	struct edit_cursor cursor;

	if (!store_open(path, mode, &store)) {
		return false;
	}
	cursor = (struct edit_cursor){.text = store.text, .len = store.len};
	*ret_has_user = edit_find(&cursor, name);
	store_close(&store);
	return true;
}

static bool
begin_text(const struct store *store, struct text *text)
{
	size_t cap = store->len + EDIT_GROWTH + 1;
	char *bytes = secret_alloc(cap);

	if (bytes == NULL) {
		complain("there is no memory");
		return false;
	}
	text_init(text, bytes, cap);
	return true;
}

/* Tell why an edit was not done. */
static void
complain_of_edit(enum edit_result result, const struct request *request, unsigned line,
                 const char *mistake)
{
	switch (result) {
	case EDIT_UNKNOWN:
		complain("%s has no user %s; deftp-passwd add makes one", request->path,
		         request->name);
		break;
	case EDIT_EXISTS:
		complain("%s has a user %s already; deftp-passwd set changes a user",
		         request->path, request->name);
		break;
	case EDIT_WRONG: complain("%s:%u: %s", request->path, line, mistake); break;
	case EDIT_TOO_LONG:
		complain("the line of %s would be longer than %d bytes", request->name,
		         PASSWD_LINE_MAX);
		break;
	case EDIT_DONE:
	case EDIT_RESULT_COUNT: break;
	}
}

static bool
write_added(const struct request *request, const struct passwd_user *user)
{
	struct store store;
	struct text text;
	enum edit_result result;
	bool is_done = false;

	if (!store_open(request->path, STORE_CREATE, &store)) {
		return false;
	}
	if (begin_text(&store, &text)) {
		result = edit_add(store.text, store.len, user, &text);
		complain_of_edit(result, request, 0, NULL);
		is_done =
		    result == EDIT_DONE && store_write(&store, text.bytes, text.len);
		secret_free(text.bytes, text.cap);
	}
	store_close(&store);
	return is_done;
}

int
command_add(const struct request *request)
{
	struct passwd_user user = {.uid = ID_NOBODY, .gid = ID_NOBODY};
	bool has = false;
	bool is_done;
	char *hash;

	if (!is_acceptable(request) ||
	    !has_user(request->path, request->name, STORE_CREATE, &has)) {
		return STATUS_REFUSED;
	}
	if (has) {
		complain_of_edit(EDIT_EXISTS, request, 0, NULL);
		return STATUS_REFUSED;
	}
	hash = make_hash(request);
	if (hash == NULL) {
		return STATUS_REFUSED;
	}
	user.uid = request->has_uid ? request->uid : user.uid;
	user.gid = request->has_gid ? request->gid : user.gid;
	/* Their lengths have been checked. */
	(void)snprintf(user.name, sizeof(user.name), "%s", request->name);
	(void)snprintf(user.home, sizeof(user.home), "%s", request->home);
	(void)snprintf(user.hash, sizeof(user.hash), "%s", hash);
	is_done = write_added(request, &user);
	secret_wipe(&user, sizeof(user));
	secret_free(hash, HASH_SIZE);
	if (is_done) {
		(void)printf("%s has been added to %s.\n", request->name, request->path);
		look_at_home(request->home);
	}
	return is_done ? STATUS_OK : STATUS_REFUSED;
}

static bool
write_changed(const struct request *request, const struct edit_change *change)
{
	struct store store;
	struct edit_cursor cursor;
	struct text text;
	const char *mistake = NULL;
	enum edit_result result;
	bool is_done = false;

	if (!store_open(request->path, STORE_WRITE, &store)) {
		return false;
	}
	cursor = (struct edit_cursor){.text = store.text, .len = store.len};
	if (begin_text(&store, &text)) {
		result = edit_set(&cursor, request->name, change, &text, &mistake);
		complain_of_edit(result, request, cursor.number, mistake);
		is_done =
		    result == EDIT_DONE && store_write(&store, text.bytes, text.len);
		secret_free(text.bytes, text.cap);
	}
	store_close(&store);
	return is_done;
}

int
command_set(const struct request *request)
{
	struct edit_change change = {
	    .home = request->home,
	    .uid = request->has_uid ? &request->uid : NULL,
	    .gid = request->has_gid ? &request->gid : NULL,
	};
	bool is_other = request->home != NULL || request->has_uid || request->has_gid;
	char *hash = NULL;
	bool has = false;
	bool is_done;

	if (!is_acceptable(request) ||
	    !has_user(request->path, request->name, STORE_READ, &has)) {
		return STATUS_REFUSED;
	}
	if (!has) {
		complain_of_edit(EDIT_UNKNOWN, request, 0, NULL);
		return STATUS_REFUSED;
	}
	/* Who moves a home has not forgotten the password. */
	if (!is_other || request->is_stdin || request->method != NULL) {
		hash = make_hash(request);
		if (hash == NULL) {
			return STATUS_REFUSED;
		}
	}
	change.hash = hash;
	is_done = write_changed(request, &change);
	secret_free(hash, HASH_SIZE);
	if (is_done) {
		(void)printf("%s has been changed in %s.\n", request->name,
		             request->path);
		look_at_home(request->home);
	}
	return is_done ? STATUS_OK : STATUS_REFUSED;
}

int
command_delete(const struct request *request)
{
	struct store store;
	struct text text;
	unsigned count;
	bool is_done = false;

	if (!store_open(request->path, STORE_WRITE, &store)) {
		return STATUS_REFUSED;
	}
	if (begin_text(&store, &text)) {
		count = edit_delete(store.text, store.len, request->name, &text);
		if (count == 0) {
			complain("%s has no user %s", request->path, request->name);
		} else if (store_write(&store, text.bytes, text.len)) {
			is_done = true;
			(void)printf("%s has been removed from %s (%u line%s).\n",
			             request->name, request->path, count,
			             count == 1 ? "" : "s");
		}
		secret_free(text.bytes, text.cap);
	}
	store_close(&store);
	return is_done ? STATUS_OK : STATUS_REFUSED;
}

static int
check_password(const struct request *request, const struct passwd_user *user)
{
	char *password = secret_alloc(ASK_SIZE);
	int status = STATUS_REFUSED;

	if (password == NULL) {
		complain("there is no memory");
	} else if (get_password(request, false, password)) {
		status = hash_matches(user->hash, password) ? STATUS_OK : STATUS_REFUSED;
		(void)printf("The password of %s is %s.\n", request->name,
		             status == STATUS_OK ? "right" : "wrong");
	}
	secret_free(password, ASK_SIZE);
	return status;
}

int
command_verify_user(const struct request *request)
{
	struct store store;
	struct edit_cursor cursor;
	struct passwd_user user;
	const char *mistake;
	int status = STATUS_REFUSED;

	if (!store_open(request->path, STORE_READ, &store)) {
		return STATUS_REFUSED;
	}
	cursor = (struct edit_cursor){.text = store.text, .len = store.len};
	if (!edit_find(&cursor, request->name)) {
		complain_of_edit(EDIT_UNKNOWN, request, 0, NULL);
	} else if (passwd_line_parse(cursor.line, cursor.line_len, &user, &mistake) !=
	           PASSWD_LINE_USER) {
		complain_of_edit(EDIT_WRONG, request, cursor.number, mistake);
	} else if (!passwd_hash_is_usable(user.hash)) {
		complain(
		    "%s:%u: no password can match the hash of %s; deftp-passwd set makes "
		    "a new one",
		    request->path, cursor.number, request->name);
	} else {
		status = check_password(request, &user);
	}
	secret_wipe(&user, sizeof(user));
	store_close(&store);
	return status;
}
