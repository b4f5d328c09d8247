/*
 * test_master_auth: every message of master and authenticator survives the wire, and
 * nothing else is taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ftpd/ipc/master_auth.h"
#include "common/base.h"

enum {
	CAP = 1024,
	ADDR_LEN = 1 + 16 + 2 + 4,
	NAME_LEN = 5,
	TEXT_LEN = 9,
};

struct type_case {
	enum ma_type type;
	size_t len; /* on the wire */
	bool is_from_auth;
};

static const struct type_case types[] = {
    {MA_TRY, 1 + 4 + ADDR_LEN, false},
    {MA_GO, 1 + 1, false},
    {MA_READY, 1, true},
    {MA_TAKEN, 1, true},
    {MA_ASKING, 1 + 1, true},
    {MA_REFUSED, 1 + 1 + 8 + 2 + NAME_LEN + 2 + TEXT_LEN, true},
    {MA_ACCEPTED, 1 + 8 + 2 + NAME_LEN + 4 + 8 + 8 + 2 + TEXT_LEN, true},
};

static const struct ma_message full = {
    .session = 0xfedcba98,
    .peer = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}, .port = 5},
    .is_admitted = true,
    .is_asking = true,
    .reason = MA_REASON_COUNT - 1,
    .number = UINT64_C(0xfedcba9876543210),
    .max_sessions = 0x12345678,
    .user_rate_down = UINT64_MAX,
    .user_rate_up = 1,
    .user = "ann\0a",
    .user_len = NAME_LEN,
    .text = "why\nnot\xff\x01",
    .text_len = TEXT_LEN,
};

static void
assert_refused(const struct ma_message *message)
{
	assert_int_equal(message->reason, full.reason);
	assert_int_equal(message->number, full.number);
	assert_int_equal(message->user_len, full.user_len);
	assert_memory_equal(message->user, full.user, full.user_len);
	assert_int_equal(message->text_len, full.text_len);
	assert_memory_equal(message->text, full.text, full.text_len);
}

static void
assert_accepted(const struct ma_message *message)
{
	assert_int_equal(message->number, full.number);
	assert_int_equal(message->user_len, full.user_len);
	assert_memory_equal(message->user, full.user, full.user_len);
	assert_int_equal(message->max_sessions, full.max_sessions);
	assert_int_equal(message->user_rate_down, full.user_rate_down);
	assert_int_equal(message->user_rate_up, full.user_rate_up);
	assert_int_equal(message->text_len, full.text_len);
	assert_memory_equal(message->text, full.text, full.text_len);
}

static void
assert_fields(const struct ma_message *message)
{
	switch (message->type) {
	case MA_TRY:
		assert_int_equal(message->session, full.session);
		assert_memory_equal(&message->peer, &full.peer, sizeof(full.peer));
		return;
	case MA_GO: assert_true(message->is_admitted); return;
	case MA_ASKING: assert_true(message->is_asking); return;
	case MA_REFUSED: assert_refused(message); return;
	case MA_ACCEPTED: assert_accepted(message); return;
	case MA_READY:
	case MA_TAKEN:
	case MA_COUNT: return;
	}
}

static void
test_messages_come_back(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_COUNT(types), MA_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		struct ma_message message = full;
		struct ma_message back;
		uint8_t bytes[CAP];
		size_t len;

		assert_int_equal(types[i].type, i);
		message.type = types[i].type;
		len = ma_encode(&message, bytes, sizeof(bytes));
		assert_int_equal(len, types[i].len);
		assert_true(ma_decode(bytes, len, &back));
		assert_int_equal(back.type, types[i].type);
		assert_fields(&back);
		/* Neither shorter nor longer, and into no smaller buffer. */
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t small[CAP];

			assert_false(ma_decode(bytes, cut, &back));
			assert_int_equal(ma_encode(&message, small, cut), 0);
		}
		bytes[len] = 0;
		assert_false(ma_decode(bytes, len + 1, &back));
		assert_int_equal(ma_is_from_auth(types[i].type), types[i].is_from_auth);
	}
}

static void
test_fields_of_other_types_are_empty(void **state)
{
	struct ma_message message = full;
	struct ma_message back;
	uint8_t bytes[CAP];

	(void)state;
	message.type = MA_TAKEN;
	assert_true(ma_decode(bytes, ma_encode(&message, bytes, sizeof(bytes)), &back));
	assert_int_equal(back.session, 0);
	assert_int_equal(back.user_len, 0);
	assert_int_equal(back.text_len, 0);
	assert_false(back.is_admitted);
	assert_int_equal(back.number, 0);
}

static void
test_wrong_values(void **state)
{
	struct ma_message back;
	uint8_t bytes[CAP] = {0};

	(void)state;
	for (unsigned value = 0; value < 256; value++) {
		memset(bytes, 0, sizeof(bytes));
		bytes[0] = MA_GO;
		bytes[1] = (uint8_t)value;
		assert_int_equal(ma_decode(bytes, 2, &back), value <= 1);
		bytes[0] = MA_ASKING;
		assert_int_equal(ma_decode(bytes, 2, &back), value <= 1);
		bytes[0] = MA_REFUSED;
		assert_int_equal(ma_decode(bytes, 1 + 1 + 8 + 2 + 2, &back),
		                 value < MA_REASON_COUNT);
		if (value >= MA_COUNT) {
			for (size_t len = 1; len < 100; len++) {
				bytes[0] = (uint8_t)value;
				assert_false(ma_decode(bytes, len, &back));
			}
		}
	}
}

/* A name or text of the greatest length comes, a longer one does not. */
static void
test_longest_texts(void **state)
{
	static char text[MA_TEXT_MAX + 2];
	struct ma_message message = full;
	struct ma_message back;
	uint8_t bytes[CAP];

	(void)state;
	memset(text, 'x', sizeof(text));
	message.type = MA_REFUSED;
	message.user = text;
	message.text = text;
	message.user_len = MA_USER_MAX;
	message.text_len = MA_TEXT_MAX;
	assert_true(ma_decode(bytes, ma_encode(&message, bytes, sizeof(bytes)), &back));
	assert_int_equal(back.user_len, MA_USER_MAX);
	assert_int_equal(back.text_len, MA_TEXT_MAX);
	message.user_len++;
	assert_false(ma_decode(bytes, ma_encode(&message, bytes, sizeof(bytes)), &back));
	message.user_len = 1;
	message.text_len++;
	assert_false(ma_decode(bytes, ma_encode(&message, bytes, sizeof(bytes)), &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_messages_come_back),
	    cmocka_unit_test(test_fields_of_other_types_are_empty),
	    cmocka_unit_test(test_wrong_values),
	    cmocka_unit_test(test_longest_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
