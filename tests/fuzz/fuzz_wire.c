/*
 * fuzz_wire: the first bytes say which fields are read from the rest.
 * In:      a count, so many field kinds, the message.
 * Wanted:  no crash; a reader never goes back and never beyond the end; the fields,
 *          written again, are the bytes read.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "common/base.h"

enum {
	FIELDS_MAX = 64,
	MESSAGE_MAX = 65536,
};

enum field {
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_BOOL,
	FIELD_ENUM,
	FIELD_BYTES,
	FIELD_ADDR,
	FIELD_COUNT,
};

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
copy_field(uint8_t kind, struct wire_reader *reader, struct wire_writer *writer)
{
	const char *bytes;
	struct addr addr;
	size_t len;

	switch ((enum field)(kind % FIELD_COUNT)) {
	case FIELD_U8: wire_put_u8(writer, wire_get_u8(reader)); break;
	case FIELD_U16: wire_put_u16(writer, wire_get_u16(reader)); break;
	case FIELD_U32: wire_put_u32(writer, wire_get_u32(reader)); break;
	case FIELD_U64: wire_put_u64(writer, wire_get_u64(reader)); break;
	case FIELD_BOOL: wire_put_bool(writer, wire_get_bool(reader)); break;
	case FIELD_ENUM: wire_put_u8(writer, wire_get_enum(reader, kind)); break;
	case FIELD_BYTES:
		bytes = wire_get_bytes(reader, kind, &len);
		wire_put_bytes(writer, bytes, len);
		break;
	case FIELD_ADDR:
		addr = wire_get_addr(reader);
		wire_put_addr(writer, &addr);
		break;
	case FIELD_COUNT: break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[MESSAGE_MAX];
	struct wire_reader reader;
	struct wire_writer writer;
	size_t fields = size > 0 ? data[0] % FIELDS_MAX : 0;

	if (size < 1 + fields || size > MESSAGE_MAX) {
		return 0;
	}
	wire_reader_init(&reader, data + 1 + fields, size - 1 - fields);
	wire_writer_init(&writer, bytes, sizeof(bytes));
	for (size_t i = 0; i < fields && !reader.has_failed; i++) {
		size_t before = reader.pos;

		copy_field(data[1 + i], &reader, &writer);
		if (reader.pos < before || reader.pos > reader.len || writer.has_failed) {
			abort();
		}
	}
	if (!reader.has_failed &&
	    (writer.len != reader.pos || memcmp(bytes, reader.bytes, reader.pos) != 0)) {
		abort();
	}
	return 0;
}
