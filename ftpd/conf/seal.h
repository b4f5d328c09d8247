/*
 * seal: the form of the options in the memory file that other programs are given.
 * Runs in: master (writes), worker and recorder (read).
 * Source:  memfd_create(2), fcntl(2) F_ADD_SEALS; DESIGN.md section 3, rule 5.
 *
 * Magic (u32), fingerprint of the table (u64), then for each row of the table in its
 * order the number of
 * entries (u16) and each entry's text (u16 length, bytes).  Values go as text so that
 * they are checked again by the very code that checked them first.
 */
#ifndef FTPD_CONF_SEAL_H
#define FTPD_CONF_SEAL_H

#include "ftpd/conf/options.h"

#include "common/base.h"

enum {
	SEAL_MAGIC = 0x64665443, /* "dfTC" */
	/* Ten texts of 1 KiB and three lists of at most 5 KiB are well below. */
	SEAL_MAX_BYTES = 64 * 1024,
};

/*
 * Encode options.
 * Out:     ret_len: bytes written to `bytes`.
 * Returns: 0, or -EMSGSIZE if cap is too small.
 */
int seal_encode(const struct options *options, uint8_t *bytes, size_t cap,
                size_t *ret_len);

/*
 * Decode what seal_encode() wrote, to the last byte.
 * Returns: 0, or -EBADMSG.
 */
int seal_decode(const uint8_t *bytes, size_t len, struct options *ret_options);

#endif
