/*
 * rate: how many bytes a session may move now: a token bucket, filled at the smallest of
 * the limits that hold for it.
 * Runs in: deftpd-worker.
 * Source: A. S. Tanenbaum, "Computer Networks", token bucket; DESIGN.md section 6.
 * Not here: how user and address share theirs; the master tells by MW_SHARE.
 */
#ifndef FTPD_WORKER_RATE_H
#define FTPD_WORKER_RATE_H

#include "common/base.h"

struct session;

enum {
	/* A bucket holds what so long a time brings: the longest burst after a pause. */
	RATE_BURST_MS = 500,
};

/*
 * Ask how much of `want` may be moved now.
 * Returns: want if there is no limit; 0: wait rate_wait_ms().
 */
size_t rate_allow(struct session *session, bool is_upload, size_t want);

/* Take what has been moved out of the bucket. */
void rate_moved(struct session *session, bool is_upload, size_t bytes);

/*
 * Returns: after how many milliseconds rate_allow() will allow a slice worth a system
 *          call.
 */
uint64_t rate_wait_ms(const struct session *session, bool is_upload);

/* The limits have changed (MW_SHARE, a new login). A waiting transfer looks again. */
void rate_changed(struct session *session);

/*
 * Ask whether the master has told a share since the session began to move under a limit
 * that it shares with others, or has had nothing to say.
 * Returns: false: what is known of the limits is not all.
 */
bool rate_is_share_known(const struct session *session, bool is_upload);

/* The master has had its time to tell a share: there is none, until it tells one. */
void rate_share_is_silent(struct session *session, bool is_upload);

/*
 * Free the bucket, at the session's end: REIN leaves it, as it would be a way to a full
 * one.
 */
void rate_end(struct session *session);

#endif
