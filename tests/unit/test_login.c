/*
 * test_login: every message of a login survives the wire, and nothing else is taken for
 * one: between worker and authenticator, and between authenticator and master.
 * Source: ftpd/ipc/login.h, ftpd/ipc/master_auth.h; DESIGN.md section 3, rule 5.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "ftpd/ipc/login.h"
#include "ftpd/ipc/master_auth.h"
#include "common/base.h"

enum {
	ADDR_LEN = 1 + 16 + 2 + 4,
	GRANT_LEN = 1 + 1 + 4 + 4 * 8 + 1 + 2 + 4, /* with the start "/a b" */
	CAP = 8192,
};

#define GRANT                                                                        \
	{                                                                            \
		.is_read_only = true, .has_shared_rate = true,                       \
		.idle_timeout_s = 0x01020304, .rate_down = UINT64_MAX, .rate_up = 2, \
		.max_file_bytes = 3, .min_free_bytes = UINT64_C(1) << 40,            \
		.tls_policy = 3, .start = "/a b", .start_len = 4                     \
	}

struct login_case {
	struct login_message message;
	size_t len; /* on the wire */
};

static const struct login_case logins[] = {
    {{.type = LOGIN_TRY,
      .user = "ann",
      .user_len = 3,
      .secret = "pa\xff s",
      .secret_len = 5,
      .host = "h",
      .host_len = 1,
      .is_secure = true,
      .names = "ann\nmailto:a\n",
      .names_len = 13},
     1 + 2 + 3 + 2 + 5 + 2 + 1 + 1 + 2 + 13},
    {{.type = LOGIN_ACCOUNT, .secret = "123456", .secret_len = 6}, 1 + 2 + 6},
    {{.type = LOGIN_ASK, .text = "Code:\n", .text_len = 6}, 1 + 2 + 6},
    {{.type = LOGIN_REFUSED, .refusal = LOGIN_UNAVAILABLE}, 1 + 1},
    {{.type = LOGIN_ACCEPTED,
      .user = "ann",
      .user_len = 3,
      .grant = GRANT,
      .text = "Hello\n",
      .text_len = 6},
     1 + 2 + 3 + GRANT_LEN + 2 + 6},
};

static void
assert_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	assert_int_equal(a_len, b_len);
	if (a_len > 0) {
		assert_memory_equal(a, b, a_len);
	}
}

static void
assert_same_login(const struct login_message *a, const struct login_message *b)
{
	assert_int_equal(a->type, b->type);
	assert_text(a->user, a->user_len, b->user, b->user_len);
	assert_text(a->secret, a->secret_len, b->secret, b->secret_len);
	assert_text(a->host, a->host_len, b->host, b->host_len);
	assert_int_equal(a->is_secure, b->is_secure);
	assert_text(a->names, a->names_len, b->names, b->names_len);
	assert_text(a->text, a->text_len, b->text, b->text_len);
	assert_int_equal(a->refusal, b->refusal);
	assert_int_equal(a->grant.is_read_only, b->grant.is_read_only);
	assert_int_equal(a->grant.has_shared_rate, b->grant.has_shared_rate);
	assert_int_equal(a->grant.idle_timeout_s, b->grant.idle_timeout_s);
	assert_true(a->grant.rate_down == b->grant.rate_down);
	assert_true(a->grant.rate_up == b->grant.rate_up);
	assert_true(a->grant.max_file_bytes == b->grant.max_file_bytes);
	assert_true(a->grant.min_free_bytes == b->grant.min_free_bytes);
	assert_int_equal(a->grant.tls_policy, b->grant.tls_policy);
	assert_text(a->grant.start, a->grant.start_len, b->grant.start,
	            b->grant.start_len);
}

static void
logins_come_back(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_COUNT(logins), LOGIN_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(logins); i++) {
		struct login_message back;
		uint8_t bytes[CAP];
		size_t len = login_encode(&logins[i].message, bytes, sizeof(bytes));

		assert_int_equal(logins[i].message.type, i);
		assert_int_equal(len, logins[i].len);
		assert_true(login_decode(bytes, len, &back));
		assert_same_login(&logins[i].message, &back);
		/* Neither shorter nor longer, and into no smaller buffer. */
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t small[CAP];

			assert_false(login_decode(bytes, cut, &back));
			assert_int_equal(login_encode(&logins[i].message, small, cut), 0);
		}
		bytes[len] = 0;
		assert_false(login_decode(bytes, len + 1, &back));
	}
}

