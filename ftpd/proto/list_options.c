/*
 * list_options: the ls options that clients put before the path of LIST, NLST and STAT.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/proto/list_options.h"

#include <string.h>

#include "common/base.h"

static unsigned
apply_letter(unsigned flags, char letter)
{
	switch (letter) {
	case 'a':
	case 'A': return flags | LIST_HIDDEN;
	case 't': return (flags & ~(unsigned)LIST_BY_SIZE) | LIST_BY_TIME;
	case 'S': return (flags & ~(unsigned)LIST_BY_TIME) | LIST_BY_SIZE;
	case 'r': return flags | LIST_REVERSE;
	case 'R': return flags | LIST_RECURSIVE;
	case 'F': return flags | LIST_CLASSIFY;
	case 'd': return flags | LIST_DIRECTORY;
	case 'l': return flags | LIST_LONG;
	case '1': return flags & ~(unsigned)LIST_LONG;
	default: return flags;
	}
}

struct list_options
list_options_parse(const char *text, size_t len)
{
	struct list_options options = {.flags = 0, .path = text, .path_len = len};

	while (options.path_len >= 2 && options.path[0] == '-' &&
	       options.path[1] != ' ') {
		const char *space = memchr(options.path, ' ', options.path_len);
		size_t word =
		    space != NULL ? (size_t)(space - options.path) : options.path_len;
		size_t used = space != NULL ? word + 1 : word;
		bool is_long = options.path[1] == '-';

		for (size_t i = 1; i < word && !is_long; i++) {
			options.flags = apply_letter(options.flags, options.path[i]);
		}
		options.path += used;
		options.path_len -= used;
		if (is_long && word == 2) {
			break;
		}
	}
	return options;
}
