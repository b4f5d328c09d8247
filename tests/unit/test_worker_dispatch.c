/*
 * test_worker_dispatch: the map from commands to functions is whole, and what is not
 * built needs none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ftpd/worker/dispatch.h"
#include "common/base.h"

/*
 * DESIGN.md section 4: the table holds no function pointers; this proves their map whole.
 */
static void
each_command_that_passes_the_gate_can_run(void **state)
{
	(void)state;
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		const struct command *row = command_row((enum command_id)id);
		const struct dispatch_handler *handler =
		    dispatch_get((enum command_id)id);
		bool is_refused = (row->flags & COMMAND_NOT_BUILT) != 0;

		if ((handler->run == NULL) != is_refused) {
			fail_msg("%s: %s", row->name,
			         is_refused
			             ? "refused by the gate, and yet has a function"
			             : "has no function");
		}
	}
}

/* What asks an agent must be able to take its answer: all that has to do with a path. */
static void
each_command_with_a_path_takes_an_answer(void **state)
{
	(void)state;
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		const struct command *row = command_row((enum command_id)id);
		const struct dispatch_handler *handler =
		    dispatch_get((enum command_id)id);
		bool has_path = row->argument == COMMAND_ARG_PATH ||
		                row->argument == COMMAND_ARG_OPTIONAL_PATH ||
		                row->argument == COMMAND_ARG_LIST ||
		                row->argument == COMMAND_ARG_TIME_PATH ||
		                row->argument == COMMAND_ARG_MAYBE_TIME_PATH ||
		                row->argument == COMMAND_ARG_FACTS_PATH;

		if (handler->run != NULL && has_path && handler->finish == NULL) {
			fail_msg("%s: nobody takes the agent's answer", row->name);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_command_that_passes_the_gate_can_run),
	    cmocka_unit_test(each_command_with_a_path_takes_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
