/*
 * worker_kind: the kinds of child that the master orders from deftpd-worker's forkserver.
 * Runs in: master (orders), worker (is one).
 * Source: DESIGN.md section 1.
 * Not here: the order itself; see common/forkserver.h.
 */
#ifndef FTPD_IPC_WORKER_KIND_H
#define FTPD_IPC_WORKER_KIND_H

#include "common/base.h"

/* Travels as spawn_message.kind. */
enum worker_kind {
	WORKER_SHARED,  /* many anonymous sessions */
	WORKER_PRIVATE, /* one session, then it ends */
	WORKER_KIND_COUNT,
};

#endif
