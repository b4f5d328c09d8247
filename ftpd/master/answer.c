/*
 * answer: makes the answer to a worker's question about one of its sessions.
 * Runs in: master.
 */
#include "ftpd/master/answer.h"

#include "ftpd/master/data_active.h"
#include "ftpd/master/data_passive.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

int
answer_make(struct master *master, struct session *session,
            struct mw_message *ret_message)
{
	const struct generation *generation = session->worker->generation;
	struct mw_message message = {.session = session->id};
	int fd = -1;

	if (session->question == SESSION_ASKED_ACTIVE) {
		message.type = MW_ACTIVE_ANSWER;
		message.result = data_active_connect(session, &generation->options,
		                                     master->may_use_low_ports, &fd);
	} else {
		message.type = MW_PASSIVE_ANSWER;
		message.result =
		    data_passive_listen(session, generation, &message.local, &fd);
	}
	*ret_message = message;
	return fd;
}
