/*
 * test_recorder_lines: the forms of the transfer log, the event log and the journal's
 * datagram, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/recorder/event.h"
#include "ftpd/recorder/xferlog.h"
#include "common/base.h"

static const struct tm monday = {.tm_year = 126,
                                 .tm_mon = 10,
                                 .tm_mday = 23,
                                 .tm_wday = 1,
                                 .tm_hour = 9,
                                 .tm_min = 8,
                                 .tm_sec = 7};
static const struct tm fourth = {.tm_year = 125,
                                 .tm_mon = 8,
                                 .tm_mday = 4,
                                 .tm_wday = 4,
                                 .tm_hour = 23,
                                 .tm_min = 59,
                                 .tm_sec = 60};

struct xferlog_case {
	const struct tm *when;
	uint64_t duration_us;
	const char *peer;
	uint64_t size_bytes;
	const char *path;
	unsigned flags;
	const char *user;
	const char *line;
	const char *why;
};

enum {
	DONE = RECORD_IS_COMPLETE | RECORD_IS_ANONYMOUS,
};

static const struct xferlog_case xferlogs[] = {
    {&monday, 2400000, "192.0.2.1", 12345, "/pub/a.iso", DONE, "me@example.com",
     "Mon Nov 23 09:08:07 2026 2 192.0.2.1 12345 /pub/a.iso b _ o a me@example.com ftp 0 * c\n",
     "a download"},
    {&fourth, 2500000, "2001:db8::1", 0, "/x", DONE, "",
     "Thu Sep  4 23:59:60 2025 3 2001:db8::1 0 /x b _ o a ? ftp 0 * c\n",
     "a day of one digit, a leap second, IPv6, an empty file, no password"},
    {&monday, 0, "192.0.2.1", UINT64_MAX, "/a", RECORD_IS_ASCII | RECORD_IS_ANONYMOUS,
     "u",
     "Mon Nov 23 09:08:07 2026 1 192.0.2.1 18446744073709551615 /a a _ o a u ftp 0 * i\n",
     "TYPE A, cut; no time at all counts as a second"},
    {&monday, UINT64_MAX, "192.0.2.1", 1, "/up", RECORD_IS_UPLOAD | RECORD_IS_COMPLETE,
     "tom",
     "Mon Nov 23 09:08:07 2026 18446744073710 192.0.2.1 1 /up b _ i r tom ftp 0 * c\n",
     "a user's upload, and the longest time"},
    {&monday, 1, "192.0.2.1", 1, "/a b/c\td\n/\xe4\xc3\xa4\\", DONE, "x y\r\nMon",
     "Mon Nov 23 09:08:07 2026 1 192.0.2.1 1 /a_b/c\\x09d\\x0a/\\xe4\xc3\xa4\\x5c b _ o a "
     "x_y\\x0d\\x0aMon ftp 0 * c\n",
     "blanks and controls do not make fields or lines"},
    {&monday, 1, "192.0.2.1", 1, "", DONE, "%s%n",
     "Mon Nov 23 09:08:07 2026 1 192.0.2.1 1 ? b _ o a %s%n ftp 0 * c\n",
     "no field is empty; a format is text"},
};

static size_t
count_blanks(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += *text == ' ';
	}
	return count;
}

static void
transfer_lines_are_xferlog(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(xferlogs); i++) {
		const struct xferlog_case *row = &xferlogs[i];
		struct xferlog_entry entry = {.when = *row->when,
		                              .duration_us = row->duration_us,
		                              .size_bytes = row->size_bytes,
		                              .path = row->path,
		                              .path_len = strlen(row->path),
		                              .flags = row->flags,
		                              .user = row->user,
		                              .user_len = strlen(row->user)};
		char bytes[XFERLOG_LINE_MAX];
		struct text text;

		assert_true(addr_parse(row->peer, strlen(row->peer), &entry.peer));
		text_init(&text, bytes, sizeof(bytes));
		xferlog_add_line(&text, &entry);
		if (strcmp(bytes, row->line) != 0) {
			print_error("%s: %s", row->why, bytes);
		}
		assert_string_equal(bytes, row->line);
		/* 18 fields, one more blank where the day has one digit. */
		assert_int_equal(count_blanks(bytes), row->when->tm_mday < 10 ? 18 : 17);
	}
}

