/*
 * test_master_worker: every message of master and worker survives the wire, and nothing
 * else is taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "common/forkserver.h"
#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

enum {
	CAP = 128,
};

enum field {
	SESSION = 1,
	PEER = 2,
	LOCAL = 4,
	HANDED_OVER = 8,
	RESULT = 16,
	END = 32,
	USER = 64,
	MOVING = 128,
	RATES = 256,
	IMPLICIT = 512,
	HOST = 1024,
};

/* What travels with each type, and who sends it. */
struct type_case {
	enum mw_type type;
	size_t len; /* on the wire */
	bool is_from_worker;
	bool has_descriptor;         /* with IPC_OK */
	bool has_descriptor_refused; /* with another result */
	unsigned fields;             /* enum field */
};

enum {
	ADDR_LEN = 1 + 16 + 2 + 4,
};

static const struct type_case types[] = {
    {MW_ASSIGN, 1 + 4 + 2 * ADDR_LEN + 1 + 1, false, true, true,
     SESSION | PEER | LOCAL | HANDED_OVER | IMPLICIT},
    {MW_GIVE_AGENT, 1 + 2, false, true, true, HOST},
    {MW_GIVE_RECORDER, 1, false, true, true, 0},
    {MW_PASSIVE_ANSWER, 1 + 4 + ADDR_LEN + 1, false, true, false,
     SESSION | LOCAL | RESULT},
    {MW_ACTIVE_ANSWER, 1 + 4 + 1, false, true, false, SESSION | RESULT},
    {MW_TAKEN_BACK, 1, false, false, false, 0},
    {MW_LOGIN_ANSWER, 1 + 4 + 1, false, true, false, SESSION | RESULT},
    {MW_SHARE, 1 + 4 + 8 + 8, false, false, false, SESSION | RATES},
    {MW_DROP, 1 + 4, false, false, false, SESSION},
    {MW_RETIRE, 1, false, false, false, 0},
    {MW_READY, 1, true, false, false, 0},
    {MW_TAKEN, 1, true, false, false, 0},
    {MW_PASSIVE, 1 + 4, true, false, false, SESSION},
    {MW_ACTIVE, 1 + 4 + ADDR_LEN, true, false, false, SESSION | PEER},
    {MW_HAND_BACK, 1 + 4, true, true, true, SESSION},
    {MW_ENDED, 1 + 4 + 1, true, false, false, SESSION | END},
    {MW_MORE_AGENTS, 1 + 2, true, false, false, HOST},
    {MW_LOGIN, 1 + 4 + 8, true, false, false, SESSION | USER},
    {MW_MOVING, 1 + 4 + 1 + 1, true, false, false, SESSION | MOVING},
};

static struct mw_message
full_message(const struct type_case *row)
{
	static const struct addr peer = {
	    .family = ADDR_IPV4, .bytes = {1, 2, 3, 4}, .port = 5};
	static const struct addr local = {
	    .family = ADDR_IPV6, .bytes = {6}, .port = 7, .scope = 8};
	unsigned fields = row->fields;
	struct mw_message message = {.type = row->type};

	message.session = (fields & SESSION) != 0 ? 0xfedcba98 : 0;
	if ((fields & PEER) != 0) {
		message.peer = peer;
	}
	if ((fields & LOCAL) != 0) {
		message.local = local;
	}
	message.is_handed_over = (fields & HANDED_OVER) != 0;
	message.is_implicit_tls = (fields & IMPLICIT) != 0;
	message.host = (fields & HOST) != 0 ? 0xfedc : 0;
	message.result = (fields & RESULT) != 0 ? IPC_RESULT_COUNT - 1 : 0;
	message.end = (fields & END) != 0 ? MW_END_COUNT - 1 : 0;
	message.user = (fields & USER) != 0 ? UINT64_C(0xfedcba9876543210) : 0;
	message.is_moving = (fields & MOVING) != 0;
	message.is_upload = (fields & MOVING) != 0;
	message.rate_down = (fields & RATES) != 0 ? UINT64_MAX : 0;
	message.rate_up = (fields & RATES) != 0 ? UINT64_C(0x0123456789abcdef) : 0;
	return message;
}

static void
assert_same(const struct mw_message *a, const struct mw_message *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->session, b->session);
	assert_memory_equal(&a->peer, &b->peer, sizeof(a->peer));
	assert_memory_equal(&a->local, &b->local, sizeof(a->local));
	assert_int_equal(a->is_handed_over, b->is_handed_over);
	assert_int_equal(a->is_implicit_tls, b->is_implicit_tls);
	assert_int_equal(a->host, b->host);
	assert_int_equal(a->result, b->result);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->user, b->user);
	assert_int_equal(a->is_moving, b->is_moving);
	assert_int_equal(a->is_upload, b->is_upload);
	assert_int_equal(a->rate_down, b->rate_down);
	assert_int_equal(a->rate_up, b->rate_up);
}

