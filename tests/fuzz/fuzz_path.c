/*
 * fuzz_path: any argument, applied to any current directory.
 * Wanted:  a normalised absolute path or a refusal; the same again when it is resolved
 *          again; what a slow reference makes of the components; parent and base put
 *          together are the path; a pattern is a last component.
 */
#include "ftpd/proto/path.h"

#include <stdlib.h>
#include <string.h>

#include "ftpd/proto/wildcard.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

enum {
	COMPONENTS_MAX = 8192, /* of both texts, each with its slash */
};

/* A stack of components, pointing into the two texts. */
struct stack {
	const char *names[COMPONENTS_MAX];
	size_t lens[COMPONENTS_MAX];
	size_t count;
};

static void
check_normal(const char *path)
{
	size_t len = strlen(path);

	fuzz_require(path[0] == '/' && len < PATH_MAX_BYTES);
	fuzz_require(len == 1 || path[len - 1] != '/');
	for (const char *at = path; len > 1 && at != NULL; at = strchr(at + 1, '/')) {
		size_t component = strcspn(at + 1, "/");

		fuzz_require(component > 0 && component <= PATH_COMPONENT_MAX);
		fuzz_require(!(component == 1 && at[1] == '.'));
		fuzz_require(!(component == 2 && at[1] == '.' && at[2] == '.'));
	}
}

static void
push_all(struct stack *stack, const char *text, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0; i <= len; i++) {
		size_t component = i - begin;

		if (i < len && text[i] != '/') {
			continue;
		}
		if (component == 2 && memcmp(text + begin, "..", 2) == 0) {
			stack->count -= stack->count > 0 ? 1 : 0;
		} else if (component > 0 && !(component == 1 && text[begin] == '.')) {
			fuzz_require(stack->count < COMPONENTS_MAX);
			stack->names[stack->count] = text + begin;
			stack->lens[stack->count++] = component;
		}
		begin = i + 1;
	}
}

/* Compare with the components that are left when all ".." have been applied. */
static void
check_against_reference(const char *cwd, const char *arg, size_t len, const char *path)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	const char *at = path;

	fuzz_require(stack != NULL);
	if (len == 0 || arg[0] != '/') {
		push_all(stack, cwd, strlen(cwd));
	}
	push_all(stack, arg, len);
	for (size_t i = 0; i < stack->count; i++) {
		fuzz_require(*at == '/');
		fuzz_require(strncmp(at + 1, stack->names[i], stack->lens[i]) == 0);
		at += 1 + stack->lens[i];
	}
	fuzz_require(stack->count == 0 ? strcmp(path, "/") == 0 : *at == '\0');
	free(stack);
}

static void
check_parts(const char *path)
{
	size_t len = strlen(path);
	size_t parent_len = path_parent_len(path, len);
	size_t base_len;
	const char *base = path_base(path, len, &base_len);

	fuzz_require(base + base_len == path + len && base_len > 0);
	fuzz_require(parent_len >= 1 && parent_len <= len);
	if (len > 1) {
		fuzz_require(memchr(base, '/', base_len) == NULL);
		fuzz_require((parent_len == 1 ? 0 : parent_len) + 1 + base_len == len);
	}
}

static void
check_pattern(const char *arg, size_t len)
{
	size_t dir_len;

	if (path_split_pattern(arg, len, &dir_len)) {
		fuzz_require(dir_len < len && len - dir_len <= PATH_COMPONENT_MAX);
		fuzz_require(dir_len == 0 || arg[dir_len - 1] == '/');
		fuzz_require(memchr(arg + dir_len, '/', len - dir_len) == NULL);
		fuzz_require(wildcard_is_pattern(arg + dir_len, len - dir_len));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.data = data, .size = size};
	char cwd[PATH_MAX_BYTES] = "/";
	char path[PATH_MAX_BYTES];
	char again[PATH_MAX_BYTES];
	size_t first_len;
	size_t arg_len;
	const char *first = fuzz_take_text(&input, PATH_MAX_BYTES, &first_len);
	const char *arg = fuzz_take_text(&input, PATH_MAX_BYTES, &arg_len);
	size_t cap = fuzz_take_byte(&input) < 8 ? fuzz_take_byte(&input) : sizeof(path);
	enum path_result result;

	check_pattern(arg, arg_len);
	if (path_resolve("/", first, first_len, cwd, sizeof(cwd)) != PATH_OK) {
		memcpy(cwd, "/", 2);
	}
	check_normal(cwd);
	result = path_resolve(cwd, arg, arg_len, path, cap);
	fuzz_require((result == PATH_BAD) ==
	             (cap >= 2 && arg_len > 0 && memchr(arg, '\0', arg_len) != NULL));
	if (result != PATH_OK) {
		return 0;
	}
	fuzz_require(strlen(path) < cap);
	check_normal(path);
	check_parts(path);
	check_against_reference(cwd, arg, arg_len, path);
	fuzz_require(path_resolve("/x", path, strlen(path), again, sizeof(again)) ==
	             PATH_OK);
	fuzz_require(strcmp(path, again) == 0);
	return 0;
}
