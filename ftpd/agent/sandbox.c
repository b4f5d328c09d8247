/*
 * sandbox: the confinement of an agent to its system calls.
 * Runs in: deftpd-agent, at the end of its start-up.
 */
#include "ftpd/agent/sandbox.h"

#include <errno.h>
#include <string.h>

#include "common/sandbox.h"
#include "ftpd/agent/filter.h"
#include "common/base.h"

enum {
	STEPS_MAX = 1024, /* of a program; they are some two hundred */
};

int
agent_sandbox_enter(bool may_write, uint64_t max_file_bytes)
{
	struct sock_filter steps[STEPS_MAX];
	struct sandbox_filter filter = {.program = steps};
	const struct sock_filter *program = agent_filter(may_write, &filter.count);
	int result = 0;

	if (filter.count > STEPS_MAX) {
		return -E2BIG;
	}
	/* The kernel's interface takes no constant. */
	memcpy(steps, program, filter.count * sizeof(*steps));
	if (max_file_bytes != UINT64_MAX) {
		result = sandbox_limit_file_size(max_file_bytes);
	}
	return result != 0 ? result : sandbox_filter_load(&filter);
}