/* Each row encodes, and must not decode: the sender of such bytes breaks the format. */
static void
unsound_logins_are_refused(void **state)
{
	static char longest[LOGIN_TEXT_MAX + 2];
	static char longest_names[LOGIN_NAMES_MAX + 1];
	const struct login_message good_try = logins[LOGIN_TRY].message;
	const struct login_message good_end = logins[LOGIN_ACCEPTED].message;
	struct login_message rows[20];
	size_t count = 0;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	memset(longest_names, '\n', sizeof(longest_names));
	rows[count] = good_try;
	rows[count++].user_len = 0;
	rows[count] = good_try;
	rows[count++].user = "a\0b";
	rows[count] = good_try;
	rows[count++].secret = "a\0bcd";
	rows[count] = good_try;
	rows[count++].host = "\0";
	rows[count] = good_try;
	rows[count].user = longest;
	rows[count++].user_len = LOGIN_USER_MAX + 1;
	rows[count] = good_try;
	rows[count++].names = "ann\nmailto:a?"; /* no LF at the end */
	rows[count] = good_try;
	rows[count++].names = "ann\nmail\0:a\n";
	rows[count] = good_try;
	rows[count].names = longest_names;
	rows[count++].names_len = LOGIN_NAMES_MAX + 1;
	rows[count] = good_try;
	rows[count].secret = longest;
	rows[count++].secret_len = LOGIN_SECRET_MAX + 1;
	rows[count] = good_try;
	rows[count].host = longest;
	rows[count++].host_len = LOGIN_HOST_MAX + 1;
	rows[count] = logins[LOGIN_ACCOUNT].message;
	rows[count++].secret = "1\0\0\0\0\0";
	rows[count] = logins[LOGIN_ASK].message;
	rows[count].text = longest;
	rows[count++].text_len = LOGIN_TEXT_MAX + 1;
	rows[count] = logins[LOGIN_REFUSED].message;
	rows[count++].refusal = LOGIN_REFUSAL_COUNT;
	rows[count] = good_end;
	rows[count++].user_len = 0;
	rows[count] = good_end;
	rows[count++].grant.start_len = 0;
	rows[count] = good_end;
	rows[count++].grant.start = "a b ";
	rows[count] = good_end;
	rows[count++].grant.start = "/a\0b";
	for (size_t i = 0; i < count; i++) {
		struct login_message back = {.type = LOGIN_COUNT};
		uint8_t bytes[CAP];
		size_t len = login_encode(&rows[i], bytes, sizeof(bytes));

		assert_int_not_equal(len, 0);
		assert_false(login_decode(bytes, len, &back));
		assert_int_equal(back.type, LOGIN_COUNT); /* untouched */
	}
}

/* The longest that are allowed, and the shortest. */
static void
limits_are_within(void **state)
{
	static char longest[LOGIN_TEXT_MAX];
	const struct login_message rows[] = {
	    {.type = LOGIN_TRY,
	     .user = longest,
	     .user_len = LOGIN_USER_MAX,
	     .secret = longest,
	     .secret_len = LOGIN_SECRET_MAX,
	     .host = longest,
	     .host_len = LOGIN_HOST_MAX},
	    {.type = LOGIN_TRY, .user = "a", .user_len = 1, .secret = "", .host = ""},
	    {.type = LOGIN_ACCOUNT, .secret = ""},
	    {.type = LOGIN_ASK, .text = longest, .text_len = LOGIN_TEXT_MAX},
	};

	(void)state;
	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct login_message back;
		uint8_t bytes[CAP];
		size_t len = login_encode(&rows[i], bytes, sizeof(bytes));

		assert_true(login_decode(bytes, len, &back));
		assert_same_login(&rows[i], &back);
	}
}

#define PEER                                                                   \
	{                                                                      \
		.family = ADDR_IPV6, .bytes = {0x20, 1}, .port = 7, .scope = 8 \
	}

struct auth_case {
	struct ma_message message;
	size_t len;
	bool is_from_auth;
};

