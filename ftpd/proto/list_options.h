/*
 * list_options: the ls options that clients put before the path of LIST, NLST and STAT.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: custom, not RFC 959; SECURITY.md G6.
 * Not here: acting on them; no program is ever run.
 *
 * The rule: words that begin with "-" at the very start are options, each letter one;
 * unknown letters and words that begin with "--" are ignored. "--" alone ends them. One
 * space ends each word; what follows the last is the path, byte for byte. "-" alone is a
 * path. So a path "-x" is reachable as "-- -x" or "./-x".
 */
#ifndef FTPD_PROTO_LIST_OPTIONS_H
#define FTPD_PROTO_LIST_OPTIONS_H

#include "common/base.h"

/*
 * Bits of list_options.flags. The values are those of enum agent_option in
 * ftpd/ipc/agent.h, so that the worker can pass them on; its dispatch asserts that.
 */
enum list_flag {
	LIST_HIDDEN = 1,     /* -a, -A: names that begin with a dot */
	LIST_BY_TIME = 2,    /* -t; the last of -t and -S counts */
	LIST_REVERSE = 4,    /* -r */
	LIST_RECURSIVE = 8,  /* -R */
	LIST_BY_SIZE = 16,   /* -S */
	LIST_CLASSIFY = 32,  /* -F */
	LIST_DIRECTORY = 64, /* -d: the directory itself */
	/* -l: changes NLST only. -1 takes it back; -h and others change nothing */
	LIST_LONG = 128,
};

struct list_options {
	unsigned flags;   /* enum list_flag */
	const char *path; /* points into the argument */
	size_t path_len;  /* 0: the current directory */
};

/*
 * Take options and path apart. Every text is some list of options and a path.
 * Returns: both.
 */
struct list_options list_options_parse(const char *text, size_t len);

#endif
