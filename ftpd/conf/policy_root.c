/*
 * policy_root: the directory that a user sees as /, and where he begins in it.
 * Runs in: master (explains), deftpd-auth (decides).
 * Source:  "/./" in homes: wu-ftpd's passwd entries, which others have taken over.
 * Not here: whether the directory is there; the agent opens it.
 */
#include "ftpd/conf/policy.h"

#include <string.h>

#include "common/base.h"

/* A path under construction; after an overflow it stays failed. */
struct text {
	char bytes[2 * OPTIONS_TEXT_MAX];
	size_t len;
	bool has_failed;
};

static void
append(struct text *text, const char *bytes, size_t len)
{
	if (text->has_failed || len >= sizeof(text->bytes) - text->len) {
		text->has_failed = true;
		return;
	}
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

/* A name that becomes part of a path must be one component and nothing else. */
static bool
is_component(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strchr(name, '/') == NULL;
}

static void
append_named(struct text *text, char what, const char *user, const char *home)
{
	if (what == 'u' && is_component(user)) {
		append(text, user, strlen(user));
	} else if (what == 'h' && home[0] == '/') {
		append(text, home, strlen(home));
	} else {
		text->has_failed = true;
	}
}

static void
expand(const char *root, const char *user, const char *home, struct text *text)
{
	if (root[0] == '~' && (root[1] == '/' || root[1] == '\0')) {
		append_named(text, 'h', user, home);
		root++;
	}
	while (*root != '\0') {
		size_t plain = strcspn(root, "%");

		append(text, root, plain);
		root += plain;
		if (*root == '%') {
			append_named(text, root[1], user, home);
			root += root[1] != '\0' ? 2 : 1;
		}
	}
}

/*
 * Append what is not "." of a path's components.
 * Returns: false for "..", which a link on the way would lead elsewhere than it seems,
 *          and
 * for a path too long.
 */
static bool
append_normal(const char *path, size_t len, char *ret_path)
{
	size_t used = strlen(ret_path);

	for (size_t start = 0; start < len;) {
		const char *slash = memchr(path + start, '/', len - start);
		size_t end = slash != NULL ? (size_t)(slash - path) : len;
		size_t part = end - start;

		if (part == 2 && memcmp(path + start, "..", 2) == 0) {
			return false;
		}
		if (part > 0 && !(part == 1 && path[start] == '.')) {
			size_t separator = used > 1 ? 1 : 0;

			if (used + separator + part >= OPTIONS_TEXT_MAX) {
				return false;
			}
			if (separator > 0) {
				ret_path[used++] = '/';
			}
			memcpy(ret_path + used, path + start, part);
			used += part;
			ret_path[used] = '\0';
		}
		start = end + 1;
	}
	return true;
}

bool
policy_expand_root(const char *root, const char *user, const char *home, bool is_chrooted,
                   char ret_root[OPTIONS_TEXT_MAX], char ret_start[OPTIONS_TEXT_MAX])
{
	struct text text = {.len = 0};
	char new_root[OPTIONS_TEXT_MAX] = "/";
	char new_start[OPTIONS_TEXT_MAX] = "/";
	const char *split;
	size_t root_len;

	expand(root, user, home, &text);
	if (text.has_failed || text.bytes[0] != '/') {
		return false;
	}
	split = strstr(text.bytes, "/./");
	root_len = split != NULL ? (size_t)(split - text.bytes) : text.len;
	if (!append_normal(text.bytes, root_len, is_chrooted ? new_root : new_start) ||
	    !append_normal(text.bytes + root_len, text.len - root_len, new_start)) {
		return false;
	}
	memcpy(ret_root, new_root, sizeof(new_root));
	memcpy(ret_start, new_start, sizeof(new_start));
	return true;
}