static const struct auth_case auths[] = {
    {{.type = MA_TRY, .session = 0xfedcba98, .peer = PEER}, 1 + 4 + ADDR_LEN, false},
    {{.type = MA_GO, .is_admitted = true}, 1 + 1, false},
    {{.type = MA_READY}, 1, true},
    {{.type = MA_TAKEN}, 1, true},
    {{.type = MA_ASKING, .is_asking = true}, 1 + 1, true},
    {{.type = MA_REFUSED,
      .reason = MA_FAULT,
      .number = UINT64_MAX,
      .user = "ann",
      .user_len = 3,
      .text = "why",
      .text_len = 3},
     1 + 1 + 8 + 2 + 3 + 2 + 3,
     true},
    {{.type = MA_ACCEPTED,
      .number = 1,
      .user = "ann",
      .user_len = 3,
      .max_sessions = 3,
      .user_rate_down = 4,
      .user_rate_up = UINT64_MAX,
      .text = "/srv/ann",
      .text_len = 8},
     1 + 8 + 2 + 3 + 4 + 8 + 8 + 2 + 8,
     true},
};

static void
assert_same_auth(const struct ma_message *a, const struct ma_message *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->session, b->session);
	assert_memory_equal(&a->peer, &b->peer, sizeof(a->peer));
	assert_int_equal(a->is_admitted, b->is_admitted);
	assert_int_equal(a->is_asking, b->is_asking);
	assert_int_equal(a->reason, b->reason);
	assert_true(a->number == b->number);
	assert_int_equal(a->max_sessions, b->max_sessions);
	assert_true(a->user_rate_down == b->user_rate_down);
	assert_true(a->user_rate_up == b->user_rate_up);
	assert_text(a->user, a->user_len, b->user, b->user_len);
	assert_text(a->text, a->text_len, b->text, b->text_len);
}

static void
verdicts_come_back(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_COUNT(auths), MA_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(auths); i++) {
		struct ma_message back;
		uint8_t bytes[CAP];
		size_t len = ma_encode(&auths[i].message, bytes, sizeof(bytes));

		assert_int_equal(auths[i].message.type, i);
		assert_int_equal(len, auths[i].len);
		assert_true(ma_decode(bytes, len, &back));
		assert_same_auth(&auths[i].message, &back);
		assert_int_equal(ma_is_from_auth(back.type), auths[i].is_from_auth);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t small[CAP];

			assert_false(ma_decode(bytes, cut, &back));
			assert_int_equal(ma_encode(&auths[i].message, small, cut), 0);
		}
		bytes[len] = 0;
		assert_false(ma_decode(bytes, len + 1, &back));
	}
}

/* A changed byte in the place of an enum, a flag or a text's length. */
static void
unsound_verdicts_are_refused(void **state)
{
	static const struct {
		enum ma_type type;
		size_t at;
		uint8_t byte;
	} rows[] = {
	    {MA_READY, 0, MA_COUNT},
	    {MA_READY, 0, 255},
	    {MA_GO, 1, 2},
	    {MA_ASKING, 1, 255},
	    {MA_REFUSED, 1, MA_REASON_COUNT},
	    {MA_REFUSED, 10, 1}, /* the user would be 259 bytes */
	    {MA_REFUSED, 11, 4}, /* the user would take the text's length */
	    {MA_TRY, 5, 9},      /* no such family */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct ma_message back = {.type = MA_COUNT};
		uint8_t bytes[CAP] = {0};
		size_t len =
		    ma_encode(&auths[rows[i].type].message, bytes, sizeof(bytes));

		assert_int_not_equal(bytes[rows[i].at], rows[i].byte);
		bytes[rows[i].at] = rows[i].byte;
		assert_false(ma_decode(bytes, len, &back));
		assert_int_equal(back.type, MA_COUNT);
	}
}

static void
numbers_stand_for_names(void **state)
{
	static const char *const names[] = {"", "a", "b", "aa", "ann", "Ann", "ann "};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		uint64_t number = login_user_number(names[i], strlen(names[i]));

		assert_true(number != 0);
		assert_true(number == login_user_number(names[i], strlen(names[i])));
		for (size_t k = 0; k < i; k++) {
			assert_true(number !=
			            login_user_number(names[k], strlen(names[k])));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(logins_come_back),
	    cmocka_unit_test(unsound_logins_are_refused),
	    cmocka_unit_test(limits_are_within),
	    cmocka_unit_test(verdicts_come_back),
	    cmocka_unit_test(unsound_verdicts_are_refused),
	    cmocka_unit_test(numbers_stand_for_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
