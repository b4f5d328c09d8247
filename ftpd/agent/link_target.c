/*
 * link_target: what a symbolic link may say.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/link_target.h"

#include <string.h>

#include "common/base.h"

/* Count the ".." at the beginning; behind them there may be none. */
static bool
count_ups(const char *target, size_t len, unsigned *ret_ups)
{
	bool has_name = false;
	unsigned ups = 0;

	for (size_t at = 0; at < len;) {
		size_t end = at;

		while (end < len && target[end] != '/') {
			end++;
		}
		if (end - at == 2 && target[at] == '.' && target[at + 1] == '.') {
			if (has_name) {
				return false;
			}
			ups++;
		} else if (end > at && !(end - at == 1 && target[at] == '.')) {
			has_name = true;
		}
		at = end + 1;
	}
	*ret_ups = ups;
	return true;
}

bool
link_target_write(unsigned depth, const char *target, size_t len,
                  char ret_text[IPC_PATH_MAX])
{
	static const char up[] = "../";
	bool is_absolute = len > 0 && target[0] == '/';
	unsigned ups;
	size_t at = 0;

	if (len == 0 || !count_ups(target, len, &ups) ||
	    ups > (is_absolute ? 0 : depth)) {
		return false;
	}
	if (is_absolute) {
		while (len > 0 && target[0] == '/') {
			target++;
			len--;
		}
		for (unsigned i = 0; i < depth && at + sizeof(up) < IPC_PATH_MAX; i++) {
			memcpy(ret_text + at, up, sizeof(up) - 1);
			at += sizeof(up) - 1;
		}
		if (at == 0 && len == 0) {
			ret_text[at++] = '.';
		}
	}
	if (at + len >= IPC_PATH_MAX) {
		return false;
	}
	memcpy(ret_text + at, target, len);
	ret_text[at + len] = '\0';
	return true;
}
