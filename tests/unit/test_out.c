/*
 * test_out: pieces of text are put together exactly, and never beyond the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/out.h"

#include "common/base.h"

static void
pieces_are_put_together(void **state)
{
	char text[128];
	struct out out = out_begin(text, sizeof(text));

	(void)state;
	out_text(&out, "a");
	out_char(&out, ' ');
	out_bytes(&out, "b\0", 2);
	out_number(&out, 0, 0);
	out_number(&out, 12, 4);
	out_number(&out, 12345, 4);
	out_number(&out, UINT64_MAX, 0);
	out_number_base(&out, UINT64_MAX, 8, 0);
	out_number_base(&out, 0xbeef, 16, 6);
	out_text_padded(&out, "xy", 4);
	out_text_padded(&out, "xyz", 2);
	assert_int_equal(out_end(&out), 69);
	assert_memory_equal(text,
	                    "a b\0"
	                    "0  1212345"
	                    "18446744073709551615"
	                    "1777777777777777777777"
	                    "00beef"
	                    "xy  xyz",
	                    69);
}

static void
what_does_not_fit_ends_it(void **state)
{
	char text[4] = "----";
	struct out out = out_begin(text, 3);

	(void)state;
	out_text(&out, "ab");
	assert_int_equal(out_end(&out), 2);
	out_text(&out, "cd");
	assert_int_equal(out_end(&out), 0);
	out_char(&out, 'e'); /* would fit, but the text has a hole */
	assert_int_equal(out_end(&out), 0);
	assert_memory_equal(text, "ab--", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_put_together),
	    cmocka_unit_test(what_does_not_fit_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
