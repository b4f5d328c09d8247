/*
 * journal: the socket of systemd's journal, opened while the recorder can still see it.
 * Runs in: recorder, at its start.
 * Source: systemd's "Native Journal Protocol". libsystemd is not used: it looks the
 * socket's path up for each message, which an empty root forbids, and it makes a memory
 * file for a long one, which the filter forbids. A connected socket outlives a restart of
 * journald, because systemd keeps the other end.
 * Not here: the datagrams; see event.h.
 */
#ifndef FTPD_RECORDER_JOURNAL_H
#define FTPD_RECORDER_JOURNAL_H

#include "common/base.h"

#define JOURNAL_SOCKET_PATH "/run/systemd/journal/socket"

/*
 * Connect to the journal.
 * Returns: a socket, close-on-exec, the caller's; negative errno where no journal listens
 *          at path.
 */
int journal_connect(const char *path);

#endif
