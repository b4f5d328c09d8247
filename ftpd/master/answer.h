/*
 * answer: makes the answer to a worker's question about one of its sessions.
 * Runs in: master.
 * Not here: whether the question was permitted; see worker_obey.h.
 */
#ifndef FTPD_MASTER_ANSWER_H
#define FTPD_MASTER_ANSWER_H

#include "ftpd/ipc/master_worker.h"
#include "ftpd/master/session_table.h"
#include "common/base.h"

/*
 * Answer session->question.
 * Returns: the descriptor that goes along, the caller's, or -1; and *ret_message.
 */
int answer_make(struct master *master, struct session *session,
                struct mw_message *ret_message);

#endif
