/*
 * test_worker_handover: which lines a shared worker reads, and which stay in the socket
 * for a private one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/worker/handover.h"
#include "ftpd/worker/session.h"
#include "common/base.h"

struct expectation {
	const char *bytes;
	enum handover_decision decision;
	size_t used;
	const char *why;
};

static void
decides_by_the_first_line_alone(void **state)
{
	static const struct expectation cases[] = {
	    {"", HANDOVER_WAIT, 0, "nothing came"},
	    {"USER bo", HANDOVER_WAIT, 7, "no line end: it may become anything"},
	    {"USER bob\r\n", HANDOVER_PRIVATE, 10, "another user"},
	    {"user BOB\n", HANDOVER_PRIVATE, 9, "in lower case, LF alone"},
	    {"USER anonymous\r\n", HANDOVER_TAKE, 16, "anonymous"},
	    {"USER Anonymous\r\n", HANDOVER_TAKE, 16, "in any case"},
	    {"USER ftp\r\n", HANDOVER_TAKE, 10, "its other name"},
	    {"USER ftpx\r\n", HANDOVER_PRIVATE, 11, "only begins like it"},
	    {"USER anonymous \r\n", HANDOVER_PRIVATE, 17, "a space is part of a name"},
	    {"USER\r\n", HANDOVER_TAKE, 6, "no name: 501 is said here"},
	    {"AUTH TLS\r\n", HANDOVER_PRIVATE, 10, "no TLS byte enters a shared worker"},
	    {"HOST a.example\r\n", HANDOVER_PRIVATE, 16, "a shared worker has no hosts"},
	    {"HOST a..b\r\n", HANDOVER_TAKE, 11, "no host's name: 501 is said here"},
	    {"AUTH TLS\r\nUSER bob\r\n", HANDOVER_PRIVATE, 10,
	     "what follows does not matter"},
	    {"NOOP\r\nUSER bob\r\n", HANDOVER_TAKE, 6, "the first line only"},
	    {"\xff\xf4USER bob\r\n", HANDOVER_PRIVATE, 12, "behind Telnet noise"},
	    {"PASS secret\r\n", HANDOVER_TAKE, 13,
	     "without USER it is nobody's password"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[LINE_MAX_BYTES];
		struct session session = {.text = text};
		size_t used = 0;
		enum handover_decision decision =
		    handover_decide(&session, (const uint8_t *)cases[i].bytes,
		                    strlen(cases[i].bytes), &used);

		if (decision != cases[i].decision || used != cases[i].used) {
			fail_msg("%s: decided %d, used %zu", cases[i].why, (int)decision,
			         used);
		}
		assert_true(line_is_empty(&session.line)); /* looking takes nothing */
	}
}

/* A line whose first part was read already cannot be handed over whole: it is noise. */
static void
takes_the_rest_of_a_line_that_was_begun(void **state)
{
	static const uint8_t rest[] = "bob\r\n";
	char text[LINE_MAX_BYTES];
	struct session session = {.text = text};
	size_t used;

	(void)state;
	assert_int_equal(
	    line_feed(&session.line, text, (const uint8_t *)"USER ", 5, &used),
	    LINE_MORE);
	assert_int_equal(handover_decide(&session, rest, sizeof(rest) - 1, &used),
	                 HANDOVER_TAKE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decides_by_the_first_line_alone),
	    cmocka_unit_test(takes_the_rest_of_a_line_that_was_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
