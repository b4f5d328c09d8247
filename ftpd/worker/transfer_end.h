/*
 * transfer_end: how a transfer ends: the reply, the record, and what the agent is told.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.2.2 and 5.4; DESIGN.md section 4.
 * Not here: what other commands may do to a transfer; see transfer.h.
 */
#ifndef FTPD_WORKER_TRANSFER_END_H
#define FTPD_WORKER_TRANSFER_END_H

#include "ftpd/ipc/message.h"
#include "ftpd/proto/reply.h"
#include "common/base.h"

struct session;

/*
 * Free the transfer, if there is one, and close both ends; the agent is told of a cut
 * upload. The data connection's state is used up, well or not.
 */
void transfer_release(struct session *session);

/* Tell the master that this one moves or ceases to, if it shares a rate with others. */
void transfer_tell_moving(struct session *session, bool is_moving);

/* Tell the recorder. */
void transfer_record(struct session *session, bool is_complete);

/* The final reply, and on to the next command. */
void transfer_finish(struct session *session, enum reply_code code, const char *text);

/* The upload's end, in the words of what stood in its way. */
void transfer_finish_upload(struct session *session, enum ipc_result result);

/*
 * All is written. The data connection is closed first: the client need not wait for the
 * disk to do so. What happens to the upload now is the agent's answer.
 */
void transfer_commit(struct session *session);

/* The agent has answered AGENT_COMMIT: now the client is told. */
void transfer_committed(struct session *session, enum ipc_result result);

/*
 * Reply for a failed write or an upload that cannot be: 452 for space, 552 for limits,
 * 451 and 450 for what passes, 553 for the name, 554 for REST, 550 else.
 * Returns: the code by RFC 959 4.2.2 and 5.4.
 */
enum reply_code transfer_store_code(enum ipc_result result);

#endif
