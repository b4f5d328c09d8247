/*
 * rate: how many bytes a session may move now: a token bucket, filled at the smallest of
 * the limits that hold for it.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/rate.h"

#include <stdlib.h>

#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* A slice is worth a system call when so long a time has filled it ... */
	RATE_QUANTUM_MS = 100,
	/* ... or when it is so large. */
	RATE_QUANTUM_BYTES = 64 * 1024,
	/* A debt above so long a time's worth is forgiven: nobody waits for hours. */
	RATE_DEBT_MS = 2000,
};

/* Faster than this is no limit for anybody, and products of it fit 64 bits. */
static const uint64_t rate_limit_max = UINT64_C(1) << 40;

struct bucket {
	uint64_t limit;     /* bytes per second that fill it; 0: it is not in use */
	int64_t millibytes; /* what may be moved; below 0: a debt */
	uint64_t filled_ms;
};

struct rate {
	struct bucket down;
	struct bucket up;
	bool is_share_down_known;
	bool is_share_up_known;
};

static uint64_t
smaller(uint64_t limit, uint64_t other)
{
	return other != 0 && (limit == 0 || other < limit) ? other : limit;
}

/* Returns: the limit that holds now, 0 for none. */
static uint64_t
limit_of(const struct session *session, bool is_upload)
{
	const struct session_rights *rights = &session->rights;
	uint64_t limit = is_upload ? rights->rate_up : rights->rate_down;

	if (rights->has_shared_rate) {
		limit = smaller(limit, is_upload ? rights->share_up : rights->share_down);
	}
	if (!rights->is_user) {
		limit = smaller(limit, session->worker->options->anonymous.max_rate);
	}
	return limit < rate_limit_max ? limit : 0;
}

/* Returns: how much fits the bucket, at least one byte. */
static int64_t
capacity(uint64_t limit)
{
	uint64_t millibytes = limit * RATE_BURST_MS;

	return millibytes < 1000 ? 1000 : (int64_t)millibytes;
}

static void
fill(struct bucket *bucket, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - bucket->filled_ms;
	int64_t room = capacity(bucket->limit) - bucket->millibytes;

	if (passed_ms >= RATE_BURST_MS + RATE_DEBT_MS ||
	    (int64_t)(bucket->limit * passed_ms) >= room) {
		bucket->millibytes += room;
	} else {
		bucket->millibytes += (int64_t)(bucket->limit * passed_ms);
	}
	bucket->filled_ms = now_ms;
}

/* The bucket begins full, and keeps what is in it when its limit changes. */
static void
set_limit(struct bucket *bucket, uint64_t limit, uint64_t now_ms)
{
	if (bucket->limit == 0) {
		*bucket = (struct bucket){
		    .limit = limit, .millibytes = capacity(limit), .filled_ms = now_ms};
	}
	fill(bucket, now_ms);
	if (bucket->limit != limit) {
		bucket->limit = limit;
		if (bucket->millibytes > capacity(limit)) {
			bucket->millibytes = capacity(limit);
		}
		if (bucket->millibytes < -(int64_t)(limit * RATE_DEBT_MS)) {
			bucket->millibytes = -(int64_t)(limit * RATE_DEBT_MS);
		}
	}
}

/* Returns: the bucket, filled up to now; NULL without a limit (or without memory). */
static struct bucket *
bucket_of(struct session *session, bool is_upload)
{
	uint64_t limit = limit_of(session, is_upload);
	struct bucket *bucket;

	if (session->rate == NULL && limit != 0) {
		session->rate = calloc(1, sizeof(*session->rate));
	}
	if (session->rate == NULL) {
		return NULL;
	}
	bucket = is_upload ? &session->rate->up : &session->rate->down;
	if (limit == 0) {
		bucket->limit = 0;
		return NULL;
	}
	set_limit(bucket, limit, session->worker->loop.now_ms);
	return bucket;
}

/* Returns: the least number of bytes that is worth a system call. */
static uint64_t
quantum(uint64_t limit)
{
	uint64_t bytes = limit * RATE_QUANTUM_MS / 1000;

	return bytes < 1 ? 1 : bytes < RATE_QUANTUM_BYTES ? bytes : RATE_QUANTUM_BYTES;
}

size_t
rate_allow(struct session *session, bool is_upload, size_t want)
{
	const struct bucket *bucket = bucket_of(session, is_upload);
	uint64_t allowed;

	if (bucket == NULL) {
		return want;
	}
	allowed = bucket->millibytes > 0 ? (uint64_t)bucket->millibytes / 1000 : 0;
	if (allowed >= want) {
		return want;
	}
	return allowed >= quantum(bucket->limit) ? (size_t)allowed : 0;
}

void
rate_moved(struct session *session, bool is_upload, size_t bytes)
{
	struct bucket *bucket = bucket_of(session, is_upload);
	int64_t debt_max;

	if (bucket == NULL) {
		return;
	}
	debt_max = (int64_t)(bucket->limit * RATE_DEBT_MS);
	bucket->millibytes -= (int64_t)bytes * 1000;
	if (bucket->millibytes < -debt_max) {
		bucket->millibytes = -debt_max;
	}
}

uint64_t
rate_wait_ms(const struct session *session, bool is_upload)
{
	const struct bucket *bucket = session->rate == NULL ? NULL
	                              : is_upload           ? &session->rate->up
	                                                    : &session->rate->down;
	int64_t missing;

	if (bucket == NULL || bucket->limit == 0) {
		return 0;
	}
	missing = (int64_t)quantum(bucket->limit) * 1000 - bucket->millibytes;
	return missing <= 0 ? 0 : ((uint64_t)missing + bucket->limit - 1) / bucket->limit;
}

static bool *
share_knowledge(struct session *session, bool is_upload)
{
	if (session->rate == NULL) {
		session->rate = calloc(1, sizeof(*session->rate));
	}
	return session->rate == NULL ? NULL
	       : is_upload           ? &session->rate->is_share_up_known
	                             : &session->rate->is_share_down_known;
}

bool
rate_is_share_known(const struct session *session, bool is_upload)
{
	return session->rate != NULL && (is_upload ? session->rate->is_share_up_known
	                                           : session->rate->is_share_down_known);
}

void
rate_share_is_silent(struct session *session, bool is_upload)
{
	bool *is_known = share_knowledge(session, is_upload);

	if (is_known != NULL) {
		*is_known = true;
	}
}

/*
 * The first share: its bucket begins empty. Were it full, whoever connects again and
 * again would move a burst each time, and user or address more than their rate.
 */
static void
learn_share(struct session *session, bool is_upload)
{
	bool *is_known = share_knowledge(session, is_upload);
	struct bucket *bucket = bucket_of(session, is_upload);

	if (is_known == NULL || *is_known) {
		return;
	}
	*is_known = true;
	if (bucket != NULL && bucket->millibytes > 0) {
		bucket->millibytes = 0;
	}
}

void
rate_changed(struct session *session)
{
	/* What was earned until now was earned at the old rate. */
	(void)bucket_of(session, false);
	(void)bucket_of(session, true);
	if (session->transfer == NULL) {
		return;
	}
	if (session->transfer->is_told_moving) {
		learn_share(session, false);
		learn_share(session, true);
	}
	transfer_repace(session);
}

void
rate_end(struct session *session)
{
	free(session->rate);
	session->rate = NULL;
}
