/*
 * wire: writing and reading messages field by field, big-endian, with sticky errors and a
 * final "nothing left" check.
 * Runs in: every process. Input of the reader: hostile.
 * Source: DESIGN.md section 3, rule 5; the idea of the sticky error is OpenSSH's sshbuf
 * and OpenSMTPD's mproc.
 * Not here: which message exists; see ftpd/ipc.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include "common/addr.h"
#include "common/base.h"

/*
 * A message under construction in the caller's buffer. After an overflow nothing more is
 * written.
 */
struct wire_writer {
	uint8_t *bytes;
	size_t cap;
	size_t len;
	bool has_failed;
};

/*
 * A message being read. After a short or wrong field every further field reads as zero.
 */
struct wire_reader {
	const uint8_t *bytes;
	size_t len;
	size_t pos;
	bool has_failed;
};

/* Begin a message in a buffer of cap bytes. */
void wire_writer_init(struct wire_writer *writer, uint8_t *bytes, size_t cap);
/* Append one field. A number takes its own size, big-endian. */
void wire_put_u8(struct wire_writer *writer, uint8_t value);
/* As wire_put_u8. */
void wire_put_u16(struct wire_writer *writer, uint16_t value);
/* As wire_put_u8. */
void wire_put_u32(struct wire_writer *writer, uint32_t value);
/* As wire_put_u8. */
void wire_put_u64(struct wire_writer *writer, uint64_t value);
/* One byte, 0 or 1. */
void wire_put_bool(struct wire_writer *writer, bool value);
/* A length (u16) and the bytes. */
void wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t len);
/* Family, 16 bytes, port, scope. */
void wire_put_addr(struct wire_writer *writer, const struct addr *addr);

/* Begin reading a message, which must stay as long as texts out of it are used. */
void wire_reader_init(struct wire_reader *reader, const uint8_t *bytes, size_t len);

/*
 * Read one field.
 * Returns: its value; 0 if the message ended before it or the field is not well-formed,
 *          and the reader has failed then.
 */
uint8_t wire_get_u8(struct wire_reader *reader);
/* Returns: as wire_get_u8. */
uint16_t wire_get_u16(struct wire_reader *reader);
/* Returns: as wire_get_u8. */
uint32_t wire_get_u32(struct wire_reader *reader);
/* Returns: as wire_get_u8. */
uint64_t wire_get_u64(struct wire_reader *reader);
/* Returns: as wire_get_u8; a byte other than 0 and 1 fails the reader. */
bool wire_get_bool(struct wire_reader *reader);
/* Returns: as wire_get_u8; a value of `count` or above fails the reader. For enums. */
uint8_t wire_get_enum(struct wire_reader *reader, unsigned count);
/*
 * Read a length (u16) and that many bytes.
 * Returns: a pointer into the message, not terminated, and *ret_len; "" and 0 after a
 *          failure. More than `max` bytes fail the reader.
 */
const char *wire_get_bytes(struct wire_reader *reader, size_t max, size_t *ret_len);
/*
 * Returns: as wire_get_u8; an unknown family, or bytes and a scope that the family does
 *          not have, fail the reader.
 */
struct addr wire_get_addr(struct wire_reader *reader);

/*
 * End reading.
 * Returns: true if every field was there and no byte is left over.
 */
bool wire_reader_is_done(const struct wire_reader *reader);

#endif
