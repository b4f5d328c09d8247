/*
 * mff: facts that a client sets: the argument of MFF, and the answer to it.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: draft-somers-ftp-mfxx-04, sections 3 and 5.
 * Not here: who may set them; see ftpd/worker/cmd_change.c.
 */
#ifndef FTPD_PROTO_MFF_H
#define FTPD_PROTO_MFF_H

#include "ftpd/proto/arg.h"
#include "common/base.h"

enum {
	MFF_TEXT_MAX = 64,   /* both facts as mff_format writes them */
	MFF_MODE_MAX = 0777, /* set-id and sticky bits are nobody's business here */
};

/* What is to be set; both may be. */
struct mff {
	bool has_time;
	bool has_mode;
	int64_t time_s;
	uint32_t mode;
};

/*
 * Parse "Modify=20200131235959;UNIX.mode=0644; path": facts in any case and order, each
 * once, each ended by a semicolon, one space, a path.
 * Out:     ret_path, ret_path_len: the path in text. All three are written only when
 *          ARG_OK.
 * Returns: ARG_OK; ARG_UNSUPPORTED for a fact that cannot be set; ARG_SYNTAX.
 */
enum arg_result mff_parse(const char *text, size_t len, struct mff *ret_mff,
                          const char **ret_path, size_t *ret_path_len);

/*
 * Parse permission bits: one to four octal digits, MFF_MODE_MAX at most.
 * Returns: true and *ret_mode; false otherwise.
 */
bool mff_parse_mode(const char *text, size_t len, uint32_t *ret_mode);

/*
 * Write the facts as a reply names them: "Modify=20200131235959;UNIX.mode=0644;".
 * Returns: bytes in out, which is not terminated; 0 if there are none or cap is too
 *          small; MFF_TEXT_MAX always suffices.
 */
size_t mff_format(const struct mff *mff, char *out, size_t cap);

#endif
