/*
 * wire: writing and reading messages field by field, big-endian, with sticky errors and a
 * final "nothing left" check.
 * Runs in: every process. Input of the reader: hostile.
 */
#include "common/wire.h"

#include <string.h>

#include "common/base.h"

void
wire_writer_init(struct wire_writer *writer, uint8_t *bytes, size_t cap)
{
	*writer = (struct wire_writer){.bytes = bytes, .cap = cap};
}

static void
put_number(struct wire_writer *writer, uint64_t value, unsigned size)
{
	if (writer->has_failed || writer->cap - writer->len < size) {
		writer->has_failed = true;
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		writer->bytes[writer->len++] = (uint8_t)(value >> (8 * (size - 1 - i)));
	}
}

void
wire_put_u8(struct wire_writer *writer, uint8_t value)
{
	put_number(writer, value, 1);
}

void
wire_put_u16(struct wire_writer *writer, uint16_t value)
{
	put_number(writer, value, 2);
}

void
wire_put_u32(struct wire_writer *writer, uint32_t value)
{
	put_number(writer, value, 4);
}

void
wire_put_u64(struct wire_writer *writer, uint64_t value)
{
	put_number(writer, value, 8);
}

void
wire_put_bool(struct wire_writer *writer, bool value)
{
	put_number(writer, value ? 1 : 0, 1);
}

void
wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t len)
{
	if (len > UINT16_MAX || writer->cap - writer->len < len + 2) {
		writer->has_failed = true;
	}
	put_number(writer, len, 2);
	if (!writer->has_failed && len > 0) {
		memcpy(writer->bytes + writer->len, bytes, len);
		writer->len += len;
	}
}

void
wire_put_addr(struct wire_writer *writer, const struct addr *addr)
{
	wire_put_u8(writer, addr->family);
	for (size_t i = 0; i < sizeof(addr->bytes); i++) {
		wire_put_u8(writer, addr->bytes[i]);
	}
	wire_put_u16(writer, addr->port);
	wire_put_u32(writer, addr->scope);
}

void
wire_reader_init(struct wire_reader *reader, const uint8_t *bytes, size_t len)
{
	*reader = (struct wire_reader){.bytes = bytes, .len = len};
}

static uint64_t
get_number(struct wire_reader *reader, unsigned size)
{
	uint64_t value = 0;

	if (reader->has_failed || reader->len - reader->pos < size) {
		reader->has_failed = true;
		return 0;
	}
	for (unsigned i = 0; i < size; i++) {
		value = value << 8 | reader->bytes[reader->pos++];
	}
	return value;
}

uint8_t
wire_get_u8(struct wire_reader *reader)
{
	return (uint8_t)get_number(reader, 1);
}

uint16_t
wire_get_u16(struct wire_reader *reader)
{
	return (uint16_t)get_number(reader, 2);
}

uint32_t
wire_get_u32(struct wire_reader *reader)
{
	return (uint32_t)get_number(reader, 4);
}

uint64_t
wire_get_u64(struct wire_reader *reader)
{
	return get_number(reader, 8);
}

bool
wire_get_bool(struct wire_reader *reader)
{
	return wire_get_enum(reader, 2) == 1;
}

uint8_t
wire_get_enum(struct wire_reader *reader, unsigned count)
{
	uint8_t value = wire_get_u8(reader);

	if (value >= count) {
		reader->has_failed = true;
		return 0;
	}
	return value;
}

const char *
wire_get_bytes(struct wire_reader *reader, size_t max, size_t *ret_len)
{
	size_t len = wire_get_u16(reader);
	const char *bytes;

	if (reader->has_failed || len > max || reader->len - reader->pos < len) {
		reader->has_failed = true;
		*ret_len = 0;
		return "";
	}
	bytes = (const char *)reader->bytes + reader->pos;
	reader->pos += len;
	*ret_len = len;
	return bytes;
}

static bool
is_tail_zero(const struct addr *addr, size_t from)
{
	for (size_t i = from; i < sizeof(addr->bytes); i++) {
		if (addr->bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

struct addr
wire_get_addr(struct wire_reader *reader)
{
	struct addr addr = {0};

	addr.family = wire_get_enum(reader, ADDR_IPV6 + 1);
	for (size_t i = 0; i < sizeof(addr.bytes); i++) {
		addr.bytes[i] = wire_get_u8(reader);
	}
	addr.port = wire_get_u16(reader);
	addr.scope = wire_get_u32(reader);
	if ((addr.family == ADDR_NONE && (!is_tail_zero(&addr, 0) || addr.port != 0)) ||
	    (addr.family == ADDR_IPV4 && !is_tail_zero(&addr, ADDR_IPV4_BYTES)) ||
	    (addr.family != ADDR_IPV6 && addr.scope != 0)) {
		reader->has_failed = true;
	}
	return reader->has_failed ? (struct addr){0} : addr;
}

bool
wire_reader_is_done(const struct wire_reader *reader)
{
	return !reader->has_failed && reader->pos == reader->len;
}
