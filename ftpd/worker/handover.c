/*
 * handover: gives a client who brings a password or wants TLS back to the master, before
 * a byte of either is read.
 * Runs in: deftpd-worker, in shared workers, before login.
 */
#include "ftpd/worker/handover.h"

#include <sys/socket.h>

#include "ftpd/proto/letters.h"
#include "ftpd/proto/request.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

bool
handover_is_anonymous(const char *name, size_t len)
{
	return letters_same(name, len, "anonymous") || letters_same(name, len, "ftp");
}

enum handover_decision
handover_decide(struct session *session, const uint8_t *bytes, size_t len,
                size_t *ret_used)
{
	struct line trial = session->line;
	bool is_whole = line_is_empty(&session->line);
	struct request request;

	switch (line_feed(&trial, session->text, bytes, len, ret_used)) {
	case LINE_MORE: return HANDOVER_WAIT;
	case LINE_TOO_LONG:
	case LINE_BAD: return HANDOVER_TAKE;
	case LINE_READY: break;
	}
	/*
	 * A line whose beginning was taken already, because it filled the whole window,
	 * is nothing but noise.
	 */
	if (!is_whole ||
	    request_parse(session->text, trial.len, &request) != REQUEST_OK) {
		return HANDOVER_TAKE;
	}
	if (request.id == CMD_AUTH ||
	    (request.id == CMD_HOST && session->state == SESSION_GREETED) ||
	    (request.id == CMD_USER &&
	     !handover_is_anonymous(request.text, request.text_len))) {
		return HANDOVER_PRIVATE;
	}
	return HANDOVER_TAKE;
}

void
handover_wait_for(struct session *session, size_t bytes)
{
	int low = (int)bytes;

	if (session->low_water == bytes || (bytes == 1 && session->low_water == 0)) {
		return;
	}
	session->low_water = (uint16_t)bytes;
	/* Should it fail, the loop wakes us more often than needed. */
	(void)setsockopt(session->control.fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low));
}

void
handover_start(struct session *session)
{
	struct worker *worker = session->worker;
	struct mw_message message = {.type = MW_HAND_BACK, .session = session->id};
	int control_fd = session->control.fd;

	if (session->output_len > 0) {
		/*
		 * Replies first. The line stays in the socket, where it must not wake the
		 * loop over and over.
		 */
		session->is_handing_over = true;
		return;
	}
	handover_wait_for(session, 1);
	session_release(session);
	master_send(worker, &message, control_fd);
}
