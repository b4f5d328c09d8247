/*
 * worker: one event loop over sessions: one of them in a private worker, thousands in a
 * shared one.
 * Runs in: deftpd-worker, a child of its forkserver.
 * Distrusts: every client; believes the master; checks what agents say.
 * Source: DESIGN.md sections 2 to 4.
 */
#ifndef FTPD_WORKER_WORKER_H
#define FTPD_WORKER_WORKER_H

#include "common/loop.h"
#include "common/timer.h"
#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/record.h"
#include "ftpd/ipc/worker_kind.h"
#include "ftpd/worker/agent_client.h"
#include "ftpd/worker/linger.h"
#include "ftpd/worker/master_client.h"
#include "ftpd/worker/sandbox.h"
#include "ftpd/worker/storage.h"
#include "common/base.h"

struct offload;
struct session;
struct tls_context;

enum {
	/*
	 * One read of a control connection; also how far a shared worker peeks. Two of
	 * the longest lines fit.
	 */
	WORKER_INPUT_BYTES = 12 * 1024,
	WORKER_SESSION_SLOTS = 4096, /* buckets of the session table */
};

struct worker {
	enum worker_kind kind;
	const struct options *options;
	const struct overrides *overrides;
	struct tls_context *tls; /* NULL: there is no TLS */
	struct loop loop;
	/*
	 * Data that moves, inside of `loop` by this source: between a few slices all
	 * else has its turn, so that the beginning of a transfer waits for no crowd.
	 */
	struct loop bulk;
	struct loop_source bulk_source;
	unsigned bulk_passed; /* turns in which it has given way */
	struct timer_wheel wheel;
	struct master_client master;
	struct agent_pool agents;
	struct record_sender recorder;
	struct session *sessions[WORKER_SESSION_SLOTS]; /* by id, chained */
	size_t session_count;
	unsigned transfer_count; /* sessions with a transfer */
	/* freed between two turns, when no handler can touch them any more */
	struct session *ended;
	bool is_retired;
	bool has_served; /* a session has begun */
	bool is_over;    /* end of file from the master */
	struct offload *offload;
	/* of the last file moved, and what stands behind it */
	uint64_t last_device;
	enum storage last_storage;
	/*
	 * PUMP_SHARED_BYTES to receive uploads in, and to read what is encrypted here;
	 * NULL before the first one
	 */
	char *upload_buffer;
	/* what downloads have left behind */
	struct linger_list lingering;
	/* transfers that wait for their rate's sake, and when to look at them */
	struct transfer *paced;
	uint64_t paced_due_ms;
	uint8_t input[WORKER_INPUT_BYTES];
};

/* What the forkserver has made once, and its children share. */
struct worker_setup {
	struct options options;
	struct overrides overrides;
	struct tls_context *tls; /* NULL: there is no TLS */
	struct confinement confinement;
};

/*
 * Serve until the master closes the channel, or a retired worker's last session has
 * ended.
 * In:      master_fd: this function closes it.
 * Returns: exit status.
 */
int worker_run(enum worker_kind kind, int master_fd, const struct worker_setup *setup);

/*
 * Where data is watched: in a private worker there is nobody to give way to, and one loop
 * is one system call less.
 * Returns: the loop.
 */
struct loop *worker_data_loop(struct worker *worker);

/*
 * Find a session by the number that the master gave.
 * Returns: it, or NULL when it has ended.
 */
struct session *worker_find(const struct worker *worker, uint32_t id);

/* Tell the recorder; text may hold any byte. */
void worker_log(struct worker *worker, uint32_t session, enum record_level level,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
