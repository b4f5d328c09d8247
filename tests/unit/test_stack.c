/*
 * Unit test of common/stack.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/stack.h"

#include "common/base.h"

enum {
	SECRET_BYTES = 64 * 1024,
};

/* Leave something on the stack, as a login does. */
static __attribute__((noinline)) void
leave_secret(void)
{
	volatile char secret[SECRET_BYTES];

	for (size_t i = 0; i < sizeof(secret); i++) {
		secret[i] = 'x';
	}
}

static size_t
count_secret(uintptr_t place)
{
	static char bytes[SECRET_BYTES];
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	size_t found = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)place), sizeof(bytes));
	(void)close(fd);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		found += bytes[i] == 'x' ? 1 : 0;
	}
	return found;
}

/* But for a page or two at the end, which the frames of now may use. */
static void
test_what_lay_there_is_gone(void **state)
{
	char kept[] = "a frame that is in use";
	/* the frame of what is called from here lies below this one */
	uintptr_t place = (uintptr_t)__builtin_frame_address(0) - SECRET_BYTES;

	(void)state;
	leave_secret();
	assert_true(count_secret(place) > SECRET_BYTES / 2);
	stack_drop();
	assert_true(count_secret(place) < 4 * 4096);
	assert_string_equal(kept, "a frame that is in use");
}

/* However little of the stack has been used. */
static void
test_nothing_to_drop(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		stack_drop();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_lay_there_is_gone),
	    cmocka_unit_test(test_nothing_to_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