static void
longest_transfer_line_fits(void **state)
{
	char path[IPC_PATH_MAX];
	char user[RECORD_USER_MAX];
	char bytes[XFERLOG_LINE_MAX];
	struct xferlog_entry entry = {.when = monday,
	                              .duration_us = UINT64_MAX,
	                              .size_bytes = UINT64_MAX,
	                              .path = path,
	                              .path_len = sizeof(path),
	                              .user = user,
	                              .user_len = sizeof(user)};
	struct text text;

	(void)state;
	memset(path, '\n', sizeof(path));
	memset(user, '\xff', sizeof(user));
	assert_true(
	    addr_parse("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 45, &entry.peer));
	entry.peer.scope = UINT32_MAX;
	entry.when.tm_year = 2147480000;
	text_init(&text, bytes, sizeof(bytes));
	xferlog_add_line(&text, &entry);
	assert_false(text.is_cut);
	assert_int_equal(bytes[text.len - 1], '\n');
}

struct event_case {
	int64_t when_s;
	enum record_level level;
	uint32_t session;
	const char *peer;
	const char *user;
	const char *path;
	const char *line;
	const char *journal;
};

static const struct event_case events[] = {
    {1795428000, RECORD_INFO, 12, "192.0.2.1", "anonymous", "/a b\n",
     "2026-11-23T10:00:00Z info session=12 peer=192.0.2.1 user=anonymous: text\n",
     "MESSAGE=text\nPRIORITY=6\nSYSLOG_IDENTIFIER=deftpd\nSYSLOG_FACILITY=11\nFTP_SESSION=12\n"
     "FTP_REMOTE=192.0.2.1\nFTP_USER=anonymous\nFTP_PATH=/a b\\x0a\n"},
    {0, RECORD_ERROR, 0, "", "", "", "1970-01-01T00:00:00Z error: text\n",
     "MESSAGE=text\nPRIORITY=3\nSYSLOG_IDENTIFIER=deftpd\nSYSLOG_FACILITY=11\n"},
    {951782400, RECORD_WARNING, 4294967295U, "fe80::1", "a: session=1\n", "",
     "2000-02-29T00:00:00Z warning session=4294967295 peer=fe80::1 "
     "user=a\\x3a\\x20session\\x3d1\\x0a: text\n",
     "MESSAGE=text\nPRIORITY=4\nSYSLOG_IDENTIFIER=deftpd\nSYSLOG_FACILITY=11\n"
     "FTP_SESSION=4294967295\nFTP_REMOTE=fe80::1\nFTP_USER=a: session=1\\x0a\n"},
};

static void
events_have_two_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
		const struct event_case *row = &events[i];
		struct event event = {.when_s = row->when_s,
		                      .level = row->level,
		                      .session = row->session,
		                      .user = row->user,
		                      .user_len = strlen(row->user),
		                      .path = row->path,
		                      .path_len = strlen(row->path),
		                      .message = "text",
		                      .message_len = 4};
		char bytes[EVENT_FORM_MAX];
		struct text text;

		if (row->peer[0] != '\0') {
			assert_true(
			    addr_parse(row->peer, strlen(row->peer), &event.peer));
		}
		text_init(&text, bytes, sizeof(bytes));
		event_add_line(&text, &event);
		assert_string_equal(bytes, row->line);
		text_init(&text, bytes, sizeof(bytes));
		event_add_journal(&text, &event);
		assert_string_equal(bytes, row->journal);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transfer_lines_are_xferlog),
	    cmocka_unit_test(longest_transfer_line_fits),
	    cmocka_unit_test(events_have_two_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