static void
the_table_above_is_whole(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_COUNT(types), MW_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		assert_int_equal(types[i].type, i);
	}
}

static void
messages_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		struct mw_message message = full_message(&types[i]);
		struct mw_message back;
		uint8_t bytes[CAP];
		size_t len = mw_encode(&message, bytes, sizeof(bytes));

		assert_int_equal(len, types[i].len);
		assert_true(mw_decode(bytes, len, &back));
		assert_same(&message, &back);
		/* Neither shorter nor longer, and into no smaller buffer. */
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t small[CAP];

			assert_false(mw_decode(bytes, cut, &back));
			assert_int_equal(mw_encode(&message, small, cut), 0);
		}
		bytes[len] = 0;
		assert_false(mw_decode(bytes, len + 1, &back));
	}
}

static void
fields_of_other_types_do_not_travel(void **state)
{
	struct mw_message message = full_message(&types[MW_ASSIGN]);
	struct mw_message back;
	uint8_t bytes[CAP];
	size_t len;

	(void)state;
	message.type = MW_PASSIVE;
	message.end = MW_END_TIMEOUT;
	len = mw_encode(&message, bytes, sizeof(bytes));
	assert_true(mw_decode(bytes, len, &back));
	assert_int_equal(back.session, message.session);
	assert_int_equal(back.peer.family, ADDR_NONE);
	assert_int_equal(back.end, 0);
	assert_false(back.is_handed_over);
}

static void
unknown_types_and_values_are_refused(void **state)
{
	struct mw_message back;
	uint8_t bytes[CAP] = {0};

	(void)state;
	for (unsigned type = MW_COUNT; type < 256; type++) {
		for (size_t len = 1; len < sizeof(bytes); len++) {
			bytes[0] = (uint8_t)type;
			assert_false(mw_decode(bytes, len, &back));
		}
	}
	for (unsigned value = 0; value < 256; value++) {
		memset(bytes, 0, sizeof(bytes));
		bytes[0] = MW_ENDED;
		bytes[5] = (uint8_t)value;
		assert_int_equal(mw_decode(bytes, 6, &back), value < MW_END_COUNT);
		memset(bytes, 0, sizeof(bytes));
		bytes[0] = MW_MOVING;
		bytes[6] = (uint8_t)value;
		assert_int_equal(mw_decode(bytes, 7, &back), value <= 1);
		memset(bytes, 0, sizeof(bytes));
		bytes[5] = (uint8_t)value;
		bytes[0] = MW_ACTIVE_ANSWER;
		assert_int_equal(mw_decode(bytes, 6, &back), value < IPC_RESULT_COUNT);
	}
}

static void
directions_and_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		struct mw_message message = {.type = types[i].type, .result = IPC_OK};

		assert_int_equal(mw_is_from_worker(types[i].type),
		                 types[i].is_from_worker);
		assert_int_equal(mw_has_descriptor(&message), types[i].has_descriptor);
		message.result = IPC_UNREACHABLE;
		assert_int_equal(mw_has_descriptor(&message),
		                 types[i].has_descriptor_refused);
	}
}

static void
spawn_messages_come_back(void **state)
{
	(void)state;
	for (unsigned type = 0; type < SPAWN_COUNT; type++) {
		const struct spawn_message message = {.type = type,
		                                      .kind = SPAWN_KIND_COUNT - 1,
		                                      .child = 0xfedcba98,
		                                      .pid = -1,
		                                      .status = INT32_MIN,
		                                      .layers = SPAWN_LAYER_ALL};
		struct spawn_message back;
		uint8_t bytes[SPAWN_MESSAGE_MAX];
		size_t len = spawn_encode(&message, bytes);

		assert_true(len > 0 && len < sizeof(bytes));
		assert_true(spawn_decode(bytes, len, &back));
		assert_int_equal(back.type, message.type);
		assert_int_equal(back.kind, message.kind);
		assert_int_equal(back.child, message.child);
		assert_int_equal(back.pid, message.pid);
		assert_int_equal(back.status, message.status);
		assert_int_equal(back.layers, message.layers);
		assert_false(spawn_decode(bytes, len - 1, &back));
		bytes[len] = 0;
		assert_false(spawn_decode(bytes, len + 1, &back));
		bytes[0] = SPAWN_COUNT;
		assert_false(spawn_decode(bytes, len, &back));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_above_is_whole),
	    cmocka_unit_test(messages_come_back),
	    cmocka_unit_test(fields_of_other_types_do_not_travel),
	    cmocka_unit_test(unknown_types_and_values_are_refused),
	    cmocka_unit_test(directions_and_descriptors),
	    cmocka_unit_test(spawn_messages_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
