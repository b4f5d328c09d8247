/*
 * test_wire: what is put is what is got; what is short, wrong or too much fails and stays
 * failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "common/wire.h"
#include "common/base.h"

static const struct addr v4 = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}, .port = 21};
static const struct addr v6 = {
    .family = ADDR_IPV6, .bytes = {0xfe, 0x80, [15] = 1}, .port = 65535, .scope = 7};

static void
fields_come_back(void **state)
{
	struct wire_writer writer;
	struct wire_reader reader;
	struct addr addr;
	uint8_t bytes[256];
	const char *text;
	size_t len;

	(void)state;
	wire_writer_init(&writer, bytes, sizeof(bytes));
	wire_put_u8(&writer, 0xfe);
	wire_put_u16(&writer, 0xfedc);
	wire_put_u32(&writer, 0xfedcba98);
	wire_put_u64(&writer, UINT64_C(0xfedcba9876543210));
	wire_put_bool(&writer, true);
	wire_put_bool(&writer, false);
	wire_put_bytes(&writer, "a\0b", 3);
	wire_put_bytes(&writer, NULL, 0);
	wire_put_addr(&writer, &v4);
	wire_put_addr(&writer, &v6);
	wire_put_addr(&writer, &(struct addr){0});
	assert_false(writer.has_failed);
	wire_reader_init(&reader, bytes, writer.len);
	assert_int_equal(wire_get_u8(&reader), 0xfe);
	assert_int_equal(wire_get_u16(&reader), 0xfedc);
	assert_int_equal(wire_get_u32(&reader), 0xfedcba98);
	assert_true(wire_get_u64(&reader) == UINT64_C(0xfedcba9876543210));
	assert_true(wire_get_bool(&reader));
	assert_false(wire_get_bool(&reader));
	text = wire_get_bytes(&reader, 3, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 3);
	(void)wire_get_bytes(&reader, 3, &len);
	assert_int_equal(len, 0);
	addr = wire_get_addr(&reader);
	assert_memory_equal(&addr, &v4, sizeof(addr));
	addr = wire_get_addr(&reader);
	assert_memory_equal(&addr, &v6, sizeof(addr));
	assert_false(wire_reader_is_done(&reader));
	addr = wire_get_addr(&reader);
	assert_int_equal(addr.family, ADDR_NONE);
	assert_true(wire_reader_is_done(&reader));
}

static void
numbers_are_big_endian(void **state)
{
	static const uint8_t expected[] = {1,  2,  3,  4,  5,  6, 7, 8,   9,  10,
	                                   11, 12, 13, 14, 15, 0, 2, 'h', 'i'};
	struct wire_writer writer;
	uint8_t bytes[sizeof(expected)];

	(void)state;
	wire_writer_init(&writer, bytes, sizeof(bytes));
	wire_put_u8(&writer, 0x01);
	wire_put_u16(&writer, 0x0203);
	wire_put_u32(&writer, 0x04050607);
	wire_put_u64(&writer, UINT64_C(0x08090a0b0c0d0e0f));
	wire_put_bytes(&writer, "hi", 2);
	assert_false(writer.has_failed);
	assert_int_equal(writer.len, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void
every_cut_fails_for_good(void **state)
{
	struct wire_writer writer;
	uint8_t bytes[64];

	(void)state;
	wire_writer_init(&writer, bytes, sizeof(bytes));
	wire_put_u16(&writer, 7);
	wire_put_bytes(&writer, "text", 4);
	wire_put_addr(&writer, &v6);
	wire_put_u8(&writer, 9);
	for (size_t len = 0; len < writer.len; len++) {
		struct wire_reader reader;
		size_t text_len;

		wire_reader_init(&reader, bytes, len);
		(void)wire_get_u16(&reader);
		(void)wire_get_bytes(&reader, 4, &text_len);
		(void)wire_get_addr(&reader);
		(void)wire_get_u8(&reader);
		assert_true(reader.has_failed);
		assert_false(wire_reader_is_done(&reader));
		/* Whatever is asked for after a failure is nothing. */
		assert_int_equal(wire_get_u8(&reader), 0);
		assert_int_equal(wire_get_u64(&reader), 0);
		assert_string_equal(wire_get_bytes(&reader, 100, &text_len), "");
		assert_int_equal(text_len, 0);
		assert_int_equal(wire_get_addr(&reader).family, ADDR_NONE);
	}
}

