/*
 * stack: gives back the memory of stack frames that have returned.
 * Runs in: every process that waits long after it has done much.
 */
#include "common/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/base.h"

void
stack_drop(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	/* One page is left for what madvise() itself needs. */
	uintptr_t end = (frame & ~(page - 1)) - page;

	/*
	 * Where the stack has not grown so far there is nothing to give back, and the
	 * kernel says so having done the rest.
	 */
	(void)madvise((void *)(end - STACK_DROP_BYTES), STACK_DROP_BYTES, MADV_DONTNEED);
}
