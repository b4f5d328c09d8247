/*
 * gate: whether a command may be used now, decided from its row in the table and nothing
 * else.
 * Runs in: deftpd-worker.
 * Source: RFC 959 5.4; RFC 2428 4; RFC 4217 9 and 10; ftpd/proto/command.h.
 */
#ifndef FTPD_WORKER_GATE_H
#define FTPD_WORKER_GATE_H

#include "ftpd/proto/command.h"
#include "common/base.h"

struct session;

/*
 * Check a command against the session's state and rights. Refusals are replied here.
 * Returns: true if it may go on.
 */
bool gate_check(struct session *session, const struct command *command);

/*
 * Ask whether this server has a command at all. Those of TLS it has only with
 * certificates.
 * Returns: true if so; else it is 502.
 */
bool gate_is_built(const struct session *session, const struct command *command);

/*
 * Ask whether the session may change files at all, for commands that only sometimes do.
 * What it may change, the agent decides. Refusals are replied here.
 * Returns: true if it may go on.
 */
bool gate_may_write(struct session *session);

#endif