static void
every_small_buffer_overflows_without_harm(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 38; cap++) {
		struct wire_writer writer;
		uint8_t bytes[64];

		memset(bytes, 0xaa, sizeof(bytes));
		wire_writer_init(&writer, bytes, cap);
		wire_put_u8(&writer, 1);
		wire_put_u64(&writer, 2);
		wire_put_bytes(&writer, "text", 4);
		wire_put_addr(&writer, &v4);
		/* 1 + 8 + 6 + 23 */
		assert_true(writer.has_failed);
		assert_true(writer.len <= cap);
		for (size_t i = cap; i < sizeof(bytes); i++) {
			assert_int_equal(bytes[i], 0xaa);
		}
		/* A field that would fit is not written behind a hole. */
		wire_put_u8(&writer, 3);
		assert_true(writer.has_failed);
	}
}

static void
too_long_texts_fail(void **state)
{
	static uint8_t bytes[UINT16_MAX + 16];
	static char text[UINT16_MAX + 1];
	struct wire_writer writer;
	struct wire_reader reader;
	size_t len;

	(void)state;
	wire_writer_init(&writer, bytes, sizeof(bytes));
	wire_put_bytes(&writer, text, sizeof(text));
	assert_true(writer.has_failed);
	wire_writer_init(&writer, bytes, sizeof(bytes));
	wire_put_bytes(&writer, text, UINT16_MAX);
	assert_false(writer.has_failed);
	wire_reader_init(&reader, bytes, writer.len);
	(void)wire_get_bytes(&reader, UINT16_MAX - 1, &len);
	assert_true(reader.has_failed);
	wire_reader_init(&reader, bytes, writer.len);
	(void)wire_get_bytes(&reader, UINT16_MAX, &len);
	assert_int_equal(len, UINT16_MAX);
	assert_true(wire_reader_is_done(&reader));
}

static void
enums_and_bools_are_checked(void **state)
{
	(void)state;
	for (unsigned value = 0; value < 256; value++) {
		const uint8_t byte = (uint8_t)value;
		struct wire_reader reader;

		wire_reader_init(&reader, &byte, 1);
		assert_int_equal(wire_get_enum(&reader, 3), value < 3 ? value : 0);
		assert_int_equal(wire_reader_is_done(&reader), value < 3);
		wire_reader_init(&reader, &byte, 1);
		assert_int_equal(wire_get_bool(&reader), value == 1);
		assert_int_equal(wire_reader_is_done(&reader), value < 2);
	}
}

struct addr_case {
	struct addr addr;
	bool is_right;
	const char *why;
};

static const struct addr_case addrs[] = {
    {{.family = ADDR_NONE}, true, "nothing"},
    {{.family = ADDR_NONE, .port = 1}, false, "a port of nothing"},
    {{.family = ADDR_NONE, .bytes = {[15] = 1}}, false, "bytes of nothing"},
    {{.family = ADDR_NONE, .scope = 1}, false, "a scope of nothing"},
    {{.family = ADDR_IPV4, .bytes = {1, 2, 3, 4}, .port = 1}, true, "IPv4"},
    {{.family = ADDR_IPV4, .bytes = {[4] = 1}}, false, "IPv4 with a fifth byte"},
    {{.family = ADDR_IPV4, .bytes = {[15] = 1}}, false, "IPv4 with a sixteenth byte"},
    {{.family = ADDR_IPV4, .scope = 1}, false, "IPv4 with a scope"},
    {{.family = ADDR_IPV6, .bytes = {[15] = 1}, .scope = 1}, true, "IPv6 with a scope"},
    {{.family = 3}, false, "a family that does not exist"},
    {{.family = 255}, false, "another"},
};

static void
addresses_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(addrs); i++) {
		struct wire_writer writer;
		struct wire_reader reader;
		uint8_t bytes[32];

		wire_writer_init(&writer, bytes, sizeof(bytes));
		wire_put_addr(&writer, &addrs[i].addr);
		wire_reader_init(&reader, bytes, writer.len);
		(void)wire_get_addr(&reader);
		if (wire_reader_is_done(&reader) != addrs[i].is_right) {
			print_error("%s\n", addrs[i].why);
		}
		assert_int_equal(wire_reader_is_done(&reader), addrs[i].is_right);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_come_back),
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(every_cut_fails_for_good),
	    cmocka_unit_test(every_small_buffer_overflows_without_harm),
	    cmocka_unit_test(too_long_texts_fail),
	    cmocka_unit_test(enums_and_bools_are_checked),
	    cmocka_unit_test(addresses_have_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
