/*
 * path: the algebra of client paths.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/path.h"

#include <string.h>

#include "common/base.h"

size_t
path_base(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/') {
		len--;
	}
	return len;
}

/* Append one component to a path without a slash at its end ("" is the root). Returns: false if it is too long. */
static bool
append(char *path, size_t *len, const char *component, size_t component_len)
{
	if (component_len == 0 || (component_len == 1 && component[0] == '.')) {
		return true;
	}
	if (component_len == 2 && component[0] == '.' && component[1] == '.') {
		size_t base = path_base(path, *len);

		*len = base > 0 ? base - 1 : 0;
		return true;
	}
	if (component_len > PATH_COMPONENT_MAX || *len + 1 + component_len > PATH_MAX_BYTES) {
		return false;
	}
	path[(*len)++] = '/';
	memcpy(path + *len, component, component_len);
	*len += component_len;
	return true;
}

enum path_result
path_resolve(const char *cwd, const char *argument, size_t len,
             char ret_path[PATH_MAX_BYTES + 1], size_t *ret_len)
{
	bool is_absolute = len > 0 && argument[0] == '/';
	size_t path_len = is_absolute ? 0 : strlen(cwd);
	bool is_ok = true;
	size_t at = 0;

	if (path_len == 1) {
		path_len = 0; /* "/": components bring their own slash */
	}
	memcpy(ret_path, cwd, path_len);
	while (is_ok && at < len) {
		const char *slash = memchr(argument + at, '/', len - at);
		size_t stop = slash != NULL ? (size_t)(slash - argument) : len;

		is_ok = append(ret_path, &path_len, argument + at, stop - at);
		at = stop + 1;
	}
	if (path_len == 0) {
		ret_path[path_len++] = '/';
	}
	ret_path[path_len] = '\0';
	*ret_len = path_len;
	return is_ok ? PATH_OK : PATH_TOO_LONG;
}

bool
path_has_wildcard(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\') {
			i++;
		} else if (text[i] == '*' || text[i] == '?' || text[i] == '[') {
			return true;
		}
	}
	return false;
}
