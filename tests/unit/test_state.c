/*
 * test_state: the arrows of the diagram in state.h, and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/state.h"

#include "common/base.h"

static void
sessions_follow_the_diagram(void **state)
{
	/*
	 * Rows: from; columns: to. greeted, named, authenticating, asked, logged in,
	 * closing.
	 */
	static const char *const wanted[SESSION_STATE_COUNT] = {
	    [SESSION_GREETED] = ".x...x",        [SESSION_NAMED] = "x.x.xx",
	    [SESSION_AUTHENTICATING] = "x..xxx", [SESSION_ASKED] = "xxx..x",
	    [SESSION_LOGGED_IN] = "x....x",      [SESSION_CLOSING] = "......",
	};

	(void)state;
	for (unsigned from = 0; from < SESSION_STATE_COUNT; from++) {
		for (unsigned to = 0; to < SESSION_STATE_COUNT; to++) {
			bool may = session_state_may((enum session_state)from,
			                             (enum session_state)to);

			if (may != (wanted[from][to] == 'x')) {
				fail_msg("%s to %s",
				         session_state_name((enum session_state)from),
				         session_state_name((enum session_state)to));
			}
		}
	}
}

static void
transfers_follow_the_diagram(void **state)
{
	/* idle, armed, opening, moving, finishing. */
	static const char *const wanted[TRANSFER_STATE_COUNT] = {
	    [TRANSFER_IDLE] = ".xx..",      [TRANSFER_ARMED] = "xxx..",
	    [TRANSFER_OPENING] = "x..x.",   [TRANSFER_MOVING] = "x...x",
	    [TRANSFER_FINISHING] = "x....",
	};

	(void)state;
	for (unsigned from = 0; from < TRANSFER_STATE_COUNT; from++) {
		for (unsigned to = 0; to < TRANSFER_STATE_COUNT; to++) {
			bool may = transfer_state_may((enum transfer_state)from,
			                              (enum transfer_state)to);

			if (may != (wanted[from][to] == 'x')) {
				fail_msg("%s to %s",
				         transfer_state_name((enum transfer_state)from),
				         transfer_state_name((enum transfer_state)to));
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sessions_follow_the_diagram),
	    cmocka_unit_test(transfers_follow_the_diagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
