/*
 * control_line: bytes become lines, and lines are carried out in order; see
 * control_parts.h.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "ftpd/proto/request.h"
#include "ftpd/worker/cmd_tls.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/control_parts.h"
#include "ftpd/worker/dispatch.h"
#include "ftpd/worker/secure.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

/*
 * Ask whether the assembled line may be carried out now: commands are answered in order,
 * and only what the table says is taken up while data moves.
 */
static bool
may_take(const struct session *session)
{
	struct request request;

	if (session->output_len >= SESSION_OUTPUT_MAX || session->is_quitting) {
		return false;
	}
	/* ABOR waits for its answer, and all behind it for theirs. */
	if (session->transfer != NULL && session->transfer->has_abor) {
		return false;
	}
	if (session_is_transferring(session) || session->copy != NULL) {
		return session->line_result == LINE_READY &&
		       request_parse(session->text, session->line.len, &request) ==
		           REQUEST_OK &&
		       (command_row(request.id)->flags & COMMAND_DURING_TRANSFER) != 0 &&
		       request.text_len == 0;
	}
	return !session_is_waiting(session);
}

void
control_wipe_bytes(const struct session *session, void *bytes, size_t len)
{
	if (session->worker->kind == WORKER_PRIVATE && bytes != NULL) {
		secret_wipe(bytes, len);
	}
}

void
control_wipe(struct session *session)
{
	control_wipe_bytes(session, session->text, LINE_MAX_BYTES);
	control_wipe_bytes(session, session->input, WORKER_INPUT_BYTES);
}

static void
carry_out(struct session *session)
{
	session->has_line = false;
	session_touch(session);
	switch (session->line_result) {
	case LINE_READY:
		dispatch_line(session, session->text, session->line.len);
		/* NULL if the session has ended by it */
		control_wipe_bytes(session, session->text, LINE_MAX_BYTES);
		return;
	case LINE_TOO_LONG:
		control_reply(session, REPLY_UNKNOWN_COMMAND, "The line is too long.");
		return;
	case LINE_BAD:
		control_reply(session, REPLY_BAD_ARGUMENT,
		              "The line holds a NUL or a CR without LF.");
		return;
	case LINE_MORE: return;
	}
}

bool
control_get_text(struct session *session)
{
	if (session->text == NULL) {
		session->text = malloc(LINE_MAX_BYTES);
	}
	return session->text != NULL;
}

/* Give the line's buffer back as soon as nothing is in it. */
void
control_release_text(struct session *session)
{
	if (!session->has_line && line_is_empty(&session->line)) {
		control_wipe_bytes(session, session->text, LINE_MAX_BYTES);
		free(session->text);
		session->text = NULL;
	}
}

/*
 * Assemble and carry out lines as long as there are bytes and nothing stands in the way.
 * Returns: how many bytes were used.
 */
static size_t
process(struct session *session, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	size_t used;

	session->is_processing = true;
	while (!session->is_stopped && !secure_is_changing(session) &&
	       control_get_text(session)) {
		if (!session->has_line && at < len) {
			session->line_result = line_feed(&session->line, session->text,
			                                 bytes + at, len - at, &used);
			at += used;
			session->has_line = session->line_result != LINE_MORE;
		}
		if (!session->has_line || !may_take(session)) {
			break;
		}
		carry_out(session);
		if (secure_is_changing(session)) {
			/* AUTH, CCC or REIN, and what has come behind it */
			cmd_tls_change(session, at < len);
		}
	}
	session->is_processing = false;
	if (session->state != SESSION_CLOSING) {
		control_release_text(session);
	}
	return session->is_stopped ? len : at;
}

void
control_take_kept(struct session *session)
{
	size_t used = process(session, session->input, session->input_len);

	if (session->state == SESSION_CLOSING || session->input == NULL) {
		return;
	}
	session->input_len -= used;
	memmove(session->input, session->input + used, session->input_len);
	control_wipe_bytes(session, session->input + session->input_len, used);
	if (session->input_len == 0) {
		free(session->input);
		session->input = NULL;
	}
}

static void
keep_input(struct session *session, const uint8_t *bytes, size_t len)
{
	if (len == 0) {
		return;
	}
	if (session->input == NULL) {
		session->input = malloc(WORKER_INPUT_BYTES);
	}
	if (session->input == NULL) {
		control_reply(session, REPLY_SERVICE_CLOSING,
		              "Out of memory; try again later.");
		control_end(session, MW_END_CLOSED);
		return;
	}
	memcpy(session->input + session->input_len, bytes, len);
	session->input_len += len;
}

void
control_take(struct session *session, const uint8_t *bytes, size_t len)
{
	size_t used;

	if (session->input_len > 0) {
		keep_input(session, bytes, len);
		control_take_kept(session);
		return;
	}
	used = process(session, bytes, len);
	if (session->state != SESSION_CLOSING) {
		keep_input(session, bytes + used, len - used);
	}
}
