/*
 * seal: the form of the options and the titled sections in the memory file that other
 * programs are given.
 * Runs in: master (writes), worker and recorder (read).
 * Source:  memfd_create(2), fcntl(2) F_ADD_SEALS; DESIGN.md section 3, rule 5.
 *
 * Magic (u32), fingerprint of the table (u64), then for each row of the table in its
 * order the number of
 * entries (u16) and each entry's text (u16 length, bytes).  Then the number of titled
 * sections (u16) and for each its scope (u8), title (text), line (u32), mask of keys
 * (u32) and each key in the mask: the number of its entries (u16) and each entry's text.
 * Values go as text so that they are checked again by the very code that checked them
 * first.
 */
#ifndef FTPD_CONF_SEAL_H
#define FTPD_CONF_SEAL_H

#include "ftpd/conf/policy.h"

#include "common/base.h"

enum {
	SEAL_MAGIC = 0x64665443, /* "dfTC" */
	/*
	 * The options have some 100 KiB at most. A titled section, if it is a host, has
	 * 17 texts of 1 KiB and a few bytes more, and there are POLICY_OVERRIDES_MAX of
	 * them.
	 */
	SEAL_MAX_BYTES = 5 * 1024 * 1024,
};

/*
 * Encode options and titled sections.
 * In:      overrides: NULL means none.
 * Out:     ret_len: bytes written to `bytes`.
 * Returns: 0, or -EMSGSIZE if cap is too small.
 */
int seal_encode(const struct options *options, const struct overrides *overrides,
                uint8_t *bytes, size_t cap, size_t *ret_len);

/*
 * Decode what seal_encode() wrote, to the last byte.
 * Out:     ret_overrides: NULL if they are not wanted; they are checked nevertheless.
 * Returns: 0, -EBADMSG, or -ENOMEM.
 * Owner:   the caller frees *ret_overrides by overrides_free().
 */
int seal_decode(const uint8_t *bytes, size_t len, struct options *ret_options,
                struct overrides *ret_overrides);

#endif
