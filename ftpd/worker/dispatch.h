/*
 * dispatch: command ids to functions. check() only reads and may refuse; run() acts, or
 * asks; finish() has the answer.
 * Runs in: deftpd-worker.
 * Source: DESIGN.md section 4; the split is OpenSMTPD's check and proceed.
 */
#ifndef FTPD_WORKER_DISPATCH_H
#define FTPD_WORKER_DISPATCH_H

#include "ftpd/ipc/agent.h"
#include "ftpd/proto/request.h"
#include "common/base.h"

struct session;

struct dispatch_handler {
	/*
	 * Refusals are replied by the function itself. NULL: nothing to check. Returns:
	 * true to go on.
	 */
	bool (*check)(struct session *session, const struct request *request);
	/*
	 * Replies, or asks an agent or the master. The request is gone when it returns.
	 */
	void (*run)(struct session *session, const struct request *request);
	/*
	 * The agent's answer; fd is the function's to close or pass on. NULL: run never
	 * asks an agent.
	 */
	void (*finish)(struct session *session, const struct agent_answer *answer,
	               int fd);
};

/* Carry out a line. */
void dispatch_line(struct session *session, const char *line, size_t len);

/* The agent's answer to what the current command asked. */
void dispatch_finish(struct session *session, const struct agent_answer *answer, int fd);

/*
 * Returns: the functions of a command; all NULL for those that the gate refuses always.
 */
const struct dispatch_handler *dispatch_get(enum command_id id);

#endif
