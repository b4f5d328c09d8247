/*
 * site: the commands behind SITE: their table, and their arguments.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/proto/site.h"

#include <string.h>

#include "ftpd/proto/datetime.h"
#include "ftpd/proto/letters.h"
#include "ftpd/proto/mff.h"
#include "common/base.h"

enum {
	MINUTES_TEXT_BYTES = 12, /* YYYYMMDDhhmm */
};

static const struct site_command site_table[SITE_COUNT] = {
    [SITE_HELP] = {"HELP", "[<SP> command]", "Tell about SITE commands", false},
    [SITE_CHMOD] = {"CHMOD", "<SP> mode <SP> path", "Set permission bits, 0 to 777",
                    true},
    [SITE_UMASK] = {"UMASK", "[<SP> mask]", "Tell or set the bits that new files lack",
                    true},
    [SITE_UTIME] = {"UTIME", "<SP> YYYYMMDDhhmm[ss] <SP> path",
                    "Set when a file was modified", true},
    [SITE_SYMLINK] = {"SYMLINK", "<SP> target <SP> path", "Make a symbolic link", true},
    [SITE_CPFR] = {"CPFR", "<SP> path", "Name what to copy", true},
    [SITE_CPTO] = {"CPTO", "<SP> path", "Copy it, files and trees", true},
};

enum site_id
site_find(const char *word, size_t len)
{
	unsigned id = 0;

	while (id < SITE_COUNT && !letters_same(word, len, site_table[id].name)) {
		id++;
	}
	return (enum site_id)id;
}

const struct site_command *
site_row(enum site_id id)
{
	return &site_table[id];
}

/*
 * Part a text at its first space. Returns: false if there is none, or nothing on either
 * side of it.
 */
static bool
part(const char *text, size_t len, size_t *ret_first_len)
{
	const char *space = len > 0 ? memchr(text, ' ', len) : NULL;

	if (space == NULL || space == text || space + 1 == text + len) {
		return false;
	}
	*ret_first_len = (size_t)(space - text);
	return true;
}

static void
set_path(struct site_request *request, const char *text, size_t len)
{
	request->path = text;
	request->path_len = len;
}

static bool
parse_chmod(const char *text, size_t len, struct site_request *request)
{
	size_t mode_len;

	if (!part(text, len, &mode_len) ||
	    !mff_parse_mode(text, mode_len, &request->mode)) {
		return false;
	}
	request->has_mode = true;
	set_path(request, text + mode_len + 1, len - mode_len - 1);
	return true;
}

static bool
parse_umask(const char *text, size_t len, struct site_request *request)
{
	request->has_mode = len > 0;
	return len == 0 || mff_parse_mode(text, len, &request->mode);
}

/* YYYYMMDDhhmm or YYYYMMDDhhmmss. */
static bool
parse_time(const char *text, size_t len, int64_t *ret_time_s)
{
	char whole[DATETIME_TEXT_BYTES] = "00000000000000";

	if (len != MINUTES_TEXT_BYTES && len != sizeof(whole)) {
		return false;
	}
	memcpy(whole, text, len);
	/* without seconds the zeros stay */
	if (len == MINUTES_TEXT_BYTES) {
		whole[len] = '0';
		whole[len + 1] = '0';
	}
	return datetime_parse(whole, sizeof(whole), ret_time_s);
}

/*
 * The older form: path, and times of access, change and creation, and "UTC". It is read
 * from its end, as the path may have spaces.
 */
static bool
parse_utime_three(const char *text, size_t len, struct site_request *request)
{
	enum {
		FIELD = 1 + DATETIME_TEXT_BYTES,
		TAIL = 3 * FIELD + 4,
	};
	int64_t times[3];
	size_t path_len;

	if (len <= TAIL || !letters_same(text + len - 4, 4, " UTC")) {
		return false;
	}
	path_len = len - TAIL;
	for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
		const char *field = text + path_len + i * FIELD;

		if (field[0] != ' ' ||
		    !datetime_parse(field + 1, DATETIME_TEXT_BYTES, &times[i])) {
			return false;
		}
	}
	request->time_s = times[1];
	set_path(request, text, path_len);
	return true;
}

static bool
parse_utime(const char *text, size_t len, struct site_request *request)
{
	size_t time_len;

	if (parse_utime_three(text, len, request)) {
		return true;
	}
	if (!part(text, len, &time_len) ||
	    !parse_time(text, time_len, &request->time_s)) {
		return false;
	}
	set_path(request, text + time_len + 1, len - time_len - 1);
	return true;
}

static bool
parse_symlink(const char *text, size_t len, struct site_request *request)
{
	size_t target_len;

	if (!part(text, len, &target_len)) {
		return false;
	}
	request->target = text;
	request->target_len = target_len;
	set_path(request, text + target_len + 1, len - target_len - 1);
	return true;
}

static bool
parse_argument(const char *text, size_t len, struct site_request *request)
{
	switch (request->id) {
	case SITE_HELP: set_path(request, text, len); return true;
	case SITE_CHMOD: return parse_chmod(text, len, request);
	case SITE_UMASK: return parse_umask(text, len, request);
	case SITE_UTIME: return parse_utime(text, len, request);
	case SITE_SYMLINK: return parse_symlink(text, len, request);
	case SITE_CPFR:
	case SITE_CPTO: set_path(request, text, len); return len > 0;
	case SITE_COUNT: break;
	}
	return false;
}

enum site_result
site_parse(const char *text, size_t len, struct site_request *ret_request)
{
	const char *space = len > 0 ? memchr(text, ' ', len) : NULL;
	size_t word_len = space != NULL ? (size_t)(space - text) : len;
	size_t used = space != NULL ? word_len + 1 : word_len;
	struct site_request request = {
	    .id = site_find(text, word_len), .path = "", .target = ""};

	ret_request->id = request.id;
	if (request.id == SITE_COUNT) {
		return SITE_UNKNOWN;
	}
	if (!parse_argument(text + used, len - used, &request)) {
		return SITE_SYNTAX;
	}
	*ret_request = request;
	return SITE_OK;
}
