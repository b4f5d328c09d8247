/*
 * command_table: the data of command.h, apart so that the table can be read as a table.
 * Runs in: deftpd-worker. Only command.c includes this.
 */
#ifndef FTPD_PROTO_COMMAND_TABLE_H
#define FTPD_PROTO_COMMAND_TABLE_H

#include "ftpd/proto/command.h"
#include "common/base.h"

enum {
	COMMAND_EXTRA_FEATURES = 2,
};

extern const struct command command_table[CMD_COUNT];

/* FEAT lines that belong to no command. */
extern const char *const command_extra_features[COMMAND_EXTRA_FEATURES];

#endif
