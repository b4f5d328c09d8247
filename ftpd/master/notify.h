/*
 * notify: tells the service manager what we are doing.
 * Runs in: master.
 * Source: sd_notify(3), "Standalone implementations"; it is a datagram of lines
 * KEY=VALUE.
 * Not here: libsystemd, which the root process need not carry for one datagram.
 */
#ifndef FTPD_MASTER_NOTIFY_H
#define FTPD_MASTER_NOTIFY_H

#include "common/base.h"

enum notify_state {
	NOTIFY_READY,
	NOTIFY_RELOADING,
	NOTIFY_STOPPING,
};

/* Tell the state to $NOTIFY_SOCKET, if there is one. Never blocks. */
void notify(enum notify_state state);

#endif
