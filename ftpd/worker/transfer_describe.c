/*
 * transfer_describe: what STAT tells of a transfer; see transfer.h.
 * Runs in: deftpd-worker.
 */
#include <stdio.h>

#include "common/clock.h"
#include "ftpd/worker/data_tls.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/transfer.h"
#include "common/base.h"

static const char *
stage_of(const struct session *session)
{
	switch (session->transfer_state) {
	case TRANSFER_FINISHING: return "Storing";
	case TRANSFER_MOVING: return "Transferring";
	case TRANSFER_IDLE:
	case TRANSFER_ARMED:
	case TRANSFER_OPENING:
	case TRANSFER_STATE_COUNT: break;
	}
	return session->data.stream != NULL ? "Waiting for TLS on the data connection"
	                                    : "Waiting for the data connection";
}

size_t
transfer_describe(const struct session *session, char text[TRANSFER_TEXT_MAX])
{
	const struct transfer *transfer = session->transfer;
	uint64_t us = transfer != NULL ? clock_monotonic_us() - transfer->begun_us : 0;
	uint64_t moved = transfer != NULL ? transfer->moved : 0;
	char security[DATA_TLS_TEXT_MAX];
	int len = snprintf(
	    text, TRANSFER_TEXT_MAX,
	    "%s: %llu octets %s in %llu.%llu s, %llu per second%s.", stage_of(session),
	    (unsigned long long)moved,
	    transfer != NULL && transfer_is_upload(transfer) ? "received" : "sent",
	    (unsigned long long)(us / 1000000), (unsigned long long)(us / 100000 % 10),
	    (unsigned long long)(us >= 1000 ? moved * 1000 / (us / 1000) : 0),
	    data_tls_describe(session, security));

	return len > 0 ? (size_t)len : 0;
}
