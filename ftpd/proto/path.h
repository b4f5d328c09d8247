/*
 * path: client paths as text: absolute, normalised, never above "/".
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 3659 6 (TVFS); DESIGN.md section 3, rule 10, and section 4; SECURITY.md P9,
 * P15.
 * Not here: whether anything is at a path. Being inside the root is the kernel's to
 * decide, in the agent.
 *
 * ".." takes back the component before it as text, also when that is a symbolic link: the
 * client's picture is a tree. A trailing slash is dropped.
 */
#ifndef FTPD_PROTO_PATH_H
#define FTPD_PROTO_PATH_H

#include "common/base.h"

enum {
	/* with the terminating NUL, as PATH_MAX; longer: PATH_TOO_LONG, never cut */
	PATH_MAX_BYTES = 4096,
	PATH_COMPONENT_MAX = 255, /* NAME_MAX of Linux; longer: PATH_TOO_LONG */
};

enum path_result {
	PATH_OK,
	PATH_TOO_LONG, /* the path or a component of it: 550 */
	PATH_BAD,      /* a NUL byte */
};

/*
 * Apply a path argument to the current directory.
 * In:      cwd: a result of this function, or "/". arg, len: as received; empty stands
 *          for cwd. cap: size of ret_path, at most PATH_MAX_BYTES is used.
 * Out:     ret_path: terminated; "/" or "/a/b". Unspecified unless PATH_OK. May not
 *          overlap cwd.
 * Returns: PATH_OK, PATH_TOO_LONG, PATH_BAD.
 */
enum path_result path_resolve(const char *cwd, const char *arg, size_t len,
                              char *ret_path, size_t cap);

/*
 * Find the directory part of a resolved path.
 * Returns: its length: path[0 .. n) is the parent; 1 for "/a" and "/".
 */
size_t path_parent_len(const char *path, size_t len);

/*
 * Find the last component of a resolved path.
 * Returns: pointer into path and *ret_len; for "/" the slash itself.
 */
const char *path_base(const char *path, size_t len, size_t *ret_len);

/*
 * Cut a wildcard pattern off a path argument, before it is resolved. Only the last
 * component can be a pattern, others are literal. A directory whose name looks like one,
 * "[x]", is reachable as "[x]/".
 * Out:     ret_dir_len: arg[0 .. n) is the directory part, with its slash; 0 for none.
 *          The pattern is the rest, at most PATH_COMPONENT_MAX bytes. Written only when
 *          true.
 * Returns: true if the last component is a pattern (wildcard.h).
 */
bool path_split_pattern(const char *arg, size_t len, size_t *ret_dir_len);

#endif
