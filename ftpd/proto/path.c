/*
 * path: client paths as text: absolute, normalised, never above "/".
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/proto/path.h"

#include <string.h>

#include "ftpd/proto/wildcard.h"
#include "common/base.h"

/* A path under construction: "" stands for "/", else "/a/b". */
struct building {
	char *path;
	size_t len;
	size_t cap; /* with room for the terminator */
};

static enum path_result
add_component(struct building *building, const char *name, size_t len)
{
	if (len == 0 || (len == 1 && name[0] == '.')) {
		return PATH_OK;
	}
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		while (building->len > 0 && building->path[--building->len] != '/') {
		}
		return PATH_OK;
	}
	if (len > PATH_COMPONENT_MAX || building->len + 1 + len + 1 > building->cap) {
		return PATH_TOO_LONG;
	}
	building->path[building->len] = '/';
	memcpy(building->path + building->len + 1, name, len);
	building->len += 1 + len;
	return PATH_OK;
}

static enum path_result
add_components(struct building *building, const char *text, size_t len)
{
	size_t begin = 0;

	while (begin < len) {
		const char *slash = memchr(text + begin, '/', len - begin);
		size_t end = slash != NULL ? (size_t)(slash - text) : len;
		enum path_result result =
		    add_component(building, text + begin, end - begin);

		if (result != PATH_OK) {
			return result;
		}
		begin = end + 1;
	}
	return PATH_OK;
}

enum path_result
path_resolve(const char *cwd, const char *arg, size_t len, char *ret_path, size_t cap)
{
	struct building building = {.path = ret_path,
	                            .cap = cap < PATH_MAX_BYTES ? cap : PATH_MAX_BYTES};
	enum path_result result = PATH_OK;

	if (building.cap < 2) {
		return PATH_TOO_LONG;
	}
	if (len > 0 && memchr(arg, '\0', len) != NULL) {
		return PATH_BAD;
	}
	if (len == 0 || arg[0] != '/') {
		result = add_components(&building, cwd, strlen(cwd));
	}
	if (result == PATH_OK) {
		result = add_components(&building, arg, len);
	}
	if (result != PATH_OK) {
		return result;
	}
	if (building.len == 0) {
		ret_path[building.len++] = '/';
	}
	ret_path[building.len] = '\0';
	return PATH_OK;
}

/*
 * Returns: how many bytes stand up to and including the last slash; 0 if there is none.
 */
static size_t
dir_len(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/') {
		len--;
	}
	return len;
}

size_t
path_parent_len(const char *path, size_t len)
{
	size_t parent = dir_len(path, len);

	return parent > 1 ? parent - 1 : 1;
}

const char *
path_base(const char *path, size_t len, size_t *ret_len)
{
	size_t begin = len > 1 ? dir_len(path, len) : 0;

	*ret_len = len - begin;
	return path + begin;
}

bool
path_split_pattern(const char *arg, size_t len, size_t *ret_dir_len)
{
	size_t begin = dir_len(arg, len);

	if (len - begin > PATH_COMPONENT_MAX ||
	    !wildcard_is_pattern(arg + begin, len - begin)) {
		return false;
	}
	*ret_dir_len = begin;
	return true;
}
