/*
 * stack: gives back the memory of stack frames that have returned.
 * Runs in: every process that waits long after it has done much.
 */
#ifndef COMMON_STACK_H
#define COMMON_STACK_H

#include "common/base.h"

enum {
	/*
	 * As far below the caller's frame as anything of ours has reached. The kernel
	 * keeps more than that free of other mappings below a stack.
	 */
	STACK_DROP_BYTES = 128 * 1024,
};

/*
 * Give the pages below the caller's frame back to the kernel. They read as zero when they
 * are used again; so nothing that lay there, a password for instance, is kept either.
 */
void stack_drop(void);

#endif
