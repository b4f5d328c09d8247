/*
 * outbox: messages to one worker that wait for their turn: at most one descriptor is on
 * its way at a time.
 * Runs in: master.
 */
#include "ftpd/master/outbox.h"

#include <errno.h>
#include <stdlib.h>

#include "common/fd.h"
#include "common/base.h"

void
outbox_init(struct outbox *outbox)
{
	STAILQ_INIT(&outbox->entries);
	outbox->count = 0;
	outbox->is_in_flight = false;
}

int
outbox_push(struct outbox *outbox, const struct mw_message *message, int fd)
{
	struct outbox_entry *entry;

	if (outbox->count >= OUTBOX_MAX) {
		return -ENOBUFS;
	}
	entry = malloc(sizeof(*entry));
	if (entry == NULL) {
		return -ENOMEM;
	}
	entry->message = *message;
	entry->fd = fd;
	STAILQ_INSERT_TAIL(&outbox->entries, entry, next);
	outbox->count++;
	return 0;
}

const struct outbox_entry *
outbox_next(const struct outbox *outbox)
{
	const struct outbox_entry *entry = STAILQ_FIRST(&outbox->entries);

	if (entry == NULL || (entry->fd >= 0 && outbox->is_in_flight)) {
		return NULL;
	}
	return entry;
}

void
outbox_sent(struct outbox *outbox)
{
	struct mw_message message;
	int fd;

	if (!outbox_pop(outbox, &message, &fd)) {
		return;
	}
	if (fd >= 0) {
		outbox->is_in_flight = true;
		fd_close(&fd);
	}
}

void
outbox_mark_in_flight(struct outbox *outbox)
{
	outbox->is_in_flight = true;
}

bool
outbox_taken(struct outbox *outbox)
{
	bool was_in_flight = outbox->is_in_flight;

	outbox->is_in_flight = false;
	return was_in_flight;
}

bool
outbox_pop(struct outbox *outbox, struct mw_message *ret_message, int *ret_fd)
{
	struct outbox_entry *entry = STAILQ_FIRST(&outbox->entries);

	if (entry == NULL) {
		return false;
	}
	STAILQ_REMOVE_HEAD(&outbox->entries, next);
	outbox->count--;
	*ret_message = entry->message;
	*ret_fd = entry->fd;
	free(entry);
	return true;
}
