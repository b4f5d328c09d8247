/*
 * command_table: prints the table of commands as JSON, for matrix.py.
 * Runs in: tests.
 * Source: ftpd/proto/command.h.
 */
#include <stdio.h>

#include "ftpd/proto/command.h"

#include "common/base.h"

static void
print_flag(const char *name, bool is_set)
{
	printf(", \"%s\": %s", name, is_set ? "true" : "false");
}

static void
print_codes(enum command_id id)
{
	const char *mark = "";

	fputs(", \"codes\": [", stdout);
	for (unsigned code = 100; code < 600; code++) {
		if (command_allows_code(id, code)) {
			printf("%s%u", mark, code);
			mark = ", ";
		}
	}
	fputs("]", stdout);
}

static void
print_row(enum command_id id)
{
	const struct command *row = command_row(id);

	printf("  {\"name\": \"%s\"", row->name);
	print_flag("needs_login", (row->flags & COMMAND_NEEDS_LOGIN) != 0);
	print_flag("writes", (row->flags & COMMAND_WRITES) != 0);
	print_flag("transfers", (row->flags & COMMAND_TRANSFERS) != 0);
	print_flag("during_transfer", (row->flags & COMMAND_DURING_TRANSFER) != 0);
	print_flag("not_built", (row->flags & COMMAND_NOT_BUILT) != 0);
	print_codes(id);
	fputs("}", stdout);
}

int
main(void)
{
	puts("[");
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		print_row((enum command_id)id);
		puts(id + 1 < CMD_COUNT ? "," : "");
	}
	puts("]");
	return 0;
}
