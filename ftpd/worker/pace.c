/*
 * pace: transfers that wait for their rate's sake, without a timer of their own.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/pace.h"

#include <limits.h>

#include "ftpd/worker/session.h"
#include "ftpd/worker/transfer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

void
pace_leave(struct transfer *transfer)
{
	if (transfer->paced_link == NULL) {
		return;
	}
	*transfer->paced_link = transfer->next_paced;
	if (transfer->next_paced != NULL) {
		transfer->next_paced->paced_link = transfer->paced_link;
	}
	transfer->next_paced = NULL;
	transfer->paced_link = NULL;
}

static void
join(struct transfer **list, struct transfer *transfer)
{
	transfer->next_paced = *list;
	transfer->paced_link = list;
	if (*list != NULL) {
		(*list)->paced_link = &transfer->next_paced;
	}
	*list = transfer;
}

void
pace_wait(struct transfer *transfer, uint64_t wait_ms)
{
	struct worker *worker = transfer->session->worker;
	uint64_t due_ms = worker->loop.now_ms + wait_ms;

	due_ms += PACE_MS - due_ms % PACE_MS;
	pace_leave(transfer);
	if (worker->paced == NULL || due_ms < worker->paced_due_ms) {
		worker->paced_due_ms = due_ms;
	}
	transfer->due_ms = due_ms;
	join(&worker->paced, transfer);
}

void
pace_wake(struct transfer *transfer)
{
	struct worker *worker = transfer->session->worker;

	if (transfer->paced_link != NULL) {
		transfer->due_ms = worker->loop.now_ms;
		worker->paced_due_ms = transfer->due_ms;
	}
}

void
pace_run(struct worker *worker)
{
	struct transfer *due = NULL;
	struct transfer *next;
	uint64_t now_ms = worker->loop.now_ms;

	if (worker->paced == NULL || now_ms < worker->paced_due_ms) {
		return;
	}
	worker->paced_due_ms = UINT64_MAX;
	for (struct transfer *transfer = worker->paced; transfer != NULL;
	     transfer = next) {
		next = transfer->next_paced;
		if (transfer->due_ms <= now_ms) {
			pace_leave(transfer);
			join(&due, transfer);
		} else if (transfer->due_ms < worker->paced_due_ms) {
			worker->paced_due_ms = transfer->due_ms;
		}
	}
	while (due != NULL) {
		struct session *session = due->session;

		pace_leave(due);
		transfer_continue(session);
	}
}

int
pace_sleep_ms(const struct worker *worker, int max_ms)
{
	uint64_t now_ms = worker->loop.now_ms;
	uint64_t wait_ms =
	    worker->paced_due_ms > now_ms ? worker->paced_due_ms - now_ms : 0;

	if (worker->paced == NULL || wait_ms > INT_MAX ||
	    (max_ms >= 0 && wait_ms > (uint64_t)max_ms)) {
		return max_ms;
	}
	return (int)wait_ms;
}
