/*
 * answer: what is done about one question, and the answer to it.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: the worker.
 * Source: ftpd/ipc/agent.h; SECURITY.md A1: nothing acts before place_find() has decided.
 * Not here: the loop; see serve.h.
 */
#ifndef FTPD_AGENT_ANSWER_H
#define FTPD_AGENT_ANSWER_H

#include "ftpd/agent/copy.h"
#include "ftpd/agent/listing.h"
#include "ftpd/agent/rulebook.h"
#include "ftpd/agent/serve.h"
#include "ftpd/agent/upload.h"
#include "ftpd/agent/viewer.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

struct server {
	int channel_fd;
	struct rulebook *book;
	const struct viewer *viewer;
	size_t listing_count;
	/* the first listing_count are running */
	struct listing *listings[SERVE_MAX_LISTINGS];
	size_t copy_count;
	struct copy *copies[SERVE_MAX_COPIES]; /* as listings */
	bool is_copy_told[SERVE_MAX_COPIES];   /* but for the last record */
	/*
	 * The last question as it came. It stands beside what is always used, so that
	 * an agent which waits takes one page for all.
	 */
	uint8_t question_bytes[IPC_MESSAGE_MAX];
	struct upload_table uploads;
};

/* What the loop is to do after a question. */
enum verdict {
	GO_ON,
	NOTHING_THERE, /* no question was waiting */
	STOP_DONE,
	STOP_PROTOCOL,
};

/*
 * Do what is asked and answer it.
 * Returns: GO_ON; STOP_PROTOCOL if the worker does not take its answers, or asked what is
 *          no question; STOP_DONE if it is gone.
 */
enum verdict answer_question(struct server *server,
                             const struct agent_question *question);

/*
 * Send an answer, with a descriptor or -1, which stays the caller's. When the user has
 * too much in flight, the answer becomes IPC_BUSY without it.
 * Returns: as answer_question.
 */
enum verdict answer_send(int channel_fd, struct agent_answer *answer, int fd);

/* Run one listing for a while; a finished one leaves its place to the last. */
void answer_run_listing(struct server *server, size_t at);

/* Run one copy for a while, likewise. */
void answer_run_copy(struct server *server, size_t at);

#endif
